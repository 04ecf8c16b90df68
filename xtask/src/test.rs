//! `cargo xtask test`: everything that is tested, on a machine that has only Rust, apt and npm.
//!
//! It says what it needs before it installs anything, and stops at the first failure.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::interop;
use crate::postgres;
use crate::postgres::Server;
use crate::sample;
use crate::steps::Steps;
use crate::steps::command;
use crate::steps::run;
use crate::steps::succeeds;

const NEEDS: &str = "\
This runs all tests: unit, vector, flow and attack tests, documentation examples, the pages in a browser, and the
tests against independent implementations. It needs, and installs where it is missing:
  Debian packages   postgresql, strace, python3-venv, chromium, chromium-driver (with apt-get, as root)
  npm packages      those of tests/interop/package-lock.json, into tests/interop/node_modules
  PyPI packages     those of tests/interop/requirements.txt, into target/interop-venv
  crates            those of tests/interop/peers/didwebvh/Cargo.lock, into target/interop-peers
It starts a PostgreSQL server of its own on a free port, and ends it afterwards. Nothing else is changed.";

/// The crates that read the vectors of credentials, proofs and JSON.
const READERS: [&str; 4] = ["keys", "jsonld", "did", "credential"];

/// Where the tests find their server.
const DATABASE: &str = "ATTESTRY_TEST_POSTGRES";

/// A Debian package and how to see that it is there.
struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

const PACKAGES: [Package; 5] = [
    Package {
        name: "postgresql",
        is_there: || postgres::programs().is_some(),
    },
    Package {
        name: "strace",
        is_there: || succeeds(Command::new("strace").arg("--version")),
    },
    Package {
        name: "python3-venv",
        is_there: || succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])),
    },
    Package {
        name: "chromium",
        is_there: || succeeds(Command::new("chromium").arg("--version")),
    },
    Package {
        name: "chromium-driver",
        is_there: || succeeds(Command::new("chromedriver").arg("--version")),
    },
];

/// Runs `cargo test` with the given arguments and a PostgreSQL server.
pub(crate) fn some(root: &Path, arguments: &[&str]) -> Result<()> {
    let mut steps = Steps::begin();
    let target = target(root)?;
    let server = steps.step("PostgreSQL", || server(&target))?;
    if arguments
        .iter()
        .any(|argument| ["e2e", "--workspace"].contains(argument))
    {
        steps.step("the binary", || build(root))?;
    }
    steps.step("Rust tests", || run(&mut rust_tests(root, arguments, &server)))?;
    steps.summary();
    Ok(())
}

/// Runs the exchanges with independent implementations and writes what they came to.
pub(crate) fn interop(root: &Path) -> Result<()> {
    let target = target(root)?;
    let mut steps = Steps::begin();
    steps.step("npm and PyPI packages", || {
        install_peers(&root.join("tests/interop"), &target)
    })?;
    steps.step("peers in Rust", || build_peers(root, &target))?;
    let folder = interop::folder(&target)?;
    steps.step("exchanges", || {
        let mut tests = command(cargo(), root);
        tests.args(["test", "--package", "credential", "--test", "peers"]);
        run(with_peers(&mut tests, &target, &folder))
    })?;
    steps.step("spec/interop.md", || interop::write(root, &folder))?;
    steps.summary();
    Ok(())
}

/// Where peers in Rust are built: apart from ours, which shares no dependency with them.
fn compiled_peers(target: &Path) -> PathBuf {
    target.join("interop-peers")
}

fn build_peers(root: &Path, target: &Path) -> Result<()> {
    let mut build = command(cargo(), root);
    build.args([
        "build",
        "--locked",
        "--manifest-path",
        "tests/interop/peers/didwebvh/Cargo.toml",
    ]);
    run(build.env("CARGO_TARGET_DIR", compiled_peers(target)))
}

fn with_peers<'c>(tests: &'c mut Command, target: &Path, matrix: &Path) -> &'c mut Command {
    tests
        .env("ATTESTRY_INTEROP", "1")
        .env("ATTESTRY_PYTHON", venv(target).join("bin/python"))
        .env("ATTESTRY_PEERS", compiled_peers(target).join("debug"))
        .env(interop::FOLDER, matrix)
}

