//! All actors in one process: how they are wired, and what keeps them going.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use anyhow::Result;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use issuer::Agency;
use issuer::Issuer;
use issuer::agency::AgencyFile;
use keys::Algorithm;
use keys::Signer as _;
use keys::ml_dsa;
use keys::ml_dsa::Signer as _;
use openid4vc::SecureUrl;
use registry::Genesis;
use registry::LogFiles;
use registry::Operators;
use registry::Registry;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::Fetcher;
use server::Listen;
use server::fetch::Reach;
use server::listen::TlsFiles;
use store::Keyspace;
use store::Store;
use tokio::sync::Mutex;
use trust::Anchor;
use trust::TrustedBundle;
use trust::entry::Body;
use trust::entry::Draft;
use url::Url;
use vc_api::SampleAccess;
use vc_api::VcApi;
use verifier::TrustAnchors;
use verifier_service::Bundles;
use verifier_service::VerifierService;

use crate::agencies;
use crate::agencies::Agencies;
use crate::data::DataFolder;
use crate::hub as exchange;
use crate::instances;
use crate::instances::Instances;
use crate::instances::Opening;
use crate::register_api;
use crate::register_api::TrustedHub;
use crate::sample;
use crate::sample::Officers;

/// How often the actors renew commitments, make Snapshots and forget what has expired.
const TICK: Duration = Duration::from_mins(1);
/// Whoever fetches a bundle finds in it what was issued and revoked a second before.
const SNAPSHOT_MIN_AGE: i64 = 1;

/// How to run the platform.
pub(crate) struct Options {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) store: String,
    pub(crate) public_url: Option<Url>,
    pub(crate) tls: Option<TlsFiles>,
    /// Where https with a certificate of the platform's own making is served, too.
    pub(crate) self_signed: Option<SocketAddr>,
    pub(crate) sample: bool,
    /// The name under which a registry is founded.
    pub(crate) origin: Option<String>,
    /// Where the log is kept as files, too.
    pub(crate) log_files: Option<Url>,
    /// Whether the log gets a second key, if it has none.
    pub(crate) ml_dsa: bool,
    /// Whom the verifier trusts besides the registry.
    pub(crate) trust_anchors: TrustAnchors,
}

/// The platform, bound to its address and ready to serve.
pub(crate) struct Platform {
    listen: Listen,
    router: Router,
    actors: Actors,
    store: Store,
    log_files: Option<LogFiles>,
    // Keeps the folder locked.
    _data: Arc<DataFolder>,
}

#[derive(Clone)]
struct Actors {
    registry: Registry,
    issuer: Issuer,
    verifier: VerifierService,
    vc_api: VcApi,
}

