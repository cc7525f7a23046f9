//! What the running kernel gives.

use std::io;

use henge_driver::{Capabilities, Config, Driver, current};

/// What the running kernel gives the rings of this process, and what not, to be printed.
///
/// On a shard it speaks of the shard's own ring, elsewhere of one that is made for the purpose.
///
/// # Errors
///
/// Why there can be no ring: the error names the cause and the cure.
///
/// # Examples
///
/// ```
/// println!("{}", henge::capabilities()?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn capabilities() -> io::Result<Capabilities> {
    match current::with(Driver::capabilities) {
        Ok(capabilities) => capabilities,
        Err(_no_driver) => {
            let driver = Driver::with_config(&Config::new().ring_entries(8))?;
            let _entered = driver.enter();
            driver.capabilities()
        }
    }
}
