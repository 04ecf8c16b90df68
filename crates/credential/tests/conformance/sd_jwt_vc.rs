//! The examples of the SD-JWT VC draft. They come as descriptions (claims, which of them are disclosable, which
//! are disclosed), from which we issue, present and read back.

use std::fs;

use credential::ClaimPath;
use credential::SdJwtVc;
use credential::Unverified;
use credential::sd_jwt::Decoys;
use credential::sd_jwt_vc::NewCredential;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::vectors;

/// The part of YAML that the descriptions use: nested maps and lists by indentation, scalars, and the tag `!sd`.
struct Description<'a> {
    lines: Vec<(usize, &'a str)>,
    next: usize,
    /// Path of everything tagged `!sd`.
    disclosable: Vec<Value>,
}

impl<'a> Description<'a> {
    fn read(text: &'a str) -> (Value, Vec<Value>) {
        let lines = text
            .lines()
            .map(|line| (line.len() - line.trim_start().len(), line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let mut description = Self {
            lines,
            next: 0,
            disclosable: Vec::new(),
        };
        let value = description.block(0, &[]);
        (value, description.disclosable)
    }

    /// The block that begins at the next line, whose indentation is at least `indent`.
    fn block(&mut self, indent: usize, path: &[Value]) -> Value {
        let Some((own, first)) = self.lines.get(self.next).copied().filter(|(own, _)| *own >= indent) else {
            return Value::Null;
        };
        let (mut map, mut list) = (Map::new(), Vec::new());
        while let Some((_, line)) = self.lines.get(self.next).copied().filter(|(this, _)| *this == own) {
            if let Some(item) = line.strip_prefix("- ") {
                self.next += 1;
                list.push(scalar(item));
            } else if first.starts_with("- ") {
                break;
            } else {
                self.member(own, line, path, &mut map);
            }
        }
        if first.starts_with("- ") {
            Value::Array(list)
        } else {
            Value::Object(map)
        }
    }

    fn member(&mut self, indent: usize, line: &str, path: &[Value], map: &mut Map<String, Value>) {
        let (name, rest) = line.split_once(':').unwrap();
        let (tagged, name) = name.strip_prefix("!sd ").map_or((false, name), |name| (true, name));
        let name = name.trim_matches('"');
        let path = [path, &[Value::from(name)]].concat();
        if tagged {
            self.disclosable.push(Value::Array(path.clone()));
        }
        self.next += 1;
        let value = match rest.trim() {
            // A list may stand at the indentation of its name.
            "" if self
                .lines
                .get(self.next)
                .is_some_and(|(_, line)| line.starts_with("- ")) =>
            {
                self.block(indent, &path)
            }
            "" => self.block(indent + 1, &path),
            text => scalar(text),
        };
        map.insert(name.to_owned(), value);
    }
}

fn scalar(text: &str) -> Value {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match quoted('"').or_else(|| quoted('\'')) {
        Some(text) => Value::from(text),
        None => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
    }
}

/// The path of every `true`.
fn paths_of_true(value: &Value, path: &[Value], found: &mut Vec<Value>) {
    let mut below = |component: Value, value| paths_of_true(value, &[path, &[component]].concat(), found);
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(name, value)| below(Value::from(name.as_str()), value)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| below(Value::from(index), value)),
        Value::Bool(true) => found.push(Value::Array(path.to_vec())),
        _ => (),
    }
}

fn paths(values: Vec<Value>) -> Vec<ClaimPath> {
    serde_json::from_value(Value::Array(values)).unwrap()
}

/// What is left of `claims` when only `shown` of the `disclosable` claims are: the expectation, made without our
/// own selection.
fn visible(claims: &Value, path: &[Value], disclosable: &[Value], shown: &[Value]) -> Value {
    let Value::Object(map) = claims else {
        return claims.clone();
    };
    let mut left = Map::new();
    for (name, value) in map {
        let path = [path, &[Value::from(name.as_str())]].concat();
        let array = Value::Array(path.clone());
        let is_prefix = |one: &[Value], other: &Value| other.as_array().unwrap().starts_with(one);
        // Shown itself, below something shown, or on the way to something shown.
        let is_shown = shown
            .iter()
            .any(|shown| is_prefix(&path, shown) || is_prefix(shown.as_array().unwrap(), &array));
        if !disclosable.contains(&array) || is_shown {
            left.insert(name.clone(), visible(value, &path, disclosable, shown));
        }
    }
    Value::Object(left)
}

fn run(folder: &str) {
    let Some(root) = vectors::folder("sd-jwt-vc") else {
        return;
    };
    let description = fs::read_to_string(root.join(folder).join("specification.yml")).unwrap();
    let (specification, tagged) = Description::read(&description);
    let disclosable: Vec<Value> = tagged
        .iter()
        .map(|path| Value::from(&path.as_array().unwrap()[1..]))
        .collect();
    assert!(disclosable.len() >= 9, "{folder}: {}", disclosable.len());
    let mut shown = Vec::new();
    paths_of_true(&specification["holder_disclosed_claims"], &[], &mut shown);

    let rng = &mut signer::os_rng();
    let (issuer, holder) = (
        SoftwareKey::generate(Algorithm::Es256, rng),
        SoftwareKey::generate(Algorithm::Es256, rng),
    );
    let key_binding = specification["key_binding"] == true;
    let jwk = key_binding.then(|| holder.public_key().to_jwk());
    let mut claims = specification["user_claims"].as_object().unwrap().clone();
    let vct = claims.remove("vct").unwrap();
    let iss = claims
        .remove("iss")
        .unwrap_or_else(|| json!("https://example.com/issuer"));
    let iss = iss.as_str().unwrap();
    let credential = NewCredential {
        issuer: iss,
        key_id: "doc-signer-05-25-2022",
        vct: vct.as_str().unwrap(),
        type_integrity: None,
        other_types: &[],
        holder: jwk.as_ref(),
        issued_at: Timestamp::from_unix(1_683_000_000),
        valid_from: None,
        valid_until: Some(Timestamp::from_unix(1_883_000_000)),
        status: None,
        claims: &claims,
        disclosable: &paths(disclosable.clone()),
        decoys: Decoys::None,
    };
    let text = fulfil(&issuer, credential.issue(Algorithm::Es256, rng).unwrap()).unwrap();
    assert_eq!(text.matches('~').count(), disclosable.len() + 1);

    let now = Timestamp::from_unix(1_783_000_000);
    let hold = |text: &str| {
        let unverified = Unverified::<SdJwtVc>::parse(text).unwrap();
        unverified
            .authenticate(issuer.public_key(), iss, now)
            .unwrap()
            .hold_issued()
            .unwrap()
    };
    let presentation = hold(&text).present(&paths(shown.clone())).unwrap().into_unbound();
    let mut presented = hold(&presentation).claims().clone();
    for registered in ["iss", "vct", "iat", "exp"] {
        assert!(presented.remove(registered).is_some(), "{registered}");
    }
    assert_eq!(presented.remove("cnf").is_some(), key_binding);
    assert_eq!(
        Value::Object(presented),
        visible(&Value::Object(claims), &[], &disclosable, &shown),
        "{folder}"
    );
}

#[test]
fn example_with_key_binding() {
    run("01");
}

#[test]
fn example_without_key_binding() {
    run("02");
}

#[test]
fn example_of_a_pid() {
    run("03-pid");
}
