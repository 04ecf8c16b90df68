//! `jose`: VC-JOSE-COSE on files, with the arguments and the result that W3C's test suite has.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use credential::ClaimPath;
use credential::Unverified;
use credential::claim_path::PathComponent;
use credential::vc_cose;
use credential::vc_cose::CoseMessage;
use credential::vc_jose_cose;
use credential::vc_jose_cose::Mechanism;
use credential::vc_jose_cose::UnverifiedPresentation;
use credential::vc_jose_cose::W3cCredential;
use credential::vc_jwt;
use credential::vc_jwt::JwtMessage;
use credential::vc_sd_jwt;
use credential::vc_sd_jwt::SdJwtMessage;
use credential::vc_sd_jwt::Selective;
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

/// The largest presentation, in base64 where it is COSE; a credential is smaller.
const MAX_INPUT_BYTES: usize = vc_jose_cose::MAX_PRESENTATION_BYTES.div_ceil(3) * 4;
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
    /// We cannot tell: a key of a kind that this version does not have.
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
            cli::Jose::Issue(options) => issue(feature, &input, &key, options.selective.as_deref())?,
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

fn issue(feature: Feature, input: &str, key: &Key, selective: Option<&str>) -> Result<Outcome> {
    let secret = key
        .secret
        .as_ref()
        .context("expected secretKeyJwk in the key file, found none")?;
    let document: Map<String, Value> = match json::parse_object(input.as_bytes(), limits(MAX_INPUT_BYTES)) {
        Ok(document) => document,
        Err(error) => return Ok(Outcome::Failure(chain(&error))),
    };
    let algorithm = secret.public_key().algorithm();
    let disclosable = selective.map_or(Ok(Vec::new()), |paths| read_paths(paths, &document))?;
    let selective = Selective {
        disclosable: &disclosable,
        ..Selective::default()
    };
    let rng = &mut signer::os_rng();
    let to_text = |message: Vec<u8>| vc_cose::to_text(&message);
    let request = match feature {
        Feature::CredentialCose => vc_cose::issue(&document, &key.id, algorithm)
            .map(|request| request.map(to_text))
            .map_err(|error| chain(&error)),
        Feature::CredentialJose => vc_jwt::issue(&document, &key.id, algorithm).map_err(|error| chain(&error)),
        Feature::CredentialSdJwt => {
            vc_sd_jwt::issue(&document, selective, &key.id, algorithm, rng).map_err(|error| chain(&error))
        }
        Feature::PresentationCose => vc_cose::issue_presentation(&document, &key.id, algorithm)
            .map(|request| request.map(to_text))
            .map_err(|error| chain(&error)),
        Feature::PresentationJose => {
            vc_jwt::issue_presentation(&document, &key.id, algorithm).map_err(|error| chain(&error))
        }
        Feature::PresentationSdJwt => {
            vc_sd_jwt::issue_presentation(&document, selective, &key.id, algorithm, rng).map_err(|error| chain(&error))
        }
    };
    Ok(match request {
        Ok(request) => Outcome::Success(secret.fulfil(request)?),
        Err(refused) => Outcome::Failure(refused),
    })
}

fn verify(feature: Feature, input: &str, key: &Key) -> Outcome {
    match feature {
        Feature::CredentialCose => verify_credential::<CoseMessage>(&padded(input), key),
        Feature::CredentialJose => verify_credential::<JwtMessage>(input, key),
        Feature::CredentialSdJwt => verify_credential::<SdJwtMessage>(input, key),
        Feature::PresentationCose => verify_presentation::<CoseMessage>(&padded(input), key),
        Feature::PresentationJose => verify_presentation::<JwtMessage>(input, key),
        Feature::PresentationSdJwt => verify_presentation::<SdJwtMessage>(input, key),
    }
}

fn verify_credential<M: Mechanism>(input: &str, key: &Key) -> Outcome {
    let now = server::Clock::System.now();
    let credential = Unverified::<W3cCredential<M>>::parse(input);
    match credential.and_then(|credential| credential.authenticate(&key.public, &key.controller, now)) {
        Ok(authentic) => known("issuer", authentic.facts().issuer()),
        Err(error) => Outcome::Failure(chain(&error)),
    }
}

fn verify_presentation<M: Mechanism>(input: &str, key: &Key) -> Outcome {
    let now = server::Clock::System.now();
    let presentation = UnverifiedPresentation::<M>::parse(input);
    match presentation.and_then(|presentation| presentation.check_signed(&key.public, &key.controller, now)) {
        Ok(signed) => known("holder", &signed.holder),
        Err(error) => Outcome::Failure(chain(&error)),
    }
}

/// The suite's files have base64 without padding, where a `data:` URL has it with.
fn padded(text: &str) -> String {
    let missing = text.len().next_multiple_of(4) - text.len();
    format!("{text}{}", "=".repeat(missing))
}

/// Paths as the suite writes them, such as `credentialSubject.degrees[0].name`. One that leads to nothing would leave open
/// what was to be hidden.
fn read_paths(paths: &str, document: &Map<String, Value>) -> Result<Vec<ClaimPath>> {
    let paths: Vec<String> = serde_json::from_str(paths).context("expected --sd as a JSON array of paths")?;
    let document = Value::Object(document.clone());
    let read = |text: &String| {
        let path =
            read_path(text).with_context(|| format!("expected a path such as a.b[0] in --sd, found {text:?}"))?;
        let found = path.select(&document)?;
        anyhow::ensure!(
            !found.is_empty(),
            "expected something at the path {text:?}, found nothing"
        );
        Ok(path)
    };
    paths.iter().map(read).collect()
}

fn read_path(text: &str) -> Option<ClaimPath> {
    let mut components = Vec::new();
    for part in text.split('.') {
        let (name, places) = part
            .split_once('[')
            .map_or((part, None), |(name, places)| (name, Some(places)));
        components.extend((!name.is_empty()).then(|| PathComponent::Key(name.to_owned())));
        for place in places.map(|places| places.split('[')).into_iter().flatten() {
            components.push(PathComponent::Index(place.strip_suffix(']')?.parse().ok()?));
        }
    }
    ClaimPath::try_from(components).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_suite_writes_them() {
        let path = |text| read_path(text).map(|path| path.to_string());
        assert_eq!(path("a.b[0][1].c").as_deref(), Some(r#"["a","b",0,1,"c"]"#));
        assert_eq!(
            path("verifiableCredential[0]").as_deref(),
            Some(r#"["verifiableCredential",0]"#)
        );
        for bad in ["", "a[", "a[x]", "a[0", "a[0]b"] {
            assert_eq!(path(bad), None, "{bad}");
        }
        let document = Map::from_iter([("a".to_owned(), json!([1]))]);
        assert!(read_paths(r#"["a[0]"]"#, &document).is_ok());
        for bad in [r#"["a[1]"]"#, r#"["b"]"#, r#"["a.b"]"#, r#""a""#] {
            assert!(read_paths(bad, &document).is_err(), "{bad}");
        }
    }
}
