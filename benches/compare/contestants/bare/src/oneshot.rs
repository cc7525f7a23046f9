//! One buffer a connection: a receive into it, a send from it, in turn.

use std::io;
use std::net::{TcpListener, TcpStream};

use crate::ring::{Completion, Ring, Tag, accepted};

struct Connection {
    stream: TcpStream,
    buf: Vec<u8>,
    sent: usize,
    len: usize,
    /// More had come when the last receive was answered.
    nonempty: bool,
}

struct Server {
    size: usize,
    connections: Vec<Option<Connection>>,
    free: Vec<u32>,
}

/// Serves until killed.
pub fn serve(listener: &TcpListener, buffer: usize) -> io::Result<()> {
    let mut ring = Ring::new()?;
    let mut server = Server { size: buffer, connections: Vec::new(), free: Vec::new() };
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
        let buf = vec![0; self.size];
        let connection = Connection { stream, buf, sent: 0, len: 0, nonempty: true };
        let connection = self.connections[n as usize].insert(connection);
        ring.receive(&connection.stream, &mut connection.buf, false, n)
    }

    fn received(&mut self, ring: &mut Ring, n: u32, completion: Completion) -> io::Result<()> {
        let Some(connection) = &mut self.connections[n as usize] else { return Ok(()) };
        match completion.result {
            len @ 1.. => {
                connection.sent = 0;
                connection.len = len as usize;
                connection.nonempty = completion.nonempty();
                ring.send(&connection.stream, &connection.buf[..connection.len], n)
            }
            _ => {
                self.close(n);
                Ok(())
            }
        }
    }

    fn sent(&mut self, ring: &mut Ring, n: u32, result: i32) -> io::Result<()> {
        let Some(connection) = &mut self.connections[n as usize] else { return Ok(()) };
        if result < 0 {
            self.close(n);
            return Ok(());
        }
        connection.sent += result as usize;
        let Connection { stream, buf, sent, len, nonempty } = connection;
        if sent == len {
            ring.receive(stream, buf, !*nonempty, n)
        } else {
            ring.send(stream, &buf[*sent..*len], n)
        }
    }

    /// Nothing of a connection is in flight between a receive and a send, so it can go.
    fn close(&mut self, n: u32) {
        self.connections[n as usize] = None;
        self.free.push(n);
    }
}
