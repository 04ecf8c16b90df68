//! The chain of Policies is checked signature by signature: it is what everything else hangs on.

use e2e::Browser;
use e2e::LogView;
use e2e::Place;
use serde_json::Value;
use serde_json::json;

use crate::approve;
use crate::visit;

/// Changes of the later Policy's record, each breaking one rule: what it is about, and JavaScript that does it.
const CHANGES: [(&str, &str); 8] = [
    ("fewer signatures than the threshold", "approval.get(4).pop()"),
    ("a signature that does not verify", "approval.get(4)[0].get(3)[40] ^= 1"),
    ("a signer who is no officer", "approval.get(4)[1].set(1, 'officer-9')"),
    ("an approval under no Policy", "approval.get(1)[0] ^= 1"),
    ("an approval that has expired", "record.set(3, approval.get(3))"),
    (
        "an approval for longer than thirty days",
        "approval.set(3, record.get(3) + 31 * 86_400)",
    ),
    ("another threshold than was signed", "entry.get(7).get(2)[0].set(2, 3)"),
    ("another Policy before it", "entry.get(6)[0] ^= 1"),
];

#[test]
fn a_chain_of_policies_holds_only_as_it_was_approved() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let governing = bundle.state().policy().unwrap().body().governing().unwrap();
    let officers: Vec<Value> = governing
        .officers
        .iter()
        .map(|officer| json!({"id": officer.id, "key": officer.key.to_multikey()}))
        .collect();
    let authority = |id: &str, officers: &[Value]| json!({"id": id, "threshold": 2, "officers": officers});
    // The first two govern from now on.
    let body = json!({
        "type": "policy", "action": "authorities", "authorities": [authority(&governing.id, &officers[..2])],
    });
    approve(&place, &platform, &body);
    let url = format!("{}/registry/#/policy", platform.url());
    assert_eq!(visit(&browser, &url), "Verified in this browser");
    assert!(browser.text("#view").contains("number 2 of 2 in the chain"));

    let judged = |change: &str| {
        browser.run_async(&format!(
            "const {{ readAnchor, verifyBundle }} = await import('/registry/pages/bundle.js');
            const {{ decode, encode }} = await import('/registry/pages/cbor.js');
            const {{ verifyPolicies }} = await import('/registry/pages/policies.js');
            const anchor = await readAnchor(await (await fetch('/registry/anchor')).text());
            const bytes = new Uint8Array(await (await fetch('/registry/bundle?issuer=none&type=none')).arrayBuffer());
            const {{ state }} = await verifyBundle(bytes, anchor, () => {{}});
            const [genesis, later] = [...state.get(0).values()];
            const entry = decode(later.leaf.slice());
            const record = new Map([[3, later.time]]);
            const approval = entry.get(8);
            {change};
            const changed = {{ leaf: encode(entry), time: record.get(3) }};
            return verifyPolicies([genesis, changed], anchor).then(() => 'taken', (error) => error.check);"
        ))
    };
    assert_eq!(judged(""), "taken");
    for (what, change) in CHANGES {
        assert_eq!(judged(change), "policies", "{what}");
    }
    platform.stop();
}
