//! TCP on the henge driver.