impl Platform {
    /// Opens the data folder, founds the sample nation if asked, and starts every actor.
    pub(crate) async fn start(options: Options) -> Result<Self> {
        let data = DataFolder::open(&options.data)?;
        let log_files = options.log_files.as_ref().map(LogFiles::at).transpose();
        let log_files = log_files.context("the log cannot be kept as files there")?;
        let has_public_url = options.public_url.is_some();
        let mut listen = Listen::bind(options.listen, options.public_url, options.tls).await?;
        if let Some(address) = options.self_signed {
            listen = listen.also_self_signed(address).await?;
        }
        let public_url = SecureUrl::parse_identifier(listen.public_url().as_str().trim_end_matches('/'))
            .context("the public URL cannot be used")?;
        let store = data.store(&options.store).await?;
        let clock = Clock::System;
        let founding = Founding {
            with_sample: options.sample,
            origin: options.origin,
            ml_dsa: options.ml_dsa,
        };
        let registry = open_registry(&data, &store, &clock, &public_url, founding).await?;
        let agencies = load_agencies(&data).await?;
        let issuer = Issuer::open(issuer::Config {
            public_url: public_url.clone(),
            store: store.room(&Keyspace::new("issuer/")?),
            clock: clock.clone(),
            admin: data.admin().clone(),
            agencies,
            registry: Arc::new(RegistryLink(registry.clone())),
        })
        .await?;
        let bundles: Arc<dyn Bundles> = Arc::new(RegistryBundles {
            registry: registry.clone(),
            clock: clock.clone(),
            last: Mutex::default(),
        });
        let trust = (bundles.clone(), options.trust_anchors);
        let verifier = open_verifier(&data, &store, &clock, public_url.clone(), trust)?;
        let vc_api = instances::open(Opening {
            data: &data,
            store: store.room(&Keyspace::new("vc-api/")?),
            clock: clock.clone(),
            public_url: bare(listen.public_url()),
            status_url: bare(listen.self_signed_url().unwrap_or_else(|| listen.public_url())),
            sample_access: SampleAccess::of(options.sample, listen.address(), has_public_url),
            with_sample: options.sample,
            registry: registry.clone(),
            bundles,
        })
        .await?;
        let (hub, persons) = exchange::start(&data, &store, &registry, &clock, &public_url).await?;
        let actors = Actors {
            registry,
            issuer,
            verifier,
            vc_api,
        };
        actors.tick().await;
        let data = Arc::new(data);
        let desk = exchange::Desk {
            data: data.clone(),
            hub: hub.issuer().to_owned(),
            persons,
            clock: clock.clone(),
        };
        let source = sample::source_folder(&data);
        let source = register_api::router(&source, trusted(&data, &hub)?, clock.clone()).await?;
        let hub = hub::router(hub);
        exchange::open_exchange(&desk, &hub, &public_url).await?;
        let agencies = Agencies {
            data: data.clone(),
            registry: actors.registry.clone(),
            issuer: actors.issuer.clone(),
            clock: clock.clone(),
        };
        let instances = Instances {
            data: data.clone(),
            registry: actors.registry.clone(),
            api: actors.vc_api.clone(),
            clock,
            public_url: bare(listen.public_url()),
        };
        let router = actors
            .router()
            .merge(hub)
            .merge(desk.router())
            .merge(source)
            .merge(agencies::router(agencies))
            .merge(instances::router(instances));
        Ok(Self {
            listen,
            router,
            actors,
            store,
            log_files,
            _data: data,
        })
    }

    /// What clients call it.
    pub(crate) fn url(&self) -> String {
        bare(self.listen.public_url())
    }

    /// The https URL of `--tls-self-signed`.
    pub(crate) fn self_signed_url(&self) -> Option<String> {
        self.listen.self_signed_url().map(bare)
    }

    /// Serves until `stop` completes and what is in flight is finished.
    pub(crate) async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Self {
            listen,
            router,
            actors,
            store,
            log_files,
            _data,
        } = self;
        let registry = actors.registry.clone();
        let ticking = tokio::spawn(async move {
            let mut interval = tokio::time::interval(TICK);
            interval.tick().await;
            loop {
                interval.tick().await;
                actors.tick().await;
            }
        });
        let files = registry.clone();
        let keeping = log_files.map(|log_files| tokio::spawn(async move { files.keep_files(log_files).await }));
        let served = listen.serve(router, stop).await;
        ticking.abort();
        // What is half written is gone over at the next start.
        keeping.inspect(tokio::task::JoinHandle::abort);
        if let Err(error) = registry.resign().await {
            tracing::warn!(cause = %server::problem::chain(&error), "another process takes over a little later");
        }
        store.close().await;
        Ok(served?)
    }
}

impl Actors {
    fn router(&self) -> Router {
        Router::new()
            .route("/health", get(health))
            .with_state(self.registry.clone())
            .merge(crate::front::router())
            .merge(self.registry.router())
            .merge(self.issuer.router())
            .merge(self.verifier.router())
            .merge(self.vc_api.router())
    }

    /// What failed is tried again a minute later.
    async fn tick(&self) {
        let log = |what: &str, error: &dyn std::error::Error| {
            tracing::warn!(what, cause = %server::problem::chain(error), "will be tried again");
        };
        if let Err(error) = self.registry.tick().await {
            log("registry", &error);
        }
        if let Err(error) = self.issuer.tick().await {
            log("issuer", &error);
        }
        if let Err(error) = self.verifier.tick().await {
            log("verifier", &error);
        }
    }
}

/// That the platform answers, and whether it is the one of several that writes to the registry's log.
async fn health(State(registry): State<Registry>) -> Json<Value> {
    Json(json!({"status": "ok", "sequencer": registry.is_sequencer()}))
}

