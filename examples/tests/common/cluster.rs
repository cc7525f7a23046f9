//! A server without a network, its shards on one thread.

use std::sync::Arc;

use henge::runtime::{Builder, Runtime};
use henge_kv::jobs::{Done, Pieces};
use henge_kv::pipeline::{Pipeline, Planned};
use henge_kv::resp::{Mark, Parser, Piece, Reply};
use henge_kv::server::Server;
use henge_kv::session::{Peer, Session};
use henge_kv::store::{Part, Store};

use crate::encode::encode;

/// The shards of a server, all on this thread, and one client of its first shard.
pub(crate) struct Cluster {
    stores: Vec<Store>,
    pipeline: Pipeline,
    parser: Parser,
    session: Session,
    pending: Vec<u8>,
    runtime: Runtime,
}

/// A clock that stands still.
pub(crate) fn noon() -> u64 {
    1_000_000_000_000
}

impl Cluster {
    pub(crate) fn new(shards: usize) -> Cluster {
        let part = |index| Part { index, of: shards };
        let address = ([127, 0, 0, 1], 6379).into();
        let server = Arc::new(Server::new(address, shards, noon()));
        Cluster {
            stores: (0..shards).map(|index| Store::new(part(index), noon)).collect(),
            pipeline: Pipeline::new(part(0)),
            parser: Parser::default(),
            session: Session::new(server, Peer::Tcp(address)),
            pending: Vec::new(),
            runtime: Builder::new_current_thread().build().expect("there is a ring"),
        }
    }

    /// Sends bytes as one piece; what comes back.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut replies = Vec::new();
        let mut joined = std::mem::take(&mut self.pending);
        joined.extend_from_slice(bytes);
        let mut rest = joined.as_slice();
        loop {
            let Cluster { stores, pipeline, parser, session, runtime, .. } = self;
            let planned = pipeline.plan(&mut rest, parser, session, &mut stores[0]);
            loop {
                let away: Vec<_> = pipeline.outgoing().collect();
                for (shard, mut batch) in away {
                    while let Some(job) = batch.execute(&mut stores[shard]) {
                        match runtime.block_on(job.run(Pieces::Here)) {
                            Ok(Done::Reply(reply)) => {
                                batch.end_with(&reply, Mark::default(), reply.mark());
                            }
                            other => panic!("not what these tests ask for: {other:?}"),
                        }
                    }
                    pipeline.returned(shard, batch);
                }
                let reply = pipeline.merge();
                reply.pieces().for_each(|piece| write(piece, &mut replies));
                reply.clear();
                if pipeline.is_done() {
                    break;
                }
            }
            pipeline.finish();
            if planned != Ok(Planned::Enough) || session.closing {
                break;
            }
        }
        self.pending = rest.to_vec();
        replies
    }

    /// Sends one command; what comes back, as text.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        String::from_utf8_lossy(&self.send(&encode(&words))).into_owned()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.session.closing
    }
}

/// What a connection would send.
fn write(piece: Piece<'_>, out: &mut Vec<u8>) {
    match piece {
        Piece::Bytes(bytes) => out.extend_from_slice(bytes),
        Piece::Rest(rest) => {
            let mut from = None;
            loop {
                let mut encoded = Reply::default();
                from = rest.encode(from, &mut encoded);
                assert!(encoded.len() < 1 << 20, "only a little at any time");
                encoded.pieces().for_each(|piece| write(piece, out));
                if from.is_none() {
                    return;
                }
            }
        }
    }
}
