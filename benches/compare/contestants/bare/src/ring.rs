//! The ring: set-up, one enter a turn, and the few entries that an echo needs.
//!
//! Who may touch which memory: an entry names a connection's descriptor and a buffer. Both servers
//! keep the descriptor open until its receive has ended and its send is done, and leave the buffer
//! alone from the push of an entry that names it to the completion of that entry. Connections live
//! as long as the process does, so no memory is freed under the kernel.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

use io_uring::squeue::Entry;
use io_uring::types::Fd;
use io_uring::{IoUring, cqueue, opcode};

/// What a completion is about: the operation, and the connection's index.
#[derive(Clone, Copy, PartialEq)]
pub enum Tag {
    Accept,
    Receive(u32),
    Send(u32),
}

impl Tag {
    fn to_user_data(self) -> u64 {
        match self {
            Tag::Accept => 0,
            Tag::Receive(n) => 1 << 32 | u64::from(n),
            Tag::Send(n) => 2 << 32 | u64::from(n),
        }
    }

    fn from_user_data(data: u64) -> Tag {
        match data >> 32 {
            0 => Tag::Accept,
            1 => Tag::Receive(data as u32),
            _ => Tag::Send(data as u32),
        }
    }
}

/// What the kernel answered.
#[derive(Clone, Copy)]
pub struct Completion {
    pub tag: Tag,
    pub result: i32,
    flags: u32,
}

impl Completion {
    /// The multishot operation goes on.
    pub fn more(&self) -> bool {
        cqueue::more(self.flags)
    }

    /// The buffer of the provided ring that holds what came.
    pub fn buffer(&self) -> Option<u16> {
        cqueue::buffer_select(self.flags)
    }

    /// More had come when the receive was answered.
    pub fn nonempty(&self) -> bool {
        cqueue::sock_nonempty(self.flags)
    }
}

const ENTRIES: u32 = 4_096;

pub struct Ring {
    ring: IoUring,
    batch: Vec<Completion>,
}

impl Ring {
    pub fn new() -> io::Result<Ring> {
        let ring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_submit_all()
            .setup_no_sqarray()
            .setup_cqsize(8 * ENTRIES)
            .build(ENTRIES)?;
        Ok(Ring { ring, batch: Vec::with_capacity(8 * ENTRIES as usize) })
    }

    pub fn io_uring(&self) -> &IoUring {
        &self.ring
    }

    /// One turn: one enter that submits what was pushed, waits for a completion and runs task work.
    /// Hands the completions out, and takes the list back for the next turn.
    pub fn turn(
        &mut self,
        mut handle: impl FnMut(&mut Ring, Completion) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.ring.submit_and_wait(1) {
            Ok(_) => {}
            // The queue wants reaping, or a signal came: both are mended by going on.
            Err(e)
                if matches!(e.raw_os_error(), Some(libc::EBUSY | libc::EINTR | libc::EAGAIN)) => {}
            Err(e) => return Err(e),
        }
        let mut batch = std::mem::take(&mut self.batch);
        batch.extend(self.ring.completion().map(|cqe| Completion {
            tag: Tag::from_user_data(cqe.user_data()),
            result: cqe.result(),
            flags: cqe.flags(),
        }));
        for completion in &batch {
            handle(self, *completion)?;
        }
        batch.clear();
        self.batch = batch;
        Ok(())
    }

    pub fn accept(&mut self, listener: &TcpListener) -> io::Result<()> {
        let entry = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).flags(libc::SOCK_CLOEXEC);
        self.push(&entry.build(), Tag::Accept)
    }

    pub fn receive_multishot(&mut self, stream: &TcpStream, group: u16, n: u32) -> io::Result<()> {
        let entry = opcode::RecvMulti::new(Fd(stream.as_raw_fd()), group);
        self.push(&entry.build(), Tag::Receive(n))
    }

    /// A receive into `buf`; `wait_first` skips the attempt that is known to find nothing.
    pub fn receive(
        &mut self,
        stream: &TcpStream,
        buf: &mut [u8],
        wait_first: bool,
        n: u32,
    ) -> io::Result<()> {
        const POLL_FIRST: u16 = 1;
        let fd = Fd(stream.as_raw_fd());
        let entry = opcode::Recv::new(fd, buf.as_mut_ptr(), buf.len() as u32);
        let entry = entry.ioprio(if wait_first { POLL_FIRST } else { 0 });
        self.push(&entry.build(), Tag::Receive(n))
    }

    pub fn send(&mut self, stream: &TcpStream, bytes: &[u8], n: u32) -> io::Result<()> {
        let fd = Fd(stream.as_raw_fd());
        let entry = opcode::Send::new(fd, bytes.as_ptr(), bytes.len() as u32);
        let entry = entry.flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL);
        self.push(&entry.build(), Tag::Send(n))
    }

    fn push(&mut self, entry: &Entry, tag: Tag) -> io::Result<()> {
        let entry = entry.clone().user_data(tag.to_user_data());
        loop {
            // SAFETY: the memory and the descriptor that the entry names stay as they are until its
            // completion, which the head of this file promises and the two servers keep.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return Ok(());
            }
            self.ring.submit()?;
        }
    }
}

/// The connection that an accept answered with.
pub fn accepted(descriptor: i32) -> io::Result<TcpStream> {
    // SAFETY: the accept made this descriptor for us, and its one completion is handled once.
    let stream = unsafe { TcpStream::from_raw_fd(descriptor) };
    stream.set_nodelay(true)?;
    Ok(stream)
}
