//! Credential Issuer metadata
//! ([OpenID4VCI 1.0, section 12.2](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-issuer-metadata)).
//!
//! Not implemented: signed metadata (`application/jwt`), which a wallet need not ask for.

use std::collections::BTreeMap;

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::configuration;
use super::configuration::ConfigurationError;
use super::configuration::CredentialConfiguration;
use super::configuration::Display;
use crate::url::SecureUrl;

/// Issuers with hundreds of configurations and `data:` logos publish several hundred kB.
pub const METADATA_LIMITS: json::Limits = json::Limits {
    max_bytes: 2 * 1_024 * 1_024,
    max_depth: 16,
};
/// A national issuer has tens of credential types in four formats.
pub const MAX_SUPPORTED_CONFIGURATIONS: usize = 1_024;
/// Each proof costs a signature check; 64 copies of a credential last a holder for weeks.
pub const MAX_BATCH_SIZE: usize = 64;

/// What an issuer can do, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The Credential Issuer Identifier.
    pub credential_issuer: SecureUrl,
    /// Empty if the issuer is its own Authorization Server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<SecureUrl>,
    /// Where credentials are requested.
    pub credential_endpoint: SecureUrl,
    /// Where a `c_nonce` comes from; without it proofs need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<SecureUrl>,
    /// Where credentials are fetched later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<SecureUrl>,
    /// Where the wallet tells how it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<SecureUrl>,
    /// Whether several credentials may be asked for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchCredentialIssuance>,
    /// The issuer's name by language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// Kept as it stands: we do not encrypt requests, and ask only whether we must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_request_encryption: Option<Map<String, Value>>,
    /// Kept as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<Map<String, Value>>,
    /// What can be issued.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// Batch issuance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchCredentialIssuance {
    /// How many proofs a request may have: 2 or more.
    pub batch_size: usize,
}

