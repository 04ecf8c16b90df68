//! Changes of what was signed, one at a time. Each must be refused: a reader would otherwise read something that
//! nobody signed.

use keys::base64url;
use keys::cbor;
use keys::cbor::Value as Cbor;
use keys::json::DEFAULT_LIMITS;
use serde_json::Value;
use serde_json::json;

/// A change by its name, and what came of it.
pub(crate) type Mutation<T> = (String, T);

/// Of a JSON document with a `proof`: every value changed, every member and item left out, and the proof's value
/// with other bytes.
pub(crate) fn of_document(document: &Value) -> Vec<Mutation<Value>> {
    let mut mutations = of_json(document);
    let value = document["proof"]["proofValue"].as_str().expect("a proof");
    let bytes = keys::multibase::decode(value).expect("multibase");
    for at in [0, bytes.len() / 2, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let mut changed = document.clone();
        let encoded = if value.starts_with('u') {
            format!("u{}", base64url::encode(&bytes))
        } else {
            keys::multibase::encode_base58btc(&bytes)
        };
        changed["proof"]["proofValue"] = json!(encoded);
        mutations.push((format!("bit of byte {at} of proofValue"), changed));
    }
    mutations
}

/// Of a compact JWS whose payload is JSON: the same of header and payload, and the signature with other bits, cut
/// off, and left out.
pub(crate) fn of_jws(jws: &str) -> Vec<Mutation<String>> {
    let [header, payload, signature] = <[&str; 3]>::try_from(jws.split('.').collect::<Vec<_>>()).expect("a JWS");
    let json = |part: &str| serde_json::from_slice::<Value>(&base64url::decode(part).expect("base64url"));
    let encode = |value: &Value| base64url::encode(value.to_string());
    let mut mutations = Vec::new();
    let header_json = json(header).expect("a header");
    for (name, changed) in of_json(&header_json) {
        mutations.push((
            format!("header: {name}"),
            format!("{}.{payload}.{signature}", encode(&changed)),
        ));
    }
    for algorithm in ["none", "HS256"] {
        let mut changed = header_json.clone();
        changed["alg"] = json!(algorithm);
        mutations.push((
            format!("header: alg {algorithm}"),
            format!("{}.{payload}.{signature}", encode(&changed)),
        ));
    }
    for (name, changed) in of_json(&json(payload).expect("a payload")) {
        mutations.push((
            format!("payload: {name}"),
            format!("{header}.{}.{signature}", encode(&changed)),
        ));
    }
    let bytes = base64url::decode(signature).expect("base64url");
    for at in [0, 15, 31, 32, 47, bytes.len() - 1] {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let changed = base64url::encode(&bytes);
        mutations.push((
            format!("bit of byte {at} of the signature"),
            format!("{header}.{payload}.{changed}"),
        ));
    }
    mutations.push(("no signature".to_owned(), format!("{header}.{payload}.")));
    let cut = base64url::encode(&bytes[..bytes.len() - 1]);
    mutations.push(("signature cut off".to_owned(), format!("{header}.{payload}.{cut}")));
    mutations
}

/// Of an SD-JWT, with or without Key Binding JWT: those of both JWTs, and each disclosure with another value. With
/// key binding also each disclosure left out: who presents decides what is shown, and nobody after.
pub(crate) fn of_sd_jwt(text: &str) -> Vec<Mutation<String>> {
    let (jwt, rest) = text.split_once('~').expect("an SD-JWT");
    let (disclosures, key_binding) = rest.rsplit_once('~').unwrap_or(("", rest));
    let disclosures: Vec<&str> = disclosures.split('~').filter(|text| !text.is_empty()).collect();
    let joined = |jwt: &str, disclosures: &[String], key_binding: &str| {
        let mut parts = vec![jwt];
        parts.extend(disclosures.iter().map(String::as_str));
        parts.push(key_binding);
        parts.join("~")
    };
    let genuine: Vec<String> = disclosures.iter().map(ToString::to_string).collect();
    let mut mutations = Vec::new();
    for (name, jwt) in of_jws(jwt) {
        mutations.push((name, joined(&jwt, &genuine, key_binding)));
    }
    for (at, disclosure) in disclosures.iter().enumerate() {
        let bytes = base64url::decode(disclosure).expect("base64url");
        let mut items: Vec<Value> = serde_json::from_slice(&bytes).expect("a disclosure");
        let last = items.len() - 1;
        items[last] = json!("Mallory");
        let mut changed = genuine.clone();
        changed[at] = base64url::encode(Value::from(items).to_string());
        mutations.push((
            format!("disclosure {at}: another value"),
            joined(jwt, &changed, key_binding),
        ));
        if !key_binding.is_empty() {
            let mut fewer = genuine.clone();
            fewer.remove(at);
            mutations.push((format!("disclosure {at}: left out"), joined(jwt, &fewer, key_binding)));
        }
    }
    if !key_binding.is_empty() {
        for (name, key_binding) in of_jws(key_binding) {
            mutations.push((format!("key binding: {name}"), joined(jwt, &genuine, &key_binding)));
        }
    }
    mutations
}