/// Installs what is missing, starts PostgreSQL and runs all tests.
pub(crate) fn all(root: &Path) -> Result<()> {
    eprintln!("{NEEDS}");
    let peers = root.join("tests/interop");
    let target = target(root)?;
    let matrix = interop::folder(&target)?;
    let mut steps = Steps::begin();
    steps.step("Debian packages", install_packages)?;
    steps.step("sample data is what its generator makes", || sample::check(root))?;
    steps.step("npm and PyPI packages", || install_peers(&peers, &target))?;
    steps.step("peers in Rust", || build_peers(root, &target))?;
    let python = venv(&target).join("bin/python");
    let server = steps.step("PostgreSQL", || server(&target))?;
    // All at once, before the tests: those of the whole run the program, and everything is compiled once for both.
    steps.step("building", || {
        let mut build = command(cargo(), root);
        build.args(["build", "--workspace", "--all-features"]);
        run(build.args(["--lib", "--bins", "--tests", "--examples"]))
    })?;
    steps.step("Rust tests", || {
        let mut tests = rust_tests(root, &["--workspace", "--all-features"], &server);
        run(with_peers(&mut tests, &target, &matrix))
    })?;
    // Another crate may turn it on for a whole program; what is signed must not depend on the order of a map.
    steps.step("vectors with serde_json's preserve_order", || {
        let mut tests = rust_tests(root, &["--features", "serde_json/preserve_order"], &server);
        tests.args(READERS.map(|name| format!("--package={name}")));
        run(with_peers(&mut tests, &target, &matrix))
    })?;
    steps.step("spec/interop.md is what the exchanges came to", || {
        interop::check(root, &matrix)
    })?;
    steps.step("a sync before each acknowledgement", || {
        run(command(root.join("crates/store/tests/fsync.sh"), root).args(["fjall", "sled"]))
    })?;
    steps.step("independent implementations", || {
        let mut tests = command("npm", &peers);
        tests.arg("test").env(DATABASE, &server.url);
        tests.env("ATTESTRY_BIN", target.join("debug/attestry"));
        run(tests.env("ATTESTRY_PYTHON", &python))
    })?;
    drop(server);
    steps.summary();
    Ok(())
}

fn build(root: &Path) -> Result<()> {
    run(command(cargo(), root).args(["build", "--package", "attestry"]))
}

fn rust_tests(root: &Path, arguments: &[&str], server: &Database) -> Command {
    let mut tests = command(cargo(), root);
    tests.arg("test").args(arguments).env(DATABASE, &server.url);
    tests
}

/// The server to test on: the one that is named already, or one of this run.
struct Database {
    url: String,
    /// Ends with this value.
    _own: Option<Server>,
}

fn server(target: &Path) -> Result<Database> {
    if let Ok(url) = std::env::var(DATABASE) {
        eprintln!("using the server of {DATABASE}");
        return Ok(Database { url, _own: None });
    }
    let server = Server::start(target)?;
    eprintln!("started at {}", server.url());
    Ok(Database {
        url: server.url(),
        _own: Some(server),
    })
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Where cargo puts what it builds.
///
/// # Errors
/// When the folder cannot be made.
pub(crate) fn target(root: &Path) -> Result<PathBuf> {
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

fn install_packages() -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| !(package.is_there)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        eprintln!("all there");
        return Ok(());
    }
    eprintln!("installing {}", missing.join(", "));
    let apt = |arguments: &[&str]| {
        run(Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let advice = || format!("install these yourself: {}", missing.join(" "));
    apt(&["update", "-q"]).with_context(advice)?;
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install).with_context(advice)?;
    match PACKAGES.iter().find(|package| !(package.is_there)()) {
        Some(package) => bail!("expected {} after its installation, found it missing", package.name),
        None => Ok(()),
    }
}

/// The packages of the independent implementations, anew when their lists have changed.
///
/// # Errors
/// When they cannot be installed.
pub(crate) fn install_peers(interop: &Path, target: &Path) -> Result<()> {
    once(
        &interop.join("package-lock.json"),
        &interop.join("node_modules"),
        || run(command("npm", interop).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])),
    )?;
    let venv = venv(target);
    let requirements = interop.join("requirements.txt");
    once(&requirements, &venv, || {
        run(command("python3", interop).args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = command(venv.join("bin/python"), interop);
        run(pip
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements))
    })
}

/// Where the Python packages are installed.
pub(crate) fn venv(target: &Path) -> PathBuf {
    target.join("interop-venv")
}

/// Does `work` unless `folder` was made from the same `list` before.
fn once(list: &Path, folder: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(list).with_context(|| format!("reading {}", list.display()))?;
    let stamp = folder.join(".made-from");
    if fs::read(&stamp).is_ok_and(|found| found == wanted) {
        eprintln!("{} is up to date", folder.display());
        return Ok(());
    }
    work()?;
    fs::write(&stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
}
