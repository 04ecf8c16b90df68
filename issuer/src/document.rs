//! W3C credentials ([Verifiable Credentials Data Model 2.0](https://www.w3.org/TR/vc-data-model-2.0/)): the document
//! for a row's claims, and the ways to secure it. Pure.
//!
//! The claims are those of the SD-JWT VC of the same type, under `credentialSubject` with the holder's DID. The
//! document has no `id`: nobody needs one, and it would tell presentations of one credential from another's.

use ::credential::data_integrity;
use ::credential::data_integrity::BaseProofOptions;
use ::credential::data_integrity::Cryptosuite;
use ::credential::data_integrity::LdpVcError;
use ::credential::data_integrity::Pointer;
use ::credential::data_integrity::ProofOptions;
use ::credential::data_integrity::SelectiveError;
use ::credential::status_list::StatusReference;
use ::credential::vc::BASE_CONTEXT;
use ::credential::vc::CREDENTIAL_TYPE;
use ::credential::vc::DataModelVersion;
use ::credential::vc_jwt;
use ::credential::vc_jwt::VcJwtError;
use jsonld::ContextLoader;
use jsonld::Options;
use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

/// How `ldp_vc` is secured where nothing else is asked for. The proof is over the meaning, so that it holds in any
/// JSON-LD library.
pub(crate) const CRYPTOSUITE: Cryptosuite = Cryptosuite::EddsaRdfc2022;

/// How `ldp_vc` is secured for a holder who chooses what to show.
pub(crate) const SELECTIVE_CRYPTOSUITES: [Cryptosuite; 2] = [Cryptosuite::EcdsaSd2023, Cryptosuite::Bbs2023];

/// Where a W3C credential has its claims.
const SUBJECT: &str = "credentialSubject";
/// Members of a subject that are no claims.
const RESERVED: [&str; 3] = ["@context", "id", "type"];

/// A credential type as a W3C credential: its name, and the contexts that say what it means.
pub(crate) struct W3cType {
    name: String,
    context_url: String,
    contexts: ContextLoader,
    /// The claims that the holder cannot withhold.
    always_shown: Vec<AlwaysShown>,
}

/// A claim in every presentation.
struct AlwaysShown {
    /// Names of members from the subject inwards.
    path: Vec<String>,
    /// The same, from the top of the document.
    pointer: Pointer,
}

/// Who signs, and how.
#[derive(Clone, Copy)]
pub(crate) struct ProofMaker<'a> {
    pub(crate) cryptosuite: Cryptosuite,
    pub(crate) key: &'a PublicKey,
    /// DID URL of the key.
    pub(crate) method: &'a str,
}

/// What one credential says.
pub(crate) struct NewDocument<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) issuer_name: &'a str,
    /// DID of the subject, who alone can present it.
    pub(crate) holder: &'a str,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) status: &'a [StatusReference],
    pub(crate) claims: &'a Map<String, Value>,
}

