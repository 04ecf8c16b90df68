//! An agency as its folder describes it: who it is, which credential types it issues, from which register.
//!
//! ```text
//! transport/
//!   agency.json                    id, name, DID and verification method
//!   mappings/DrivingLicence.json   register to claims, see `mapping`
//!   types/DrivingLicence/          type.json (SD-JWT VC type metadata), display.json, schema.json, context.jsonld
//!   document-signer.der            the certificate of the DID's key, for mdocs
//! ```
//!
//! The DID has a second key, `#eddsa`, for Data Integrity proofs, and may have a third, `#bbs`, for those of which no two
//! presentations can be linked. A type is issued as a W3C credential, too, if it has
//! a `context.jsonld` that gives every claim a meaning; the context is known as `{vct}/context.jsonld`.
//! It is issued as an mdoc, too, if its mapping has data elements and an issuing authority (IACA) has certified the key: readers outside
//! of the registry know no other way to it.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use ::credential::data_integrity::Cryptosuite;
use keys::Signer;
use keys::json;
use keys::x509::Certificate;
use keys::x509::X509Error;
use openid4vc::dcql::ClaimsPath;
use openid4vc::dcql::PathComponent;
use openid4vc::vci::configuration::ClaimDescription;
use openid4vc::vci::configuration::CredentialMetadata;
use openid4vc::vci::configuration::Display;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use crate::document::W3cType;
use crate::mapping::Mapping;
use crate::mapping::MappingError;
use crate::register;
use crate::register::Register;
use crate::register::RegisterError;

/// Type metadata with display texts in a dozen languages; the longest file of the folder.
const MAX_FILE_BYTES: usize = 512 * 1024;
/// A certificate in DER.
const DOCUMENT_SIGNER: &str = "document-signer.der";
/// The fragment of the key for Data Integrity proofs.
const DATA_INTEGRITY_KEY: &str = "eddsa";
/// The fragment of the key for BBS.
const BBS_KEY: &str = "bbs";

/// `agency.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyFile {
    /// Short name in URLs: lower-case letters, digits and `-`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The DID that credentials name as their issuer.
    pub did: String,
    /// The absolute DID URL of the key that signs them.
    pub verification_method: String,
}

/// The keys that an agency signs with.
#[derive(Clone)]
pub struct AgencySigners {
    /// The key of [`AgencyFile::verification_method`]: SD-JWT VC, JWTs, status lists and entries of the registry.
    pub jose: Arc<dyn Signer>,
    /// The Ed25519 key `#eddsa` of the DID: Data Integrity proofs.
    pub data_integrity: Arc<dyn Signer>,
    /// The BLS12-381 key `#bbs` of the DID, if it has one: proofs of `bbs-2023`.
    pub bbs: Option<Arc<dyn Signer>>,
}

/// An agency that issues.
pub struct Agency {
    file: AgencyFile,
    data_integrity_method: String,
    bbs_method: String,
    signers: AgencySigners,
    document_signer: Option<Certificate>,
    types: BTreeMap<String, CredentialType>,
}

/// A credential type that an agency issues.
pub struct CredentialType {
    pub(crate) name: String,
    pub(crate) vct: String,
    pub(crate) integrity: String,
    pub(crate) metadata: CredentialMetadata,
    /// Absent where no context gives the claims a meaning.
    pub(crate) w3c: Option<W3cType>,
    pub(crate) mapping: Mapping,
    pub(crate) register: Arc<dyn Register>,
}

/// The folder does not describe an agency: the operator's fault, or the environment's.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgencyError {
    /// The document signer's certificate is not read.
    #[error("expected a certificate in DER in {path}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: X509Error,
    },
    /// The document signer's certificate is of another key.
    #[error("expected the certificate of the agency's key in {path}, found that of another")]
    CertificateKey {
        /// The file.
        path: PathBuf,
    },
    /// The id cannot stand in a URL.
    #[error("expected an agency id of a-z, 0-9 and '-', found {found:?}")]
    Id {
        /// The id.
        found: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not the JSON that belongs there.
    #[error("cannot understand {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: json::JsonError,
    },
    /// A mapping file is wrong.
    #[error("the mapping {path} cannot be used")]
    Mapping {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: MappingError,
    },
    /// The register behind a mapping cannot be opened.
    #[error("the register of the mapping {path} cannot be used")]
    Register {
        /// The mapping file.
        path: PathBuf,
        /// Why.
        #[source]
        source: RegisterError,
    },
    /// `type.json` does not say what the type is.
    #[error("expected `vct`, and claims with paths and labels, in {path}")]
    Type {
        /// The file.
        path: PathBuf,
    },
}

