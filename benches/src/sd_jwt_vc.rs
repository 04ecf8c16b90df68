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
use keys::Jwk;
use keys::Signer as _;
use keys::SigningRequest;
use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::RawCheck;
use crate::RawSigning;
use crate::VERIFIER;
use crate::key;
use crate::material;

/// The type of the credential.
pub const VCT: &str = "https://attestry.example/types/PersonIdentity";

/// Numbers of the keys.
const ISSUER: u8 = 3;
const HOLDER: u8 = 4;

/// One presentation, and what is needed to check it and to issue its credential again.
pub struct Presented {
    /// The SD-JWT+KB.
    pub text: String,
    issuer: String,
    issuer_key: SoftwareKey,
    holder: Jwk,
    status: StatusReference,
    claims: Map<String, Value>,
    paths: Vec<ClaimPath>,
    raw: [RawCheck; 2],
    raw_issue: RawSigning,
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

fn key_id(issuer: &str) -> String {
    format!("{issuer}#p256")
}

fn request(
    issuer: &str,
    holder: &Jwk,
    status: &StatusReference,
    claims: &Map<String, Value>,
    disclosable: &[ClaimPath],
    now: Timestamp,
) -> SigningRequest<String> {
    let credential = NewCredential {
        issuer,
        key_id: &key_id(issuer),
        vct: VCT,
        type_integrity: None,
        other_types: &[],
        holder: Some(holder),
        issued_at: now.minus(60),
        valid_from: None,
        valid_until: Some(now.plus(86_400)),
        status: Some(status),
        claims,
        disclosable,
        decoys: Decoys::None,
    };
    credential
        .issue(Algorithm::Es256, &mut signer::os_rng())
        .expect("a credential")
}

impl Presented {
    /// A presentation of the first `disclosed` claims, by an issuer that nobody knows.
    pub fn new(disclosed: usize) -> Self {
        let issuer = "did:example:issuer";
        let status = StatusReference::token_status_list("https://issuer.example/status/1".to_owned(), 3);
        Self::of_issuer(issuer, key(Algorithm::Es256, ISSUER), &status, crate::NOW, disclosed)
    }

    /// A presentation of a credential by this issuer, made at `now`.
    pub fn of_issuer(
        issuer: &str,
        issuer_key: SoftwareKey,
        status: &StatusReference,
        now: Timestamp,
        disclosed: usize,
    ) -> Self {
        let holder = key(Algorithm::Es256, HOLDER);
        let claims = claims();
        let paths: Vec<ClaimPath> = claims
            .keys()
            .map(|name| ClaimPath::of_keys([name.as_str()]).expect("a path"))
            .collect();
        let jwk = holder.public_key().to_jwk();
        let request = request(issuer, &jwk, status, &claims, &paths, now);
        let raw_issue = RawSigning {
            key: key(Algorithm::Es256, ISSUER),
            message: request.message().to_vec(),
        };
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
            raw_issue,
            text,
            issuer: issuer.to_owned(),
            issuer_key,
            holder: jwk,
            status: status.clone(),
            claims,
            paths,
            now,
        }
    }

    /// All of issuing, the signature included.
    pub fn issue(&self) {
        let request = request(
            &self.issuer,
            &self.holder,
            &self.status,
            &self.claims,
            &self.paths,
            self.now,
        );
        let _credential = self.issuer_key.fulfil(request).expect("the issuer's key");
    }

    /// The signature alone.
    pub fn raw_issue(&self) {
        self.raw_issue.run();
    }

    /// For others to verify and to issue.
    pub fn material(&self) -> Value {
        let (jwt, rest) = self.text.split_once('~').expect("an SD-JWT");
        json!({
            "text": self.text, "tampered": format!("{}~{rest}", material::other_signature(jwt)),
            "issuer": material::key(Algorithm::Es256, ISSUER), "holder": material::key(Algorithm::Es256, HOLDER),
            "iss": self.issuer, "kid": key_id(&self.issuer), "vct": VCT, "aud": VERIFIER, "nonce": "n-1",
            "claims": self.claims, "status": self.status.to_value(),
        })
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
