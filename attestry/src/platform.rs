//! Talking to a running platform: the administrative client, and this person's own folder.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use keys::json;
use serde_json::Value;
use server::Fetcher;
use server::fetch::Fetched;
use server::fetch::Outgoing;
use server::fetch::Reach;
use signer::Passphrase;
use url::Url;

use crate::cli;

/// An answer of an administrative endpoint: lists of credentials are the longest.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// Calls a running platform, with its administrative token where that is needed.
pub(crate) struct Client {
    fetcher: Fetcher,
    url: Url,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(platform: &cli::Platform) -> Result<Self> {
        let token = match &platform.token {
            Some(token) => token.clone(),
            None => server::admin::read(&platform.data).with_context(|| {
                format!(
                    "expected the administrative token in {}, found none: give the platform's data folder with --data or ATTESTRY_DATA, or the token in ATTESTRY_TOKEN",
                    platform.data.display()
                )
            })?,
        };
        Ok(Self {
            fetcher: fetcher()?,
            url: platform.url.clone(),
            token: Some(token),
        })
    }

    /// Without the token, for what everybody may do: officers and holders of recovery keys run no platform.
    pub(crate) fn without_token(url: &Url) -> Result<Self> {
        Ok(Self {
            fetcher: fetcher()?,
            url: url.clone(),
            token: None,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        answer(&self.send(Outgoing::get(&self.at(path), MAX_ANSWER_BYTES)?).await?)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = Outgoing::post(&self.at(path), "application/json", body.to_string(), MAX_ANSWER_BYTES)?;
        answer(&self.send(request).await?)
    }

    async fn send(&self, request: Outgoing) -> Result<Fetched> {
        let request = match &self.token {
            Some(token) => request.bearer(token),
            None => request,
        };
        self.fetcher.send(request).await.with_context(|| {
            format!(
                "the platform at {} does not answer; is `attestry up` running?",
                self.url
            )
        })
    }

    fn at(&self, path: &str) -> String {
        at(&self.url, path)
    }
}

/// `path` below the platform's URL.
pub(crate) fn at(platform: &Url, path: &str) -> String {
    format!("{}{path}", platform.as_str().trim_end_matches('/'))
}

/// A fetcher for a command that a person runs.
pub(crate) fn fetcher() -> Result<Fetcher> {
    Ok(Fetcher::new(Reach::LoopbackToo)?)
}

/// The JSON of an answer, or the problem that it tells.
pub(crate) fn answer(fetched: &Fetched) -> Result<Value> {
    let limits = json::Limits {
        max_bytes: MAX_ANSWER_BYTES,
        ..json::DEFAULT_LIMITS
    };
    let value = json::parse(&fetched.body, limits);
    if fetched.is_success() {
        return value.context("the platform's answer is not JSON");
    }
    let problem = value.unwrap_or(Value::Null);
    let member = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
    let title = member("title")
        .or_else(|| member("error_description"))
        .or_else(|| member("error"));
    match (title, member("detail")) {
        (Some(title), Some(detail)) => bail!("the platform refused ({}): {title} {detail}", fetched.status),
        (Some(title), None) => bail!("the platform refused ({}): {title}", fetched.status),
        (None, _) => bail!("the platform refused with status {}", fetched.status),
    }
}

/// This person's folder: pinned anchors, and the wallet where no other folder is named.
pub(crate) fn home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("ATTESTRY_HOME") {
        return Ok(home.into());
    }
    let home =
        std::env::var_os("HOME").context("expected a home folder for ~/.attestry, found none: set ATTESTRY_HOME")?;
    Ok(PathBuf::from(home).join(".attestry"))
}

/// A passphrase from `ATTESTRY_PASSPHRASE`, or from the terminal.
pub(crate) fn passphrase(question: &str) -> Result<Passphrase> {
    if let Ok(text) = std::env::var("ATTESTRY_PASSPHRASE") {
        return Ok(Passphrase::new(text));
    }
    let text = rpassword::prompt_password(format!("{question}: "))
        .context("expected a passphrase, found neither a terminal to ask on nor ATTESTRY_PASSPHRASE")?;
    if text.is_empty() {
        bail!("expected a passphrase, found an empty line");
    }
    Ok(Passphrase::new(text))
}

/// A new passphrase, typed twice on a terminal.
pub(crate) fn new_passphrase(question: &str) -> Result<Passphrase> {
    if let Ok(text) = std::env::var("ATTESTRY_PASSPHRASE") {
        return Ok(Passphrase::new(text));
    }
    let first = passphrase(question)?;
    let again =
        rpassword::prompt_password("Once more: ").context("expected the passphrase once more, found no terminal")?;
    if !first.is(&again) {
        bail!("expected the same passphrase twice, found two");
    }
    Ok(first)
}
