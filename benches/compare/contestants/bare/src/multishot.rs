//! Multishot receive into a provided-buffer ring; what came is sent from where it came to.

use std::collections::VecDeque;
use std::io;
use std::net::{TcpListener, TcpStream};

use crate::buffers::{Buffers, GROUP};
use crate::ring::{Completion, Ring, Tag, accepted};

/// What came in one buffer, and how much of it has been sent.
struct Piece {
    buffer: u16,
    sent: usize,
    len: usize,
}

struct Connection {
    stream: TcpStream,
    /// In the order of arrival; the first is being sent.
    pieces: VecDeque<Piece>,
    /// No receive is armed, and none will be.
    ended: bool,
}

struct Server {
    buffers: Buffers,
    connections: Vec<Option<Connection>>,
    free: Vec<u32>,
    /// Connections whose receive found no buffer: armed again when one comes back.
    starved: Vec<u32>,
}

/// Serves until killed.
pub fn serve(listener: &TcpListener, buffer: usize) -> io::Result<()> {
    let mut ring = Ring::new()?;
    // Few and hot: a completed send gives its buffer back within the turn.
    let buffers = Buffers::new(&ring, 256, buffer.min(4_096))?;
    let mut server =
        Server { buffers, connections: Vec::new(), free: Vec::new(), starved: Vec::new() };
    ring.accept(listener)?;
    loop {
        ring.turn(|ring, completion| match completion.tag {
            Tag::Accept => {
                if !completion.more() {
                    ring.accept(listener)?;
                }
                server.accepted(ring, completion.result)
            }
            Tag::Receive(n) => server.received(ring, n, completion),
            Tag::Send(n) => server.sent(ring, n, completion.result),
        })?;
        server.feed_starved(&mut ring)?;
    }
}

impl Server {
    fn accepted(&mut self, ring: &mut Ring, descriptor: i32) -> io::Result<()> {
        if descriptor < 0 {
            return Err(io::Error::from_raw_os_error(-descriptor));
        }
        let stream = accepted(descriptor)?;
        let n = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() as u32 - 1
        });
        ring.receive_multishot(&stream, GROUP, n)?;
        let connection = Connection { stream, pieces: VecDeque::with_capacity(2), ended: false };
        self.connections[n as usize] = Some(connection);
        Ok(())
    }

    fn received(&mut self, ring: &mut Ring, n: u32, completion: Completion) -> io::Result<()> {
        let Some(connection) = &mut self.connections[n as usize] else { return Ok(()) };
        if let Some(buffer) = completion.buffer() {
            if completion.result > 0 {
                let len = completion.result as usize;
                connection.pieces.push_back(Piece { buffer, sent: 0, len });
                if connection.pieces.len() == 1 {
                    ring.send(&connection.stream, self.buffers.bytes(buffer, 0, len), n)?;
                }
            } else {
                self.buffers.put(buffer);
            }
        }
        if !completion.more() {
            match completion.result {
                result if result == -libc::ENOBUFS => self.starved.push(n),
                1.. => ring.receive_multishot(&connection.stream, GROUP, n)?,
                _ => {
                    connection.ended = true;
                    self.close_if_done(n);
                }
            }
        }
        Ok(())
    }

    fn sent(&mut self, ring: &mut Ring, n: u32, result: i32) -> io::Result<()> {
        let Some(connection) = &mut self.connections[n as usize] else { return Ok(()) };
        let Some(piece) = connection.pieces.front_mut() else { return Ok(()) };
        if result < 0 {
            // The peer is gone: nothing of this connection will be sent any more, and the receive
            // ends by itself.
            for piece in connection.pieces.drain(..) {
                self.buffers.put(piece.buffer);
            }
        } else {
            piece.sent += result as usize;
            if piece.sent == piece.len {
                self.buffers.put(piece.buffer);
                connection.pieces.pop_front();
            }
            if let Some(Piece { buffer, sent, len }) = connection.pieces.front() {
                ring.send(&connection.stream, self.buffers.bytes(*buffer, *sent, *len), n)?;
            }
        }
        self.close_if_done(n);
        Ok(())
    }

    fn close_if_done(&mut self, n: u32) {
        let slot = &mut self.connections[n as usize];
        if slot.as_ref().is_some_and(|c| c.ended && c.pieces.is_empty()) {
            *slot = None;
            self.free.push(n);
        }
    }

    fn feed_starved(&mut self, ring: &mut Ring) -> io::Result<()> {
        for n in self.starved.drain(..) {
            if let Some(connection) = &self.connections[n as usize] {
                ring.receive_multishot(&connection.stream, GROUP, n)?;
            }
        }
        Ok(())
    }
}
