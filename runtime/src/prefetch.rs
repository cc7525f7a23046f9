//! Hints to the processor about cache lines that are on their way between two cores.
//!
//! A line that another core has written last takes 50 to 250 ns to come. Asked for in time it comes
//! while there is something else to do, and several come at once. Stores do not ask by themselves:
//! they leave a core in order, one line after the other.

/// The bytes of a cache line.
pub(crate) const LINE: usize = 64;

/// The line at `place` will be read.
#[inline(always)]
pub(crate) fn to_read<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint: it reads nothing that the program sees, and no address makes it fault.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// The line at `place` will be written: the other core is to give it up.
#[inline(always)]
pub(crate) fn to_write<T>(place: *const T) {
    // Miri has no assembly.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: as above. A processor that does not know the instruction does nothing. (The intrinsic
    // for it would be a `prefetcht0` where the target does not promise that it does.)
    unsafe {
        std::arch::asm!(
            "prefetchw [{}]",
            in(reg) place,
            options(nostack, preserves_flags, readonly),
        );
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = place;
}

/// All lines of a value will be written, or the first few if there are many.
#[inline]
pub(crate) fn all_to_write<T: ?Sized>(value: &T) {
    const MOST: usize = 4 * LINE;
    let (first, bytes) = (std::ptr::from_ref(value).cast::<u8>(), size_of_val(value).min(MOST));
    // The last byte is in a line of its own where the value does not begin with one.
    for at in (0..bytes).step_by(LINE).chain(bytes.checked_sub(1)) {
        to_write(first.wrapping_add(at));
    }
}
