//! What the two ends of a pipe have in common.

/// In the examples: the lines that make `fd`, std's descriptor of an end of this kind.
macro_rules! of_std {
    (Receiver) => {
        concat!(of_std!(), "let (end, _writer) = std::io::pipe()?;\n", of_std!(fd))
    };
    (Sender) => {
        concat!(of_std!(), "let (_reader, end) = std::io::pipe()?;\n", of_std!(fd))
    };
    () => {
        concat!(
            "# use henge_net::unix::pipe;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
        )
    };
    (fd) => {
        "let fd = std::os::fd::OwnedFd::from(end);"
    };
}

/// In the examples: the line that makes `end`, which is of this kind, by `$call`.
macro_rules! made {
    ($end:ident, $call:literal) => {
        concat!("let end = pipe::", stringify!($end), "::", $call, "?;")
    };
}

/// In the examples: the lines that make `end`, which is of this kind and ready, and its `peer`.
macro_rules! of_ours {
    (Receiver) => {
        concat!(
            "# use henge_net::unix::pipe;\n",
            "# use tokio::io::AsyncWriteExt;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let (mut peer, end) = pipe::pipe()?;\n",
            "peer.write_all(b\"hello\").await?;",
        )
    };
    (Sender) => {
        concat!(
            "# use henge_net::unix::pipe;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let (end, peer) = pipe::pipe()?;",
        )
    };
}

/// Makes `$end` an end of a pipe that is open for `$access`, and that one waits for by `$wait`. Its
/// descriptor is watched by `$core`.
macro_rules! end {
    ($end:ident, $access:ident, $wait:ident, |$fd:ident| $core:expr) => {
        const _: () = {
            use std::io;
            use std::os::fd::OwnedFd;

            use henge_driver::Fd;
            use henge_driver::sys::file::StdFile;
            use henge_driver::sys::{pipe, socket};

            use $crate::readiness::{Interest, Ready};
            use $crate::unix::pipe::end::{made, of_ours, of_std};

            impl $end {
                /// Takes over a file that is one end of a pipe. It is made non-blocking, which all
                /// holders of the end see.
                ///
                /// # Errors
                ///
                /// `InvalidInput` if it is no pipe, or not open for this end's direction; what the
                /// kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_std!($end)]
                /// let file = std::fs::File::from(fd);
                #[doc = made!($end, "from_file(file)")]
                /// # drop(end);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn from_file(file: StdFile) -> io::Result<$end> {
                    $end::from_owned_fd(file.into())
                }

                /// As [`from_file`](Self::from_file), from a descriptor.
                ///
                /// # Errors
                ///
                /// `InvalidInput` if it is no pipe, or not open for this end's direction; what the
                /// kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_std!($end)]
                #[doc = made!($end, "from_owned_fd(fd)")]
                /// # drop(end);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<$end> {
                    pipe::check_end(&owned_fd, pipe::Access::$access)?;
                    socket::set_nonblocking(&owned_fd, true)?;
                    $end::from_owned_fd_unchecked(owned_fd)
                }

                /// As [`from_file`](Self::from_file), of a file that is known to be a pipe's end,
                /// and non-blocking.
                ///
                /// # Errors
                ///
                /// None today; tokio's signature.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_std!($end)]
                /// let file = std::fs::File::from(fd);
                #[doc = made!($end, "from_file_unchecked(file)")]
                /// # drop(end);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn from_file_unchecked(file: StdFile) -> io::Result<$end> {
                    $end::from_owned_fd_unchecked(file.into())
                }

                /// As [`from_file_unchecked`](Self::from_file_unchecked), from a descriptor.
                ///
                /// # Errors
                ///
                /// None today; tokio's signature.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_std!($end)]
                #[doc = made!($end, "from_owned_fd_unchecked(fd)")]
                /// # drop(end);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<$end> {
                    let $fd = Fd::from(owned_fd);
                    Ok($end { core: $core })
                }

                /// Waits until the pipe is ready for something of `interest`, and says for what:
                /// also whether the other end is gone.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Cancel safety
                ///
                /// Nothing is lost.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_ours!($end)]
                /// use henge_net::readiness::Interest;
                ///
                #[doc = concat!("let ready = end.ready(Interest::", stringify!($wait), ").await?;")]
                /// assert!(!ready.is_empty());
                /// # drop(peer);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                    self.core.ready(interest).await
                }

                /// Runs `f`, which is to transfer by calls of its own on the descriptor, if that is
                /// known to be ready. If it answers `WouldBlock`, the pipe is not known to be ready
                /// any more.
                ///
                /// # Errors
                ///
                /// `WouldBlock` if it is not known to be ready; what `f` answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_ours!($end)]
                /// let nothing = || Err(std::io::ErrorKind::WouldBlock.into());
                /// assert!(end.try_io::<()>(nothing).is_err());
                /// # drop(peer);
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                    self.core.try_known(Interest::$wait, f)
                }

                /// Gives the descriptor up, blocking.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_ours!($end)]
                /// let end: std::os::fd::OwnedFd = end.into_blocking_fd()?;
                /// # drop((end, peer));
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
                    let fd = self.core.into_fd()?;
                    socket::set_nonblocking(&fd, false)?;
                    Ok(fd)
                }

                /// Gives the descriptor up, non-blocking.
                ///
                /// # Errors
                ///
                /// What the kernel answers.
                ///
                /// # Examples
                ///
                /// ```
                #[doc = of_ours!($end)]
                /// let end: std::os::fd::OwnedFd = end.into_nonblocking_fd()?;
                /// # drop((end, peer));
                /// # std::io::Result::Ok(())
                /// # })??;
                /// # Ok::<(), std::io::Error>(())
                /// ```
                pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
                    let fd = self.core.into_fd()?;
                    socket::set_nonblocking(&fd, true)?;
                    Ok(fd)
                }
            }
        };
    };
}

pub(crate) use {end, made, of_ours, of_std};
