//! Listening: plain HTTP on loopback only, TLS with a certificate, or behind a proxy named by its public URL; and on
//! loopback, also TLS with a certificate that is made at start.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::Server;
use axum_server::tls_rustls::RustlsConfig;
use thiserror::Error;
use url::Url;

use crate::guard;

/// How long requests in flight may take to finish after SIGTERM. Longer than any request may take.
const GRACE: Duration = Duration::from_secs(20);
/// For the head of a request to arrive, and for the next one on an open connection to begin.
const MAX_HEAD_TIME: Duration = Duration::from_secs(20);

/// Where a service listens and what its clients call it.
#[derive(Debug)]
pub struct Listen {
    listener: TcpListener,
    address: SocketAddr,
    public_url: Url,
    tls: Option<RustlsConfig>,
    self_signed: Option<SelfSigned>,
}

/// A second door on loopback, with a certificate of its own making.
#[derive(Debug)]
struct SelfSigned {
    listener: TcpListener,
    address: SocketAddr,
    url: Url,
    tls: RustlsConfig,
}

/// A certificate chain and its key in PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The service cannot listen this way.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The environment's fault: the address is taken or not this machine's.
    #[error("cannot listen on {address}; is another process using it? Choose another with --listen")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Claims and tokens would cross a network in the clear.
    #[error(
        "plain HTTP on {address} is refused beyond loopback: give --tls-certificate and --tls-key, or name the https proxy in front with --public-url"
    )]
    PlainBeyondLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// It listens on every address of the machine, and nobody said what clients call it.
    #[error("{address} is no address that clients can call: name the platform with --public-url")]
    Nameless {
        /// The address.
        address: SocketAddr,
    },
    /// Nobody beyond this machine could tell whose certificate it is.
    #[error("a self-signed certificate is for loopback only, found {address}: give --tls-certificate and --tls-key")]
    SelfSignedBeyondLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The certificate cannot be made.
    #[error("cannot make a self-signed certificate")]
    SelfSigned(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The public URL is none that clients could use.
    #[error(
        "expected --public-url to be an https URL without query and fragment (http only for loopback), found {found}"
    )]
    PublicUrl {
        /// What was given.
        found: Url,
    },
    /// Serving ended with an error.
    #[error("serving ended")]
    Serve(#[source] std::io::Error),
    /// The system does not tell us its signals.
    #[error("cannot catch the signals that end a service")]
    Signals(#[source] std::io::Error),
    /// The certificate or key is not usable.
    #[error("cannot use the certificate {certificate}")]
    Tls {
        /// The file.
        certificate: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Listen {
    /// Binds `address` (port 0 takes a free one). `public_url` is what clients use; without it, the address. The
    /// certificate is read here: whoever says that it is ready must be able to serve.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn bind(
        address: SocketAddr,
        public_url: Option<Url>,
        tls: Option<TlsFiles>,
    ) -> Result<Self, ListenError> {
        let behind_https = public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        if !address.ip().is_loopback() && tls.is_none() && !behind_https {
            return Err(ListenError::PlainBeyondLoopback { address });
        }
        let (listener, address) = bind_to(address)?;
        let public_url = match public_url {
            Some(url) => usable(url)?,
            None if address.ip().is_unspecified() => return Err(ListenError::Nameless { address }),
            None => own_url(address, tls.is_some()).ok_or(ListenError::PlainBeyondLoopback { address })?,
        };
        let tls = match tls {
            Some(files) => Some(files.load().await?),
            None => None,
        };
        Ok(Self {
            listener,
            address,
            public_url,
            tls,
            self_signed: None,
        })
    }

    /// Binds `address`, which must be loopback, for https with a certificate that is made now and kept nowhere: for
    /// software of this machine that reads https URLs only.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn also_self_signed(mut self, address: SocketAddr) -> Result<Self, ListenError> {
        if !address.ip().is_loopback() {
            return Err(ListenError::SelfSignedBeyondLoopback { address });
        }
        let (listener, address) = bind_to(address)?;
        let url = own_url(address, true).ok_or(ListenError::SelfSignedBeyondLoopback { address })?;
        let names = ["localhost".to_owned(), address.ip().to_string()];
        let failed = |source: rcgen::Error| ListenError::SelfSigned(source.into());
        let made = rcgen::generate_simple_self_signed(names).map_err(failed)?;
        install_provider();
        let chain = vec![made.cert.der().to_vec()];
        let tls = RustlsConfig::from_der(chain, made.signing_key.serialize_der()).await;
        self.self_signed = Some(SelfSigned {
            listener,
            address,
            url,
            tls: tls.map_err(|source| ListenError::SelfSigned(source.into()))?,
        });
        Ok(self)
    }

    /// The bound address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients call this service; never ends with a slash when written without one.
    #[must_use]
    pub const fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// The https URL of the second door, if there is one; never ends with a slash when written without one.
    #[must_use]
    pub fn self_signed_url(&self) -> Option<&Url> {
        self.self_signed.as_ref().map(|door| &door.url)
    }

    /// Serves `router` behind the guards until `stop` completes, then lets what is in flight finish.
    ///
    /// # Errors
    /// [`ListenError::Serve`].
    pub async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ListenError> {
        let handles = [Handle::new(), Handle::new()];
        let [first, second] = handles.clone();
        tokio::spawn(async move {
            stop.await;
            for handle in handles {
                handle.graceful_shutdown(Some(GRACE));
            }
        });
        let hosts = guard::AllowedHosts::new(self.address, &self.public_url);
        let main = serve_on(self.listener, self.tls, guard::protect(router.clone(), hosts), first);
        let Some(door) = self.self_signed else {
            return main.await;
        };
        let hosts = guard::AllowedHosts::new(door.address, &door.url);
        let also = serve_on(door.listener, Some(door.tls), guard::protect(router, hosts), second);
        tokio::try_join!(main, also).map(|((), ())| ())
    }
}

async fn serve_on(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    handle: Handle<SocketAddr>,
) -> Result<(), ListenError> {
    let service = router.into_make_service();
    if let Some(config) = tls {
        let server = axum_server::from_tcp_rustls(listener, config).map_err(ListenError::Serve)?;
        let ended = limit(server).handle(handle).serve(service).await;
        ended.map_err(ListenError::Serve)
    } else {
        let server = axum_server::from_tcp(listener).map_err(ListenError::Serve)?;
        let ended = limit(server).handle(handle).serve(service).await;
        ended.map_err(ListenError::Serve)
    }
}

/// Port 0 takes a free one; the address says which.
fn bind_to(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ListenError> {
    let failed = |source| ListenError::Bind { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The one provider of the tree; a second install is the same one again.
fn install_provider() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
}

impl TlsFiles {
    async fn load(self) -> Result<RustlsConfig, ListenError> {
        install_provider();
        let loaded = RustlsConfig::from_pem_file(&self.certificate, &self.key).await;
        loaded.map_err(|source| ListenError::Tls {
            certificate: self.certificate,
            source,
        })
    }
}

/// Limits in time what the router never sees: a connection that says nothing, and a head that does not end.
fn limit<A>(mut server: Server<SocketAddr, A>) -> Server<SocketAddr, A> {
    server.http_builder().http1().header_read_timeout(MAX_HEAD_TIME);
    server.first_request_timeout(MAX_HEAD_TIME)
}

/// Completes on SIGTERM or Ctrl-C. Both are caught from this call on: a service that says it is ready can be told to
/// stop in the same moment.
///
/// # Errors
/// [`ListenError::Signals`].
#[cfg(unix)]
pub fn termination() -> Result<impl Future<Output = ()> + Send + 'static, ListenError> {
    use tokio::signal::unix::SignalKind;
    use tokio::signal::unix::signal;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ListenError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ListenError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes on Ctrl-C.
///
/// # Errors
/// None on this system.
#[cfg(not(unix))]
pub fn termination() -> Result<impl Future<Output = ()> + Send + 'static, ListenError> {
    let interrupt = tokio::signal::ctrl_c();
    Ok(async move { interrupt.await.unwrap_or_default() })
}

fn own_url(address: SocketAddr, tls: bool) -> Option<Url> {
    Url::parse(&format!("{}://{address}", if tls { "https" } else { "http" })).ok()
}

fn usable(url: Url) -> Result<Url, ListenError> {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    if scheme_fits && bare && url.has_host() {
        Ok(url)
    } else {
        Err(ListenError::PublicUrl { found: url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bind(address: &str, public: Option<&str>) -> Result<Listen, ListenError> {
        Listen::bind(
            address.parse().unwrap(),
            public.map(|url| Url::parse(url).unwrap()),
            None,
        )
        .await
    }

    #[tokio::test]
    async fn loopback_may_be_plain() {
        let listen = bind("127.0.0.1:0", None).await.unwrap();
        assert_eq!(listen.public_url().scheme(), "http");
        assert_eq!(listen.public_url().port(), Some(listen.address().port()));
    }

    #[tokio::test]
    async fn plain_http_beyond_loopback_is_refused() {
        assert!(matches!(
            bind("0.0.0.0:0", None).await,
            Err(ListenError::PlainBeyondLoopback { .. })
        ));
        assert!(matches!(
            bind("0.0.0.0:0", Some("http://attestry.example")).await,
            Err(ListenError::PlainBeyondLoopback { .. })
        ));
        assert!(bind("0.0.0.0:0", Some("https://attestry.example")).await.is_ok());
    }

    #[tokio::test]
    async fn a_self_signed_certificate_is_for_loopback_only() {
        let address = "127.0.0.1:0".parse().unwrap();
        let listen = bind("127.0.0.1:0", None).await.unwrap();
        assert_eq!(listen.self_signed_url(), None);
        let listen = listen.also_self_signed(address).await.unwrap();
        let url = listen.self_signed_url().unwrap();
        assert_eq!((url.scheme(), url.host_str()), ("https", Some("127.0.0.1")));
        assert_ne!(url.port(), Some(0));
        assert_ne!(url.port(), listen.public_url().port());

        let listen = bind("127.0.0.1:0", None).await.unwrap();
        let refused = listen.also_self_signed("0.0.0.0:0".parse().unwrap()).await;
        assert!(matches!(refused, Err(ListenError::SelfSignedBeyondLoopback { .. })));
    }

    #[tokio::test]
    async fn public_urls_that_clients_cannot_use_are_refused() {
        for bad in [
            "http://attestry.example",
            "https://attestry.example/?x",
            "https://user@attestry.example",
            "ftp://127.0.0.1",
        ] {
            assert!(
                matches!(bind("127.0.0.1:0", Some(bad)).await, Err(ListenError::PublicUrl { .. })),
                "{bad}"
            );
        }
    }
}
