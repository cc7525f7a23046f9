//! One connection: bytes in, passes over its pipeline, bytes out.
//!
//! While nothing comes a connection holds a stream, a session and a parser, and no buffer: received
//! bytes are in the ring's buffers, and everything else that a pass needs belongs to the shard.

use std::io;
use std::rc::Rc;

use henge::io::{AsyncWrite, AsyncWriteExt};
use henge::mesh::Sharded;
use henge::net::{RecvBuf, TcpStream, UnixStream};
use henge::steal;

use crate::exchange::exchange;
use crate::jobs::Pieces;
use crate::pipeline::{Pipeline, Planned};
use crate::resp::{Parser, Piece, Reply, Rest};
use crate::server::Counters;
use crate::session::{Peer, Session};
use crate::shard::Shard;

/// The most bytes that a client may leave unfinished: one command with all its arguments.
const UNFINISHED: usize = 1 << 30;

/// What a connection needs of its stream.
pub trait Stream: AsyncWrite + Unpin {
    /// Prepares it to answer quickly.
    fn answer_at_once(&self) {}

    /// Waits for bytes. They are in the ring's buffer.
    fn recv(&mut self) -> impl Future<Output = io::Result<RecvBuf>>;
}

impl Stream for TcpStream {
    fn answer_at_once(&self) {
        // Replies are written whole; waiting for more of them helps nobody.
        let _best_effort = self.set_nodelay(true);
    }

    fn recv(&mut self) -> impl Future<Output = io::Result<RecvBuf>> {
        TcpStream::recv(self)
    }
}

impl Stream for UnixStream {
    fn recv(&mut self) -> impl Future<Output = io::Result<RecvBuf>> {
        UnixStream::recv(self)
    }
}

/// Serves one client until it, or the connection, has had enough.
///
/// # Cancel safety
///
/// Dropped, the connection is closed.
pub async fn serve<S: Stream>(shard: Rc<Shard>, shards: Sharded<Shard>, stream: S, peer: Peer) {
    let _open = Open::new(&shard);
    stream.answer_at_once();
    let session = Session::new(Rc::clone(&shard).server().clone(), peer);
    let parser = Parser::default();
    let connection = Connection { shard: &shard, shards, stream, session, parser };
    // A client that goes away in the middle of something is no event.
    let _gone = connection.run().await;
}

struct Connection<'a, S> {
    shard: &'a Shard,
    /// The way to the others.
    shards: Sharded<Shard>,
    stream: S,
    session: Session,
    parser: Parser,
}

impl<S: Stream> Connection<'_, S> {
    async fn run(mut self) -> io::Result<()> {
        // The start of a command whose end has not come.
        let mut unfinished = Vec::new();
        while !self.session.closing {
            let received = self.stream.recv().await?;
            if received.is_empty() {
                break;
            }
            if unfinished.is_empty() {
                // The usual case: commands are run out of the buffer that they came in.
                let rest = self.run_commands(&received).await?;
                unfinished.extend_from_slice(rest);
            } else {
                unfinished.extend_from_slice(&received);
                drop(received);
                let rest = self.run_commands(&unfinished).await?.len();
                unfinished.drain(..unfinished.len() - rest);
            }
            if unfinished.is_empty() {
                unfinished = Vec::new();
                self.parser.release();
            } else if unfinished.len() > UNFINISHED {
                break;
            }
        }
        self.stream.shutdown().await
    }

    /// Runs the commands at the front of `input`, a pass at a time; what is left of it.
    async fn run_commands<'i>(&mut self, mut input: &'i [u8]) -> io::Result<&'i [u8]> {
        let mut pipeline = self.shard.pipeline();
        loop {
            let Connection { session, parser, .. } = self;
            let planned = self
                .shard
                .with_store(session.db, |store| pipeline.plan(&mut input, parser, session, store));
            let commands = std::mem::take(&mut session.commands);
            Counters::add(&self.shard.counters().commands, commands);
            pipeline = self.answer(pipeline).await?;
            // A request that cannot be understood has closed the session.
            if planned != Ok(Planned::Enough) || self.session.closing {
                break;
            }
        }
        self.shard.recycle(pipeline);
        Ok(input)
    }

    /// Sees a pass through: to the other shards and back, and on to the client. While the client
    /// does not read, nothing more is run for it.
    async fn answer(&mut self, mut pipeline: Box<Pipeline>) -> io::Result<Box<Pipeline>> {
        while !pipeline.is_done() {
            if pipeline.has_outgoing() {
                exchange(self.shard, &self.shards, &mut pipeline).await?;
            }
            self.shard.settle().await;
            let reply = pipeline.merge();
            match reply.whole() {
                Some(bytes) => self.stream.write_all(bytes).await?,
                None => self.send_pieces(reply).await?,
            }
            reply.clear();
        }
        pipeline.finish();
        Ok(pipeline)
    }

    /// Sends a reply that refers to what is large.
    async fn send_pieces(&mut self, reply: &Reply) -> io::Result<()> {
        for piece in reply.pieces() {
            match piece {
                Piece::Bytes(bytes) => self.stream.write_all(bytes).await?,
                Piece::Rest(rest) => self.send_rest(rest).await?,
            }
        }
        Ok(())
    }

    /// Sends a long collection, of which only a little is encoded at any time.
    async fn send_rest(&mut self, rest: &Rest) -> io::Result<()> {
        let pieces = self.shard.server().pieces;
        let mut encoded = Reply::default();
        let mut from = None;
        loop {
            if pieces == Pieces::Anywhere {
                let rest = rest.clone();
                let encoding = steal::spawn(async move {
                    let next = rest.encode(from, &mut encoded);
                    (next, encoded)
                });
                (from, encoded) = encoding.await?;
            } else {
                from = rest.encode(from, &mut encoded);
            }
            for piece in encoded.pieces() {
                if let Piece::Bytes(bytes) = piece {
                    self.stream.write_all(bytes).await?;
                }
            }
            encoded.clear();
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

/// Counts a connection for as long as it is open.
struct Open<'a>(&'a Shard);

impl<'a> Open<'a> {
    fn new(shard: &'a Shard) -> Open<'a> {
        Counters::add(&shard.counters().accepted, 1);
        Counters::add(&shard.counters().clients, 1);
        Open(shard)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        Counters::subtract_one(&self.0.counters().clients);
    }
}