/// The issuer's fault, unless a variant says otherwise.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// `batch_size` below 2.
    #[error("expected a batch_size of 2 or more")]
    BatchSize,
    /// A configuration breaks a rule.
    #[error("expected sound display data")]
    Configuration(#[from] ConfigurationError),
    /// The document is about another issuer: it "MUST NOT be used".
    #[error("expected the metadata of {expected}, found those of another issuer")]
    CredentialIssuer {
        /// Whose metadata was asked for.
        expected: SecureUrl,
    },
    /// The issuer demands encryption, which we do not do: nobody's fault.
    #[error("the issuer demands encrypted credential requests or responses, which this wallet does not make")]
    EncryptionRequired,
    /// Not the JSON of such a document.
    #[error("expected credential issuer metadata as JSON")]
    Json(#[from] json::JsonError),
    /// More than [`MAX_SUPPORTED_CONFIGURATIONS`].
    #[error("expected at most {MAX_SUPPORTED_CONFIGURATIONS} credential configurations")]
    TooMany,
    /// The offer names a server that the issuer does not: the offer may be forged.
    #[error("expected an authorization_server of the issuer's metadata in the offer")]
    UnknownAuthorizationServer,
    /// The configuration is in a form that we do not read.
    #[error("the issuer describes its credential configuration {id:?} in a form that is not read")]
    UnreadableConfiguration {
        /// The identifier.
        id: String,
    },
    /// The offer names a configuration that the issuer does not have: the offer may be forged.
    #[error("the issuer has no credential configuration {id:?}")]
    UnknownConfiguration {
        /// The identifier.
        id: String,
    },
}

impl IssuerMetadata {
    /// Where the metadata of an issuer are.
    #[must_use]
    pub fn url(credential_issuer: &SecureUrl) -> SecureUrl {
        credential_issuer.well_known("openid-credential-issuer")
    }

    /// Reads the document that was fetched for `credential_issuer`.
    ///
    /// # Errors
    /// [`MetadataError`], the issuer's fault.
    pub fn parse(document: &[u8], credential_issuer: &SecureUrl) -> Result<Self, MetadataError> {
        let mut document = json::parse_object(document, METADATA_LIMITS)?;
        let configurations = document.remove("credential_configurations_supported");
        let Some(Value::Object(configurations)) = configurations else {
            return Err(shape("credential_configurations_supported as an object").into());
        };
        // They are read one by one: one in the form of an old draft shall spoil no other.
        document.insert("credential_configurations_supported".to_owned(), Map::new().into());
        let read: Self = serde_json::from_value(document.into()).map_err(|_| shape("credential issuer metadata"))?;
        let configurations = configurations.into_iter();
        let metadata = Self {
            credential_configurations_supported: configurations
                .map(|(id, configuration)| (id, CredentialConfiguration::read(&configuration)))
                .collect(),
            ..read
        };
        // "compared using a simple string comparison with no normalization"
        if metadata.credential_issuer != *credential_issuer {
            return Err(MetadataError::CredentialIssuer {
                expected: credential_issuer.clone(),
            });
        }
        metadata.check()?;
        Ok(metadata)
    }

    /// The rules that the types alone do not keep. An issuer asks before it publishes.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn check(&self) -> Result<(), MetadataError> {
        if self.credential_configurations_supported.len() > MAX_SUPPORTED_CONFIGURATIONS {
            return Err(MetadataError::TooMany);
        }
        if self.batch_credential_issuance.is_some_and(|batch| batch.batch_size < 2) {
            return Err(MetadataError::BatchSize);
        }
        configuration::check_languages(self.display.iter().map(|display| display.locale.as_deref()))?;
        Ok(())
    }

    /// One configuration.
    ///
    /// # Errors
    /// [`MetadataError::UnknownConfiguration`] or [`MetadataError::UnreadableConfiguration`].
    pub fn configuration(&self, id: &str) -> Result<&CredentialConfiguration, MetadataError> {
        match self.credential_configurations_supported.get(id) {
            Some(configuration) if configuration.is_readable() => Ok(configuration),
            Some(_) => Err(MetadataError::UnreadableConfiguration { id: id.to_owned() }),
            None => Err(MetadataError::UnknownConfiguration { id: id.to_owned() }),
        }
    }

    /// How many proofs a request may have.
    #[must_use]
    pub fn max_proofs(&self) -> usize {
        self.batch_credential_issuance
            .map_or(1, |batch| batch.batch_size.min(MAX_BATCH_SIZE))
    }

    /// The Authorization Server to use, given the hint of the offer's grant. Without a hint the first.
    ///
    /// # Errors
    /// [`MetadataError::UnknownAuthorizationServer`]: "the Wallet MUST NOT proceed".
    pub fn authorization_server(&self, hint: Option<&SecureUrl>) -> Result<&SecureUrl, MetadataError> {
        match hint {
            None => Ok(self.authorization_servers.first().unwrap_or(&self.credential_issuer)),
            Some(hint) => {
                let named = self.authorization_servers.iter().find(|server| *server == hint);
                named.ok_or(MetadataError::UnknownAuthorizationServer)
            }
        }
    }

    /// Whether this wallet can talk to the issuer at all.
    ///
    /// # Errors
    /// [`MetadataError::EncryptionRequired`].
    pub fn expect_plain(&self) -> Result<(), MetadataError> {
        let both = [
            &self.credential_request_encryption,
            &self.credential_response_encryption,
        ];
        let required = |value: &Map<String, Value>| value.get("encryption_required") != Some(&Value::Bool(false));
        if both.into_iter().flatten().any(required) {
            return Err(MetadataError::EncryptionRequired);
        }
        Ok(())
    }
}

