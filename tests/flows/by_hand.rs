//! What a person and an officer type, as the README has it; each command is a process of its own.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use e2e::Outcome;
use e2e::Place;
use e2e::Platform;
use serde_json::Value;

/// Commands of one person against one platform.
pub(crate) struct Hands<'a> {
    pub(crate) place: &'a Place,
    pub(crate) platform: &'a Platform,
}

/// Runs with the sample's platform, and a person with an empty wallet.
pub(crate) fn with_wallet(run: impl FnOnce(&Hands<'_>)) {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);
    run(&hands);
    platform.stop();
}

impl Hands<'_> {
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.platform.run(self.place, arguments)
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> Value {
        self.run(arguments).expect(0).clone()
    }

    pub(crate) fn offer(&self, agency: &str, credential_type: &str, subject: &str, more: &[&str]) -> String {
        let mut arguments = vec!["offer", "create", "--agency", agency, "--type", credential_type];
        arguments.extend(["--subject", subject]);
        arguments.extend(more);
        text(&self.ok(&arguments)["offer"])
    }

    /// Accepts an offer and returns the wallet's id of what came.
    pub(crate) fn accept(&self, offer: &str) -> String {
        text(&self.ok(&["wallet", "accept", offer])["received"][0]["id"])
    }

    /// Fetches a bundle into a file of this name.
    pub(crate) fn bundle(&self, name: &str) -> PathBuf {
        let path = self.place.path(name);
        let fetched = self.ok(&["bundle", "fetch", self.platform.url(), "--out", path.to_str().unwrap()]);
        assert!(fetched["size"].as_u64().unwrap() > 0, "{fetched}");
        path
    }

    /// A self-contained request in a file of this name.
    pub(crate) fn request_file(&self, query: &str, name: &str) -> PathBuf {
        let path = self.place.path(name);
        let out = path.to_str().unwrap();
        let _ = self.ok(&["verifier", "request", "--offline", "--query", query, "--out", out]);
        path
    }

    /// Answers a request file with a presentation file of this name.
    pub(crate) fn present_file(&self, request: &Path, name: &str) -> PathBuf {
        let path = self.place.path(name);
        let (request, out) = (request.to_str().unwrap(), path.to_str().unwrap());
        let _ = self.ok(&["wallet", "present", request, "--out", out, "--yes"]);
        path
    }

    /// Asks online, answers with the wallet, and reads the verdict.
    pub(crate) fn ask_and_answer(&self, query: &str, more: &[&str]) -> Value {
        let mut arguments = vec!["verifier", "request", "--query", query];
        arguments.extend(more);
        let asked = self.ok(&arguments);
        let id = text(&asked["id"]);
        assert_eq!(self.ok(&["verifier", "result", &id])["state"], "requested");
        let presented = self.ok(&["wallet", "present", &text(&asked["request"]), "--yes"]);
        assert_eq!(presented["presented"], true);
        let result = self.ok(&["verifier", "result", &id]);
        assert_eq!(result["state"], "answered");
        result["verdict"].clone()
    }
}

/// `attestry verify`, which needs no platform.
pub(crate) fn verify(place: &Place, bundle: &Path, request: Option<&Path>, presentation: &Path) -> Outcome {
    let mut arguments = vec!["verify", "--bundle", bundle.to_str().unwrap()];
    if let Some(request) = request {
        arguments.extend(["--request", request.to_str().unwrap()]);
    }
    arguments.push(presentation.to_str().unwrap());
    place.run(&arguments)
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("expected text, found {value}"))
        .to_owned()
}

/// Changes the JSON of a file into that of another.
pub(crate) fn changed(place: &Place, from: &Path, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut value: Value = serde_json::from_slice(&fs::read(from).unwrap()).unwrap();
    change(&mut value);
    let path = place.path(name);
    fs::write(&path, value.to_string()).unwrap();
    path
}
