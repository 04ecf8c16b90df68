//! Logs: text on stderr for people, JSON for machines. Handlers log chosen ids, never claims or tokens.

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging to stderr. `ATTESTRY_LOG` chooses what (`info`, `issuer=debug,warn`); warnings without it.
/// Called once, by the binary; a second call does nothing.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("ATTESTRY_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Json => builder.json().try_init().ok(),
        LogFormat::Text => builder.try_init().ok(),
    };
}
