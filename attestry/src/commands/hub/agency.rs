//! Acting as an agency whose keys the platform holds: it signs, this command sends.

use anyhow::Context as _;
use anyhow::Result;
use did::Did;
use hub::protocol::grant::Grant;
use hub::protocol::grant::Standing;
use openid4vc::form;
use openid4vc::oauth::client_assertion::ASSERTION_TYPE;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::fetch::Outgoing;
use url::Url;

use super::MAX_ANSWER_BYTES;
use super::get;
use super::pages;
use super::send_statement;
use super::text;
use crate::cli;
use crate::hub::StatementRequest;
use crate::platform;
use crate::platform::Client;

/// An agency of a running platform.
pub(super) struct AsAgency<'a> {
    client: Client,
    platform: &'a cli::Platform,
    id: &'a str,
}

/// An access token of the hub for an agency.
pub(super) struct Token {
    pub(super) agency: Did,
    pub(super) text: String,
}

impl<'a> AsAgency<'a> {
    pub(super) fn new(platform: &'a cli::Platform, id: &'a str) -> Result<Self> {
        Ok(Self {
            client: Client::new(platform)?,
            platform,
            id,
        })
    }

    pub(super) const fn url(&self) -> &Url {
        &self.platform.url
    }

    /// Has the statement signed and sends it.
    pub(super) async fn state(&self, request: &StatementRequest, path: &str) -> Result<Value> {
        let signed = self
            .client
            .post(&self.desk("statements"), &serde_json::to_value(request)?)
            .await?;
        send_statement(self.url(), path, text(&signed, "/statement").to_owned()).await
    }

    /// A token of the hub with these scopes.
    pub(super) async fn token(&self, scope: &str) -> Result<Token> {
        let made = self.client.post(&self.desk("assertion"), &json!({})).await?;
        let body = form::encode([
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", text(&made, "/assertion")),
        ]);
        let url = platform::at(self.url(), "/hub/token");
        let request = Outgoing::post(&url, "application/x-www-form-urlencoded", body, MAX_ANSWER_BYTES)?;
        let answer = platform::answer(&platform::fetcher()?.send(request).await?)?;
        Ok(Token {
            agency: Did::parse(text(&made, "/client_id")).context("the platform named no agency")?,
            text: text(&answer, "/access_token").to_owned(),
        })
    }

    /// A token for reading what concerns the agency.
    pub(super) async fn read_token(&self) -> Result<Token> {
        self.token("hub.read").await
    }

    /// The newest approved access of the agency to an API.
    pub(super) async fn grant(&self, api: &cli::Api, token: &Token) -> Result<Grant> {
        let list = |after| get(self.url(), format!("/hub/grants{after}"), Some(&token.text));
        let grants = pages(list, "grants").await?.into_iter();
        let grants: Vec<Grant> = grants.map(serde_json::from_value).collect::<Result<_, _>>()?;
        let now = Clock::System.now();
        let usable = grants.into_iter().filter(|grant| {
            grant.consumer == token.agency
                && grant.application.api == api.id
                && grant.application.version == api.version
                && grant.standing(now) == Standing::Approved
        });
        usable.max_by_key(|grant| grant.applied_at).with_context(|| {
            format!(
                "expected an approved access of {} to {api}, found none: `attestry hub apply` asks for one",
                self.id
            )
        })
    }

    fn desk(&self, what: &str) -> String {
        format!("/admin/agencies/{}/{what}", self.id)
    }
}
