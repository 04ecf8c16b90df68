//! `up`: the whole platform in one process.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use server::listen::termination;

use crate::cli;
use crate::compose::Options;
use crate::compose::Platform;
use crate::output::Output;
use crate::trust_anchors;

pub(crate) async fn run(options: cli::Up, output: Output) -> Result<ExitCode> {
    let (public_url, tls) = options.facing.into_parts();
    let platform = Platform::start(Options {
        data: options.data,
        listen: options.listen,
        store: options.store,
        public_url,
        tls,
        self_signed: options.tls_self_signed,
        sample: options.sample,
        origin: options.origin,
        log_files: options.log_files,
        ml_dsa: options.ml_dsa,
        trust_anchors: trust_anchors::load(&options.trust_anchor)?,
    })
    .await?;
    let stop = termination()?;
    // The address is bound and every actor is open: what connects from now on is answered.
    let url = platform.url();
    let mut ready = format!("ready {url}");
    let mut told = json!({"ready": url});
    if let (Some(https), Some(told)) = (platform.self_signed_url(), told.as_object_mut()) {
        ready = format!("{ready} and {https}");
        told.insert("https".to_owned(), https.into());
    }
    output.result(ready, &told);
    platform.serve(stop).await?;
    Ok(ExitCode::SUCCESS)
}
