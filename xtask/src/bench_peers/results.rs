//! `benches/RESULTS.md`: the table, and what it was measured on.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use serde_json::Value;

use crate::bench_peers::Turns;

/// From this heading on the page is written by hand, and kept.
const BY_HAND: &str = "## Where the rest goes\n";

/// How many times faster than these peers a row has to be.
const FASTER: [(&str, f64, &[&str]); 2] = [
    ("eddsa-rdfc-2022/verify", 10.0, &["ssi", "@digitalbazaar/vc"]),
    ("bbs-2023/verify", 2.0, &["ssi"]),
];

/// Less than so many allocations.
const ALLOCATIONS: (&str, u64) = ("dc+sd-jwt/verify", 60);

/// Above this load at its end, the run had company: it is one program at a time.
const QUIET: f64 = 1.5;

const HEAD: &str = "\
# Results

Made by `cargo xtask bench-peers`; only the last part is written by hand.

";

const NOTES: &str = "
Raw is the same cryptography over the same bytes with the same prepared keys: every signature that the format makes or checks (`verify_strict` of ed25519-dalek, ECDSA of aws-lc-rs, BBS of `crates/keys`), and for ecdsa-sd-2023 the making of the key that signs statements. Ours and the peers take turns of 40 ms, one at a time on the same machine; each figure is the tenth percentile of the turns.

Peers verify the bytes that we issued, from text to verdict, and were first seen to refuse them when they were tampered with. They issue the same claims under the same keys. Contexts lie in memory for all. Some do less than we do:

- isomdl does not compare the data elements with the digests that the issuer signed. The signer's path to its anchor is left out on both sides.
- @sd-jwt/core and the Python package read past a disclosure that no digest names, where RFC 9901 has it refused.
- The VC API of @digitalbazaar/vc takes an object: parsing is added to it. It reads the issuer's key anew for each credential, since its suites offer no other way.
- Derived proofs of ecdsa-sd-2023 and bbs-2023 are those that we derived. ssi refuses that of bbs-2023: it verifies no proof over a credential without an `id`, whoever made it, W3C's vectors included. It verifies one that it derived itself of the same credential with an `id`; its keys of BBS have another form, but are the same.
";

/// A row of the table, and its turns so far.
pub(super) struct Row {
    pub(super) id: String,
    name: String,
    bound: Option<f64>,
    allocations: u64,
    turns: Turns,
}

impl Row {
    pub(super) fn new(described: &Value) -> Option<Self> {
        Some(Self {
            id: described.get("id")?.as_str()?.to_owned(),
            name: described.get("name")?.as_str()?.to_owned(),
            bound: described.get("bound")?.as_f64(),
            allocations: described.get("allocations")?.as_u64()?,
            turns: Turns::new(),
        })
    }

    pub(super) fn add(&mut self, turns: Turns) {
        for (name, more) in turns {
            self.turns.entry(name).or_default().extend(more);
        }
    }

    /// For who waits.
    pub(super) fn summary(&self) -> String {
        format!("{}: {:.2} times raw{}", self.name, self.ratio(), self.peers("; "))
    }

    /// Nanoseconds: the tenth percentile.
    fn figure(&self, name: &str) -> f64 {
        let mut turns = self.turns.get(name).cloned().unwrap_or_default();
        turns.sort_by(f64::total_cmp);
        turns.get(turns.len() / 10).copied().unwrap_or(f64::NAN)
    }

    fn ratio(&self) -> f64 {
        self.figure("ours") / self.figure("raw")
    }

    fn times_ours(&self, peer: &str) -> f64 {
        self.figure(peer) / self.figure("ours")
    }

    fn peers(&self, before: &str) -> String {
        let peers = self
            .turns
            .keys()
            .filter(|name| !["ours", "raw"].contains(&name.as_str()));
        peers.fold(String::new(), |mut text, peer| {
            let (time, times) = (time(self.figure(peer)), self.times_ours(peer));
            // Infallible: it is a string.
            let _ = write!(text, "{before}{peer} {time}, {times:.1} times ours");
            text
        })
    }

    /// What is promised, and whether it is kept.
    fn bounds(&self) -> [String; 2] {
        let (mut bounds, mut kept, mut measured) = (Vec::new(), true, true);
        if let Some(bound) = self.bound {
            bounds.push(format!("{bound:.2} x raw"));
            kept &= self.ratio() <= bound;
        }
        for (_, times, peers) in FASTER.iter().filter(|(id, ..)| *id == self.id) {
            bounds.push(format!("{times} times faster than {}", peers.join(" and ")));
            measured &= peers.iter().all(|peer| self.turns.contains_key(*peer));
            kept &= peers.iter().all(|peer| self.times_ours(peer) >= *times);
        }
        if ALLOCATIONS.0 == self.id {
            bounds.push(format!("under {} allocations", ALLOCATIONS.1));
            kept &= self.allocations < ALLOCATIONS.1;
        }
        let answer = match (bounds.is_empty(), measured, kept) {
            (true, ..) => "",
            (_, false, _) => "not measured",
            (.., true) => "yes",
            (.., false) => "**no**",
        };
        [bounds.join("; "), answer.to_owned()]
    }

