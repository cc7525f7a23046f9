//! Bytes go round, whatever the sizes.

use henge_driver::Driver;
use henge_net::{TcpListener, TcpStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn bytes_come_back() {
    let driver = Driver::new().unwrap();
    driver
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let mut client = TcpStream::connect(listener.local_addr()?).await?;
            let (mut server, _) = listener.accept().await?;
            for size in [1, 64, 4_000, 4_096, 16_384, 60_000] {
                let sent: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
                client.write_all(&sent).await?;
                let mut got = vec![0; size];
                server.read_exact(&mut got).await?;
                assert_eq!(got, sent);
                server.write_all(&got).await?;
                let mut back = vec![0; size];
                client.read_exact(&mut back).await?;
                assert_eq!(back, sent);
            }
            drop(client);
            assert_eq!(server.read(&mut [0; 8]).await?, 0);
            std::io::Result::Ok(())
        })
        .unwrap()
        .unwrap();
}
