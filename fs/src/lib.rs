//! Files on the henge driver.