const fn shape(expected: &'static str) -> json::JsonError {
    json::JsonError::Shape { expected }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issuer() -> SecureUrl {
        SecureUrl::parse_identifier("https://issuer.example/a").unwrap()
    }

    fn genuine() -> Value {
        json!({
            "credential_issuer": "https://issuer.example/a",
            "credential_endpoint": "https://issuer.example/a/credential",
            "nonce_endpoint": "https://issuer.example/a/nonce",
            "batch_credential_issuance": {"batch_size": 10},
            "display": [{"name": "A", "locale": "en"}, {"name": "B", "locale": "fr"}],
            "credential_configurations_supported": {"PersonIdentity": {"format": "dc+sd-jwt", "vct": "urn:pid"}},
            "unknown": 1
        })
    }

    fn changed(change: impl FnOnce(&mut Value)) -> Result<IssuerMetadata, MetadataError> {
        let mut document = genuine();
        assert!(IssuerMetadata::parse(document.to_string().as_bytes(), &issuer()).is_ok());
        change(&mut document);
        IssuerMetadata::parse(document.to_string().as_bytes(), &issuer())
    }

    #[test]
    fn the_document_lies_between_host_and_path() {
        let at = "https://issuer.example/.well-known/openid-credential-issuer/a";
        assert_eq!(IssuerMetadata::url(&issuer()).as_str(), at);
    }

    #[test]
    fn reads_what_it_writes() {
        let metadata = changed(|_| ()).unwrap();
        let document = serde_json::to_vec(&metadata).unwrap();
        assert_eq!(IssuerMetadata::parse(&document, &issuer()), Ok(metadata));
    }

    #[test]
    fn the_document_of_another_issuer_is_refused() {
        let other = changed(|document| document["credential_issuer"] = json!("https://issuer.example/A"));
        assert_eq!(other, Err(MetadataError::CredentialIssuer { expected: issuer() }));
    }

    #[test]
    fn endpoints_are_secure() {
        let insecure = changed(|document| document["credential_endpoint"] = json!("http://issuer.example/credential"));
        assert!(matches!(insecure, Err(MetadataError::Json(_))));
    }

    #[test]
    fn a_batch_has_two_or_more() {
        let batch = changed(|document| document["batch_credential_issuance"]["batch_size"] = json!(1));
        assert_eq!(batch, Err(MetadataError::BatchSize));
        assert_eq!(changed(|_| ()).unwrap().max_proofs(), 10);
        let huge = changed(|document| document["batch_credential_issuance"]["batch_size"] = json!(1_000_000));
        assert_eq!(huge.unwrap().max_proofs(), MAX_BATCH_SIZE);
    }

    #[test]
    fn one_display_for_each_language() {
        let twice = changed(|document| document["display"][1]["locale"] = json!("EN"));
        assert_eq!(twice, Err(MetadataError::Configuration(ConfigurationError::Languages)));
    }

    #[test]
    fn an_unreadable_configuration_spoils_no_other() {
        let mixed = changed(|document| {
            document["credential_configurations_supported"]["Old"] = json!({"format": "mso_mdoc", "claims": {}});
        });
        let metadata = mixed.unwrap();
        assert!(metadata.configuration("PersonIdentity").is_ok());
        let id = "Old".to_owned();
        assert_eq!(
            metadata.configuration("Old"),
            Err(MetadataError::UnreadableConfiguration { id })
        );
    }

    #[test]
    fn unknown_configurations_are_told() {
        let metadata = changed(|_| ()).unwrap();
        assert!(metadata.configuration("PersonIdentity").is_ok());
        let id = "Other".to_owned();
        assert_eq!(
            metadata.configuration("Other"),
            Err(MetadataError::UnknownConfiguration { id })
        );
    }

    #[test]
    fn the_authorization_server_is_one_of_the_issuer() {
        let alone = changed(|_| ()).unwrap();
        assert_eq!(alone.authorization_server(None), Ok(&issuer()));
        let other = SecureUrl::parse("https://as.example").unwrap();
        assert_eq!(
            alone.authorization_server(Some(&other)),
            Err(MetadataError::UnknownAuthorizationServer)
        );
        let with =
            changed(|document| document["authorization_servers"] = json!(["https://x.example", "https://as.example"]));
        assert_eq!(with.unwrap().authorization_server(Some(&other)), Ok(&other));
    }

    #[test]
    fn demanded_encryption_is_told() {
        let with = |required: Value| {
            let object = json!({"encryption_required": required});
            changed(|document| document["credential_response_encryption"] = object)
                .unwrap()
                .expect_plain()
        };
        assert_eq!(with(json!(false)), Ok(()));
        assert_eq!(with(json!(true)), Err(MetadataError::EncryptionRequired));
    }
}
