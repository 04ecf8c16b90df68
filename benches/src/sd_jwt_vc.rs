//! An SD-JWT VC with ten disclosable claims, presented with some of them and a Key Binding JWT; ES256.

use credential::ClaimPath;
use credential::Held;
use credential::SdJwtVc;
use credential::Transaction;
use credential::Unverified;
use credential::sd_jwt::Decoys;
use credential::sd_jwt_vc::NewCredential;
use credential::status_list::StatusReference;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::RawCheck;
use crate::VERIFIER;
use crate::key;

/// The type of the credential.
pub const VCT: &str = "https://attestry.example/types/PersonIdentity";

/// One presentation, and what is needed to check it.
pub struct Presented {
    /// The SD-JWT+KB.
    pub text: String,
    issuer: String,
    issuer_key: SoftwareKey,
    raw: [RawCheck; 2],
    now: Timestamp,
}

/// Ten claims as an identity card has them.
fn claims() -> Map<String, Value> {
    let claims = json!({
        "given_name": "Aroha", "family_name": "Ngata", "birthdate": "1996-02-29", "age_over_18": true,
        "birth_place": "Porirua", "sex": 2, "email": "aroha.ngata@example.org", "phone_number": "+6421000000",
        "personal_administrative_number": "P000001", "document_number": "XA1234567"
    });
    claims.as_object().expect("an object").clone()
}

impl Presented {
    /// A presentation of the first `disclosed` claims, by an issuer that nobody knows.
    pub fn new(disclosed: usize) -> Self {
        let issuer = "did:example:issuer";
        let status = StatusReference::token_status_list("https://issuer.example/status/1".to_owned(), 3);
        Self::of_issuer(issuer, key(Algorithm::Es256, 3), &status, crate::NOW, disclosed)
    }

    /// A presentation of a credential by this issuer, made at `now`.
    pub fn of_issuer(
        issuer: &str,
        issuer_key: SoftwareKey,
        status: &StatusReference,
        now: Timestamp,
        disclosed: usize,
    ) -> Self {
        let holder = key(Algorithm::Es256, 4);
        let paths: Vec<ClaimPath> = claims()
            .keys()
            .map(|name| ClaimPath::of_keys([name.as_str()]).expect("a path"))
            .collect();
        let credential = NewCredential {
            issuer,
            key_id: &format!("{issuer}#p256"),
            vct: VCT,
            type_integrity: None,
            other_types: &[],
            holder: Some(&holder.public_key().to_jwk()),
            issued_at: now.minus(60),
            valid_from: None,
            valid_until: Some(now.plus(86_400)),
            status: Some(status),
            claims: claims(),
            disclosable: &paths,
            decoys: Decoys::None,
        };
        let request = credential
            .issue(Algorithm::Es256, &mut signer::os_rng())
            .expect("a credential");
        let signed = issuer_key.fulfil(request).expect("the issuer's key");
        let held: Held<SdJwtVc> = Unverified::<SdJwtVc>::parse(&signed)
            .and_then(|parsed| parsed.restore(issuer_key.public_key(), issuer))
            .expect("our own credential");
        let chosen = paths.get(..disclosed).expect("no more than ten");
        let request = held.present(chosen).expect("its own paths").bind(VERIFIER, "n-1", now);
        let text = holder.fulfil(request.expect("a holder key")).expect("the holder's key");
        let (jwt, _) = text.split_once('~').expect("an SD-JWT");
        let (_, key_binding) = text.rsplit_once('~').expect("an SD-JWT");
        Self {
            raw: [
                RawCheck::of_jws(jwt, issuer_key.public_key()),
                RawCheck::of_jws(key_binding, holder.public_key()),
            ],
            text,
            issuer: issuer.to_owned(),
            issuer_key,
            now,
        }
    }

    /// Everything that `crates/credential` checks.
    pub fn verify(&self) {
        let transaction = Transaction {
            audience: VERIFIER,
            nonce: "n-1",
            now: self.now,
            max_age: 300,
        };
        let authentic = Unverified::<SdJwtVc>::parse(&self.text)
            .and_then(|parsed| parsed.authenticate(self.issuer_key.public_key(), &self.issuer, self.now))
            .expect("a genuine credential");
        let binding = authentic
            .verify_key_binding(&transaction)
            .expect("a genuine presentation");
        assert!(binding.is_proven());
    }

    /// The two signatures alone.
    pub fn raw(&self) {
        self.raw.iter().for_each(RawCheck::run);
    }
}
