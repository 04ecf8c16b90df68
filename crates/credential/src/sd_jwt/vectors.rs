//! The examples of RFC 9901 and the test cases of its reference implementation. In here rather than in
//! `tests/`, because the plain SD-JWT mechanism is private to this crate.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use keys::Jwk;
use keys::PublicKey;
use keys::Timestamp;
use keys::base64url;
use keys::json;
use keys::json::Tree;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;

use super::key_binding::verify_key_binding;
use super::*;
use crate::evidence::Transaction;

/// The folder of vectors, or `None` after saying that it is missing.
fn vectors(folder: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_some_and(|value| value == "1");
    assert!(!required, "no vectors at {}", path.display());
    println!("skipped: no vectors at {}", path.display());
    None
}

fn text(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name))
        .ok()
        .map(|text| text.trim().to_owned())
}

fn object(folder: &Path, name: &str) -> Option<Map<String, Value>> {
    text(folder, name).map(|text| serde_json::from_str(&text).unwrap())
}

/// The issuer's and the holder's key, in the order of the settings file.
fn keys_of(settings: &str) -> Vec<PublicKey> {
    let values = |name: &str| -> Vec<String> {
        let prefix = format!("{name}: ");
        settings
            .lines()
            .filter_map(|line| line.trim().strip_prefix(&prefix).map(str::to_owned))
            .collect()
    };
    let coordinates = values("x").into_iter().zip(values("y"));
    let key = |(x, y): (String, String)| {
        let bytes = |text: &str| base64url::decode(text).unwrap();
        PublicKey::from_jwk(&Jwk::from_coordinates("EC", "P-256", &bytes(&x), Some(&bytes(&y)))).unwrap()
    };
    coordinates.map(key).collect()
}

/// The compact form, or the JSON serialization. The examples are wrapped for print.
fn read(folder: &Path, name: &str) -> SdJwt {
    match text(folder, &format!("{name}.txt")) {
        Some(compact) => SdJwt::parse(&unwrapped(&compact)).unwrap(),
        None => read_draft_json(&unwrapped(&text(folder, &format!("{name}.json")).unwrap())),
    }
}

/// Without line breaks and what stands around them, inside of strings too.
fn unwrapped(text: &str) -> String {
    text.lines().map(str::trim).collect()
}

/// The generator writes disclosures and Key Binding JWT where a draft had them. That is refused, and what the RFC has
/// is made of it.
fn read_draft_json(text: &str) -> SdJwt {
    // In one of the two sets the object is once more in a string.
    let inner: Option<String> = serde_json::from_str(text).ok();
    let text = inner.as_deref().unwrap_or(text);
    let refused = SdJwt::parse_json(text).err().unwrap();
    assert!(matches!(refused, SdJwtError::JsonForm { .. }), "{refused}");
    let mut json: Map<String, Value> = serde_json::from_str(text).unwrap();
    let header: Map<String, Value> = ["disclosures", "kb_jwt"]
        .into_iter()
        .filter_map(|name| json.remove_entry(name))
        .collect();
    match json.get_mut("signatures") {
        Some(signatures) => signatures[0]["header"] = Value::Object(header),
        None => drop(json.insert("header".to_owned(), Value::Object(header))),
    }
    SdJwt::parse_json(&Value::Object(json).to_string()).unwrap()
}

/// The compact form of a vector that has it.
fn compact(folder: &Path, name: &str) -> Option<String> {
    text(folder, &format!("{name}.txt")).map(|text| unwrapped(&text))
}

fn signed_payload(sd_jwt: &SdJwt, issuer: &PublicKey) -> Result<Tree, JwsError> {
    let verified = UnverifiedJws::parse(sd_jwt.jwt(), MAX_BYTES)?.verify(issuer)?;
    Ok(Tree::parse_object(verified.payload(), json::DEFAULT_LIMITS).unwrap())
}

fn claims_of<'a>(payload: &Tree, disclosures: impl Iterator<Item = &'a str> + Clone) -> Map<String, Value> {
    let processed = process(payload.root(), disclosures, &[]).unwrap();
    processed.claims.root().to_map().unwrap()
}

/// Signature, disclosures and key binding of one text; gives the processed payload.
fn verify(sd_jwt: &SdJwt, keys: &[PublicKey]) -> Map<String, Value> {
    let (claims, key_binding) = verify_parts(sd_jwt, keys);
    assert_eq!(key_binding, Ok(()));
    claims
}

