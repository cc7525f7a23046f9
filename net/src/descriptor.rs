//! What every type with a descriptor has for it.

/// Gives `$type` the traits of a handle of a descriptor, and makes it from std's `$std`, if
/// there is one.
macro_rules! descriptor {
    ($type:ident, |$this:ident| $fd:expr $(, $std:ty)?) => {
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                let $this = self;
                std::os::fd::AsFd::as_fd($fd)
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                let $this = self;
                std::os::fd::AsRawFd::as_raw_fd($fd)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $this = self;
                let fd = std::os::fd::AsRawFd::as_raw_fd($fd);
                f.debug_struct(stringify!($type)).field("fd", &fd).finish_non_exhaustive()
            }
        }

        $(
            impl TryFrom<$std> for $type {
                type Error = std::io::Error;

                fn try_from(from: $std) -> std::io::Result<$type> {
                    $type::from_std(from)
                }
            }
        )?
    };
}

pub(crate) use descriptor;
