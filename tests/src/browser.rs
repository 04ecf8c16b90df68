//! A real Chromium, driven by the [WebDriver protocol](https://www.w3.org/TR/webdriver2/): JSON over plain HTTP, so that no
//! client library is needed for the dozen commands that the tests give.

use std::ffi::OsString;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::Request;
use crate::eventually;

/// Longer than a browser and a page need on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Says on which port the driver listens.
const LISTENING: &str = "started successfully on port ";
/// Nothing but the page under test: no sandbox of its own (the tests may run as root), no calls home.
const ARGUMENTS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
];

/// A browser with a profile of its own, which is removed with this value.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// Starts one; none where there is no Chromium.
    #[must_use]
    pub fn start() -> Option<Self> {
        if !["chromium", "chromedriver"].into_iter().all(is_on_path) {
            let is_required = std::env::var("ATTESTRY_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
            assert!(!is_required, "expected chromium and chromedriver on the path");
            println!("skipped: no chromium with its chromedriver");
            return None;
        }
        let profile = tempfile::Builder::new().prefix("attestry-browser-").tempdir().unwrap();
        let mut command = Command::new("chromedriver");
        // What the browser leaves behind goes with the profile.
        let mut driver = command
            .arg("--port=0")
            .env("TMPDIR", profile.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port = port_of(&mut driver);
        let mut browser = Self {
            driver,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            session: String::new(),
            profile,
        };
        let folder = browser.profile.path().display();
        let mut arguments = vec![format!("--user-data-dir={folder}")];
        arguments.extend(ARGUMENTS.map(str::to_owned));
        let capabilities = json!({"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }});
        let begun = browser.command("/session", &json!({"capabilities": capabilities}));
        begun["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        Some(browser)
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        // The same page with another fragment would not be loaded anew.
        self.in_session("/url", &json!({"url": "about:blank"}));
        self.in_session("/url", &json!({"url": url}));
    }

    /// What a function body with this text returns in the page.
    #[must_use]
    pub fn run(&self, script: &str) -> Value {
        self.in_session("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What the body of an asynchronous function with this text returns.
    #[must_use]
    pub fn run_async(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {script} }})().then(done, (error) => done(String(error)));"
        );
        self.in_session("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true in the page.
    pub fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        eventually(expression, PATIENCE, || (self.run(&script) == true).then_some(()));
    }

    /// The text of the first element that a selector finds, as it is seen; empty where there is none.
    #[must_use]
    pub fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({})?.innerText ?? ''", json!(selector));
        self.run(&script).as_str().unwrap().to_owned()
    }

    /// Makes the page this wide, as on a phone below 500 pixels.
    pub fn resize(&self, width: u32) {
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500});
        let _ = self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Runs a script in every page from now on before its own.
    pub fn before_each_page(&self, script: &str) {
        let _ = self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": script}));
    }

    /// What the browser has complained of since the last call: errors of scripts, violations of the page's policy.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let logged = self.in_session("/se/log", &json!({"type": "browser"}));
        let logged = logged.as_array().unwrap().iter();
        let bad = logged.filter(|entry| ["SEVERE", "WARNING"].iter().any(|level| entry["level"] == *level));
        bad.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// A command of the [DevTools protocol](https://chromedevtools.github.io/devtools-protocol/).
    fn devtools(&self, name: &str, parameters: &Value) -> Value {
        self.in_session("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    fn in_session(&self, path: &str, body: &Value) -> Value {
        self.command(&format!("/session/{}{path}", self.session), body)
    }

    fn command(&self, target: &str, body: &Value) -> Value {
        let answer = Request::post_json(target, body).send(self.address).unwrap();
        answer.expect(200)["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with its session.
        let request = Request::new("DELETE", &format!("/session/{}", self.session));
        request.send(self.address).ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}

fn is_on_path(program: &str) -> bool {
    let path: OsString = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

/// The port that the driver says it took. Whatever it says later is read and dropped, so that it never waits for a reader.
fn port_of(driver: &mut Child) -> u16 {
    let stdout = driver.stdout.take().unwrap();
    let (said, hear) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once(LISTENING) {
                said.send(port.trim_end_matches('.').parse()).ok();
            }
        }
    });
    hear.recv_timeout(PATIENCE).unwrap().unwrap()
}
