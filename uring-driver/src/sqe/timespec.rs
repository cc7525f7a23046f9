//! A span of time as the kernel reads it.

use std::time::Duration;

/// A span of time in the kernel's layout (`struct __kernel_timespec`).
///
/// ```
/// use henge_driver::{Cqe, Driver, Next, Operation, Sqe, Timespec, submit};
/// use std::time::Duration;
///
/// struct Rest(Timespec);
///
/// // SAFETY: the span is a field of the operation, which does not move after `prepare`.
/// unsafe impl Operation for Rest {
///     type Output = ();
///     fn prepare(&mut self) -> Sqe { Sqe::timeout(&self.0) }
///     fn complete(&mut self, _: Cqe) -> Next<()> { Next::Done(()) }
/// }
///
/// Driver::new()?.block_on(submit(Rest(Duration::from_millis(1).into())))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanos: i64,
}

impl From<Duration> for Timespec {
    /// A span that the kernel cannot express (some 292 billion years) becomes the longest that
    /// it can.
    fn from(span: Duration) -> Timespec {
        Timespec {
            seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            nanos: i64::from(span.subsec_nanos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timespec;

    #[test]
    fn a_span_beyond_the_kernels_is_the_longest() {
        let span = Timespec::from(Duration::MAX);
        assert_eq!((span.seconds, span.nanos), (i64::MAX, 999_999_999));
        let span = Timespec::from(Duration::from_millis(1_500));
        assert_eq!((span.seconds, span.nanos), (1, 500_000_000));
    }
}
