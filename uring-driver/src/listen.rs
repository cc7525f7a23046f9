//! Which addresses the drivers of one group listen on, so that they, and nobody else, share them.
//!
//! The kernel spreads connections over all listeners of an address that have `SO_REUSEPORT`, and
//! lets anybody of the same user join them: a second copy of a server, started by mistake, would
//! take half of the connections. So the first bind of an address in a group is exclusive and gets
//! the flag only afterwards, between `bind` and `listen`; the others of the group, which this
//! register knows, join with the flag set from the start. Whoever is not in the group binds
//! exclusively too, and is refused.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::driver_id::DriverId;
use crate::sys::socket;

/// The register of a group of drivers: those of one runtime, or a driver alone.
#[derive(Debug, Default)]
pub struct ListenGroup {
    addresses: Mutex<HashMap<SocketAddr, Vec<DriverId>>>,
}

/// How a listener is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nobody of the group has the address: bind it exclusively, then allow the others in.
    First,
    /// Another driver of the group has it: join.
    Joins,
}

/// A driver's place among the listeners of an address, given up by dropping it.
#[derive(Debug)]
pub struct Membership {
    group: Arc<ListenGroup>,
    address: SocketAddr,
    driver: DriverId,
}

impl ListenGroup {
    /// A group that listens nowhere yet.
    pub fn new() -> ListenGroup {
        ListenGroup::default()
    }

    /// Opens a listener of `driver` at `address`. `open` is told how, and answers with what it
    /// opened and the address that it has really got (port 0 asks for a fresh one).
    ///
    /// Binds of one group come one after the other, so that the second sees the first.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if `driver` listens there already, and what `open` fails with.
    pub fn open<T>(
        self: &Arc<Self>,
        driver: DriverId,
        address: SocketAddr,
        open: impl FnOnce(Role) -> io::Result<(T, SocketAddr)>,
    ) -> io::Result<(T, Membership)> {
        let mut addresses = self.addresses();
        let members = addresses.get(&address).map_or(&[][..], Vec::as_slice);
        if members.contains(&driver) {
            return Err(listens_already());
        }
        let role = if members.is_empty() { Role::First } else { Role::Joins };
        let (listener, address) = open(role)?;
        let members = addresses.entry(address).or_default();
        if role == Role::First && !members.is_empty() {
            // A fresh port is nobody's yet; one that is, was not bound exclusively.
            return Err(io::ErrorKind::AddrInUse.into());
        }
        members.push(driver);
        Ok((listener, Membership { group: self.clone(), address, driver }))
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<SocketAddr, Vec<DriverId>>> {
        // A panic in `open` leaves the map as it was.
        self.addresses.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Membership {
    /// Makes it `driver`'s place, who is of `group`.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if `driver` listens there already, or `group` is another one.
    pub fn hand_to(&mut self, driver: DriverId, group: &Arc<ListenGroup>) -> io::Result<()> {
        if !Arc::ptr_eq(&self.group, group) {
            return Err(in_use("the listener belongs to another runtime"));
        }
        if driver == self.driver {
            return Ok(());
        }
        let mut addresses = self.group.addresses();
        let members = addresses.entry(self.address).or_default();
        if members.contains(&driver) {
            return Err(listens_already());
        }
        members.retain(|member| *member != self.driver);
        members.push(driver);
        self.driver = driver;
        Ok(())
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut addresses = self.group.addresses();
        if let Some(members) = addresses.get_mut(&self.address) {
            members.retain(|member| *member != self.driver);
            if members.is_empty() {
                addresses.remove(&self.address);
            }
        }
    }
}

/// As the kernel says it, so that programs that look at the number of the error find it. One shard
/// binds once; a listener that several of its tasks use is shared by an `Arc`.
fn listens_already() -> io::Error {
    socket::address_in_use()
}

fn in_use(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::AddrInUse, why)
}

#[cfg(test)]
mod tests {
    use super::{ListenGroup, Role};
    use crate::driver_id::DriverId;
    use std::io;
    use std::net::SocketAddr;
    use std::sync::Arc;

    const FRESH: u16 = 4321;

    fn open(
        group: &Arc<ListenGroup>,
        driver: DriverId,
        port: u16,
    ) -> io::Result<(Role, super::Membership)> {
        let asked = SocketAddr::from(([127, 0, 0, 1], port));
        let got = SocketAddr::from(([127, 0, 0, 1], if port == 0 { FRESH } else { port }));
        group.open(driver, asked, |role| Ok((role, got)))
    }

    #[test]
    fn the_first_is_exclusive_and_the_others_join() {
        let group = Arc::new(ListenGroup::new());
        let (one, two) = (DriverId::fresh(), DriverId::fresh());
        let (first, _here) = open(&group, one, 80).unwrap();
        let (second, _there) = open(&group, two, 80).unwrap();
        assert_eq!((first, second), (Role::First, Role::Joins));
    }

    #[test]
    fn the_same_driver_again_is_refused() {
        let group = Arc::new(ListenGroup::new());
        let one = DriverId::fresh();
        let (_, held) = open(&group, one, 80).unwrap();
        let refused = open(&group, one, 80).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(refused.raw_os_error(), Some(libc::EADDRINUSE));
        drop(held);
        assert_eq!(open(&group, one, 80).unwrap().0, Role::First);
    }

    #[test]
    fn a_fresh_port_is_known_by_its_number() {
        let group = Arc::new(ListenGroup::new());
        let (one, two) = (DriverId::fresh(), DriverId::fresh());
        let (role, _held) = open(&group, one, 0).unwrap();
        assert_eq!(role, Role::First);
        assert_eq!(open(&group, two, FRESH).unwrap().0, Role::Joins);
        assert_eq!(open(&group, two, 0).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_failed_open_leaves_nothing_behind() {
        let group = Arc::new(ListenGroup::new());
        let one = DriverId::fresh();
        let asked = SocketAddr::from(([127, 0, 0, 1], 80));
        let failed = group.open::<()>(one, asked, |_| Err(io::ErrorKind::PermissionDenied.into()));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(open(&group, one, 80).unwrap().0, Role::First);
    }

    #[test]
    fn groups_know_nothing_of_each_other() {
        let one = DriverId::fresh();
        let (a, b) = (Arc::new(ListenGroup::new()), Arc::new(ListenGroup::new()));
        let (_, _held) = open(&a, one, 80).unwrap();
        assert_eq!(open(&b, one, 80).unwrap().0, Role::First);
    }

    #[test]
    fn a_place_goes_to_another_driver_of_the_group() {
        let group = Arc::new(ListenGroup::new());
        let (one, two) = (DriverId::fresh(), DriverId::fresh());
        let (_, mut place) = open(&group, one, 80).unwrap();
        place.hand_to(one, &group).unwrap();
        place.hand_to(two, &group).unwrap();
        let (role, _held) = open(&group, one, 80).unwrap();
        assert_eq!(role, Role::Joins);
        assert_eq!(open(&group, two, 80).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(place.hand_to(one, &group).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(place);
        assert_eq!(open(&group, two, 80).unwrap().0, Role::Joins);
    }

    #[test]
    fn a_place_stays_in_its_group() {
        let one = DriverId::fresh();
        let (a, b) = (Arc::new(ListenGroup::new()), Arc::new(ListenGroup::new()));
        let (_, mut place) = open(&a, one, 80).unwrap();
        assert_eq!(place.hand_to(one, &b).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
