//! What was changed on the way is refused: the page names the check that did not hold, and shows nothing of the registry.

use e2e::Browser;
use e2e::Place;
use e2e::Platform;
use e2e::Proxy;
use keys::PublicKey;
use keys::cbor;
use keys::cbor::Value;
use keys::json::Limits;
use serde_json::json;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;

use crate::approve;
use crate::visit;

const VERIFIED: &str = "Verified in this browser";
/// Members of a bundle: `spec/registry.md`, section 7.
const PROOF: u64 = 3;
const LEAF: u64 = 4;
const SECTIONS: u64 = 5;
const DOCUMENTS: u64 = 6;
/// Place of the accreditations among the sections.
const ACCREDITATIONS: usize = 2;

/// What the page asks for.
const BUNDLE: &str = "/registry/bundle?issuer=none&type=none";

fn members(bundle: &[u8]) -> Vec<(Value, Value)> {
    let limits = Limits {
        max_bytes: bundle.len(),
        max_depth: 8,
    };
    match cbor::decode(bundle, limits).unwrap() {
        Value::Map(members) => members,
        other => panic!("expected a bundle, found {other:?}"),
    }
}

/// The bundle with one member changed, in deterministic CBOR as before.
fn with(bundle: &[u8], member: u64, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut members = members(bundle);
    let found = members.iter_mut().find(|(key, _)| *key == Value::Unsigned(member));
    change(&mut found.unwrap().1);
    Value::Map(members).to_vec()
}

fn member(bundle: &[u8], number: u64) -> Value {
    let mut members = members(bundle).into_iter();
    members.find(|(key, _)| *key == Value::Unsigned(number)).unwrap().1
}

/// The proof with its lines changed.
fn with_proof(bundle: &[u8], change: impl Fn(&mut Vec<String>)) -> Vec<u8> {
    with(bundle, PROOF, |proof| {
        let mut lines = proof.as_text().unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        *proof = Value::text(lines.join("\n") + "\n");
    })
}

/// Another character of base64 in the middle of a line; the line stays what it was otherwise.
fn flip(line: &mut String) {
    let at = line.len() - 20;
    let other = if &line[at..=at] == "A" { "B" } else { "A" };
    line.replace_range(at..=at, other);
}

/// The page shows which check failed, and nothing of the registry.
fn expect_refusal(browser: &Browser, headline: &str, check: &str) {
    assert!(headline.starts_with("Refused: "), "{check}: {headline}");
    let evidence = browser.text("#evidence");
    assert!(evidence.contains(&format!("Check\n{check}\n")), "{check}: {evidence}");
    for told in ["Expected\n", "Found\n"] {
        assert!(evidence.contains(told), "{check}: {evidence}");
    }
    let page = browser.text("main");
    assert_eq!(
        page, "Nothing of the registry was verified, so nothing is shown.",
        "{check}"
    );
    assert_eq!(browser.run("return document.querySelectorAll('article').length"), 0);
}

/// A browser at a proxy of a platform.
struct Visit<'a> {
    browser: &'a Browser,
    platform: &'a Platform,
}

impl Visit<'_> {
    /// A page of which somebody changes what the path `changed` gives, seen for the first time.
    fn first(&self, changed: &'static str, change: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static) -> String {
        let proxy = Proxy::of(self.platform.client());
        proxy.change(move |path, body| if path.starts_with(changed) { change(body) } else { body });
        visit(self.browser, &proxy.url("/registry/"))
    }

    fn refuses(&self, check: &str, changed: &'static str, change: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static) {
        let headline = self.first(changed, change);
        expect_refusal(self.browser, &headline, check);
    }

    fn refuses_bundle(&self, check: &str, change: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static) {
        self.refuses(check, "/registry/bundle", change);
    }
}

/// The anchor with a key of the same name that nobody here has.
fn with_another_log_key(anchor: &[u8]) -> Vec<u8> {
    let mut anchor: serde_json::Value = serde_json::from_slice(anchor).unwrap();
    // RFC 8032, section 7.1, test 1.
    let key = PublicKey::from_multikey("z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw").unwrap();
    let key = VerifierKey::new(anchor["origin"].as_str().unwrap(), SignatureType::Ed25519, key).unwrap();
    anchor["log"] = key.to_string().into();
    anchor.to_string().into_bytes()
}