/// The context does not fit the type: the fault of whoever wrote the agency's folder.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum ContextError {
    /// JSON-LD refuses it, or it leaves a claim without a meaning.
    #[error("the context does not give a meaning to the type and all its claims")]
    Meaning(#[from] jsonld::Error),
    /// A claim that is always shown has no name.
    #[error("expected a claim with a name")]
    Pointer(#[from] SelectiveError),
    /// A claim has the name of something else.
    #[error("expected no claim with the name {name:?}, which has another meaning in W3C credentials")]
    Reserved {
        /// The name.
        name: String,
    },
}

impl W3cType {
    /// Checks that `context` gives the type and the claims at `paths` (names of members from the outside in) a
    /// meaning. Those at `always` are shown to every verifier.
    pub(crate) fn new(
        name: &str,
        context_url: String,
        context: Value,
        paths: &[Vec<String>],
        always: &[Vec<String>],
    ) -> Result<Self, ContextError> {
        let reserved = |path: &&Vec<String>| path.first().is_some_and(|name| RESERVED.contains(&name.as_str()));
        if let Some(name) = paths.iter().find(reserved).and_then(|path| path.first()) {
            return Err(ContextError::Reserved { name: name.clone() });
        }
        let mut contexts = ContextLoader::bundled();
        contexts.register(&context_url, context);
        let shown = |path: &Vec<String>| {
            let names = [SUBJECT].into_iter().chain(path.iter().map(String::as_str));
            Pointer::of_names(names).map(|pointer| AlwaysShown {
                path: path.clone(),
                pointer,
            })
        };
        let new = Self {
            name: name.to_owned(),
            context_url,
            contexts,
            always_shown: always.iter().map(shown).collect::<Result<_, _>>()?,
        };
        let mut claims = Map::new();
        for path in paths {
            probe(&mut claims, path);
        }
        let document = json!({"@context": new.context_urls(), "type": new.types(), "credentialSubject": claims});
        jsonld::to_rdf(&document, &Options::strict(&new.contexts))?;
        Ok(new)
    }

    /// `@context`.
    pub(crate) fn context_urls(&self) -> Vec<Value> {
        vec![Value::from(BASE_CONTEXT), Value::from(self.context_url.as_str())]
    }

    /// `type`.
    pub(crate) fn types(&self) -> Vec<String> {
        vec![CREDENTIAL_TYPE.to_owned(), self.name.clone()]
    }

    fn document(&self, new: &NewDocument<'_>) -> Map<String, Value> {
        let mut subject = new.claims.clone();
        // No claim has this name: `W3cType::new` saw the mapping.
        subject.insert("id".to_owned(), Value::from(new.holder));
        let mut document = Map::from_iter([
            ("@context".to_owned(), Value::Array(self.context_urls())),
            ("type".to_owned(), json!(self.types())),
            ("issuer".to_owned(), json!({"id": new.issuer, "name": new.issuer_name})),
            ("validFrom".to_owned(), json!(new.valid_from.to_rfc3339())),
            ("validUntil".to_owned(), json!(new.valid_until.to_rfc3339())),
            (SUBJECT.to_owned(), Value::Object(subject)),
        ]);
        if !new.status.is_empty() {
            let entries = new.status.iter().map(StatusReference::to_value).collect();
            document.insert("credentialStatus".to_owned(), Value::Array(entries));
        }
        document
    }

    /// The `vc+jwt`, once signed by the key with the DID URL `key_id`.
    pub(crate) fn sign_jwt(
        &self,
        new: &NewDocument<'_>,
        key_id: &str,
        algorithm: Algorithm,
    ) -> Result<SigningRequest<String>, VcJwtError> {
        let mut document = self.document(new);
        // Verifiers compare it with the time of their bundle, and with that of a revocation of the issuer.
        document.insert("iat".to_owned(), json!(new.valid_from.unix()));
        vc_jwt::issue(&document, key_id, algorithm)
    }

    /// The document with a proof, once signed: with a base proof, where the suite has selective disclosure.
    pub(crate) fn sign_data_integrity(
        &self,
        new: &NewDocument<'_>,
        maker: ProofMaker<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
        let (document, created) = (self.document(new), Some(new.valid_from));
        if maker.cryptosuite.is_selective() {
            // A claim whose column is empty is not there.
            let shown = self.always_shown.iter().filter(|one| is_there(new.claims, &one.path));
            let mandatory: Vec<Pointer> = shown.map(|one| one.pointer.clone()).collect();
            let options = BaseProofOptions {
                cryptosuite: maker.cryptosuite,
                key: maker.key,
                verification_method: maker.method,
                created,
                expires: None,
                mandatory: &mandatory,
                data_model: DataModelVersion::V2_0,
            };
            return data_integrity::issue_selective(document, &options, &self.contexts, rng);
        }
        let options = ProofOptions {
            cryptosuite: maker.cryptosuite,
            algorithm: maker.key.algorithm(),
            verification_method: maker.method,
            created,
            expires: None,
        };
        data_integrity::issue(document, &options, &self.contexts)
    }
}

/// Whether something stands at `path`.
fn is_there(claims: &Map<String, Value>, path: &[String]) -> bool {
    let Some((name, inner)) = path.split_first() else {
        return true;
    };
    match claims.get(name) {
        Some(Value::Object(claims)) => is_there(claims, inner),
        Some(_) => inner.is_empty(),
        None => false,
    }
}

/// Puts something at `path` that is good for a text and for a URL.
fn probe(object: &mut Map<String, Value>, path: &[String]) {
    let Some((name, inner)) = path.split_first() else {
        return;
    };
    let place = object
        .entry(name.clone())
        .or_insert_with(|| json!("https://probe.example/"));
    if inner.is_empty() {
        return;
    }
    if !place.is_object() {
        *place = json!({});
    }
    if let Value::Object(object) = place {
        probe(object, inner);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::path::PathBuf;

    use ::credential::LdpVc;
    use ::credential::Unverified;
    use ::credential::VcJwt;
    use ::credential::status_list::StatusPurpose;
    use keys::Signer as _;
    use signer::SoftwareKey;

    use super::*;
    use crate::mapping::Mapping;
    use crate::register;

    const ISSUER: &str = "did:example:agency";
    const HOLDER: &str = "did:example:holder";
    /// 2026-11-23T03:00:00Z, the day on which the sample was made.
    const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);

    fn schemas() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
    }

    fn sample(name: &str) -> Value {
        let path = schemas().join("types").join(name).join("context.jsonld");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn paths(paths: &[&[&str]]) -> Vec<Vec<String>> {
        paths
            .iter()
            .map(|path| path.iter().map(ToString::to_string).collect())
            .collect()
    }

    fn of(context: Value, claims: &[&[&str]]) -> Result<W3cType, ContextError> {
        W3cType::new(
            "PersonIdentity",
            "https://a.example/context".to_owned(),
            context,
            &paths(claims),
            &[],
        )
    }

    #[test]
    fn context_that_gives_every_claim_a_meaning_is_taken() {
        let claims: &[&[&str]] = &[&["family_name"], &["address"], &["address", "locality"]];
        assert!(of(sample("PersonIdentity"), claims).is_ok());
    }

    #[test]
    fn context_that_lacks_something_is_refused() {
        let lost = |result: Result<W3cType, ContextError>, lost: &str| match result.map(|_| ()) {
            Err(ContextError::Meaning(jsonld::Error::DataLoss { term, .. })) => assert_eq!(term, lost),
            other => panic!("{other:?}"),
        };
        lost(of(sample("PersonIdentity"), &[&["shoe_size"]]), "shoe_size");
        lost(of(sample("PersonIdentity"), &[&["address", "floor"]]), "floor");
        // The type has no meaning.
        lost(of(sample("DrivingLicence"), &[&["family_name"]]), "type");
        // It also must not change what the base context has defined.
        let redefining = json!({"@context": {"VerifiableCredential": "https://a.example/vocab#Other"}});
        assert!(matches!(
            of(redefining, &[]),
            Err(ContextError::Meaning(jsonld::Error::Invalid { .. }))
        ));
    }

    #[test]
    fn claim_with_the_name_of_something_else_is_refused() {
        for name in RESERVED {
            let result = of(sample("PersonIdentity"), &[&[name]]).map(|_| ());
            assert_eq!(result, Err(ContextError::Reserved { name: name.to_owned() }));
        }
    }

    /// Every person, licence, vaccination and company of the sample, in both formats and with every suite.
    #[tokio::test]
    async fn every_row_of_the_sample_gives_a_document_that_can_be_signed_and_verified() {
        let (jose, eddsa, bbs) = (key(Algorithm::Es256), key(Algorithm::EdDsa), key(Algorithm::Bbs));
        let status = [StatusPurpose::Revocation, StatusPurpose::Suspension]
            .map(|purpose| StatusReference::bitstring(format!("https://a.example/1/{}", purpose.as_str()), 7, purpose));
        for (name, file) in [
            ("CompanyRegistration", "companies.csv"),
            ("DrivingLicence", "driving_licences.csv"),
            ("PersonIdentity", "persons.csv"),
            ("VaccinationCertificate", "vaccinations.csv"),
        ] {
            let folder = schemas().join("sample/mappings");
            let mapping = Mapping::parse(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap();
            let paths: Vec<Vec<String>> = mapping.claim_paths().map(<[String]>::to_vec).collect();
            let url = format!("https://attestry.example/types/{name}/context.jsonld");
            let always: Vec<Vec<String>> = mapping.always_shown().map(<[String]>::to_vec).collect();
            let w3c = W3cType::new(name, url, sample(name), &paths, &always).unwrap();
            let register = register::open(&mapping, &folder).await.unwrap();
            let mut reader = csv::Reader::from_path(schemas().join("sample").join(file)).unwrap();
            let mut signed = 0;
            for record in reader.records() {
                let Ok(Some(row)) = register.subject(&record.unwrap()[0]).await else {
                    continue;
                };
                let Ok(mapped) = mapping.apply(&row, NOW) else { continue };
                let new = NewDocument {
                    issuer: ISSUER,
                    issuer_name: "Agency",
                    holder: HOLDER,
                    valid_from: NOW,
                    valid_until: mapped.expires_at,
                    status: &status,
                    claims: &mapped.claims,
                };
                // Two signatures and two checks for each of some thousand rows take long without optimization.
                let sign = |cryptosuite, key: &SoftwareKey| {
                    let maker = ProofMaker {
                        cryptosuite,
                        key: key.public_key(),
                        method: "did:example:agency#key",
                    };
                    let request = w3c.sign_data_integrity(&new, maker, &mut signer::os_rng());
                    request.unwrap_or_else(|error| panic!("{name}: {error:?}"))
                };
                let request = sign(CRYPTOSUITE, &eddsa);
                if signed % 50 == 0 {
                    let credential = Value::Object(eddsa.fulfil(request).unwrap()).to_string();
                    let credential = Unverified::<LdpVc>::parse(&credential).unwrap();
                    let authentic = credential
                        .authenticate(eddsa.public_key(), ISSUER, &w3c.contexts, NOW)
                        .unwrap();
                    assert_eq!(authentic.facts().issued_at(), Some(NOW));

                    for (suite, key) in SELECTIVE_CRYPTOSUITES.into_iter().zip([&jose, &bbs]) {
                        let base = key.fulfil(sign(suite, key)).unwrap();
                        let base = Unverified::<LdpVc>::from_object(&base).unwrap();
                        let held = base.hold_issued(key.public_key(), ISSUER, &w3c.contexts, NOW);
                        let derived = held.unwrap().derive(&[], &[], &w3c.contexts, &mut signer::os_rng());
                        let derived = derived.unwrap();
                        let shown = derived.claims()[SUBJECT].as_object().unwrap();
                        // What the mapping always shows, as far as the row has it, and who the subject is.
                        for path in &always {
                            assert_eq!(shown.contains_key(&path[0]), mapped.claims.contains_key(&path[0]));
                        }
                        assert!(shown.contains_key("id"));
                        assert!(shown.len() <= always.len() + 1, "{name}: {shown:?}");
                    }

                    let request = w3c
                        .sign_jwt(&new, "did:example:agency#es256", Algorithm::Es256)
                        .unwrap();
                    let credential = Unverified::<VcJwt>::parse(&jose.fulfil(request).unwrap()).unwrap();
                    let authentic = credential.authenticate(jose.public_key(), ISSUER, NOW).unwrap();
                    assert_eq!(authentic.facts().issued_at(), Some(NOW));
                }
                signed += 1;
            }
            assert!(signed > 100, "{name}: {signed}");
        }
    }

    fn key(algorithm: Algorithm) -> SoftwareKey {
        SoftwareKey::generate(algorithm, &mut signer::os_rng())
    }
}
