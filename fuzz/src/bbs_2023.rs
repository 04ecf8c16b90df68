//! The first byte chooses what the others are: a BBS proof, signature or key alone, or the components of a proof value
//! with CBOR around them, in a credential for a verifier or for a holder.

use std::sync::LazyLock;

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::Pointer;
use credential::vc::DataModelVersion;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::Signer as _;
use keys::base64url;
use keys::bbs;
use serde_json::Map;
use serde_json::Value;
use signer::SoftwareKey;

use crate::NOW;
use crate::data_integrity::CONTEXTS;
use crate::issuer;
use crate::object;
use crate::verdict::Salts;

const HEADER: &[u8] = b"header";
const MESSAGES: [&[u8]; 3] = [b"first", b"second", b"third"];
const SHOWN: [usize; 1] = [1];

/// What a base and a derived proof value begin with.
const PREFIXES: [&str; 2] = ["u2V0C", "u2V0D"];

static KEY: LazyLock<SoftwareKey> =
    LazyLock::new(|| SoftwareKey::from_secret(Algorithm::Bbs, &[5; 32]).expect("a scalar"));

/// A credential with a base proof, and one derived from it.
static CREDENTIALS: LazyLock<[Map<String, Value>; 2]> = LazyLock::new(|| {
    let document = object(crate::seeds::document().to_string().as_bytes()).expect("an object");
    let options = BaseProofOptions {
        cryptosuite: Cryptosuite::Bbs2023,
        key: KEY.public_key(),
        verification_method: &issuer().method,
        created: None,
        expires: None,
        mandatory: &[],
        data_model: DataModelVersion::V2_0,
    };
    let mut rng = Salts(1);
    let request = data_integrity::issue_selective(document, &options, &CONTEXTS, &mut rng).expect("ours");
    let base = KEY.fulfil(request).expect("the issuer's key");
    let pointer: Pointer = "/credentialSubject/given_name".parse().expect("a pointer");
    let derived = Unverified::<LdpVc>::from_object(&base)
        .and_then(|base| base.restore(KEY.public_key(), &issuer().did, &CONTEXTS))
        .and_then(|held| held.derive(&[pointer], b"n-1", &CONTEXTS, &mut rng))
        .expect("our own credential");
    let derived = object(derived.as_str().as_bytes()).expect("an object");
    [base, derived]
});

/// Nothing but what we made holds.
pub fn fuzz(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else {
        return;
    };
    match kind % 4 {
        0 => {
            let _ = bbs_key().verify_proof(data, HEADER, b"n-1", &[MESSAGES[1]], &SHOWN);
        }
        1 => {
            if let Ok(signature) = Signature::from_bytes(data) {
                let _ = KEY.public_key().verify(data, &signature);
            }
            if let Ok(signature) = bbs::Signature::from_bytes(data) {
                let _ = bbs_key().verify(HEADER, &MESSAGES, &signature);
            }
            if let Ok(input) = bbs::SigningInput::from_bytes(data) {
                assert_eq!(input.to_bytes(), data);
            }
        }
        2 => {
            if let Ok(key) = PublicKey::from_bls12381_g2(data) {
                assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
            }
        }
        _ => {
            for (credential, prefix) in CREDENTIALS.iter().zip(PREFIXES) {
                let mut credential = credential.clone();
                credential["proof"]["proofValue"] = format!("{prefix}{}", base64url::encode(data)).into();
                let (key, did) = (KEY.public_key(), &issuer().did);
                if let Ok(parsed) = Unverified::<LdpVc>::from_object(&credential) {
                    let _ = parsed.authenticate(key, did, &CONTEXTS, NOW);
                }
                if let Ok(parsed) = Unverified::<LdpVc>::from_object(&credential) {
                    let _ = parsed.hold_issued(key, did, &CONTEXTS, NOW);
                }
            }
        }
    }
}

/// One of each kind.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let input = bbs::SigningInput {
        header: HEADER.to_vec(),
        messages: MESSAGES.map(<[u8]>::to_vec).to_vec(),
    };
    let signature = KEY.sign(&input.to_bytes()).expect("a signature");
    let as_bbs = bbs::Signature::from_bytes(signature.as_bytes()).expect("80 bytes");
    let proof = bbs_key().prove(&as_bbs, HEADER, b"n-1", &MESSAGES, &SHOWN, &mut Salts(1));
    let mut seeds = vec![
        with_kind(0, &proof.expect("a proof")),
        with_kind(1, signature.as_bytes()),
        with_kind(1, &input.to_bytes()),
        with_kind(2, bbs_key().as_bytes()),
    ];
    for (credential, prefix) in CREDENTIALS.iter().zip(PREFIXES) {
        let value = credential["proof"]["proofValue"]
            .as_str()
            .and_then(|value| value.strip_prefix(prefix));
        seeds.push(with_kind(
            3,
            &base64url::decode(value.expect("its form")).expect("base64url"),
        ));
    }
    seeds
}

fn with_kind(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [&[kind], bytes].concat()
}

fn bbs_key() -> &'static bbs::PublicKey {
    match KEY.public_key() {
        PublicKey::Bls12381G2(key) => key,
        other => panic!("{other:?}"),
    }
}
