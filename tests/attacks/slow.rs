//! Clients that never finish what they began. They hold nothing up, and are not waited for.

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use e2e::Place;
use e2e::Request;
use e2e::Response;
use e2e::now;

/// A little more than the platform gives a request.
const LIMIT: Duration = Duration::from_secs(30);

fn begin(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

#[test]
fn nobody_is_waited_for_without_end() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let address = client.address();
    let waiting = now();
    let body = Request::post_form("/issuers/population/token", "x").header("content-length", "1000");
    let mut bodies: Vec<TcpStream> = (0..100)
        .map(|_| begin(address, &(body.head(address) + "grant")))
        .collect();
    let mut heads: Vec<TcpStream> = (0..100)
        .map(|_| begin(address, "GET /health HTTP/1.1\r\nhost: 1"))
        .collect();
    let mut silent: Vec<TcpStream> = (0..100).map(|_| begin(address, "")).collect();
    // Others are served meanwhile.
    let offer = platform.offer("population", "PersonIdentity", "X0000001A");
    assert_eq!(offer.redeem(client, None).unwrap().status, 200);
    assert!(waiting.elapsed() < Duration::from_secs(10));

    for stream in &mut bodies {
        assert_eq!(Response::read(stream).unwrap().problem(), (408, "timeout".to_owned()));
    }
    for stream in heads.iter_mut().chain(&mut silent) {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(
            rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"),
            "{}",
            String::from_utf8_lossy(&rest)
        );
    }
    assert!(waiting.elapsed() < LIMIT, "{:?}", waiting.elapsed());
    platform.stop();
}
