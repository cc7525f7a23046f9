//! Asking the kernel which operations it has.

use std::io;

use io_uring::Probe;

use super::Ring;
use crate::sqe::Opcode;

impl Ring {
    /// The operations that the driver knows and this kernel does not.
    ///
    /// # Errors
    ///
    /// The errno of the call.
    pub(crate) fn missing_operations(&self) -> io::Result<Vec<Opcode>> {
        let mut probe = Probe::new();
        self.submitter.register_probe(&mut probe)?;
        let missing = |operation: &Opcode| !probe.is_supported(*operation as u8);
        Ok(Opcode::ALL.into_iter().filter(missing).collect())
    }
}
