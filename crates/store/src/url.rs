//! [`StoreUrl`]: which engine, and where.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use thiserror::Error;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// Where a store is: `fjall:DIR`, `sled:DIR` or `postgres://user:password@host:port/database`.
///
/// Its texts (`Debug`, `Display`) leave the password out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreUrl {
    /// Embedded, the default engine, in this folder.
    Fjall(PathBuf),
    /// Embedded, the engine of the cargo feature `sled`, in this folder.
    Sled(PathBuf),
    /// A PostgreSQL database, with the parameters that `tokio_postgres::Config` reads.
    Postgres(Box<Config>),
}

/// The text names no store. The operator is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// No folder was given.
    #[error("expected a folder after {engine:?}, as in {engine}:DIR")]
    NoFolder {
        /// The engine.
        engine: String,
    },
    /// The part behind `postgres:` is wrong; it is not repeated here, for it may hold a password.
    #[error("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE: {reason}")]
    Postgres {
        /// What is wrong with it.
        reason: String,
    },
    /// The engine is unknown.
    #[error("expected fjall:DIR, sled:DIR or postgres://..., found engine {found:?}")]
    UnknownEngine {
        /// What stands before the colon.
        found: String,
    },
}

impl StoreUrl {
    /// Reads a URL that names its folder.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (engine, folder) = text.split_once(':').unwrap_or((text, ""));
        match engine {
            "postgres" | "postgresql" => parse_postgres(text),
            "fjall" | "sled" if folder.is_empty() => Err(UrlError::NoFolder {
                engine: engine.to_owned(),
            }),
            "fjall" => Ok(Self::Fjall(folder.into())),
            "sled" => Ok(Self::Sled(folder.into())),
            _ => Err(UrlError::UnknownEngine {
                found: engine.chars().take(20).collect(),
            }),
        }
    }

    /// [`StoreUrl::parse`], where `fjall` or `sled` alone means in `folder`.
    pub fn parse_in(text: &str, folder: &Path) -> Result<Self, UrlError> {
        match text {
            "fjall" => Ok(Self::Fjall(folder.to_owned())),
            "sled" => Ok(Self::Sled(folder.to_owned())),
            _ => Self::parse(text),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fjall(folder) => write!(f, "fjall:{}", folder.display()),
            Self::Sled(folder) => write!(f, "sled:{}", folder.display()),
            Self::Postgres(config) => {
                let hosts: Vec<String> = config.get_hosts().iter().map(host_text).collect();
                let database = config.get_dbname().unwrap_or_default();
                write!(f, "postgres://{}/{database}", hosts.join(","))
            }
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

fn parse_postgres(text: &str) -> Result<StoreUrl, UrlError> {
    let config: Config = text.parse().map_err(|error: tokio_postgres::Error| {
        // Its source names the parameter, never a value.
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        UrlError::Postgres {
            reason: cause.unwrap_or_else(|| error.to_string()),
        }
    })?;
    if config.get_hosts().is_empty() {
        return Err(UrlError::Postgres {
            reason: "no host".to_owned(),
        });
    }
    Ok(StoreUrl::Postgres(Box::new(config)))
}

fn host_text(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_and_folders_are_read() {
        assert_eq!(
            StoreUrl::parse("fjall:/var/lib/attestry"),
            Ok(StoreUrl::Fjall("/var/lib/attestry".into()))
        );
        assert_eq!(
            StoreUrl::parse_in("sled", Path::new("data")),
            Ok(StoreUrl::Sled("data".into()))
        );
        assert_eq!(
            StoreUrl::parse_in("fjall:other", Path::new("data")),
            Ok(StoreUrl::Fjall("other".into()))
        );
    }

    #[test]
    fn anything_else_is_named() {
        let no_folder = StoreUrl::parse("fjall").unwrap_err();
        assert_eq!(
            no_folder.to_string(),
            "expected a folder after \"fjall\", as in fjall:DIR"
        );
        assert!(matches!(
            StoreUrl::parse("mysql://db"),
            Err(UrlError::UnknownEngine { found }) if found == "mysql"
        ));
        assert!(matches!(
            StoreUrl::parse("postgres:///x?sslmode=maybe"),
            Err(UrlError::Postgres { .. })
        ));
        assert!(matches!(
            StoreUrl::parse("postgres:///x"),
            Err(UrlError::Postgres { .. })
        ));
    }

    #[test]
    fn password_is_in_no_text() {
        let url = StoreUrl::parse("postgres://me:s3cret@db.example:5433/attestry").unwrap();
        assert_eq!(url.to_string(), "postgres://db.example/attestry");
        assert!(!format!("{url:?}").contains("s3cret"));
        let error = StoreUrl::parse("postgres://me:s3cret@db.example:port/x").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("s3cret"));
    }
}
