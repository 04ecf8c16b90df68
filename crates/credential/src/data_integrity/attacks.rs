//! What holders, issuers and strangers might try, one check each. Every test first passes the genuine thing.

mod bbs_2023;
mod credentials;
mod ecdsa;
mod ecdsa_sd;
mod presentations;
mod proof_sets;
mod selective;
mod signed;

use jsonld::ContextLoader;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::data_integrity::ProofError as JcsProofError;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::Authentic;
use crate::Held;
use crate::Transaction;
use crate::Unverified;
use crate::vc::DataModelVersion;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const ISSUER: &str = "did:web:agency.example";
const ISSUER_KEY: &str = "did:web:agency.example#key-1";
const HOLDER: &str = "did:key:z6MkHolder";
const HOLDER_KEY: &str = "did:key:z6MkHolder#z6MkHolder";
const CONTEXT: &str = "https://agency.example/contexts/licence/v1";
/// Harmless terms that a holder might add to a credential after it was signed.
const OTHER_CONTEXT: &str = "https://other.example/contexts/v1";

/// One suite of each transformation of a whole document. What the others do in another way is in [`ecdsa`].
const WHOLE: [Cryptosuite; 2] = [Cryptosuite::EddsaRdfc2022, Cryptosuite::EddsaJcs2022];

struct World {
    contexts: ContextLoader,
    issuer: SoftwareKey,
    holder: SoftwareKey,
}

impl World {
    fn new() -> Self {
        let mut contexts = ContextLoader::bundled();
        contexts.register(
            CONTEXT,
            json!({"@context": {
                "Licence": "https://agency.example/Licence",
                "class": "https://agency.example/class",
                "points": {"@id": "https://agency.example/points", "@type": "http://www.w3.org/2001/XMLSchema#integer"},
                "spouse": {"@id": "https://agency.example/spouse", "@type": "@id"},
                "knows": {"@id": "https://agency.example/knows", "@type": "@id"},
            }}),
        );
        contexts.register(
            OTHER_CONTEXT,
            json!({"@context": {"other": "https://other.example/other"}}),
        );
        let key = || SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        Self {
            contexts,
            issuer: key(),
            holder: key(),
        }
    }

    fn issue(&self, suite: Cryptosuite, change: impl FnOnce(&mut Value)) -> Value {
        let mut document = credential();
        change(&mut document);
        let options = options(suite);
        let request = issue(as_object(document), &options, &self.contexts).unwrap();
        Value::Object(fulfil(&self.issuer, request).unwrap())
    }

    fn authenticate(&self, credential: &Value) -> Result<Authentic<LdpVc>, LdpVcError> {
        self.authenticate_at(credential, self.issuer.public_key(), ISSUER, NOW)
    }

    fn authenticate_at(
        &self,
        credential: &Value,
        key: &PublicKey,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        Unverified::<LdpVc>::parse(&credential.to_string())?.authenticate(key, issuer, &self.contexts, now)
    }

    fn held(&self, suite: Cryptosuite) -> Held<LdpVc> {
        self.authenticate(&self.issue(suite, |_| {}))
            .unwrap()
            .hold_issued()
            .unwrap()
    }

    fn present(&self, suite: Cryptosuite) -> Value {
        let held = self.held(suite);
        let request = presentation(suite).sign(&[&held], &self.contexts).unwrap();
        Value::Object(fulfil(&self.holder, request).unwrap())
    }

    fn check(&self, presentation: &Value) -> Result<PresentedLdpVcs, LdpVpError> {
        self.check_with(presentation, self.holder.public_key(), HOLDER, &transaction())
    }

    fn check_with(
        &self,
        presentation: &Value,
        key: &PublicKey,
        holder: &str,
        transaction: &Transaction<'_>,
    ) -> Result<PresentedLdpVcs, LdpVpError> {
        UnverifiedPresentation::parse(&presentation.to_string())?.authenticate(key, holder, transaction, &self.contexts)
    }

    /// The error for which each suite's credential is refused after `change`.
    fn refused(&self, change: impl Fn(&mut Value)) -> [LdpVcError; 2] {
        WHOLE.map(|suite| {
            let mut credential = self.issue(suite, |_| {});
            let _ = self.authenticate(&credential).unwrap();
            change(&mut credential);
            self.authenticate(&credential).unwrap_err()
        })
    }

    /// The same for presentations.
    fn presentation_refused(&self, change: impl Fn(&mut Value)) -> [LdpVpError; 2] {
        WHOLE.map(|suite| {
            let mut presentation = self.present(suite);
            let _ = self.check(&presentation).unwrap();
            change(&mut presentation);
            self.check(&presentation).unwrap_err()
        })
    }
}

fn credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", CONTEXT],
        "id": "urn:uuid:0a2b7f5e-3d0c-4a7c-9d67-0d3a1c6a55ff",
        "type": ["VerifiableCredential", "Licence"],
        "issuer": ISSUER,
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2028-01-01T00:00:00Z",
        "credentialStatus": {
            "id": "https://agency.example/status/1#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://agency.example/status/1",
        },
        "credentialSubject": {"id": HOLDER, "class": ["2B", "3"], "points": 4, "spouse": "did:key:z6MkOther"},
    })
}

const fn options(suite: Cryptosuite) -> ProofOptions<'static> {
    ProofOptions {
        cryptosuite: suite,
        algorithm: Algorithm::EdDsa,
        verification_method: ISSUER_KEY,
        created: Some(NOW),
        expires: Some(NOW.plus(3_600)),
    }
}

/// Of a base proof by this key, which signs with the suite if it can.
const fn base_options<'a>(suite: Cryptosuite, key: &'a PublicKey, mandatory: &'a [Pointer]) -> BaseProofOptions<'a> {
    BaseProofOptions {
        cryptosuite: suite,
        key,
        verification_method: ISSUER_KEY,
        created: Some(NOW),
        expires: Some(NOW.plus(3_600)),
        mandatory,
        data_model: DataModelVersion::V2_0,
    }
}

const fn presentation(suite: Cryptosuite) -> Presentation<'static> {
    Presentation {
        holder: HOLDER,
        verification_method: HOLDER_KEY,
        cryptosuite: suite,
        algorithm: Algorithm::EdDsa,
        domain: "decentralized_identifier:did:web:shop.example",
        challenge: "n-0S6_WzA2Mj",
        created: NOW,
    }
}

const fn transaction() -> Transaction<'static> {
    Transaction {
        audience: "decentralized_identifier:did:web:shop.example",
        nonce: "n-0S6_WzA2Mj",
        now: NOW,
        max_age: 300,
    }
}

fn as_object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

/// That the signature over RDF, and that over JSON, does not hold.
fn bad_signature(errors: &[LdpVcError; 2]) -> bool {
    matches!(
        errors,
        [
            LdpVcError::Cryptosuite(CryptosuiteError::Signature(_)),
            LdpVcError::Cryptosuite(CryptosuiteError::Json(JcsProofError::Signature(_))),
        ]
    )
}