impl AgencyFile {
    /// Reads `agency.json` of a folder.
    ///
    /// # Errors
    /// [`AgencyError`].
    pub fn read(folder: &Path) -> Result<Self, AgencyError> {
        let path = folder.join("agency.json");
        let file: Self =
            json::parse_as(&read(&path)?, limits()).map_err(|source| AgencyError::Json { path, source })?;
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if file.id.is_empty() || file.id.len() > 63 || !file.id.bytes().all(allowed) {
            return Err(AgencyError::Id { found: file.id });
        }
        Ok(file)
    }
}

impl Agency {
    /// Loads the agency of a folder.
    ///
    /// # Errors
    /// [`AgencyError`].
    pub async fn load(folder: &Path, signers: AgencySigners) -> Result<Self, AgencyError> {
        let file = AgencyFile::read(folder)?;
        let mappings = folder.join("mappings");
        let io = |source| AgencyError::Io {
            path: mappings.clone(),
            source,
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&mappings).map_err(io)? {
            paths.push(entry.map_err(io)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let mut types = BTreeMap::new();
        for path in paths {
            let credential_type = CredentialType::load(&path, folder).await?;
            types.insert(credential_type.name.clone(), credential_type);
        }
        Ok(Self {
            data_integrity_method: format!("{}#{DATA_INTEGRITY_KEY}", file.did),
            bbs_method: format!("{}#{BBS_KEY}", file.did),
            document_signer: load_document_signer(folder, &*signers.jose)?,
            file,
            signers,
            types,
        })
    }

    /// Its short name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// Its DID.
    #[must_use]
    pub fn did(&self) -> &str {
        &self.file.did
    }

    pub(crate) fn key_id(&self) -> &str {
        &self.file.verification_method
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signers.jose
    }

    /// The DID URL of [`Agency::data_integrity_signer`].
    pub(crate) fn data_integrity_method(&self) -> &str {
        &self.data_integrity_method
    }

    pub(crate) fn data_integrity_signer(&self) -> &dyn Signer {
        &*self.signers.data_integrity
    }

    /// The key for proofs of a suite, with its DID URL; none where the agency has no such key.
    pub(crate) fn proof_signer(&self, suite: Cryptosuite) -> Option<(&str, &dyn Signer)> {
        let bbs = self
            .signers
            .bbs
            .as_deref()
            .map(|signer| (self.bbs_method.as_str(), signer));
        [
            (self.data_integrity_method(), self.data_integrity_signer()),
            (self.key_id(), self.signer()),
        ]
        .into_iter()
        .chain(bbs)
        .find(|(_, signer)| suite.algorithms().contains(&signer.public_key().algorithm()))
    }

    /// The certificate of [`Agency::signer`]'s key, if an issuing authority has made one.
    pub(crate) const fn document_signer(&self) -> Option<&Certificate> {
        self.document_signer.as_ref()
    }

    pub(crate) const fn types(&self) -> &BTreeMap<String, CredentialType> {
        &self.types
    }
}

impl CredentialType {
    async fn load(mapping_path: &Path, folder: &Path) -> Result<Self, AgencyError> {
        let path = || mapping_path.to_owned();
        let mapping =
            Mapping::parse(&read(mapping_path)?).map_err(|source| AgencyError::Mapping { path: path(), source })?;
        let mapping_folder = mapping_path.parent().unwrap_or(folder);
        let register = register::open(&mapping, mapping_folder)
            .await
            .map_err(|source| AgencyError::Register { path: path(), source })?;
        let name = mapping.credential_type().to_owned();
        let types = folder.join("types").join(&name);
        let type_path = types.join("type.json");
        let document = read(&type_path)?;
        let parsed = json::parse(&document, limits()).map_err(|source| AgencyError::Json {
            path: type_path.clone(),
            source,
        })?;
        let wrong_type = || AgencyError::Type {
            path: type_path.clone(),
        };
        let vct = parsed
            .get("vct")
            .and_then(Value::as_str)
            .ok_or_else(wrong_type)?
            .to_owned();
        let claims = claim_descriptions(&parsed).ok_or_else(wrong_type)?;
        let display_path = types.join("display.json");
        let display: Vec<Display> =
            json::parse_as(&read(&display_path)?, limits()).map_err(|source| AgencyError::Json {
                path: display_path,
                source,
            })?;
        let integrity = ::credential::integrity::compute(&document);
        let w3c = load_w3c(&types, &name, &vct, &mapping, &claims)?;
        Ok(Self {
            name,
            vct,
            integrity,
            metadata: CredentialMetadata { display, claims },
            w3c,
            mapping,
            register,
        })
    }
}

/// The certificate that readers of mdocs check the agency's signatures with, if there is one. Its path is theirs to judge.
fn load_document_signer(folder: &Path, signer: &dyn Signer) -> Result<Option<Certificate>, AgencyError> {
    let path = folder.join(DOCUMENT_SIGNER);
    if !path.exists() {
        return Ok(None);
    }
    let certificate = Certificate::from_der(&read(&path)?).map_err(|source| AgencyError::Certificate {
        path: path.clone(),
        source,
    })?;
    if certificate.key() != signer.public_key() {
        return Err(AgencyError::CertificateKey { path });
    }
    Ok(Some(certificate))
}

/// The type as a W3C credential, if it has a context that fits. One that does not fit takes only these formats away.
fn load_w3c(
    folder: &Path,
    name: &str,
    vct: &str,
    mapping: &Mapping,
    claims: &[ClaimDescription],
) -> Result<Option<W3cType>, AgencyError> {
    let path = folder.join("context.jsonld");
    if !path.exists() {
        return Ok(None);
    }
    let context = json::parse(&read(&path)?, limits()).map_err(|source| AgencyError::Json {
        path: path.clone(),
        source,
    })?;
    let described = claims.iter().map(|claim| keys_of(&claim.path));
    let mapped = mapping.claim_paths().map(<[String]>::to_vec);
    let paths: Vec<Vec<String>> = described.chain(mapped).collect();
    let always: Vec<Vec<String>> = mapping.always_shown().map(<[String]>::to_vec).collect();
    match W3cType::new(name, format!("{vct}/context.jsonld"), context, &paths, &always) {
        Ok(w3c) => Ok(Some(w3c)),
        Err(error) => {
            let cause = server::problem::chain(&error);
            tracing::warn!(context = %path.display(), cause, "the type is not issued as a W3C credential");
            Ok(None)
        }
    }
}

/// The members along a path; array places have no name.
fn keys_of(path: &ClaimsPath) -> Vec<String> {
    let key = |component: &PathComponent| match component {
        PathComponent::Key(key) => Some(key.clone()),
        PathComponent::Index(_) | PathComponent::AllElements => None,
    };
    path.components().iter().filter_map(key).collect()
}

/// The claims of type metadata (`label`) as claims of issuer metadata (`name`).
fn claim_descriptions(type_metadata: &Value) -> Option<Vec<ClaimDescription>> {
    let claims = type_metadata.get("claims").and_then(Value::as_array)?;
    let description = |claim: &Value| {
        let display = claim
            .get("display")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let display: Vec<Value> = display
            .iter()
            .map(|one| json!({"locale": one.get("locale"), "name": one.get("label")}))
            .collect();
        let mandatory = claim.get("mandatory").and_then(Value::as_bool).unwrap_or(false);
        serde_json::from_value(json!({"path": claim.get("path"), "mandatory": mandatory, "display": display})).ok()
    };
    claims.iter().map(description).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, AgencyError> {
    std::fs::read(path).map_err(|source| AgencyError::Io {
        path: path.to_owned(),
        source,
    })
}

const fn limits() -> json::Limits {
    json::Limits {
        max_bytes: MAX_FILE_BYTES,
        max_depth: 16,
    }
}
