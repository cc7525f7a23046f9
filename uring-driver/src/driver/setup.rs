//! How a driver is made, or why it cannot be.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;
use std::rc::Rc;

use super::counters::Counting;
use super::homes::Homes;
use super::peers::Peers;
use super::quiet::Quiet;
use super::registered::Registered;
use super::until_left::UntilLeft;
use super::{Config, Driver, Inner, Phase};
use crate::cell::alloc::FreeLists;
use crate::inflight::Slots;
use crate::known_bugs;
use crate::pool::Pool;
use crate::refusal;
use crate::remote::list::Taken;
use crate::remote::{Remote, Shared};
use crate::ring::{Batch, Request, Ring};
use crate::scratch::Scratch;

impl Driver {
    /// A driver with the default [`Config`], at home on this thread.
    ///
    /// # Errors
    ///
    /// See [`with_config`](Driver::with_config).
    ///
    /// ```
    /// use henge_driver::{Driver, ops, submit};
    ///
    /// let driver = Driver::new()?;
    /// driver.block_on(submit(ops::Nop::new()))??;
    /// assert_eq!(driver.counters().completions, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> io::Result<Driver> {
        Driver::with_config(&Config::new())
    }

    /// A driver at home on this thread.
    ///
    /// # Errors
    ///
    /// Whatever keeps the kernel from giving this process a ring or the descriptors that go with
    /// it. The message names the cause (a kernel older than 6.1 or known to be broken, the sysctl,
    /// a seccomp filter, a limit) and what to do; the kernel's own answer is the error's source.
    ///
    /// ```
    /// use henge_driver::{Config, Driver};
    ///
    /// match Driver::with_config(&Config::new().ring_entries(64)) {
    ///     Ok(driver) => assert_eq!(driver.in_flight(), 0),
    ///     // What keeps this process from having a ring, and what to do about it.
    ///     Err(error) => panic!("{error}"),
    /// }
    /// ```
    pub fn with_config(config: &Config) -> io::Result<Driver> {
        if let Some(bug) = known_bugs::reason_to_refuse() {
            return Err(refusal::broken(bug));
        }
        let ring = Ring::new(&Request {
            entries: config.ring_entries,
            completions: config.completions(),
            registered_ring: true,
        })
        .map_err(refusal::explain)?;
        if !ring.flags().defer_taskrun {
            return Err(refusal::too_old());
        }
        let shared = Shared::new(ring.as_raw_fd()).map_err(refusal::explain)?;
        let remote = Remote::new(shared);
        let batch = config.min_wait.map(|(completions, wait)| Batch { completions, wait });
        let driver = Driver {
            inner: Rc::new(Inner {
                ring,
                slots: RefCell::new(Slots::new()),
                overflow: RefCell::new(VecDeque::new()),
                cells: FreeLists::new(),
                homes: Homes::new(),
                quiet: Quiet::default(),
                scratch: Scratch::new(),
                registered: Registered::default(),
                blocking: RefCell::new(config.blocking.clone()),
                gathers: Cell::new(false),
                until_close: RefCell::default(),
                until_left: UntilLeft::default(),
                unsettled: Cell::new(0),
                pool: Pool::new(config.pool, remote.clone()),
                remote,
                taken: Taken::new(),
                peers: RefCell::new(Peers::new()),
                counting: Counting::default(),
                completing: Cell::new(false),
                phase: Cell::new(Phase::Running),
                stuck: Cell::new(0),
                notifier: OnceCell::new(),
                batch: Cell::new(batch),
                at_once: Cell::new(0),
                config: config.clone(),
            }),
        };
        driver.arm_event();
        Ok(driver)
    }
}
