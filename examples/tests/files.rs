//! The file server, by requests.

#[path = "../13_files.rs"]
mod files;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use henge::io::{AsyncReadExt, AsyncWriteExt};
use henge::net::{TcpListener, TcpStream};
use henge::time::timeout;

/// What `cargo run` runs.
const _: fn() -> std::io::Result<()> = files::main;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// What a server says to this, until it closes.
async fn say(server: SocketAddr, requests: &str) -> (Vec<String>, Vec<u8>) {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(requests.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    timeout(Duration::from_secs(60), read).await.expect("an end").unwrap();
    let mut statuses = Vec::new();
    let mut body = Vec::new();
    let mut rest = &answer[..];
    while !rest.is_empty() {
        let end = rest.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        let mut lines = head.lines();
        statuses.push(lines.next().unwrap().to_owned());
        let len = lines.find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let len = len.parse().unwrap();
        body = rest[end + 4..].iter().copied().take(len).collect();
        rest = &rest[end + 4 + body.len()..];
    }
    (statuses, body)
}

#[henge::test]
async fn every_byte_of_a_file_and_nothing_outside_of_the_folder() {
    let path = std::env::temp_dir().join(format!("henge-files-{}", std::process::id()));
    let served = path.join("served");
    fs::create_dir_all(&served).unwrap();
    let _folder = Folder(path.clone());
    fs::write(path.join("secret"), "secret").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let serving = henge::spawn(files::serve(listener, served.as_path().into()));

    for len in [0, 1, 128 << 10, (1 << 20) + 77] {
        let bytes: Vec<u8> = (0..len as u32).map(|n| (n % 251) as u8).collect();
        fs::write(served.join("file"), &bytes).unwrap();
        let requests = "GET /none HTTP/1.1\r\n\r\nGET /file HTTP/1.1\r\nConnection: close\r\n\r\n";
        let (statuses, body) = say(server, requests).await;
        assert_eq!(statuses, ["HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK"]);
        assert!(body == bytes, "{len} bytes");
    }
    for path in ["/", "/../secret", "//../secret", "/file/x", "/./../secret"] {
        let (statuses, body) = say(server, &format!("GET {path} HTTP/1.0\r\n\r\n")).await;
        assert_eq!((&*statuses[0], body.len()), ("HTTP/1.1 404 Not Found", 0), "{path}");
    }
    let (statuses, _) = say(server, "PUT /file HTTP/1.0\r\n\r\n").await;
    assert_eq!(statuses, ["HTTP/1.1 405 Method Not Allowed"]);
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(b"HEAD /file HTTP/1.0\r\n\r\n").await.unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).await.unwrap();
    assert!(head.contains("content-length: 1048653\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    serving.abort();
}
