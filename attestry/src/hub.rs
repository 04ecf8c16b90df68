//! The hub within the platform: its keys, its log's name, and what it asks the rest of the platform.

mod desk;
mod directory;
mod seed;

use std::sync::Arc;

use anyhow::Result;
use hub::Config;
use hub::Hub;
use hub::Parts;
use keys::Algorithm;
use openid4vc::SecureUrl;
use registry::Registry;
use server::Clock;
use server::fetch::Reach;
use signer::SoftwareKey;
use store::Keyspace;
use store::Store;

pub(crate) use self::desk::Desk;
pub(crate) use self::desk::StatementRequest;
pub(crate) use self::directory::Persons;
pub(crate) use self::seed::open_exchange;
use crate::data::DataFolder;
use crate::hub::directory::Directory;

/// The name of the evidence log. It is part of each checkpoint's signature, so it does not change with the URL.
const EVIDENCE_ORIGIN: &str = "hub.attestry.example/evidence";

/// Starts the hub of this platform.
pub(crate) async fn start(
    data: &DataFolder,
    store: &Store,
    registry: &Registry,
    clock: &Clock,
    public_url: &SecureUrl,
) -> Result<(Hub, Persons)> {
    let mut config = Config::new(public_url.as_str(), EVIDENCE_ORIGIN)?;
    // Plain http is a platform on loopback: what a person tries out at home, its sources included.
    if public_url.as_str().starts_with("http://") {
        config.reach = Reach::LoopbackToo;
    }
    let persons = Persons::new(store.room(&Keyspace::new("persons/")?));
    let hub = Hub::start(Parts {
        config,
        store: store.clone(),
        directory: Arc::new(Directory {
            registry: registry.clone(),
            persons: persons.clone(),
            clock: clock.clone(),
        }),
        token_key: token_key(data)?,
        evidence_key: data.key("hub-evidence", Algorithm::EdDsa)?,
        clock: clock.clone(),
        admin: data.admin().clone(),
    })
    .await?;
    Ok((hub, persons))
}

/// The key that signs access tokens and the contexts that sources get.
pub(crate) fn token_key(data: &DataFolder) -> Result<Arc<SoftwareKey>> {
    data.key("hub-token", Algorithm::EdDsa)
}