/// The processed payload, and what becomes of the Key Binding JWT, if there is one.
fn verify_parts(sd_jwt: &SdJwt, keys: &[PublicKey]) -> (Map<String, Value>, Result<(), KeyBindingError>) {
    let payload = signed_payload(sd_jwt, &keys[0]).unwrap();
    let processed = process(payload.root(), sd_jwt.disclosures(), &[]).unwrap();
    let claims = processed.claims.root().to_map().unwrap();
    let Some(key_binding) = sd_jwt.key_binding() else {
        return (claims, Ok(()));
    };
    let jws = UnverifiedJws::parse(key_binding, MAX_BYTES).unwrap();
    let bound: Value = serde_json::from_slice(jws.unverified_payload()).unwrap();
    let member = |name: &str| bound[name].as_str().unwrap();
    let transaction = Transaction {
        audience: member("aud"),
        nonce: member("nonce"),
        now: Timestamp::from_unix(bound["iat"].as_i64().unwrap()),
        max_age: 0,
    };
    let sd_hash = processed.hash.digest(sd_jwt.without_key_binding());
    (
        claims,
        verify_key_binding(key_binding, &keys[1], sd_hash.as_str(), &transaction),
    )
}

/// Issues the claims of an SD-JWT again, with the same claims disclosable, and presents each of them alone.
fn issue_again(issued: &SdJwt, keys: &[PublicKey]) {
    let payload = signed_payload(issued, &keys[0]).unwrap();
    let claims = claims_of(&payload, issued.disclosures());
    let paths = Disclosed::new(payload, issued.disclosures())
        .unwrap()
        .disclosable_paths();
    assert_eq!(paths.len(), issued.disclosures().count(), "every disclosure has a path");

    let concealed = conceal(
        members_of(&claims),
        &paths,
        HashAlgorithm::Sha512,
        Decoys::None,
        &mut signer::os_rng(),
    )
    .unwrap();
    let all = || concealed.disclosures.split_terminator('~');
    assert_eq!(all().count(), paths.len());
    let payload = Tree::parse(&concealed.payload, json::DEFAULT_LIMITS).unwrap();
    assert_eq!(claims_of(&payload, all()), claims);
    let disclosed = Disclosed::new(payload.clone(), all()).unwrap();
    for path in paths {
        let chosen = disclosed.select(std::slice::from_ref(&path)).unwrap();
        assert!(!chosen.is_empty(), "{path}");
        process(payload.root(), chosen.into_iter(), &[]).unwrap();
    }
}

/// How many cases were run; `None` without vectors.
fn run_folder(set: &str) -> Option<usize> {
    let root = vectors("sd-jwt/generated")?.join(set);
    let keys = keys_of(&text(&root, "settings.yml").unwrap());
    let mut number = 0;
    for entry in fs::read_dir(&root).unwrap() {
        let folder = entry.unwrap().path();
        let Some(expected) = object(&folder, "verified_contents.json") else {
            continue;
        };
        println!("{}", folder.display());
        number += 1;
        let issued = read(&folder, "sd_jwt_issuance");
        if folder.ends_with("header_mod") {
            // Its kid is the number 42, and RFC 7515 has: "The kid value MUST be a case-sensitive string".
            assert!(matches!(signed_payload(&issued, &keys[0]), Err(JwsError::Header(_))));
            continue;
        }
        assert_eq!(
            signed_payload(&issued, &keys[0]).unwrap().root().to_map(),
            object(&folder, "sd_jwt_payload.json")
        );
        let presented = read(&folder, "sd_jwt_presentation");
        assert_eq!(
            presented.key_binding().is_some(),
            folder.join("kb_jwt_payload.json").exists()
        );
        let (claims, key_binding) = verify_parts(&presented, &keys);
        assert_eq!(claims, expected);
        let draft_json = folder.join("sd_jwt_presentation.json").exists();
        // The generator does not take sd_hash over the compact form in the JSON serialization, as the RFC demands and
        // its own printed examples have it.
        let refused = if draft_json {
            Err(KeyBindingError::WrongSdHash)
        } else {
            Ok(())
        };
        assert_eq!(key_binding, refused);
        let everything = verify(&issued, &keys);
        for (name, value) in object(&folder, "user_claims.json").unwrap() {
            assert_eq!(everything[&name], value, "{name}");
        }
        issue_again(&issued, &keys);
    }
    Some(number)
}

#[test]
fn examples_of_rfc_9901() {
    let number = run_folder("rfc9901-examples");
    assert!(number.is_none_or(|number| number == 15), "found {number:?}");
}

#[test]
fn test_cases_of_the_reference_implementation() {
    let number = run_folder("sd-jwt-python-testcases");
    assert!(number.is_none_or(|number| number == 17), "found {number:?}");
}

