//! hyper's hello server, on henge.
//!
//! `cargo run --release -p henge-examples --example 05_hyper`, then `curl 127.0.0.1:3000`
//!
//! henge's streams implement tokio's I/O traits, so hyper-util's `TokioIo` takes them as they are.
//! Nothing of tokio's runtime is involved: each connection is a task of the shard that accepted it.

#![allow(clippy::print_stdout, reason = "it has something to say")]

use std::convert::Infallible;

use henge::net::TcpListener;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

#[henge::main]
async fn main() -> std::io::Result<()> {
    println!("serving http://127.0.0.1:3000");
    henge::run_each(|| async {
        let listener = TcpListener::bind("127.0.0.1:3000").await?;
        loop {
            let (stream, peer) = listener.accept().await?;
            henge::spawn(async move {
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello));
                if let Err(error) = connection.await {
                    eprintln!("{peer}: {error}");
                }
            });
        }
    })
    .await
}

async fn hello(_request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::new(Bytes::from_static(b"Hello, World!"))))
}