/// Of a `COSE_Sign1` with its tag: bits of protected header, payload and signature, each part empty, the tag left out,
/// and `alg` where nothing protects it.
pub(crate) fn of_tagged_sign1(message: &[u8]) -> Vec<Mutation<Vec<u8>>> {
    const PLACES: usize = 12;
    let (tag, array) = message.split_first().expect("a tag");
    let Cbor::Array(parts) = cbor::decode_foreign(array, DEFAULT_LIMITS).expect("CBOR") else {
        panic!("no COSE_Sign1");
    };
    let with = |at: usize, part: Cbor| {
        let mut parts = parts.clone();
        parts[at] = part;
        [&[*tag], Cbor::Array(parts).to_vec().as_slice()].concat()
    };
    let mut mutations = vec![("no tag".to_owned(), array.to_vec())];
    for (at, name) in [(0, "protected header"), (2, "payload"), (3, "signature")] {
        let bytes = parts[at].as_bytes().expect("a byte string");
        for place in 0..PLACES {
            let place = place * (bytes.len() - 1) / (PLACES - 1);
            let mut changed = bytes.to_vec();
            changed[place] ^= 1;
            mutations.push((
                format!("bit of byte {place} of the {name}"),
                with(at, Cbor::bytes(changed)),
            ));
        }
        mutations.push((format!("no {name}"), with(at, Cbor::bytes([]))));
    }
    let protected = cbor::decode_foreign(parts[0].as_bytes().expect("a byte string"), DEFAULT_LIMITS).expect("a map");
    let mut unprotected = parts.clone();
    unprotected[0] = Cbor::bytes([]);
    unprotected[1] = protected;
    let unprotected = [&[*tag], Cbor::Array(unprotected).to_vec().as_slice()].concat();
    mutations.push(("the protected header unprotected".to_owned(), unprotected));
    mutations
}

/// A part of CBOR that some reader reads past: its name, its bytes, and the place of the byte to change.
pub(crate) type Part<'a> = (&'a str, &'a [u8], usize);

/// Of CBOR in base64url: another last bit of bytes at even distances, and of one in each of `parts`, so that it is the
/// same number each time. The version of a device response stays: nobody signs it, and who reads 1.0 reads 1.1.
pub(crate) fn of_cbor(text: &str, parts: &[Part<'_>]) -> Vec<Mutation<String>> {
    const COUNT: usize = 300;
    const VERSION: &[u8] = b"gversionc1.0";
    /// That of the mobile security object comes later, and is signed.
    const HEAD: usize = 64;
    let genuine = base64url::decode(text).expect("base64url");
    let find = |part: &[u8]| {
        let at = genuine.windows(part.len()).position(|window| window == part)?;
        Some(at..at + part.len())
    };
    let ranges: Vec<_> = parts.iter().map(|(_, part, _)| find(part).expect("the part")).collect();
    let version = find(VERSION).filter(|range| range.start < HEAD);
    let is_apart = |at: &usize| ranges.iter().chain(&version).any(|range| range.contains(at));
    let places: Vec<usize> = (0..genuine.len()).filter(|at| !is_apart(at)).collect();
    let changed = |at: usize| {
        let mut changed = genuine.clone();
        changed[at] ^= 1;
        base64url::encode(changed)
    };
    let even = (0..COUNT).map(|number| {
        let at = places[number * places.len() / COUNT];
        (format!("bit of byte {at}"), changed(at))
    });
    let of_parts = parts
        .iter()
        .zip(&ranges)
        .map(|((name, _, offset), range)| (format!("bit of {name}"), changed(range.start + offset)));
    even.chain(of_parts).collect()
}

/// Each value changed, each member and item left out.
fn of_json(document: &Value) -> Vec<Mutation<Value>> {
    let mut pointers = Vec::new();
    collect(document, "", &mut pointers);
    let mut mutations = Vec::new();
    for pointer in pointers {
        let mut changed = document.clone();
        if changed.pointer_mut(&pointer).is_some_and(change) {
            mutations.push((format!("{pointer} changed"), changed));
        }
        let mut changed = document.clone();
        remove(&mut changed, &pointer);
        mutations.push((format!("{pointer} left out"), changed));
    }
    mutations
}

/// Pointers to everything below `value`.
fn collect(value: &Value, pointer: &str, pointers: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    if !pointer.is_empty() {
        pointers.push(pointer.to_owned());
    }
    for (name, value) in below {
        collect(value, &format!("{pointer}/{name}"), pointers);
    }
}

/// Changes a value that is no object or array.
fn change(value: &mut Value) -> bool {
    let changed = match &*value {
        Value::String(text) => Some(json!(format!("{text}x"))),
        Value::Bool(boolean) => Some(json!(!boolean)),
        Value::Number(number) => number.as_i64().map(|number| json!(number + 1)),
        _ => None,
    };
    changed.map(|changed| *value = changed).is_some()
}

fn remove(document: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    match document.pointer_mut(parent).expect("a place in the document") {
        Value::Object(map) => {
            map.remove(&name.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(name.parse().expect("a position"));
        }
        _ => panic!("{pointer} has no parent"),
    }
}
