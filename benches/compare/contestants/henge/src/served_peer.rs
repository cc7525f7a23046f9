//! A file through a socket, in henge's words.

use std::io;
use std::path::Path;

use henge::fs::File;
use henge::net::TcpStream;

use crate::served;

pub struct BySendfile;

impl served::Send for BySendfile {
    async fn send(stream: &mut TcpStream, path: &Path, bytes: u64) -> io::Result<()> {
        let file = File::open(path).await?;
        stream.send_file(&file, 0..bytes).await?;
        Ok(())
    }
}
