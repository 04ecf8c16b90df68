//! TLS towards PostgreSQL: always beyond this machine, unless the operator says `sslmode=disable`.
//!
//! The server's certificate is verified against the system's trust store for the host's name, also
//! with `sslmode=require`, which in other clients verifies nothing. The client is known by its
//! password only (SCRAM, without channel binding).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::Verifier;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio_postgres::Client;
use tokio_postgres::Config;
use tokio_postgres::NoTls;
use tokio_postgres::config::Host;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::ChannelBinding;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::tls::TlsConnect;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::OpenError;

/// Whether and how connections are encrypted.
#[derive(Clone)]
pub(super) enum Tls {
    /// To this machine, or because the operator said so.
    Plain,
    Verified(Arc<ClientConfig>),
}

impl Tls {
    /// Decides by the hosts and the `sslmode` of `config`, and makes it strict where it is lax.
    pub(super) fn choose(config: &mut Config) -> Result<Self, OpenError> {
        let is_local = config.get_hosts().iter().all(is_local);
        match config.get_ssl_mode() {
            SslMode::Disable => {
                if !is_local {
                    tracing::warn!("sslmode=disable: claims go to PostgreSQL unencrypted");
                }
                return Ok(Self::Plain);
            }
            SslMode::Prefer if is_local => {
                config.ssl_mode(SslMode::Disable);
                return Ok(Self::Plain);
            }
            _ => {}
        }
        config.ssl_mode(SslMode::Require);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = Verifier::new(provider.clone())
            .and_then(|verifier| {
                let builder = ClientConfig::builder_with_provider(provider);
                Ok(builder
                    .with_safe_default_protocol_versions()?
                    .dangerous()
                    // Not dangerous: it is the system's own verification.
                    .with_custom_certificate_verifier(Arc::new(verifier))
                    .with_no_client_auth())
            })
            .map_err(|source| OpenError::Postgres {
                action: "set up TLS to",
                source: source.into(),
            })?;
        Ok(Self::Verified(Arc::new(client)))
    }

    /// Connects, and leaves the connection's own work to a task that ends with the client.
    pub(super) async fn connect(&self, config: &Config) -> Result<Client, tokio_postgres::Error> {
        match self {
            Self::Plain => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(async move { report(connection.await) });
                Ok(client)
            }
            Self::Verified(tls) => {
                let tls = Verified(TlsConnector::from(tls.clone()));
                let (client, connection) = config.connect(tls).await?;
                tokio::spawn(async move { report(connection.await) });
                Ok(client)
            }
        }
    }
}

/// Whether a connection to `host` stays on this machine. A name other than `localhost` might be
/// resolved to anything.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn report(ended: Result<(), tokio_postgres::Error>) {
    if let Err(error) = ended {
        tracing::warn!(%error, "a connection to PostgreSQL was lost");
    }
}

#[derive(Clone)]
struct Verified(TlsConnector);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Verified {
    type Stream = Encrypted<S>;
    type TlsConnect = VerifiedHost;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<VerifiedHost> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(VerifiedHost(self.0.clone(), name))
    }
}

struct VerifiedHost(TlsConnector, ServerName<'static>);

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for VerifiedHost {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { Ok(Encrypted(self.0.connect(self.1, stream).await?)) })
    }
}

/// A TLS stream, under the name that `tokio_postgres` wants its trait on.
struct Encrypted<S>(TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_trusted_with_plain_text() {
        let choose = |url: &str| {
            let mut config: Config = url.parse().unwrap();
            let tls = Tls::choose(&mut config).unwrap();
            (matches!(tls, Tls::Verified(_)), config.get_ssl_mode())
        };
        let plain = (false, SslMode::Disable);
        let verified = (true, SslMode::Require);
        assert_eq!(choose("postgres://localhost/x"), plain);
        assert_eq!(choose("postgres://127.0.0.1,[::1]/x"), plain);
        assert_eq!(choose("postgres://%2Frun%2Fpostgresql/x"), plain);
        assert_eq!(choose("postgres://localhost/x?sslmode=require"), verified);
        assert_eq!(choose("postgres://db.example/x"), verified);
        assert_eq!(choose("postgres://localhost,db.example/x"), verified);
        assert_eq!(choose("postgres://10.0.0.5/x"), verified);
        assert_eq!(choose("postgres://db.example/x?sslmode=disable"), plain);
    }
}
