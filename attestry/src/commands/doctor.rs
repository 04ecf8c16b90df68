//! `doctor`: looks for what would keep this machine from running the platform, and says what to do.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use url::Url;

use crate::cli;
use crate::commands::bundle;
use crate::commands::bundle::Current;
use crate::output::Output;
use crate::platform;

struct Finding {
    what: &'static str,
    good: bool,
    detail: String,
}

pub(crate) async fn run(options: cli::Doctor, output: Output) -> Result<ExitCode> {
    let url = format!("http://{}", options.listen);
    let running = server::Fetcher::new(server::fetch::Reach::LoopbackToo)?
        .send(server::fetch::Outgoing::get(&format!("{url}/health"), 64 * 1024)?)
        .await
        .is_ok_and(|answer| answer.is_success());
    let mut findings = vec![data_folder(&options.data), address(&options, running), home(), clock()];
    if running {
        findings.push(log(&url).await);
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!(
                "{}  {}: {}",
                if finding.good { "ok  " } else { "FAIL" },
                finding.what,
                finding.detail
            )
        })
        .collect();
    let good = findings.iter().all(|finding| finding.good);
    let value = json!({
        "good": good,
        "running": running,
        "findings": findings.iter().map(|finding| json!({"what": finding.what, "good": finding.good, "detail": finding.detail})).collect::<Vec<_>>(),
    });
    output.result(lines.join("\n"), &value);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the log of the platform that runs signs with, seen as verifiers see it.
async fn log(url: &str) -> Finding {
    let seen = async { bundle::current(&Url::parse(url)?).await }.await;
    let (good, detail) = match seen {
        Ok(Current { bundle, unpinned }) => {
            let by = bundle::log_signatures(bundle.witnessed()).join(" and ");
            let size = bundle.checkpoint().size();
            let unpinned = unpinned.map(|unpinned| format!("; {unpinned}")).unwrap_or_default();
            let detail = format!("its checkpoint of {size} entries is signed with {by}{unpinned}");
            (true, detail)
        }
        Err(error) => (false, format!("its bundle does not hold: {error:#}")),
    };
    Finding {
        what: "log",
        good,
        detail,
    }
}

fn data_folder(data: &Path) -> Finding {
    let what = "data folder";
    if !data.exists() {
        return Finding {
            what,
            good: true,
            detail: format!("{} is not there yet; `attestry up` makes it", data.display()),
        };
    }
    let probe = data.join(".doctor");
    match std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Finding {
            what,
            good: true,
            detail: format!("{} can be written", data.display()),
        },
        Err(error) => Finding {
            what,
            good: false,
            detail: format!(
                "{} cannot be written ({error}); check its owner and the free space",
                data.display()
            ),
        },
    }
}

fn address(options: &cli::Doctor, running: bool) -> Finding {
    let what = "address";
    if running {
        return Finding {
            what,
            good: true,
            detail: format!("a platform answers on {}", options.listen),
        };
    }
    match TcpListener::bind(options.listen) {
        Ok(_) => Finding {
            what,
            good: true,
            detail: format!("{} is free", options.listen),
        },
        Err(error) => Finding {
            what,
            good: false,
            detail: format!(
                "{} cannot be used ({error}); choose another with --listen",
                options.listen
            ),
        },
    }
}

fn home() -> Finding {
    let what = "own folder";
    match platform::home() {
        Ok(home) => Finding {
            what,
            good: true,
            detail: format!("{} keeps pinned anchors and the wallet", home.display()),
        },
        Err(error) => Finding {
            what,
            good: false,
            detail: error.to_string(),
        },
    }
}

fn clock() -> Finding {
    // This program was made after that day; a clock before it would call every credential not yet valid.
    const BUILT_AFTER: i64 = 1_795_305_600;
    let now = server::Clock::System.now();
    let good = now.unix() >= BUILT_AFTER;
    let detail = if good {
        format!("it is {now}")
    } else {
        format!("the clock says {now}, which is before this program was made; set it")
    };
    Finding {
        what: "clock",
        good,
        detail,
    }
}
