//! What a person does: consent with a key of their own, and take it back.
//!
//! The key lies in the wallet beside the credentials' keys and is none of theirs: a credential's key signs
//! presentations, this one signs consents.

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use did::DidUrl;
use hub::protocol::commitment::OpenCommitment;
use hub::protocol::consent::ConsentRegistration;
use hub::protocol::consent::ConsentTerms;
use hub::protocol::consent::ConsentWithdrawal;
use hub::protocol::id::ConsentId;
use hub::protocol::statement;
use hub::protocol::statement::MAX_LIFETIME_SECONDS;
use hub::protocol::statement::Signing;
use hub::protocol::statement::StatementKind;
use keys::Algorithm;
use keys::Signer as _;
use serde::Serialize;
use serde_json::json;
use server::Clock;
use signer::SoftwareKey;
use signer::Vault;
use std::process::ExitCode;
use url::Url;

use super::agency::AsAgency;
use super::hub_of;
use super::send_statement;
use super::text;
use crate::cli;
use crate::hub::StatementRequest;
use crate::output::Output;
use crate::output::ask;
use crate::platform;
use crate::platform::Client;

/// Where the key lies in the wallet. No credential's id is a word.
const KEY: &str = "keys/consent";

const ONE_DAY: i64 = 86_400;

/// A person's key, and the DID URL that names it.
struct Person {
    key: SoftwareKey,
    key_id: DidUrl,
}

pub(super) async fn enrol(
    platform: &cli::Platform,
    home: &cli::Home,
    agency: &str,
    subject: &str,
    output: Output,
) -> Result<ExitCode> {
    let client = Client::new(platform)?;
    let person = Person::open(home)?;
    let body = json!({"subject": subject, "key": person.key_id.to_string()});
    let answer = client.post(&format!("/admin/agencies/{agency}/persons"), &body).await?;
    let text = format!("{agency} knows {} as the key of {subject}", person.key_id.did());
    output.result(text, &answer);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn consent(wish: cli::Consent, output: Output) -> Result<ExitCode> {
    let agency = AsAgency::new(&wish.platform, &wish.agency)?;
    let grant = agency.grant(&wish.api, &agency.read_token().await?).await?;
    let now = Clock::System.now();
    let approved = grant
        .approval(now)
        .ok()
        .context("the access is not approved any more")?;
    let fields = wish.fields.unwrap_or_else(|| approved.fields.clone());
    if !wish.yes {
        let question = format!(
            "{} ({}) asks for: {fields}\nabout {} from {}, for {} days\nfor this purpose: {}\nConsent? Type yes:",
            wish.agency, grant.consumer, wish.subject, grant.source, wish.days, grant.application.purpose
        );
        let agreed = ask(&question)
            .context("expected your consent, found no terminal to ask on: look at what is asked, then give --yes")?;
        if !agreed.eq_ignore_ascii_case("yes") {
            output.result("declined; nothing was signed", &json!({"consented": false}));
            return Ok(ExitCode::FAILURE);
        }
    }
    let terms = ConsentTerms {
        consumer: grant.consumer,
        source: grant.source,
        api: wish.api.id,
        purpose: grant.application.purpose,
        fields,
        subject: OpenCommitment::to_subject(&wish.subject, &mut signer::os_rng()),
    };
    let hub = hub_of(agency.url()).await?;
    let lifetime = i64::from(wish.days).saturating_mul(ONE_DAY);
    let consent = Person::open(&wish.home)?.sign(StatementKind::Consent, &terms, &hub, lifetime)?;
    let request = StatementRequest::ConsentRegistration(ConsentRegistration { consent });
    let answer = agency.state(&request, "/hub/consents").await?;
    output.result(
        format!("consented; calls name the consent {}", text(&answer, "/id")),
        &answer,
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn withdraw(url: &Url, home: &cli::Home, id: &str, output: Output) -> Result<ExitCode> {
    let content = ConsentWithdrawal {
        consent: ConsentId::parse(id).context("that is no consent's id")?,
    };
    let path = format!("/hub/consents/{}/withdrawal", content.consent);
    let (kind, hub) = (StatementKind::ConsentWithdrawal, hub_of(url).await?);
    let statement = Person::open(home)?.sign(kind, &content, &hub, MAX_LIFETIME_SECONDS)?;
    let answer = send_statement(url, &path, statement).await?;
    output.result("withdrawn; the next call is refused", &answer);
    Ok(ExitCode::SUCCESS)
}

impl Person {
    /// The key in the wallet, made on first use.
    fn open(home: &cli::Home) -> Result<Self> {
        let home = match &home.home {
            Some(home) => home.clone(),
            None => platform::home()?.join("wallet"),
        };
        if !Vault::exists(&home) {
            bail!(
                "expected a wallet in {}, found none: make one with `attestry wallet init`",
                home.display()
            );
        }
        let vault = Vault::open(&home, &platform::passphrase("Passphrase of the wallet")?)?;
        let key = match vault.key(KEY)? {
            Some(key) => key,
            None => vault.generate_key(KEY, Algorithm::Es256, &mut signer::os_rng())?,
        };
        let key_id = DidUrl::parse(&did::methods::key::method_id(key.public_key()))?;
        Ok(Self { key, key_id })
    }

    fn sign(&self, kind: StatementKind, content: &impl Serialize, hub: &str, lifetime: i64) -> Result<String> {
        let now = Clock::System.now();
        let signing = Signing {
            key_id: &self.key_id,
            algorithm: self.key.public_key().algorithm(),
            hub,
            now,
            expires_at: now.plus(lifetime),
        };
        let request = statement::sign(kind, content, signing, &mut signer::os_rng());
        Ok(self.key.fulfil(request)?)
    }
}
