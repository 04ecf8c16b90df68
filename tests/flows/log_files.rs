//! The log as files beside the platform: in a folder, and in object storage as another implementation of S3 has it.

use std::fs;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use e2e::Place;
use e2e::eventually;
use trust::checkpoint::SignedCheckpoint;

const PATIENCE: Duration = Duration::from_mins(1);

const BUCKET: &str = "registry-log";

/// Makes the bucket, and copies what is in it into a folder, by the client of those who made S3.
const CLIENT: &str = "
import os, pathlib, sys, boto3
do, endpoint, folder = sys.argv[1:]
s3 = boto3.client('s3', endpoint_url=endpoint)
if do == 'make':
    s3.create_bucket(Bucket='registry-log')
else:
    for page in s3.get_paginator('list_objects_v2').paginate(Bucket='registry-log', Prefix='v1/'):
        for found in page.get('Contents', []):
            path = pathlib.Path(folder, found['Key'].removeprefix('v1/'))
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file('registry-log', found['Key'], str(path))
";

const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
];

/// The size of the checkpoint in a folder; 0 without one.
fn size_in(folder: &Path) -> u64 {
    let Ok(bytes) = fs::read(folder.join("checkpoint")) else {
        return 0;
    };
    SignedCheckpoint::parse(&bytes).unwrap().unverified().size()
}

/// Has Snapshots made, as whoever asks for a bundle does, until a folder has a larger tree than one of `size`.
fn later(size: u64, platform: &e2e::Platform, mut refreshed: impl FnMut() -> u64) -> u64 {
    eventually("files of a larger tree", PATIENCE, || {
        assert_eq!(platform.client().get("/registry/bundle").status, 200);
        let found = refreshed();
        (found > size).then_some(found)
    })
}

fn audit(place: &Place, folder: &Path) {
    let audited = place.run(&["registry", "audit", folder.to_str().unwrap()]);
    assert_eq!(audited.expect(0)["size"], size_in(folder), "{}", audited.value);
}

#[test]
fn log_is_kept_as_files_in_a_folder_over_restarts() {
    let place = Place::new();
    let folder = place.path("log");
    let url = format!("file://{}", folder.display());
    let mut size = 0;
    for _ in 0..2 {
        let platform = place.up(&["--sample", "--log-files", &url]);
        size = later(size, &platform, || size_in(&folder));
        audit(&place, &folder);
        size = later(size, &platform, || size_in(&folder));
        audit(&place, &folder);
        platform.stop();
    }
}

#[test]
fn log_is_kept_in_object_storage() {
    let Some(storage) = Storage::start() else { return };
    let place = Place::new();
    let copy = place.path("copy");
    let mut environment = CREDENTIALS.to_vec();
    environment.push(("AWS_ENDPOINT", &storage.endpoint));
    environment.push(("AWS_ALLOW_HTTP", "true"));
    let url = format!("s3://{BUCKET}/v1");
    let refreshed = || {
        storage.client("copy", &copy);
        size_in(&copy)
    };
    let mut size = 0;
    for _ in 0..2 {
        let platform = place.up_with(&["--sample", "--log-files", &url], &environment);
        size = later(size, &platform, refreshed);
        audit(&place, &copy);
        size = later(size, &platform, refreshed);
        audit(&place, &copy);
        platform.stop();
    }
}

/// An object storage that is gone with this value.
struct Storage {
    server: Child,
    python: String,
    endpoint: String,
}

impl Storage {
    /// `None` where the independent implementations are not installed.
    fn start() -> Option<Self> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| value == "1");
        if !is_set("ATTESTRY_INTEROP") {
            assert!(!is_set("ATTESTRY_REQUIRE_INTEROP"), "ATTESTRY_INTEROP is not set");
            println!(
                "skipped: ATTESTRY_INTEROP is not set; `cargo xtask test` installs the independent implementations"
            );
            return None;
        }
        let python = std::env::var("ATTESTRY_PYTHON").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Command::new(&python);
        server.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let storage = Self {
            server,
            python,
            endpoint: format!("http://127.0.0.1:{port}"),
        };
        let reach = || TcpStream::connect(("127.0.0.1", port)).ok();
        let _connected = eventually("an object storage", PATIENCE, reach);
        storage.client("make", Path::new("."));
        Some(storage)
    }

    fn client(&self, what: &str, folder: &Path) {
        let mut client = Command::new(&self.python);
        client.args(["-c", CLIENT, what, &self.endpoint]).arg(folder);
        let output = client.envs(CREDENTIALS).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _gone = self.server.wait();
    }
}
