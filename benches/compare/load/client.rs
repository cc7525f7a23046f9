//! The connections of one load, and the ways in which requests are put on them.
//!
//! Every reply is compared with what was sent, so a server cannot win by answering something else.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_linger;

use super::{Arrival, Order};
use crate::Failure;

/// A server that says nothing for this long has hung.
const PATIENCE: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// One batch at a time: `depth` messages in one write, answered when all of their bytes are back.
struct Connection {
    stream: TcpStream,
    written: usize,
    read: usize,
    started: Instant,
    /// epoll watches for room to write, too.
    wants_room: bool,
}

impl Connection {
    fn begin(&mut self, batch: &[u8], started: Instant) -> Result<(), Failure> {
        self.written = 0;
        self.read = 0;
        self.started = started;
        self.write(batch)
    }

    fn write(&mut self, batch: &[u8]) -> Result<(), Failure> {
        while self.written < batch.len() {
            match self.stream.write(&batch[self.written..]) {
                Ok(n) => self.written += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Moves on as far as it goes without waiting; true when the whole batch is answered.
    fn pump(&mut self, batch: &[u8], scratch: &mut [u8]) -> Result<bool, Failure> {
        self.write(batch)?;
        while self.read < batch.len() {
            let wanted = scratch.len().min(batch.len() - self.read);
            match self.stream.read(&mut scratch[..wanted]) {
                Ok(0) => return Err("the server closed a connection".into()),
                Ok(n) if scratch[..n] == batch[self.read..self.read + n] => self.read += n,
                Ok(_) => return Err("the server answered something else".into()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.write(batch)?;
                    return Ok(false);
                }
                Err(e) => return Err(e.into()),
            }
        }
        Ok(true)
    }

    /// Waits for the answer of this connection alone.
    fn finish(&mut self, batch: &[u8], scratch: &mut [u8]) -> Result<(), Failure> {
        while !self.pump(batch, scratch)? {
            let room = if self.written < batch.len() { PollFlags::OUT } else { PollFlags::empty() };
            if poll(&mut [PollFd::new(&self.stream, PollFlags::IN | room)], Some(&PATIENCE))? == 0 {
                return Err("no answer in five seconds".into());
            }
        }
        Ok(())
    }
}

pub(super) struct Client {
    arrival: Arrival,
    depth: u64,
    /// One batch of requests: the same for all.
    batch: Vec<u8>,
    scratch: Vec<u8>,
    connections: Vec<Connection>,
    epoll: OwnedFd,
    /// Trickling connections each have a batch under way between two windows.
    under_way: bool,
}

impl Client {
    pub(super) fn connect(order: &Order) -> Result<Client, Failure> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut connections = Vec::with_capacity(order.connections);
        for n in 0..order.connections {
            let stream = TcpStream::connect(order.server)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            // Reset on close: thousands of connections a row must not pile up in TIME-WAIT.
            set_socket_linger(&stream, Some(Duration::ZERO))?;
            epoll::add(&epoll, &stream, EventData::new_u64(n as u64), EventFlags::IN)?;
            let started = Instant::now();
            let connection = Connection { stream, written: 0, read: 0, started, wants_room: false };
            connections.push(connection);
        }
        let batch = (0..order.size * order.depth).map(|n| (n * 31 + n / 251) as u8).collect();
        Ok(Client {
            arrival: order.arrival,
            depth: order.depth as u64,
            batch,
            scratch: vec![0; 64 * 1024],
            connections,
            epoll,
            under_way: false,
        })
    }

    /// Keeps the load up for that long; returns how many requests were answered.
    pub(super) fn run(
        &mut self,
        window: Duration,
        latency: &mut Histogram<u64>,
    ) -> Result<u64, Failure> {
        let end = Instant::now() + window;
        match self.arrival {
            Arrival::Bursty => self.bursty(end, latency),
            Arrival::Trickling => self.trickling(end, latency),
            Arrival::Paced(micros) => self.paced(end, Duration::from_micros(micros), latency),
            Arrival::Hold => Err("connections that are held carry no load".into()),
        }
    }

    pub(super) fn once_each(&mut self) -> Result<(), Failure> {
        for connection in &mut self.connections {
            connection.begin(&self.batch, Instant::now())?;
            connection.finish(&self.batch, &mut self.scratch)?;
        }
        Ok(())
    }

    fn bursty(&mut self, end: Instant, latency: &mut Histogram<u64>) -> Result<u64, Failure> {
        let mut answered = 0;
        while Instant::now() < end {
            for connection in &mut self.connections {
                connection.begin(&self.batch, Instant::now())?;
            }
            for connection in &mut self.connections {
                connection.finish(&self.batch, &mut self.scratch)?;
                latency.record(connection.started.elapsed().as_nanos() as u64)?;
                answered += self.depth;
            }
        }
        Ok(answered)
    }

    fn trickling(&mut self, end: Instant, latency: &mut Histogram<u64>) -> Result<u64, Failure> {
        if !std::mem::replace(&mut self.under_way, true) {
            for n in 0..self.connections.len() {
                self.connections[n].begin(&self.batch, Instant::now())?;
                self.watch(n)?;
            }
        }
        let mut answered = 0;
        let mut events = Vec::with_capacity(256);
        while Instant::now() < end {
            epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&PATIENCE))?;
            if events.is_empty() {
                return Err("no answer in five seconds".into());
            }
            for event in events.drain(..) {
                let n = event.data.u64() as usize;
                let connection = &mut self.connections[n];
                if connection.pump(&self.batch, &mut self.scratch)? {
                    let now = Instant::now();
                    latency.record((now - connection.started).as_nanos() as u64)?;
                    answered += self.depth;
                    connection.begin(&self.batch, now)?;
                }
                self.watch(n)?;
            }
        }
        Ok(answered)
    }

    /// Has epoll watch for room while a batch is not all written.
    fn watch(&mut self, n: usize) -> Result<(), Failure> {
        let connection = &mut self.connections[n];
        let wants_room = connection.written < self.batch.len();
        if wants_room != connection.wants_room {
            connection.wants_room = wants_room;
            let room = if wants_room { EventFlags::OUT } else { EventFlags::empty() };
            let data = EventData::new_u64(n as u64);
            epoll::modify(&self.epoll, &connection.stream, data, EventFlags::IN | room)?;
        }
        Ok(())
    }

    /// The latency counts from when the request was due, not from when it was sent: a server that
    /// stalls does not hide the requests that it kept from being sent.
    fn paced(
        &mut self,
        end: Instant,
        pace: Duration,
        latency: &mut Histogram<u64>,
    ) -> Result<u64, Failure> {
        let connection = self.connections.first_mut().ok_or("a paced load has one connection")?;
        let mut answered = 0;
        let mut due = Instant::now();
        while due < end {
            // A sleep would be late by more than the answer takes.
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            connection.begin(&self.batch, due)?;
            connection.finish(&self.batch, &mut self.scratch)?;
            latency.record(due.elapsed().as_nanos() as u64)?;
            answered += self.depth;
            due += pace;
        }
        Ok(answered)
    }
}
