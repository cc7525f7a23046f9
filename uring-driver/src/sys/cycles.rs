//! The processor's cycle counter, where it is fit to tell the time.

use std::sync::OnceLock;

/// Whether the kernel itself derives the monotonic clock from the cycle counter: then that runs at
/// one rate, in all states of the processor, and in step on all cores. Found out at the first call.
///
/// ```
/// use henge_driver::sys::cycles;
///
/// let before = cycles::read();
/// if cycles::usable() {
///     assert!(cycles::read() > before);
/// }
/// ```
pub fn usable() -> bool {
    static USABLE: OnceLock<bool> = OnceLock::new();
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    *USABLE.get_or_init(|| {
        cfg!(target_arch = "x86_64")
            && std::fs::read_to_string(SOURCE).is_ok_and(|source| source.trim() == "tsc")
    })
}

/// The counter, not ordered with the loads and stores around it. Zero where there is none; see
/// [`usable`].
///
/// ```
/// let cycles = henge_driver::sys::cycles::read();
/// println!("{cycles} cycles since the machine was started, or thereabouts");
/// ```
#[inline]
pub fn read() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction, and Linux leaves it to user mode unless
    // the process has itself forbidden it.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    return 0;
}