/// The three objects in the JSON serialization that the RFC prints in its section 8: issued, presented, and presented
/// with a second signature.
#[test]
fn json_printed_in_rfc_9901() {
    let Some(root) = vectors("sd-jwt") else { return };
    let keys = keys_of(&text(&root, "testcases/settings.yml").unwrap());
    let draft = text(&root, "draft-final.txt").unwrap();
    let (_, section) = draft.split_once("\n8.  JWS JSON Serialization").unwrap();
    let (section, _) = section.split_once("\n8.4.  Verification").unwrap();
    let printed: Vec<SdJwt> = section
        .split("\n   {\n")
        .skip(1)
        .map(|json| {
            let (json, _) = json.split_once("\n   }").unwrap();
            SdJwt::parse_json(&format!("{{{}}}", unwrapped(json))).unwrap()
        })
        .collect();
    let disclosed = |at: usize| verify(&printed[at], &keys);
    assert_eq!(printed.len(), 3);
    assert!(printed[0].key_binding().is_none() && disclosed(0)["birthdate"] == "1940-01-01");
    for at in [1, 2] {
        assert!(printed[at].key_binding().is_some(), "{at}");
        assert_eq!(disclosed(at)["given_name"], "John");
        assert!(!disclosed(at).contains_key("birthdate"));
    }
}

/// The SD-JWTs as printed in the RFC's text: each is verified, and the texts that follow say what comes out.
#[test]
fn texts_printed_in_rfc_9901() {
    let Some(root) = vectors("sd-jwt") else { return };
    let keys = keys_of(&text(&root, "testcases/settings.yml").unwrap());
    let draft = text(&root, "draft-final.txt").unwrap();
    let is_part = |line: &str| {
        line.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
    };
    let mut printed = Vec::new();
    let mut current = String::new();
    for line in draft.lines().map(str::trim) {
        if line.is_empty() || !is_part(line) {
            if current.starts_with("eyJ") && current.contains('~') {
                printed.push(SdJwt::parse(&current).unwrap());
            }
            current.clear();
        } else {
            current.push_str(line);
        }
    }
    assert_eq!(printed.len(), 8);
    for sd_jwt in &printed {
        verify(sd_jwt, &keys);
    }
    assert_eq!(
        printed.iter().filter(|sd_jwt| sd_jwt.key_binding().is_some()).count(),
        3
    );
    let presented = verify(&printed[1], &keys);
    assert_eq!(presented["nationalities"], serde_json::json!(["US"]));
    assert!(!presented.contains_key("birthdate"));
}

/// Genuine vectors with one thing wrong: each must fail at the step that is meant to catch it.
#[test]
fn changed_vectors_are_refused() {
    let Some(root) = vectors("sd-jwt/generated/rfc9901-examples") else {
        return;
    };
    let keys = keys_of(&text(&root, "settings.yml").unwrap());
    let simple = compact(&root.join("simple"), "sd_jwt_issuance").unwrap();
    let genuine = SdJwt::parse(&simple).unwrap();
    let payload = || signed_payload(&genuine, &keys[0]).unwrap();
    let run = |text: &str| {
        let sd_jwt = SdJwt::parse(text)?;
        process(payload().root(), sd_jwt.disclosures(), &[]).map(|_| ())
    };
    assert!(run(&simple).is_ok());
    let first = genuine.disclosures().next().unwrap();

    assert_eq!(run(&format!("{simple}{first}~")), Err(SdJwtError::DuplicateDisclosure));
    let foreign = compact(&root.join("complex_ekyc"), "sd_jwt_issuance").unwrap();
    let foreign = SdJwt::parse(&foreign).unwrap().disclosures().next().unwrap().to_owned();
    assert_eq!(
        run(&format!("{simple}{foreign}~")),
        Err(SdJwtError::UnreferencedDisclosure)
    );
    let swapped = simple.replacen(first, &foreign, 1);
    assert_eq!(run(&swapped), Err(SdJwtError::UnreferencedDisclosure));

    let other_jwt = compact(&root.join("complex_ekyc"), "sd_jwt_issuance").unwrap();
    let (header_and_payload, _) = genuine.jwt().rsplit_once('.').unwrap();
    let (_, other_signature) = SdJwt::parse(&other_jwt)
        .unwrap()
        .jwt()
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let forged = SdJwt::parse(&format!("{header_and_payload}.{other_signature}~")).unwrap();
    assert!(matches!(signed_payload(&forged, &keys[0]), Err(JwsError::Signature(_))));
    assert!(matches!(
        signed_payload(&genuine, &keys[1]),
        Err(JwsError::Signature(_))
    ));
}
