//! What a guard knows, and the right to say that it is so no more.

/// In the examples: the lines that make `guard` of the descriptor `a`, which is readable.
macro_rules! guarded {
    ($wait:literal) => {
        concat!(
            "# use henge_net::async_fd::AsyncFd;\n",
            "# use henge_net::readiness::{Interest, Ready};\n",
            "# use std::io::{Read, Write};\n",
            "# use std::os::unix::net::UnixStream;\n",
            "# let driver = henge_driver::Driver::new()?;\n",
            "# driver.block_on(async {\n",
            "let (a, mut b) = UnixStream::pair()?;\n",
            "a.set_nonblocking(true)?;\n",
            "let mut a = AsyncFd::new(a)?;\n",
            "b.write_all(b\"hello\")?;\n",
            "let mut guard = a.",
            $wait,
            "().await?;",
        )
    };
}

/// Gives `$guard`, which comes of the wait `$wait`, what both kinds of guard have.
macro_rules! knows {
    ($guard:ident, $wait:literal) => {
        impl<T: AsRawFd> $guard<'_, T> {
            /// The descriptor is not ready any more: the next wait is for a new event. Call it when
            /// a transfer has found nothing; a readiness that was told since stays known.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = guarded!($wait)]
            /// guard.clear_ready();
            /// b.write_all(b"more")?;
            /// a.readable().await?.retain_ready(); // by the new event
            /// # std::io::Result::Ok(())
            /// # })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn clear_ready(&mut self) {
                if let Some(event) = self.event.take() {
                    self.fd.source.clear(event);
                }
            }

            /// As `clear_ready`, for a part of what the guard knows.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = guarded!($wait)]
            /// guard.clear_ready_matching(Ready::READABLE);
            /// # std::io::Result::Ok(())
            /// # })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn clear_ready_matching(&mut self, ready: Ready) {
                if let Some(event) = &mut self.event {
                    let mut part = *event;
                    part.ready = part.ready & ready;
                    event.ready = event.ready - ready;
                    self.fd.source.clear(part);
                }
            }

            /// The descriptor is still ready: says in a word that nothing is cleared.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = guarded!($wait)]
            /// guard.retain_ready();
            /// a.readable().await?.retain_ready(); // at once
            /// # std::io::Result::Ok(())
            /// # })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn retain_ready(&mut self) {
                // Nothing is cleared unasked.
            }

            /// What the descriptor is ready for.
            ///
            /// # Examples
            ///
            /// ```
            #[doc = guarded!($wait)]
            /// assert!(guard.ready().is_readable());
            /// # std::io::Result::Ok(())
            /// # })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub fn ready(&self) -> Ready {
                self.event.map_or(Ready::EMPTY, |event| event.ready)
            }
        }

        impl<T: AsRawFd + fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($guard))
                    .field("fd", &self.fd)
                    .field("ready", &self.ready())
                    .finish()
            }
        }
    };
}

pub(super) use {guarded, knows};
