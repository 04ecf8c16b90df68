//! A PostgreSQL server of its own for one run of the tests, gone afterwards.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::steps::succeeds;

/// How long a new server may take to answer; two busy cores have needed 5 s.
const START_SECONDS: u32 = 60;

/// A running server. Dropping it ends the server and removes its files.
pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Makes a cluster under `target` and starts it on a free port of the loopback address.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; its log is in the text.
    pub(crate) fn start(target: &Path) -> Result<Self> {
        let programs = programs().context("expected PostgreSQL's server programs, found none")?;
        let account = Account::for_server()?;
        let folder = folder(target, account.as_ref())?;
        let data = folder.join("data");
        let run = |program: &str| {
            let mut command = Command::new(programs.join(program));
            if let Some(account) = &account {
                command.uid(account.user).gid(account.group);
            }
            command.current_dir(&folder);
            command
        };
        let output = run("initdb")
            .args([
                "--auth=trust",
                "--username=attestry",
                "--encoding=UTF8",
                "--locale=C",
                "--data-checksums",
            ])
            .args([OsStr::new("--no-sync"), OsStr::new("-D"), data.as_os_str()])
            .output()
            .context("starting initdb")?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        // Freed again at once; on this machine nobody takes it in between but by chance.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = fs::File::create(folder.join("log"))?;
        let sockets = format!("unix_socket_directories={}", folder.display());
        let process = run("postgres")
            .arg("-D")
            .arg(&data)
            .args([
                "-p",
                &port.to_string(),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                &sockets,
            ])
            // Many test programs at once, each with a pool. It keeps its fsync: the store refuses a server
            // that could lose what it acknowledged, and the tests hold it to that.
            .args(["-c", "max_connections=300"])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting postgres")?;
        let server = Self { process, folder, port };
        server.wait_until_ready(&programs)?;
        Ok(server)
    }

    /// The URL for `ATTESTRY_TEST_POSTGRES`.
    pub(crate) fn url(&self) -> String {
        format!("postgres://attestry@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&self, programs: &Path) -> Result<()> {
        let port = self.port.to_string();
        for _ in 0..START_SECONDS * 5 {
            let mut ask = Command::new(programs.join("pg_isready"));
            if succeeds(ask.args(["-q", "-h", "127.0.0.1", "-p", &port])) {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        bail!("PostgreSQL did not answer within {START_SECONDS} s; its log:\n{log}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown; a plain kill would leave its children behind.
        let asked = succeeds(Command::new("kill").args(["-INT", &self.process.id().to_string()]));
        if !asked {
            _ = self.process.kill();
        }
        _ = self.process.wait();
        _ = fs::remove_dir_all(&self.folder);
    }
}

/// Who the server runs as: PostgreSQL refuses to be root.
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// None for an ordinary user, who runs the server as themselves.
    fn for_server() -> Result<Option<Self>> {
        if number(&["-u"])? != 0 {
            return Ok(None);
        }
        let user = number(&["-u", "postgres"]).context("expected the account `postgres` of Debian's package")?;
        Ok(Some(Self {
            user,
            group: number(&["-g", "postgres"])?,
        }))
    }
}

fn number(arguments: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(arguments).output().context("starting id")?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .context("expected a number from id")
}

/// An empty folder of this run that the server's account can reach: under `target` if possible.
fn folder(target: &Path, account: Option<&Account>) -> Result<PathBuf> {
    let name = format!("attestry-test-postgres-{}", std::process::id());
    for parent in [target.to_owned(), std::env::temp_dir()] {
        let folder = parent.join(&name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let Some(account) = account else { return Ok(folder) };
        chown(&folder, Some(account.user), Some(account.group))?;
        let mut reach = Command::new("test");
        // A home directory may be closed to other accounts.
        if succeeds(reach.arg("-w").arg(&folder).uid(account.user).gid(account.group)) {
            return Ok(folder);
        }
        fs::remove_dir(&folder)?;
    }
    bail!("expected a folder that the account `postgres` can reach, found none")
}

/// Where `initdb` and `postgres` are: on the path, or where Debian puts them, the newest version first.
pub(crate) fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut of_debian: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    of_debian.sort();
    let of_debian = of_debian.into_iter().rev().map(|(_, folder)| folder);
    let has_all = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_isready"]
            .iter()
            .all(|name| folder.join(name).is_file())
    };
    of_debian.chain(on_path).find(has_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_and_leaves_nothing_behind() {
        let Some(programs) = programs() else {
            let is_required = std::env::var("ATTESTRY_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!is_required, "expected PostgreSQL's server programs");
            println!("skipped: no PostgreSQL");
            return;
        };
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        let server = Server::start(&target).unwrap();
        let answers = |port: u16| {
            let mut ask = Command::new(programs.join("pg_isready"));
            succeeds(ask.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]))
        };
        let (port, folder) = (server.port, server.folder.clone());
        assert!(answers(port));
        assert!(server.url().ends_with(&format!(":{port}/postgres")));
        drop(server);
        assert!(!answers(port));
        assert!(!folder.exists());
    }
}
