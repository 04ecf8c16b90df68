//! HTTP plumbing that every actor's service needs and none should write again.
//!
//! In scope: the clock, listening (plain HTTP on loopback, TLS, or behind a named proxy), the guards in
//! front of every route, the administrative token, the one guarded fetcher, problem details, bodies by
//! declared type and as strict JSON, telemetry.
//!
//! Out of scope: routes and protocols (the actors), private keys (`crates/signer`), storage
//! (`crates/store`).

pub mod admin;
pub mod clock;
pub mod extract;
pub mod fetch;
pub mod guard;
pub mod listen;
pub mod problem;
pub mod telemetry;

pub use admin::AdminToken;
pub use clock::Clock;
pub use extract::StrictJson;
pub use extract::TypedBody;
pub use fetch::Fetcher;
pub use listen::Listen;
pub use problem::Problem;
