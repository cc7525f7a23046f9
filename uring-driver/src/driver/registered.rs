//! Buffers that the ring knows beforehand.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Driver, entered};
use crate::buf::{AlignedBuf, Registration};
use crate::driver_id::DriverId;
use crate::thread::LOCAL;

/// So many buffers can be registered at a time.
const MOST: u16 = 1024;

/// Which numbers stand for a buffer.
#[derive(Debug, Default)]
pub(crate) struct Registered {
    /// Whether the ring has its table, or why not.
    table: OnceCell<Result<(), i32>>,
    /// Numbers from here on have never been used.
    fresh: Cell<u16>,
    /// Below that, numbers that stand for nothing.
    free: RefCell<Vec<u16>>,
    gone: Arc<Gone>,
}

/// The numbers of buffers that are gone, for the ring to forget.
#[derive(Debug, Default)]
struct Gone(Mutex<Vec<u16>>);

impl Gone {
    fn lock(&self) -> MutexGuard<'_, Vec<u16>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// One of them, if there is any.
    fn pop(&self) -> Option<u16> {
        self.lock().pop()
    }
}

/// A buffer's number on a ring, until it is dropped.
#[derive(Debug)]
struct Number {
    home: DriverId,
    number: u16,
    gone: Arc<Gone>,
}

impl Number {
    fn is_at_home(&self) -> bool {
        LOCAL.with(|local| local.id()) == self.home.get()
    }
}

impl Registration for Number {
    fn number(&self) -> Option<u16> {
        self.is_at_home().then_some(self.number)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.gone.lock().push(self.number);
        if self.is_at_home() {
            // Without a driver there is no ring that would have to forget it.
            let _forgotten = entered::with(Driver::forget_buffers);
        }
    }
}

impl Registered {
    fn take_number(&self) -> Option<u16> {
        let freed = self.free.borrow_mut().pop();
        freed.or_else(|| {
            let fresh = self.fresh.get();
            (fresh < MOST).then(|| {
                self.fresh.set(fresh + 1);
                fresh
            })
        })
    }

    fn put_back(&self, number: u16) {
        self.free.borrow_mut().push(number);
    }
}

