//! The options of `attestry hub`.

use std::path::PathBuf;

use axum::http::Method;
use clap::ArgGroup;
use clap::Args;
use clap::Subcommand;
use hub::protocol::field::FieldSet;
use hub::protocol::id::ApiId;
use hub::protocol::id::ApiVersion;
use url::Url;

use super::Platform;

/// An API of the catalogue in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Api {
    pub(crate) id: ApiId,
    pub(crate) version: ApiVersion,
}

/// The running platform, for what anybody may read.
#[derive(Clone, Debug, Args)]
pub(crate) struct PublicPlatform {
    /// The running platform.
    #[arg(
        long,
        env = "ATTESTRY_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) url: Url,
}

/// A person's wallet, which keeps the key that they consent with.
#[derive(Clone, Debug, Args)]
pub(crate) struct Home {
    /// The wallet's folder.
    #[arg(long, env = "ATTESTRY_WALLET", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Hub {
    /// Publish a version of an agency's API in the catalogue. What is published never changes.
    Publish(Publish),
    /// List the published APIs.
    #[command(after_help = "Example:\n  attestry hub catalogue")]
    Catalogue {
        #[command(flatten)]
        platform: PublicPlatform,
    },
    /// Apply for an agency's access to fields of an API, for a year.
    Apply(Apply),
    /// List the applications that wait for a decision.
    #[command(after_help = "Examples:\n  attestry hub applications\n  attestry hub applications --all")]
    Applications {
        #[command(flatten)]
        platform: Platform,
        /// Those that were decided, too.
        #[arg(long)]
        all: bool,
    },
    /// Approve or refuse an application.
    #[command(
        group = ArgGroup::new("verdict").required(true),
        after_help = "Examples:\n  attestry hub decide mE1...g --agency population --approve\n  attestry hub decide mE1...g --agency population --refuse 'The purpose is too wide'"
    )]
    Decide {
        #[command(flatten)]
        platform: Platform,
        /// The application's id.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// The agency that decides.
        #[arg(long, value_name = "ID")]
        agency: String,
        /// Approve what was applied for.
        #[arg(long, group = "verdict")]
        approve: bool,
        /// Refuse, for this reason.
        #[arg(long, group = "verdict", value_name = "REASON")]
        refuse: Option<String>,
    },
    /// End an approved access at once.
    #[command(after_help = "Example:\n  attestry hub revoke mE1...g --agency population --reason 'The task has ended'")]
    Revoke {
        #[command(flatten)]
        platform: Platform,
        /// The application's id.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// The agency that ends it: the source's, the one that decided, or the one that has it.
        #[arg(long, value_name = "ID")]
        agency: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Tell an agency the key that a person consents with, as if at its desk.
    #[command(
        after_help = "Example:\n  attestry hub enrol --agency population --subject X0000001A\n\nMakes the key in the wallet on first use. The agency's officer runs this once, having seen the person: a consent counts only if the source knows its key as the person's."
    )]
    Enrol {
        #[command(flatten)]
        platform: Platform,
        #[command(flatten)]
        home: Home,
        /// The agency that gets to know the person's key.
        #[arg(long, value_name = "ID")]
        agency: String,
        /// Who the person is in the agency's register.
        #[arg(long, value_name = "ID")]
        subject: String,
    },
    /// Consent, as a person, to what an agency was approved for; asks before it signs.
    Consent(Consent),
    /// Take a consent back. The next call is refused.
    #[command(after_help = "Example:\n  attestry hub withdraw aX3...w")]
    Withdraw {
        #[command(flatten)]
        platform: PublicPlatform,
        #[command(flatten)]
        home: Home,
        /// The consent's id.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Call an API through the hub, as an agency.
    Call(Call),
    /// Show the evidence of a call or of a statement.
    #[command(after_help = "Example:\n  attestry hub evidence q7T...A --out evidence.json")]
    Evidence {
        #[command(flatten)]
        platform: Platform,
        /// The record's id.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// Write record and proof into this file, for somebody who has no access to the hub.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the key that the hub's evidence is checked with.
    #[command(after_help = "Example:\n  attestry hub key")]
    Key {
        #[command(flatten)]
        platform: PublicPlatform,
    },
    /// Check evidence with the hub's key, with no network.
    #[command(
        after_help = "Example:\n  attestry hub verify-evidence evidence.json --key 'hub.attestry.example/evidence+1a2b3c4d+AQ...'\n\nExit status: 0 valid; 1 refused; 2 wrong use."
    )]
    VerifyEvidence {
        /// The file that `hub evidence --out` wrote.
        file: PathBuf,
        /// The key, as `hub key` printed it; keep your own copy.
        #[arg(long, value_name = "KEY")]
        key: String,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  attestry hub publish --agency population --api residents/v1 --openapi residents.json --upstream https://register.population.example/v1 --fields given_name,locality --subject id --consent\n\nThe scopes are those of the document's `security`. If its operations have a query parameter `fields`, calls name their fields there. The agency must be accredited to publish."
)]
pub(crate) struct Publish {
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// The agency whose API it is; it also decides on applications.
    #[arg(long, value_name = "ID")]
    pub(crate) agency: String,
    /// Its name and version.
    #[arg(long, value_name = "NAME/VERSION", value_parser = api)]
    pub(crate) api: Api,
    /// The OpenAPI 3.1 document, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) openapi: PathBuf,
    /// Where the hub forwards calls to.
    #[arg(long, value_name = "URL")]
    pub(crate) upstream: Url,
    /// The fields that may be applied for, separated by commas.
    #[arg(long, value_name = "FIELDS", value_parser = fields)]
    pub(crate) fields: FieldSet,
    /// The parameter in path or query that names the person or thing that a call is about.
    #[arg(long, value_name = "PARAMETER")]
    pub(crate) subject: Option<String>,
    /// Every call needs the person's consent.
    #[arg(long, requires = "subject")]
    pub(crate) consent: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry hub apply --agency transport --api population-register/v1 --fields given_name,birthdate --purpose 'To check who applies for a driving licence'\n  attestry hub apply --agency business --api residents/v1 --fields locality --purpose 'To write to owners' --law 'Companies Act, section 7'"
)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// The agency that applies.
    #[arg(long, value_name = "ID")]
    pub(crate) agency: String,
    /// The API.
    #[arg(long, value_name = "NAME/VERSION", value_parser = api)]
    pub(crate) api: Api,
    /// The fields, separated by commas.
    #[arg(long, value_name = "FIELDS", value_parser = fields)]
    pub(crate) fields: FieldSet,
    /// What the data are for, in words that a person understands.
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: String,
    /// The law that gives the agency this task. Without it, each person's consent is the basis.
    #[arg(long, value_name = "TEXT")]
    pub(crate) law: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry hub consent --agency transport --api population-register/v1 --subject X0000001A\n  attestry hub consent --agency transport --api population-register/v1 --subject X0000001A --fields given_name --days 1 --yes\n\nThe key in the wallet signs, and the source must know it: see `attestry hub enrol`. The agency hands the consent in to the hub."
)]
pub(crate) struct Consent {
    #[command(flatten)]
    pub(crate) platform: Platform,
    #[command(flatten)]
    pub(crate) home: Home,
    /// The agency that may get the data.
    #[arg(long, value_name = "ID")]
    pub(crate) agency: String,
    /// The API.
    #[arg(long, value_name = "NAME/VERSION", value_parser = api)]
    pub(crate) api: Api,
    /// Who the person is in the source's register.
    #[arg(long, value_name = "ID")]
    pub(crate) subject: String,
    /// Only these fields, separated by commas. Without it, all that the agency was approved for.
    #[arg(long, value_name = "FIELDS", value_parser = fields)]
    pub(crate) fields: Option<FieldSet>,
    /// How long the consent lasts.
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
    /// Consent without being asked.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  attestry hub call GET '/persons/X0000001A?fields=given_name,birthdate' --agency transport --api population-register/v1 --consent aX3...w\n\nPrints the answer and the id of its evidence. Exit status: 0 answered; 1 refused; 2 wrong use."
)]
pub(crate) struct Call {
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// The method.
    pub(crate) method: Method,
    /// Path and query below the API.
    pub(crate) path: String,
    /// The agency that calls.
    #[arg(long, value_name = "ID")]
    pub(crate) agency: String,
    /// The API.
    #[arg(long, value_name = "NAME/VERSION", value_parser = api)]
    pub(crate) api: Api,
    /// The person's consent.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) consent: Option<String>,
    /// A JSON body.
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
}

impl std::fmt::Display for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.id, self.version)
    }
}

fn api(text: &str) -> Result<Api, String> {
    let (id, version) = text
        .split_once('/')
        .ok_or("expected name and version, such as population-register/v1")?;
    Ok(Api {
        id: ApiId::parse(id).map_err(|error| error.to_string())?,
        version: ApiVersion::parse(version).map_err(|error| error.to_string())?,
    })
}

fn fields(text: &str) -> Result<FieldSet, String> {
    FieldSet::parse_list(text).map_err(|error| error.to_string())
}
