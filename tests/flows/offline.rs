//! `attestry verify` in a network namespace of its own, without even a loopback interface, comes to the same
//! verdicts as with a network.

use std::process::Command;

use e2e::Place;
use serde_json::Value;

use crate::by_hand::Hands;
use crate::by_hand::changed;

/// Whether this account may make network namespaces; in some containers it may not.
fn can_unshare() -> bool {
    let tried = Command::new("unshare").args(["-n", "true"]).output();
    let reason = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    println!("skipped: unshare -n is not permitted here: {reason}");
    false
}

/// Exit status and verdict of a command.
fn verdict(place: &Place, mut command: Command) -> (Option<i32>, Value) {
    place.dress(&mut command);
    let output = command.output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn verdicts_need_no_network() {
    if !can_unshare() {
        return;
    }
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", "X0000001A", &[]));
    let bundle = hands.bundle("trust.bundle");
    let request = hands.request_file("identity", "request.json");
    let presentation = hands.present_file(&request, "presentation.json");
    let tampered = changed(&place, &presentation, "tampered.json", |value| {
        let token = value.pointer_mut("/response/vp_token/identity/0").unwrap();
        let (jwt, rest) = token.as_str().unwrap().split_once('~').unwrap();
        *token = format!("{jwt}~{}", rest.replacen('W', "X", 1)).into();
    });
    let id = platform.client().credentials("population", None)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let _ = hands.ok(&["revoke", "--agency", "population", "--credential", &id]);
    let revoked = hands.bundle("revoked.bundle");
    platform.stop();

    let [bundle, revoked, presentation, tampered, request] =
        [&bundle, &revoked, &presentation, &tampered, &request].map(|path| path.to_str().unwrap());
    // A fixed time, so that both runs judge the same moment.
    let at = server::Clock::System.now();
    let (soon, next_year) = (at.to_rfc3339(), at.plus(300 * 86_400).to_rfc3339());
    let cases = [
        (bundle, presentation, soon.as_str(), "valid", 0),
        (bundle, tampered, &soon, "refused", 1),
        (revoked, presentation, &soon, "refused", 1),
        (bundle, presentation, &next_year, "", 1),
    ];
    for (bundle, presentation, at, expected, code) in cases {
        let arguments = [
            "verify",
            "--bundle",
            bundle,
            "--request",
            request,
            "--at",
            at,
            "--json",
            presentation,
        ];
        let with_network = verdict(&place, place.command(&arguments));
        let program = place.command(&[]).get_program().to_owned();
        let mut without = Command::new("unshare");
        without.arg("-n").arg(program).args(arguments);
        assert_eq!(verdict(&place, without), with_network, "{presentation} at {at}");
        assert_eq!(with_network.0, Some(code), "{}", with_network.1);
        if expected.is_empty() {
            assert_ne!(with_network.1["verdict"], "valid");
        } else {
            assert_eq!(with_network.1["verdict"], expected, "{}", with_network.1);
        }
    }
}
