//! HTTP/1.1 over a plain socket, one request a connection. Nothing is added that a test did not ask for but
//! `Host`, `Content-Length` and `Connection`, so that every header can be forged or left out.

use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Longer than any honest answer takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A longer body is written beside the reading: a server that refuses it answers before it has read all.
const WRITE_BESIDE_BYTES: usize = 32 * 1024;

/// A request that is to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A client of one platform, with its administrative token. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    address: SocketAddr,
    token: String,
}

impl Request {
    /// A request of any method.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// GET.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// POST with a body of a type.
    #[must_use]
    pub fn post(target: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", target)
            .header("content-type", content_type)
            .body(body)
    }

    /// POST with a JSON body.
    #[must_use]
    pub fn post_json(target: &str, body: &Value) -> Self {
        Self::post(target, "application/json", body.to_string())
    }

    /// POST with a form.
    #[must_use]
    pub fn post_form(target: &str, form: impl Into<Vec<u8>>) -> Self {
        Self::post(target, "application/x-www-form-urlencoded", form)
    }

    /// Adds a header. `Host` replaces the right one.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Where it goes.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The bytes before the body, for the server at `address`.
    #[must_use]
    pub fn head(&self, address: SocketAddr) -> String {
        let has = |wanted: &str| self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let own = [
            ("host", Some(address.to_string())),
            (
                "content-length",
                Some(self.body.len().to_string()).filter(|_| self.method == "POST" && !has("transfer-encoding")),
            ),
            ("connection", Some("close".to_owned())),
        ];
        let own = own.into_iter().filter(|(name, _)| !has(name));
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.target)];
        lines.extend(own.filter_map(|(name, value)| Some(format!("{name}: {}", value?))));
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.join("\r\n") + "\r\n\r\n"
    }

    /// Sends it on a new connection.
    ///
    /// # Errors
    /// The connection's: nobody listens, it was cut, or no answer came in time.
    pub fn send(&self, address: SocketAddr) -> io::Result<Response> {
        let mut stream = connect(address)?;
        if self.body.len() <= WRITE_BESIDE_BYTES {
            stream.write_all(self.head(address).as_bytes())?;
            stream.write_all(&self.body)?;
            return Response::read_to(&self.method, &mut stream);
        }
        let mut writing = stream.try_clone()?;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // The server may hang up in the middle; what it says then is what counts.
                let written = writing.write_all(self.head(address).as_bytes());
                written.and_then(|()| writing.write_all(&self.body)).ok()
            });
            Response::read_to(&self.method, &mut stream)
        })
    }
}

/// A connection that gives up in the end.
pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Response {
    /// Reads one response with a `Content-Length`, or to the end of the connection.
    ///
    /// # Errors
    /// The connection's, and `InvalidData` for what is no HTTP response.
    pub fn read(stream: &mut TcpStream) -> io::Result<Self> {
        Self::read_to("GET", stream)
    }

    fn read_to(method: &str, stream: &mut TcpStream) -> io::Result<Self> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
        let mut more = |bytes: &mut Vec<u8>| -> io::Result<usize> {
            let count = stream.read(&mut buffer)?;
            bytes.extend_from_slice(&buffer[..count]);
            Ok(count)
        };
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if more(&mut bytes)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        // The length that a GET would have had.
        let length = length.filter(|_| method != "HEAD");
        let length: Option<usize> = length.and_then(|(_, value)| value.parse().ok());
        let mut body = bytes.split_off(end + 4);
        while length.is_none_or(|length| body.len() < length) {
            if more(&mut body)? == 0 {
                break;
            }
        }
        if length.is_some_and(|length| body.len() < length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status = status.ok_or_else(|| invalid("no status line"))?;
        Ok(Self { status, headers, body })
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_slice(&self.body);
        parsed.unwrap_or_else(|error| panic!("expected JSON ({error}), found {} {}", self.status, self.text()))
    }

    /// The body as JSON, if the status is `expected`.
    #[must_use]
    pub fn expect(&self, expected: u16) -> Value {
        assert_eq!(self.status, expected, "{}", self.text());
        self.json()
    }

    /// `error` of an OAuth error answer, with its status; both empty for anything else.
    #[must_use]
    pub fn oauth_error(&self) -> (u16, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        (self.status, body["error"].as_str().unwrap_or_default().to_owned())
    }

    /// The last part of a problem's type, with its status; empty for anything that is no problem.
    #[must_use]
    pub fn problem(&self) -> (u16, String) {
        let is_problem = self.header("content-type") == Some("application/problem+json");
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = body["type"].as_str().filter(|_| is_problem).unwrap_or_default();
        (self.status, kind.rsplit('/').next().unwrap_or_default().to_owned())
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr, token: String) -> Self {
        Self { address, token }
    }

    /// The platform's address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The administrative token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request to a platform that is expected to answer.
    #[must_use]
    pub fn send(&self, request: &Request) -> Response {
        let answer = request.send(self.address);
        answer.unwrap_or_else(|error| panic!("expected an answer at {}, found {error}", request.target()))
    }

    /// GET without a token.
    #[must_use]
    pub fn get(&self, target: &str) -> Response {
        self.send(&Request::get(target))
    }

    /// GET with the administrative token.
    #[must_use]
    pub fn admin_get(&self, target: &str) -> Response {
        self.send(&Request::get(target).bearer(&self.token))
    }

    /// POST of JSON with the administrative token.
    #[must_use]
    pub fn admin_post(&self, target: &str, body: &Value) -> Response {
        self.send(&Request::post_json(target, body).bearer(&self.token))
    }

    /// The credentials that an agency issued, or issued to one person.
    #[must_use]
    pub fn credentials(&self, agency: &str, subject: Option<&str>) -> Vec<Value> {
        let query = subject.map(|subject| format!("?subject={subject}")).unwrap_or_default();
        let listed = self.admin_get(&format!("/issuers/{agency}/admin/credentials{query}"));
        listed.expect(200)["credentials"].as_array().unwrap().clone()
    }
}
