//! `jose`: VC-JOSE-COSE on files, with the arguments and the result that W3C's test suite has.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use credential::Unverified;
use credential::VcJwt;
use credential::vc_jwt;
use credential::vc_jwt::UnverifiedPresentation;
use keys::Jwk;
use keys::PublicKey;
use keys::Signer as _;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::problem::chain;
use signer::SoftwareKey;

use crate::cli;
use crate::output::Output;

/// The largest presentation; a credential is smaller.
const MAX_INPUT_BYTES: usize = vc_jwt::MAX_PRESENTATION_BYTES;
/// A verification method with both halves of a key is some hundred bytes.
const MAX_KEY_BYTES: usize = 64 * 1024;

/// What is secured, and how. The names are those of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feature {
    CredentialCose,
    CredentialJose,
    CredentialSdJwt,
    PresentationCose,
    PresentationJose,
    PresentationSdJwt,
}

/// How a case ends.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Issued, or it holds; with the secured text, or what is known of it.
    Success(String),
    /// Refused, and why.
    Failure(String),
    /// We cannot tell: a feature or a key that this version does not have.
    Indeterminate(String),
}

/// A verification method from its file.
struct Key {
    id: String,
    controller: String,
    public: PublicKey,
    /// Its secret key, if the file has one.
    secret: Option<SoftwareKey>,
}

pub(crate) fn run(command: &cli::Jose, output: Output) -> Result<ExitCode> {
    let (cli::Jose::Issue(options) | cli::Jose::Verify(options)) = command;
    let feature = Feature::from_name(&options.feature)?;
    anyhow::ensure!(
        options.selective.is_none() || matches!(feature, Feature::CredentialSdJwt | Feature::PresentationSdJwt),
        "expected --sd with an SD-JWT feature, found it with {:?}",
        options.feature
    );
    let input = String::from_utf8(read(&options.input, MAX_INPUT_BYTES)?);
    let outcome = match (Key::read(&options.key)?, input) {
        (Err(unknown), _) => Outcome::Indeterminate(unknown),
        (_, Err(_)) => Outcome::Failure("expected text in UTF-8".to_owned()),
        (Ok(key), Ok(input)) => match command {
            cli::Jose::Issue(_) => issue(feature, &input, &key)?,
            cli::Jose::Verify(_) => verify(feature, input.trim(), &key),
        },
    };
    let result = outcome.to_value();
    match &options.output {
        Some(path) => {
            std::fs::write(path, result.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
            output.tell(outcome.text());
        }
        None => output.result(outcome.text(), &result),
    }
    Ok(match outcome {
        Outcome::Success(_) => ExitCode::SUCCESS,
        Outcome::Failure(_) | Outcome::Indeterminate(_) => ExitCode::FAILURE,
    })
}

fn issue(feature: Feature, input: &str, key: &Key) -> Result<Outcome> {
    let secret = key
        .secret
        .as_ref()
        .context("expected secretKeyJwk in the key file, found none")?;
    let document: Map<String, Value> = match json::parse_object(input.as_bytes(), limits(MAX_INPUT_BYTES)) {
        Ok(document) => document,
        Err(error) => return Ok(Outcome::Failure(chain(&error))),
    };
    let algorithm = secret.public_key().algorithm();
    let request = match feature {
        Feature::CredentialJose => vc_jwt::issue(document, &key.id, algorithm).map_err(|error| chain(&error)),
        Feature::PresentationJose => {
            vc_jwt::issue_presentation(&document, &key.id, algorithm).map_err(|error| chain(&error))
        }
        Feature::CredentialCose | Feature::CredentialSdJwt | Feature::PresentationCose | Feature::PresentationSdJwt => {
            return Ok(feature.missing());
        }
    };
    Ok(match request {
        Ok(request) => Outcome::Success(secret.fulfil(request)?),
        Err(refused) => Outcome::Failure(refused),
    })
}

fn verify(feature: Feature, input: &str, key: &Key) -> Outcome {
    let now = server::Clock::System.now();
    match feature {
        Feature::CredentialJose => {
            let credential = Unverified::<VcJwt>::parse(input);
            let authentic =
                credential.and_then(|credential| credential.authenticate(&key.public, &key.controller, now));
            match authentic {
                Ok(authentic) => known("issuer", authentic.facts().issuer()),
                Err(error) => Outcome::Failure(chain(&error)),
            }
        }
        Feature::PresentationJose => {
            let presentation = UnverifiedPresentation::parse(input);
            let signed =
                presentation.and_then(|presentation| presentation.check_signed(&key.public, &key.controller, now));
            match signed {
                Ok(signed) => known("holder", &signed.holder),
                Err(error) => Outcome::Failure(chain(&error)),
            }
        }
        Feature::CredentialCose | Feature::CredentialSdJwt | Feature::PresentationCose | Feature::PresentationSdJwt => {
            feature.missing()
        }
    }
}

fn known(who: &str, name: &str) -> Outcome {
    Outcome::Success(json!({who: name}).to_string())
}

impl Feature {
    const ALL: [(&str, Self); 6] = [
        ("credential_jose", Self::CredentialJose),
        ("credential_sdjwt", Self::CredentialSdJwt),
        ("credential_cose", Self::CredentialCose),
        ("presentation_jose", Self::PresentationJose),
        ("presentation_sdjwt", Self::PresentationSdJwt),
        ("presentation_cose", Self::PresentationCose),
    ];

    fn from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        let known = Self::ALL.map(|(name, _)| name).join(", ");
        let (_, feature) = found.with_context(|| format!("expected a feature of {known}, found {name:?}"))?;
        Ok(feature)
    }

    fn missing(self) -> Outcome {
        let name = Self::ALL.into_iter().find(|(_, feature)| *feature == self);
        let name = name.map_or("this feature", |(name, _)| name);
        Outcome::Indeterminate(format!("{name} is not implemented in this version"))
    }
}