#[test]
fn what_was_changed_on_the_way_is_refused_by_its_check() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let visit = Visit {
        browser: &browser,
        platform: &platform,
    };
    assert_eq!(visit.first("nothing", |body| body), VERIFIED);
    let old = platform.client().get(BUNDLE).body;
    let suspend = json!({"type": "accreditation", "action": "suspend", "id": "transport-issues-drivinglicence"});
    approve(&place, &platform, &suspend);

    visit.refuses("anchor", "/registry/anchor", |_| b"{}".to_vec());
    visit.refuses("policies", "/registry/anchor", |anchor| with_another_log_key(&anchor));
    visit.refuses("digests", "/registry/anchor", |anchor| {
        let mut anchor: serde_json::Value = serde_json::from_slice(&anchor).unwrap();
        anchor["genesis"] = "5".repeat(64).into();
        anchor.to_string().into_bytes()
    });
    visit.refuses_bundle("form", |mut bundle| {
        bundle.push(0);
        bundle
    });
    // A section that comes to one byte more than it says.
    visit.refuses_bundle("form", |bundle| {
        with(&bundle, SECTIONS, |sections| {
            let Value::Array(sections) = sections else { panic!() };
            let Value::Map(packed) = &mut sections[ACCREDITATIONS] else {
                panic!()
            };
            let length = &mut packed[2].1;
            *length = Value::Unsigned(length.as_unsigned().unwrap() - 1);
        })
    });
    // A document under its digest, which no schema names.
    visit.refuses_bundle("attachments", |bundle| {
        let document = b"{}".to_vec();
        let packed = [
            Value::bytes(Hash::digest(&document).as_bytes().to_vec()),
            Value::Unsigned(0),
            Value::Unsigned(2),
            Value::bytes(document),
        ];
        let packed = Value::Map((1..).map(Value::Unsigned).zip(packed).collect());
        with(&bundle, DOCUMENTS, |documents| {
            *documents = Value::Array(vec![packed.clone()]);
        })
    });
    // The accreditation as it was before it was suspended, in a bundle of now.
    let before = member(&old, SECTIONS).as_array().unwrap()[ACCREDITATIONS].clone();
    visit.refuses_bundle("digests", move |bundle| {
        with(&bundle, SECTIONS, |sections| {
            let Value::Array(sections) = sections else { panic!() };
            sections[ACCREDITATIONS] = before.clone();
        })
    });
    // All of the state as it was, under the checkpoint of now.
    let proof = member(&platform.client().get(BUNDLE).body, PROOF);
    let before = old.clone();
    visit.refuses_bundle("proof", move |_| with(&before, PROOF, |value| *value = proof.clone()));
    // And with a true proof that the Snapshot of then is in the tree of now: entries after it are kept from the reader.
    let leaf = member(&old, LEAF);
    let target = format!("/registry/entries/{}", leaf_hash(leaf.as_bytes().unwrap()));
    let proof = platform.client().get(&target).text();
    let before = old.clone();
    visit.refuses_bundle("last", move |_| {
        with(&before, PROOF, |value| *value = Value::text(&*proof))
    });
    visit.refuses_bundle("proof", |bundle| {
        with_proof(&bundle, |lines| {
            let hash = lines.iter_mut().find(|line| line.len() == 44).unwrap();
            flip(hash);
        })
    });
    // The last lines of a proof are the log's signature and the witness's.
    visit.refuses_bundle("proof", |bundle| {
        with_proof(&bundle, |lines| {
            let at = lines.len() - 2;
            flip(&mut lines[at]);
        })
    });
    visit.refuses_bundle("witnesses", |bundle| {
        with_proof(&bundle, |lines| flip(lines.last_mut().unwrap()))
    });
    visit.refuses_bundle("witnesses", |bundle| {
        with_proof(&bundle, |lines| {
            lines.pop();
        })
    });
    visit.refuses("log", "/registry/tile/entries/", |mut tile| {
        let last = tile.len() - 1;
        tile[last] ^= 1;
        tile
    });
    platform.stop();
}

#[test]
fn a_browser_that_has_been_here_takes_no_other_anchor_and_nothing_older() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let proxy = Proxy::of(platform.client());
    let url = proxy.url("/registry/");
    let old = platform.client().get(BUNDLE).body;
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(visit(&browser, &url), VERIFIED);

    // By itself it holds, as at a first visit; here a newer one was seen.
    proxy.change(move |path, body| if path == BUNDLE { old.clone() } else { body });
    expect_refusal(&browser, &visit(&browser, &url), "memory");
    assert!(browser.text("#evidence").contains("rollback"));
    proxy.change(|path, body| {
        if path == "/registry/anchor" {
            return with_another_log_key(&body);
        }
        body
    });
    expect_refusal(&browser, &visit(&browser, &url), "anchor");
    // Neither has changed what is remembered.
    proxy.change(|_, body| body);
    assert_eq!(visit(&browser, &url), VERIFIED);
    let remember = |change: &str| {
        let script = format!(
            "const key = 'attestry/registry/v1'; const memory = JSON.parse(localStorage.getItem(key)); {change};
            localStorage.setItem(key, JSON.stringify(memory));"
        );
        browser.run(&script)
    };
    // Another tree of an earlier size: the one of now does not continue it.
    let _ = remember("memory.seen.root = '5'.repeat(64); memory.seen.size -= 1");
    expect_refusal(&browser, &visit(&browser, &url), "memory");
    // What cannot be read is not taken for nothing.
    let _ = remember("delete memory.anchor");
    expect_refusal(&browser, &visit(&browser, &url), "memory");

    // The person decides to begin anew, with two presses.
    for _ in 0..2 {
        let _ = browser.run("document.querySelector('#evidence button').click()");
    }
    browser.until("document.querySelector('.verdict')?.classList.contains('verified')");
    assert!(browser.text(".verdict .warning").contains("first visit"));
    platform.stop();
}

