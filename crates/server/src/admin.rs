//! The administrative token: what lets an operator's command change a running platform.
//!
//! It lies in the data folder, readable by its owner alone, and is compared by hash. It approves nothing in
//! the registry: officers sign with keys of their own. A browser never sends it: a request that carries an
//! `Origin` or `Sec-Fetch-Site` header comes from a page, and is refused whatever token it has.

use std::fmt;
use std::path::Path;

use axum::extract::FromRef;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;

use crate::Problem;

const FILE_NAME: &str = "admin.token";
const TOKEN_BYTES: usize = 32;

/// Knows the token by its hash alone.
#[derive(Clone)]
pub struct AdminToken {
    sha256: [u8; 32],
}

impl AdminToken {
    /// The token of the data folder; a new one is written on first use.
    ///
    /// # Errors
    /// The folder cannot be read or written.
    pub fn load_or_create(data: &Path, rng: &mut dyn CryptoRng) -> std::io::Result<Self> {
        let path = data.join(FILE_NAME);
        if !path.exists() {
            let mut bytes = [0; TOKEN_BYTES];
            rng.fill_bytes(&mut bytes);
            write_private(&path, &keys::base64url::encode(bytes))?;
        }
        Ok(Self::from_text(&read(data)?))
    }

    /// Knows the given token.
    #[must_use]
    pub fn from_text(token: &str) -> Self {
        Self {
            sha256: keys::sha256(token.trim().as_bytes()),
        }
    }

    fn accepts(&self, token: &str) -> bool {
        keys::sha256(token.as_bytes()).ct_eq(&self.sha256).into()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(..)")
    }
}

/// The text of the data folder's token, for a command that calls the running platform.
///
/// # Errors
/// The file is not there or not readable.
pub fn read(data: &Path) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(data.join(FILE_NAME))?.trim().to_owned())
}

/// Proof that a request carries the administrative token and no page sent it. Take it as an argument of
/// every handler that administers.
#[derive(Clone, Copy, Debug)]
pub struct Admin(());

impl<S> FromRequestParts<S> for Admin
where
    AdminToken: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.headers.contains_key(header::ORIGIN) || parts.headers.contains_key("sec-fetch-site") {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "browser-origin",
                "Administration is refused to web pages; use the attestry command.",
            ));
        }
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        match token {
            Some(token) if AdminToken::from_ref(state).accepts(token) => Ok(Self(())),
            _ => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "admin-token",
                "This needs the administrative token: run the command with --data or ATTESTRY_DATA set to the platform's data folder, or set ATTESTRY_TOKEN.",
            )),
        }
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    struct FixedRng(u8);

    impl rand_core::TryRng for FixedRng {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::from(self.0))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from(self.0))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for FixedRng {}

    async fn status(headers: &[(&str, &str)]) -> Option<StatusCode> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let token = AdminToken::from_text("the token\n");
        Admin::from_request_parts(&mut parts, &token)
            .await
            .err()
            .map(|problem| problem.status())
    }

    #[tokio::test]
    async fn only_the_token_and_no_page_administers() {
        let authorization = ("authorization", "Bearer the token");
        assert_eq!(status(&[authorization]).await, None);
        assert_eq!(status(&[]).await, Some(StatusCode::UNAUTHORIZED));
        assert_eq!(
            status(&[("authorization", "Bearer another")]).await,
            Some(StatusCode::UNAUTHORIZED)
        );
        assert_eq!(
            status(&[authorization, ("origin", "http://127.0.0.1:8080")]).await,
            Some(StatusCode::FORBIDDEN)
        );
        assert_eq!(
            status(&[authorization, ("sec-fetch-site", "same-origin")]).await,
            Some(StatusCode::FORBIDDEN)
        );
    }

    #[test]
    fn the_token_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = AdminToken::load_or_create(folder.path(), &mut FixedRng(1)).unwrap();
        let text = read(folder.path()).unwrap();
        assert!(first.accepts(&text));
        assert!(
            AdminToken::load_or_create(folder.path(), &mut FixedRng(2))
                .unwrap()
                .accepts(&text)
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                std::fs::metadata(folder.path().join(FILE_NAME))
                    .unwrap()
                    .permissions()
                    .mode()
                    & 0o777,
                0o600
            );
        }
    }
}
