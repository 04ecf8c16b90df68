//! SD-JWT VCs as they come, and SD-JWT VCs whose payload and disclosures are the input's.

use credential::ClaimPath;
use credential::Held;
use credential::SdJwtVc;
use credential::Unverified;
use credential::sd_jwt::JsonSerialization;
use credential::sd_jwt::to_json;
use credential::sd_jwt_vc::TYPE;
use credential::sd_jwt_vc::issuer_metadata::IssuerMetadata;
use credential::sd_jwt_vc::issuer_metadata::KeySet;
use credential::sd_jwt_vc::issuer_metadata::metadata_url;
use credential::sd_jwt_vc::type_metadata::ResolvedType;
use keys::base64url;

use crate::NOW;
use crate::holder;
use crate::issuer;
use crate::text;
use crate::transaction;

/// The input as SD-JWT, as payload with disclosures, and as type metadata.
pub fn fuzz(data: &[u8]) {
    let vct = "https://attestry.example/types/PersonIdentity";
    let resolved = ResolvedType::resolve(vct, None, |asked| (asked == vct).then_some(data));
    let _ = (
        IssuerMetadata::read(data, "https://attestry.example"),
        KeySet::read(data),
    );
    let Some(text) = text(data) else { return };
    let _ = metadata_url(text);
    let _ = Unverified::<SdJwtVc>::parse_json(text);
    verify(text);
    if let Some(signed) = sign(TYPE, text) {
        verify(&signed);
        rewrite(&signed);
        present(&signed);
        if let (Ok(held), Ok(resolved)) = (hold(&signed), resolved) {
            let _ = held.check_type_metadata(&resolved);
        }
    }
}

fn verify(text: &str) {
    let Ok(unverified) = Unverified::<SdJwtVc>::parse(text) else {
        return;
    };
    let _ = (unverified.type_hint(), unverified.verification_method());
    if let Ok(authentic) = unverified.authenticate(issuer().public(), &issuer().did, NOW) {
        let _ = authentic.verify_key_binding(&transaction());
    }
}

/// What is read in the compact form is the same in the JSON serialization.
fn rewrite(signed: &str) {
    for serialization in [JsonSerialization::Flattened, JsonSerialization::General] {
        let Ok(json) = to_json(signed, serialization) else {
            return;
        };
        let compact = Unverified::<SdJwtVc>::parse(signed).is_ok();
        assert_eq!(Unverified::<SdJwtVc>::parse_json(&json.to_string()).is_ok(), compact);
    }
}

/// The first line is the payload, every other one a disclosure. `@1` stands for the digest of the first
/// disclosure, and so on; a disclosure may name those before it.
pub(crate) fn sign(typ: &str, text: &str) -> Option<String> {
    let mut lines = text.lines();
    let mut payload = lines.next()?.to_owned();
    let mut disclosures: Vec<String> = Vec::new();
    let mut digests: Vec<String> = Vec::new();
    for (line, number) in lines.take(9).zip(1..) {
        let mut disclosure = line.to_owned();
        for (digest, earlier) in digests.iter().zip(1..) {
            disclosure = disclosure.replace(&format!("@{earlier}"), digest);
        }
        let encoded = base64url::encode(disclosure);
        let digest = base64url::encode(keys::sha256(encoded.as_bytes()));
        payload = payload.replace(&format!("@{number}"), &digest);
        digests.push(digest);
        disclosures.push(encoded);
    }
    let jwt = issuer().jws(typ, payload.as_bytes());
    Some(format!(
        "{jwt}~{}",
        disclosures.iter().map(|one| format!("{one}~")).collect::<String>()
    ))
}

/// What a wallet took, it can show: all of it, one claim of it, and nothing of it.
fn present(signed: &str) {
    let Ok(held) = hold(signed) else { return };
    let paths = held.disclosable_paths().expect("a held credential is read");
    let every: Vec<&ClaimPath> = paths.iter().collect();
    for chosen in [every.as_slice(), every.get(..1).unwrap_or_default(), &[]] {
        let chosen: Vec<ClaimPath> = chosen.iter().map(|path| (*path).clone()).collect();
        let presentation = held.present(&chosen).expect("its own paths");
        if held.facts().holder().is_some() {
            let request = presentation.bind("did:example:verifier", "n-1", NOW).expect("a key");
            if request.algorithm() != keys::Algorithm::EdDsa {
                return;
            }
            verify(&holder().sign(request));
        } else {
            let again = hold(&presentation.into_unbound()).expect("a presentation is read");
            if chosen.len() == paths.len() {
                assert_eq!(again.claims(), held.claims());
            }
        }
    }
}

fn hold(text: &str) -> Result<Held<SdJwtVc>, credential::sd_jwt_vc::SdJwtVcError> {
    Unverified::<SdJwtVc>::parse(text)?.restore(issuer().public(), &issuer().did)
}