/// Browsers have it from about version 150 of Chromium on.
fn has_ml_dsa(browser: &Browser) -> bool {
    let found = browser.run_async(
        "const pair = await crypto.subtle.generateKey('ML-DSA-44', false, ['sign', 'verify']).catch(() => null);
         return pair !== null;",
    );
    found == true
}

/// Where the Policy names a key of ML-DSA-44, the checkpoint needs its signature as well.
#[test]
fn second_signature_of_the_log_is_demanded_by_the_browser_too() {
    const SECOND: usize = 2_000;
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample", "--ml-dsa"]);
    let visit = Visit {
        browser: &browser,
        platform: &platform,
    };
    let headline = visit.first("nothing", |body| body);
    if !has_ml_dsa(&browser) {
        // Whoever cannot check it believes nothing, and is told why.
        expect_refusal(&browser, &headline, "proof");
        let why = browser.text("#evidence");
        assert!(why.contains("a browser that checks the ML-DSA-44 signature"), "{why}");
        return;
    }
    assert_eq!(headline, VERIFIED);
    visit.refuses_bundle("proof", |bundle| {
        with_proof(&bundle, |lines| {
            let before = lines.len();
            lines.retain(|line| line.len() < SECOND);
            assert_eq!(lines.len(), before - 1);
        })
    });
    visit.refuses_bundle("proof", |bundle| {
        with_proof(&bundle, |lines| {
            flip(lines.iter_mut().find(|line| line.len() > SECOND).unwrap());
        })
    });
}

#[test]
fn the_bundle_of_another_registry_is_refused() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let abroad = Place::new();
    let other = abroad.up(&["--sample", "--origin", "registry.abroad.example"]);
    let visit = Visit {
        browser: &browser,
        platform: &platform,
    };
    let bundle = other.client().get(BUNDLE).body;
    visit.refuses_bundle("origin", move |_| bundle.clone());
    other.stop();
    platform.stop();
}

#[test]
fn a_wrong_clock_and_a_bundle_that_has_expired_are_refused() {
    for days in [-1, 366 * 30] {
        let Some(browser) = Browser::start() else { return };
        let place = Place::new();
        let platform = place.up(&["--sample"]);
        let url = format!("{}/registry/", platform.url());
        assert_eq!(visit(&browser, &url), VERIFIED);
        browser.before_each_page(&format!(
            "const now = Date.now; Date.now = () => now() + {days} * 86_400_000;"
        ));
        expect_refusal(&browser, &visit(&browser, &url), "clock");
        platform.stop();
    }
}

/// Whatever bit of a bundle is changed, some check fails, by the page's own code with the browser's cryptography; or it was
/// one of the bits that fill the last byte of a compressed section, which says nothing.
#[test]
fn no_changed_byte_of_a_bundle_makes_another_one() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    assert_eq!(visit(&browser, &format!("{}/registry/", platform.url())), VERIFIED);
    let changed = browser.run_async(
        "const { readAnchor, verifyBundle } = await import('/registry/pages/bundle.js');
        const { hex } = await import('/registry/pages/bytes.js');
        const anchor = await readAnchor(await (await fetch('/registry/anchor')).text());
        const bytes = new Uint8Array(await (await fetch('/registry/bundle?issuer=none&type=none')).arrayBuffer());
        const said = ({ snapshot, checkpoint }) => hex(snapshot.state) + checkpoint.text;
        const genuine = said(await verifyBundle(bytes, anchor, () => {}));
        const checks = {};
        for (let at = 0; at < bytes.length; at += 7) {
            bytes[at] ^= 1 << (at % 8);
            const taken = (bundle) => (said(bundle) === genuine ? 'the same' : `another at ${at}`);
            const check = await verifyBundle(bytes, anchor, () => {}).then(taken, (error) => error.check ?? String(error));
            checks[check] = (checks[check] ?? 0) + 1;
            bytes[at] ^= 1 << (at % 8);
        }
        return checks;",
    );
    let checks = changed.as_object().unwrap();
    let known = [
        "form",
        "origin",
        "digests",
        "policies",
        "proof",
        "witnesses",
        "last",
        "the same",
    ];
    let unknown: Vec<&String> = checks.keys().filter(|check| !known.contains(&check.as_str())).collect();
    assert!(unknown.is_empty(), "{checks:?}");
    assert!(
        checks.contains_key("form") && checks.contains_key("proof"),
        "{checks:?}"
    );
    platform.stop();
}
