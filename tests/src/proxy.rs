//! Somebody between a browser and the platform, who changes what passes.

use std::fmt;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::Client;
use crate::Request;
use crate::Response;

/// A browser opens connections ahead of need and leaves them silent.
const SILENCE: Duration = Duration::from_secs(5);
/// What a page needs of a response: its type and its policy. Lengths and connections are the proxy's own.
const PASSED_ON: [&str; 3] = ["content-type", "content-security-policy", "x-content-type-options"];

/// Takes the path of a GET and the body of its answer, and gives the body that arrives.
type Change = Box<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send>;

/// A proxy of one platform, on a port of its own; a browser takes it for another site, which remembers nothing of the first.
/// It ends with this value.
pub struct Proxy {
    address: SocketAddr,
    change: Arc<Mutex<Change>>,
    is_over: Arc<AtomicBool>,
}

impl Proxy {
    /// Passes on everything as it is.
    #[must_use]
    pub fn of(client: &Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = client.address();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            change: Arc::new(Mutex::new(Box::new(|_, body| body))),
            is_over: Arc::default(),
        };
        let (change, is_over) = (proxy.change.clone(), proxy.is_over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), change) = (stream, change.clone()) else {
                    continue;
                };
                std::thread::spawn(move || pass_on(stream, upstream, &change).ok());
            }
        });
        proxy
    }

    /// A URL of the platform, as it is called through the proxy.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Changes bodies from now on, in place of what it did before.
    pub fn change(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + 'static) {
        *self.change.lock().unwrap() = Box::new(change);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // The listener wakes up to see it.
        TcpStream::connect(self.address).ok();
    }
}

fn pass_on(mut stream: TcpStream, upstream: SocketAddr, change: &Mutex<Change>) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    let Some(target) = target_of(&mut stream)? else {
        return Ok(());
    };
    let Response { status, headers, body } = Request::get(&target).send(upstream)?;
    let body = change.lock().unwrap()(&target, body);
    write!(stream, "HTTP/1.1 {status} \r\n")?;
    for (name, value) in headers.iter().filter(|(name, _)| PASSED_ON.contains(&name.as_str())) {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "content-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// What a GET asks for; none where nothing was asked.
fn target_of(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&buffer[..count]);
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.split(' ');
    Ok((words.next() == Some("GET")).then(|| words.next().unwrap_or_default().to_owned()))
}