/// What is asked for about a registry that may have to be founded.
struct Founding {
    with_sample: bool,
    origin: Option<String>,
    ml_dsa: bool,
}

async fn open_registry(
    data: &DataFolder,
    store: &Store,
    clock: &Clock,
    public_url: &SecureUrl,
    Founding {
        with_sample,
        origin,
        ml_dsa,
    }: Founding,
) -> Result<Registry> {
    let log_key = data.key("log", Algorithm::EdDsa)?;
    let second_log_key = data.ml_dsa_key("log-ml-dsa", ml_dsa)?;
    let witness_key = data.key("witness", Algorithm::EdDsa)?;
    let publication_key = data.key("publication", Algorithm::Es256)?;
    let room = store.room(&Keyspace::new("registry/")?);
    let founded_as = Registry::founded_as(&room).await?;
    let is_empty = founded_as.is_none();
    let log_name = match (founded_as, origin) {
        (Some(name), Some(other)) if name != other => {
            anyhow::bail!("expected --origin {name}, under which the registry was founded, found {other}")
        }
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => sample::ORIGIN.to_owned(),
    };
    anyhow::ensure!(
        !is_empty || with_sample,
        "expected a data folder with a registry, found none in {}: start with --sample to found the sample nation",
        data.path().display()
    );
    let officers = if is_empty {
        Some(Officers::create(data.path(), clock.now())?)
    } else {
        None
    };
    let genesis = officers
        .as_ref()
        .map(|officers| {
            let genesis = Genesis {
                log_name: &log_name,
                log_key: log_key.public_key(),
                second_log_key: second_log_key.as_ref().map(|key| key.public_key()),
                witness_key: witness_key.public_key(),
                authorities: vec![officers.authority()],
                recovery: Some(officers.recovery()),
                publication: Some(sample::publication(
                    &*publication_key,
                    (&log_name, public_url),
                    clock.now(),
                )?),
                time: clock.now(),
            };
            officers.approve(&genesis.draft()?)
        })
        .transpose()?;
    let operators = if room.is_shared() {
        let mut id = [0; 16];
        rand_core::Rng::fill_bytes(&mut signer::os_rng(), &mut id);
        Operators::Several { id }
    } else {
        Operators::One
    };
    let registry = Registry::open(registry::Config {
        log_name,
        public_url: public_url.to_string(),
        store: room,
        clock: clock.clone(),
        admin: data.admin().clone(),
        log_key,
        second_log_key: second_log_key.map(|key| key as Arc<dyn ml_dsa::Signer>),
        witness_key,
        publication_key: Some(publication_key),
        // Its URLs stand in a Policy and in listings that officers approved; no stranger names them.
        fetcher: Fetcher::new(Reach::LoopbackToo)?,
        genesis,
        snapshot_min_age: SNAPSHOT_MIN_AGE,
        operators,
    })
    .await?;
    if let Some(officers) = officers {
        sample::found(data, &registry, &officers, public_url, clock.now()).await?;
    }
    Ok(registry)
}

/// The hub as the sample's source knows it.
fn trusted(data: &DataFolder, hub: &hub::Hub) -> Result<TrustedHub> {
    Ok(TrustedHub {
        issuer: hub.issuer().to_owned(),
        key: exchange::token_key(data)?.public_key().clone(),
    })
}

async fn load_agencies(data: &DataFolder) -> Result<Vec<Agency>> {
    let mut agencies = Vec::new();
    for folder in data.agencies()? {
        let file = AgencyFile::read(&folder)?;
        let signers = sample::agency_signers(data, &file.id)?;
        agencies.push(
            Agency::load(&folder, signers)
                .await
                .with_context(|| format!("cannot load the agency in {}", folder.display()))?,
        );
    }
    Ok(agencies)
}

/// The platform's own verifier asks under a did:key: any wallet can resolve it.
fn open_verifier(
    data: &DataFolder,
    store: &Store,
    clock: &Clock,
    public_url: SecureUrl,
    (bundles, trust_anchors): (Arc<dyn Bundles>, TrustAnchors),
) -> Result<VerifierService> {
    let key = data.key("verifier", Algorithm::Es256)?;
    Ok(VerifierService::open(verifier_service::Config {
        public_url,
        store: store.room(&Keyspace::new("verifier/")?),
        clock: clock.clone(),
        admin: data.admin().clone(),
        did: did::methods::key::did(key.public_key()),
        verification_method: did::methods::key::method_id(key.public_key()),
        signer: key,
        bundles,
        trust_anchors,
    })?)
}