impl Outcome {
    const fn name(&self) -> &'static str {
        match self {
            Self::Success(_) => "success",
            Self::Failure(_) => "failure",
            Self::Indeterminate(_) => "indeterminate",
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Success(data) => json!({"result": self.name(), "data": data}),
            Self::Failure(reason) | Self::Indeterminate(reason) => {
                json!({"result": self.name(), "data": "", "reason": reason})
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Success(data) => data.clone(),
            Self::Failure(reason) | Self::Indeterminate(reason) => format!("{}: {reason}", self.name()),
        }
    }
}

impl Key {
    /// The inner error is a key that we cannot use, in words.
    fn read(path: &Path) -> Result<Result<Self, String>> {
        let bytes = read(path, MAX_KEY_BYTES)?;
        let method = json::parse_object(&bytes, limits(MAX_KEY_BYTES));
        let method = method.with_context(|| format!("the key {} is not read", path.display()))?;
        let text = |name: &'static str| {
            let found = method.get(name).and_then(Value::as_str).map(str::to_owned);
            found.with_context(|| format!("expected `{name}` in the key file {}", path.display()))
        };
        let (id, controller) = (text("id")?, text("controller")?);
        let jwk = Jwk::from_value(method.get("publicKeyJwk").unwrap_or(&Value::Null))
            .with_context(|| format!("expected publicKeyJwk in the key file {}", path.display()))?;
        let public = match PublicKey::from_jwk(&jwk) {
            Ok(public) => public,
            Err(error) => return Ok(Err(chain(&error))),
        };
        let secret = method.get("secretKeyJwk").map(|jwk| secret_key(jwk, &public));
        Ok(Ok(Self {
            id,
            controller,
            secret: secret.transpose()?,
            public,
        }))
    }
}

/// The secret half, which must be that of `public`.
fn secret_key(jwk: &Value, public: &PublicKey) -> Result<SoftwareKey> {
    let d = jwk
        .get("d")
        .and_then(Value::as_str)
        .context("expected `d` in secretKeyJwk")?;
    let secret = keys::base64url::decode(d).context("expected `d` in base64url")?;
    let key = SoftwareKey::from_secret(public.algorithm(), &secret)?;
    anyhow::ensure!(
        key.public_key() == public,
        "expected secretKeyJwk and publicKeyJwk to be one key, found two"
    );
    Ok(key)
}

fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut bytes = Vec::new();
    let most = u64::try_from(limit)?.saturating_add(1);
    file.take(most)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() <= limit,
        "expected at most {limit} bytes in {}",
        path.display()
    );
    Ok(bytes)
}

const fn limits(max_bytes: usize) -> json::Limits {
    json::Limits {
        max_bytes,
        ..json::DEFAULT_LIMITS
    }
}
