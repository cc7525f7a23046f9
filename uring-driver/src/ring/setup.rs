//! Making a ring with as many of the fast flags as this kernel has.
//!
//! A kernel that does not know a flag answers EINVAL and does not say which, so the flags are
//! taken away one by one, the youngest first. Any other answer is final: above all EPERM, which
//! means that rings are not allowed here whatever their flags.

use std::io;

use io_uring::IoUring;

use crate::sys::abi;

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Entries of the submission queue; rounded up to a power of two, cut at the kernel's limit.
    pub(crate) entries: u32,
    /// Entries of the completion queue.
    pub(crate) completions: u32,
    /// Register the ring's own descriptor, so that an enter need not look it up.
    pub(crate) registered_ring: bool,
}

/// What was had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) cqsize: bool,
    pub(crate) submit_all: bool,
    pub(crate) taskrun_flag: bool,
    pub(crate) single_issuer: bool,
    pub(crate) defer_taskrun: bool,
    pub(crate) no_sqarray: bool,
    pub(crate) registered_ring: bool,
    pub(crate) ext_arg: bool,
    pub(crate) nodrop: bool,
    pub(crate) min_wait: bool,
    pub(crate) no_iowait: bool,
    pub(crate) bundles: bool,
    pub(crate) entries: u32,
    pub(crate) completions: u32,
}

/// The flags that can be taken away, the youngest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peel {
    NoSqArray,
    DeferTaskrun,
    SingleIssuer,
    /// Needs one of COOP_TASKRUN and DEFER_TASKRUN beside it.
    TaskrunFlag,
    SubmitAll,
    CqSize,
}

const PEELS: [Peel; 6] = [
    Peel::NoSqArray,
    Peel::DeferTaskrun,
    Peel::SingleIssuer,
    Peel::TaskrunFlag,
    Peel::SubmitAll,
    Peel::CqSize,
];

pub(super) fn build(request: &Request) -> io::Result<(IoUring, Flags)> {
    peel(|peeled| attempt(request, peeled))
}

/// Calls `attempt` with ever more flags taken away until it answers something else than EINVAL.
fn peel<T>(mut attempt: impl FnMut(&[Peel]) -> io::Result<T>) -> io::Result<T> {
    let mut count = 0;
    loop {
        match attempt(&PEELS[..count]) {
            Err(error) if error.raw_os_error() == Some(abi::EINVAL) && count < PEELS.len() => {
                count += 1;
            }
            answer => return answer,
        }
    }
}

fn attempt(request: &Request, peeled: &[Peel]) -> io::Result<(IoUring, Flags)> {
    let wanted = |flag| !peeled.contains(&flag);
    let mut builder = IoUring::builder();
    builder.dontfork().setup_clamp();
    if wanted(Peel::NoSqArray) {
        builder.setup_no_sqarray();
    }
    if wanted(Peel::DeferTaskrun) {
        builder.setup_defer_taskrun();
    } else if wanted(Peel::TaskrunFlag) {
        builder.setup_coop_taskrun();
    }
    if wanted(Peel::SingleIssuer) {
        builder.setup_single_issuer();
    }
    if wanted(Peel::TaskrunFlag) {
        builder.setup_taskrun_flag();
    }
    if wanted(Peel::SubmitAll) {
        builder.setup_submit_all();
    }
    if wanted(Peel::CqSize) {
        builder.setup_cqsize(request.completions);
    }
    let ring = builder.build(request.entries)?;
    let got = ring.params();
    let flags = Flags {
        cqsize: wanted(Peel::CqSize),
        submit_all: wanted(Peel::SubmitAll),
        taskrun_flag: wanted(Peel::TaskrunFlag),
        single_issuer: wanted(Peel::SingleIssuer),
        defer_taskrun: wanted(Peel::DeferTaskrun),
        no_sqarray: wanted(Peel::NoSqArray),
        registered_ring: false,
        ext_arg: got.is_feature_ext_arg(),
        nodrop: got.is_feature_nodrop(),
        min_wait: got.is_feature_min_timeout(),
        no_iowait: got.is_feature_no_iowait(),
        bundles: got.is_feature_recvsend_bundle(),
        entries: got.sq_entries(),
        completions: got.cq_entries(),
    };
    Ok((ring, flags))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{PEELS, Peel, peel};
    use crate::sys::abi;

    fn refusal(errno: i32) -> io::Error {
        io::Error::from_raw_os_error(errno)
    }

    #[test]
    fn flags_go_one_by_one_until_the_kernel_is_content() {
        let mut asked = Vec::new();
        let got = peel(|peeled| {
            asked.push(peeled.len());
            if peeled.contains(&Peel::DeferTaskrun) { Ok(peeled.len()) } else { Err(refusal(22)) }
        });
        assert_eq!(got.unwrap(), 2);
        assert_eq!(asked, [0, 1, 2]);
    }

    #[test]
    fn nothing_is_taken_away_on_another_error() {
        let mut calls = 0;
        let got: io::Result<()> = peel(|_| {
            calls += 1;
            Err(refusal(1))
        });
        assert_eq!(got.unwrap_err().raw_os_error(), Some(1));
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_kernel_that_takes_nothing_is_asked_once_for_each_flag() {
        let mut calls = 0;
        let got: io::Result<()> = peel(|_| {
            calls += 1;
            Err(refusal(abi::EINVAL))
        });
        assert_eq!(got.unwrap_err().raw_os_error(), Some(abi::EINVAL));
        assert_eq!(calls, PEELS.len() + 1);
    }
}