/// A URL that paths can be put after.
fn bare(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// The registry of the same process, as issuers need it.
struct RegistryLink(Registry);

impl issuer::Registry for RegistryLink {
    fn draft<'a>(&'a self, ns: &'a str, subject: &'a str, body: Body) -> issuer::Answer<'a, Draft> {
        Box::pin(async move { Ok(self.0.draft(ns, subject, body)) })
    }

    fn append(&self, leaf: Vec<u8>, blobs: Vec<Vec<u8>>) -> issuer::Answer<'_, ()> {
        Box::pin(async move { self.0.append(leaf, blobs).await.map(|_| ()).map_err(registry_error) })
    }

    fn entity_identifier(&self) -> issuer::Answer<'_, Option<String>> {
        Box::pin(async move { Ok(self.0.entity_identifier()) })
    }
}

/// The registry of the same process, as verifiers need it: loaded and checked like a bundle from anywhere.
struct RegistryBundles {
    registry: Registry,
    clock: Clock,
    last: Mutex<Option<LastBundle>>,
}

/// A bundle as it came and as it was loaded.
struct LastBundle {
    bytes: Arc<[u8]>,
    loaded: Arc<TrustedBundle>,
}

impl Bundles for RegistryBundles {
    fn bundles(&self, age: i64) -> verifier_service::BundlesAnswer<'_> {
        Box::pin(async move {
            let mut last = self.last.lock().await;
            // Times are whole seconds: a bundle of this second may lack an entry of this second.
            let is_young = |bundle: &TrustedBundle| self.clock.now().seconds_since(bundle.as_of()) < age;
            if let Some(last) = last.as_ref().filter(|last| is_young(&last.loaded)) {
                return Ok(vec![Arc::clone(&last.loaded)]);
            }
            let bytes = self
                .registry
                .bundle()
                .await
                .map_err(|error| verifier_service::BundlesError(error.into()))?;
            // The registry hands out the same bytes until it has others.
            if let Some(last) = last.as_ref().filter(|last| Arc::ptr_eq(&last.bytes, &bytes)) {
                return Ok(vec![Arc::clone(&last.loaded)]);
            }
            let anchor: Anchor = self.registry.anchor();
            let bundle = TrustedBundle::load(&bytes, &anchor, trust::bundle::Limits::default())
                .map_err(|error| verifier_service::BundlesError(error.into()))?;
            let loaded = Arc::new(bundle);
            let answer = vec![Arc::clone(&loaded)];
            *last = Some(LastBundle { bytes, loaded });
            Ok(answer)
        })
    }
}

fn registry_error(error: registry::AppendError) -> issuer::RegistryError {
    if error.is_temporary() {
        return issuer::RegistryError::Unavailable(error.into());
    }
    issuer::RegistryError::Refused {
        reason: server::problem::chain(&error),
    }
}

#[cfg(test)]
mod tests {
    use keys::Timestamp;

    use super::*;

    /// What was appended in the second of the last bundle is there for whoever asks for the newest one.
    #[tokio::test]
    async fn a_bundle_of_the_same_second_is_not_taken_for_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let store = data.store("fjall").await.unwrap();
        let clock = Clock::manual(Timestamp::from_unix(1_795_392_000));
        let url = SecureUrl::parse("http://127.0.0.1:8080").unwrap();
        let founding = Founding {
            with_sample: true,
            origin: None,
            ml_dsa: false,
        };
        let registry = open_registry(&data, &store, &clock, &url, founding).await.unwrap();
        let bundles = RegistryBundles {
            registry: registry.clone(),
            clock,
            last: Mutex::new(None),
        };
        let size = async |age| {
            let found = bundles.bundles(age).await.unwrap();
            found[0].checkpoint().size()
        };

        let before = size(5).await;
        // Another Snapshot, in the same second.
        registry.refresh(0).await.unwrap();
        assert_eq!(size(5).await, before);
        assert_eq!(size(0).await, before + 1);
        assert_eq!(size(0).await, before + 1);
    }
}