    fn line(&self) -> String {
        let [bounds, kept] = self.bounds();
        let peers = self.peers("<br>");
        format!(
            "| {} | {} | {} | {:.2} | {bounds} | {kept} | {} | {} |\n",
            self.name,
            time(self.figure("ours")),
            time(self.figure("raw")),
            self.ratio(),
            self.allocations,
            peers.strip_prefix("<br>").unwrap_or_default(),
        )
    }
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 1e6 {
        format!("{:.1} us", nanoseconds / 1e3)
    } else {
        format!("{:.2} ms", nanoseconds / 1e6)
    }
}

/// Writes the page.
///
/// # Errors
/// When a version cannot be found out, or the page cannot be written.
pub(super) fn write(root: &Path, python: &Path, rows: &[Row]) -> Result<()> {
    let path = root.join("benches/RESULTS.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let by_hand = before.find(BY_HAND).and_then(|at| before.get(at..)).unwrap_or(BY_HAND);
    let load: f64 = first_word(&fs::read_to_string("/proc/loadavg")?)
        .parse()
        .context("expected a load in /proc/loadavg")?;
    let mut page = HEAD.to_owned();
    if load > QUIET {
        let _ = write!(
            page,
            "**Under load**: at the end {load} programs wanted to run, where the measuring is one. Times are too long; ratios are off by some hundredths.\n\n"
        );
    }
    page.push_str(
        "| Work | Ours | Raw | Ours / raw | Bound | Kept | Allocations | Peers |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        page.push_str(&row.line());
    }
    page.push_str(NOTES);
    page.push_str(&machine(load)?);
    page.push_str(&versions(root, python)?);
    page.push_str(by_hand);
    fs::write(&path, page).with_context(|| format!("writing {}", path.display()))
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn machine(load: f64) -> Result<String> {
    let of = |path: &str, name: &str| -> Result<String> {
        let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned());
        value.with_context(|| format!("expected {name} in {path}"))
    };
    let kilobytes: u64 = first_word(&of("/proc/meminfo", "MemTotal")?).parse()?;
    // They make SHA-256 several times as fast, and what is not signatures is SHA-256 before all.
    let has_sha = of("/proc/cpuinfo", "flags")?
        .split_whitespace()
        .any(|flag| flag == "sha_ni");
    Ok(format!(
        "\n## Machine\n\n{} {} instructions for SHA-256, {} cores, {} GiB of memory, Linux {}. {}; load at the end {load}.\n",
        of("/proc/cpuinfo", "model name")?,
        if has_sha { "with" } else { "without" },
        std::thread::available_parallelism()?,
        kilobytes / (1 << 20),
        fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        today(),
    ))
}

#[expect(clippy::disallowed_methods, reason = "the page says when it was made")]
fn today() -> String {
    jiff::Timestamp::now().strftime("%F").to_string()
}

fn versions(root: &Path, python: &Path) -> Result<String> {
    let ours = locked(
        &root.join("Cargo.lock"),
        &[
            "ed25519-dalek",
            "curve25519-dalek",
            "aws-lc-rs",
            "bls12_381",
            "blst",
            "sha2",
        ],
    )?;
    let peers = locked(
        &root.join("benches/peers/Cargo.lock"),
        &["ssi-claims", "isomdl", "ed25519-dalek", "p256", "zkryptium"],
    )?;
    let npm = fs::read(root.join("tests/interop/package-lock.json")).context("reading the lock of npm")?;
    let npm: Value = serde_json::from_slice(&npm)?;
    let npm = npm
        .get("packages")
        .and_then(Value::as_object)
        .context("expected packages of npm")?;
    let npm = npm.iter().filter_map(|(path, package)| {
        let name = path.strip_prefix("node_modules/")?;
        let measured = name.starts_with("@digitalbazaar/") || name.starts_with("@sd-jwt/");
        measured.then(|| {
            format!(
                "{name} {}",
                package.get("version").and_then(Value::as_str).unwrap_or("?")
            )
        })
    });
    let npm: Vec<String> = npm.collect();
    let pip = fs::read_to_string(root.join("tests/interop/requirements.txt")).context("reading the list of PyPI")?;
    let pip = pip
        .lines()
        .filter(|line| line.contains("=="))
        .map(|line| line.replace("==", " "));
    let pip: Vec<String> = pip.collect();
    Ok(format!(
        "\n## Versions\n\n- {}; optimized with thin LTO on both sides\n- Ours: {}\n- Rust peers: {} (the parts of ssi 0.16.0)\n- Node {}: {}\n- {}: {}\n\n",
        asked(Command::new("rustc"))?,
        ours.join(", "),
        peers.join(", "),
        asked(Command::new("node"))?,
        npm.join(", "),
        asked(Command::new(python))?,
        pip.join(", "),
    ))
}

fn asked(mut program: Command) -> Result<String> {
    let output = program
        .arg("--version")
        .output()
        .with_context(|| format!("asking {program:?}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Names and versions of these packages in a lock file; some are there twice.
fn locked(path: &Path, names: &[&str]) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let packages = text.split("[[package]]").filter_map(|package| {
        let of = |key: &str| {
            let line = package
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map(|value| value.trim_matches('"'))
        };
        let name = of("name")?;
        names
            .contains(&name)
            .then(|| Some(format!("{name} {}", of("version")?)))?
    });
    Ok(packages.collect())
}