impl Driver {
    /// Registers a buffer with the ring: transfers of it on this thread spare the kernel the look
    /// at each of its pages. Elsewhere, and once the ring is gone, it is a buffer like any other;
    /// so it is if this fails.
    ///
    /// A registered buffer's memory is locked; it counts towards `RLIMIT_MEMLOCK`.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` at that limit, and where 1,024 buffers are registered; what the system
    /// answers.
    ///
    /// ```
    /// use henge_driver::Driver;
    /// use henge_driver::buf::AlignedBuf;
    ///
    /// let driver = Driver::new()?;
    /// let mut buf = AlignedBuf::new(64 << 10, 4096)?;
    /// driver.register(&mut buf)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn register(&self, buf: &mut AlignedBuf) -> io::Result<()> {
        let registered = &self.inner.registered;
        let table = registered.table.get_or_init(|| {
            let made = self.inner.ring.make_buffer_table(MOST);
            made.map_err(|error| error.raw_os_error().unwrap_or_default())
        });
        table.map_err(io::Error::from_raw_os_error)?;
        buf.set_registration(None);
        self.forget_buffers();
        let number = registered.take_number().ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: the allocation is the buffer's, which names the number only for its own bytes
        // (`IoBuf::registered`), and as long as it lives.
        match unsafe { self.inner.ring.set_buffer(number, buf.first_mut(), buf.capacity()) } {
            Ok(()) => {
                let gone = Arc::clone(&registered.gone);
                buf.set_registration(Some(Box::new(Number { home: self.id(), number, gone })));
                Ok(())
            }
            Err(error) => {
                registered.put_back(number);
                Err(error)
            }
        }
    }

    /// Gives up the pages of buffers that are gone.
    fn forget_buffers(&self) {
        let registered = &self.inner.registered;
        while let Some(number) = registered.gone.pop() {
            // A number that the kernel keeps is overwritten when it is used again.
            let _cleared = self.inner.ring.clear_buffer(number);
            registered.put_back(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::OwnedFd;
    use std::sync::{Arc, mpsc};
    use std::task::{Context, Waker};

    use super::*;
    use crate::buf::IoBuf;
    use crate::fd::Fd;
    use crate::{Cqe, Next, Operation, Sqe, ops, submit, submit_now};

    fn buffer() -> AlignedBuf {
        AlignedBuf::new(4096, 4096).unwrap()
    }

    #[test]
    fn transfers_of_registered_buffers_name_their_number() {
        let driver = Driver::new().unwrap();
        let file = std::fs::File::options().read(true).write(true).open("/dev/zero").unwrap();
        let fd = Arc::new(Fd::from(OwnedFd::from(file)));
        let mut buf = buffer();
        buf.append(&[7; 100]);
        driver.register(&mut buf).unwrap();
        assert!(buf.is_registered());
        driver
            .block_on(async {
                assert_eq!(buf.registered(), Some(0));
                let (n, buf) = submit(ops::WriteAt::new(Arc::clone(&fd), buf, 0)).await;
                assert_eq!(n.unwrap(), 100);
                let read = ops::ReadAt::new(Arc::clone(&fd), buf.slice(10..50), 0);
                let (n, part) = submit(read).await;
                assert_eq!(n.unwrap(), 40);
                let buf = part.into_inner();
                assert_eq!((&buf[..10], &buf[10..50], buf[50]), (&[7; 10][..], &[0; 40][..], 7));
                let write = ops::WriteAll::new(fd, buf.slice(5..), 0);
                assert!(submit(write).await.0.is_ok());
            })
            .unwrap();
    }

    #[test]
    fn numbers_are_used_again_wherever_the_buffer_ended() {
        let driver = Driver::new().unwrap();
        let entered = driver.enter();
        let register = || {
            let mut buf = buffer();
            driver.register(&mut buf).map(|()| buf)
        };
        let first = register().unwrap();
        let second = register().unwrap();
        assert_eq!((first.registered(), second.registered()), (Some(0), Some(1)));
        drop(first);
        assert_eq!(register().unwrap().registered(), Some(0));
        std::thread::spawn(move || {
            assert_eq!(second.registered(), None, "this thread has no such ring");
            drop(second);
        })
        .join()
        .unwrap();
        let again = [register().unwrap(), register().unwrap()];
        let mut numbers = again.each_ref().map(|buf| buf.registered().unwrap());
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 1]);
        drop(entered);
        drop(driver);
        assert_eq!(again[0].registered(), None, "the ring is gone");
    }

    #[test]
    fn another_ring_is_not_given_the_number() {
        let (home, other) = (Driver::new().unwrap(), Driver::new().unwrap());
        let (mut reader, writer) = std::io::pipe().unwrap();
        let writer = Arc::new(Fd::from(OwnedFd::from(writer)));
        // More than the pipe takes: the rest is submitted anew, when this has completed.
        const LEN: usize = 1 << 20;
        let mut buf = AlignedBuf::new(LEN, 4096).unwrap();
        buf.append(&vec![7; LEN]);
        home.register(&mut buf).unwrap();
        let mut write = {
            let _entered = other.enter();
            let cx = &mut Context::from_waker(Waker::noop());
            submit_now(ops::WriteAll::new(writer, buf, u64::MAX), cx).unwrap()
        };
        let reading = std::thread::spawn(move || reader.read_exact(&mut vec![0; LEN]));
        {
            let _entered = home.enter();
            while other.in_flight() > 0 {
                other.park(None, || false).unwrap();
            }
        }
        let (written, _) = other.block_on(&mut write).unwrap();
        written.unwrap();
        drop(write);
        reading.join().unwrap().unwrap();
    }

    /// Goes through a ring by the number of its buffer, and tells how.
    struct Through(ops::WriteAll<AlignedBuf>, mpsc::Sender<io::Result<()>>);

    // SAFETY: does what `WriteAll` does, which has made the same promise.
    unsafe impl Operation for Through {
        type Output = ();
        fn prepare(&mut self) -> Sqe {
            self.0.prepare()
        }
        fn complete(&mut self, cqe: Cqe) -> Next<()> {
            match self.0.complete(cqe) {
                Next::Done((result, _)) => {
                    self.1.send(result).unwrap();
                    Next::Done(())
                }
                _ => Next::Again,
            }
        }
    }

    #[test]
    fn nor_by_who_submits_to_it_from_outside() {
        let (home, other) = (Driver::new().unwrap(), Driver::new().unwrap());
        let null = std::fs::File::options().write(true).open("/dev/null").unwrap();
        let mut buf = buffer();
        buf.append(&[7; 100]);
        home.register(&mut buf).unwrap();
        let _entered = home.enter();
        let (tell, told) = mpsc::channel();
        let null = Arc::new(Fd::from(OwnedFd::from(null)));
        other.submit_detached(Through(ops::WriteAll::new(null, buf, 0), tell));
        while other.in_flight() > 0 {
            other.park(None, || false).unwrap();
        }
        told.recv().unwrap().unwrap();
    }
}
