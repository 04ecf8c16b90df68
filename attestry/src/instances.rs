//! Instances of the VC API on this platform: their keys in the vault, their DIDs, the sample's, and what the service
//! needs of the registry.
//!
//! Nobody accredits an instance by making it: its DID is new, and the officers decide about DIDs.

use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use axum::Json;
use axum::Router;
use axum::extract::FromRef;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use did::methods;
use keys::Algorithm;
use keys::Signer as _;
use registry::Registry;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use server::Problem;
use server::StrictJson;
use server::admin::Admin;
use signer::SoftwareKey;
use store::Store;
use url::Url;
use vc_api::Instance;
use vc_api::InstanceRecord;
use vc_api::Mechanism;
use vc_api::SampleAccess;
use vc_api::VcApi;
use vc_api::instance;
use verifier_service::Bundles;

use crate::data::DataFolder;
use crate::sample::new_did;

/// How old the bundle may be in which registered contexts and agencies' status lists are looked for.
const BUNDLE_AGE: i64 = 60;
/// The one key of a did:web and a did:webvh.
const KEY_FRAGMENT: &str = "key-1";

/// What the service is opened with.
pub(crate) struct Opening<'a> {
    pub(crate) data: &'a DataFolder,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) public_url: String,
    pub(crate) status_url: String,
    pub(crate) sample_access: SampleAccess,
    pub(crate) with_sample: bool,
    pub(crate) registry: Registry,
    pub(crate) bundles: Arc<dyn Bundles>,
}

/// Opens the service with every instance that was added, and with `with_sample` those of the sample.
pub(crate) async fn open(opening: Opening<'_>) -> Result<VcApi> {
    let Opening { data, store, .. } = &opening;
    let mut instances = Vec::new();
    for record in vc_api::instance_records(store).await? {
        let key = key(data, &record.name, instance::algorithm_of(&record.curve)?)?;
        instances.push(Instance::new(record, key)?);
    }
    let missing = |api: &VcApi| {
        let absent = |(name, ..): &(String, Mechanism, Algorithm)| api.instance(name).is_none();
        instance::sample().filter(absent).collect::<Vec<_>>()
    };
    let config = vc_api::Config {
        public_url: opening.public_url.clone(),
        status_url: opening.status_url.clone(),
        store: store.clone(),
        clock: opening.clock.clone(),
        admin: data.admin().clone(),
        sample_access: opening.sample_access,
        registry: Arc::new(RegistryLink {
            registry: opening.registry.clone(),
            bundles: opening.bundles.clone(),
        }),
    };
    let api = VcApi::open(config, instances);
    if opening.with_sample {
        for (name, mechanism, algorithm) in missing(&api) {
            let key = key(data, &name, algorithm)?;
            let record = InstanceRecord {
                did: methods::key::did(key.public_key()),
                verification_method: methods::key::method_id(key.public_key()),
                name,
                mechanism: mechanism.as_str().to_owned(),
                curve: instance::curve_of(algorithm).to_owned(),
                sample: true,
            };
            api.add(Instance::new(record, key)?).await?;
        }
    }
    Ok(api)
}

/// The key of an instance, made on first use.
fn key(data: &DataFolder, name: &str, algorithm: Algorithm) -> Result<Arc<SoftwareKey>> {
    data.key(&format!("vc-api-{name}"), algorithm)
}

/// The registry of the same process, as the VC API needs it.
struct RegistryLink {
    registry: Registry,
    bundles: Arc<dyn Bundles>,
}

impl vc_api::Registry for RegistryLink {
    fn document(&self, did: &str) -> Option<did::Document> {
        self.registry.document(did)
    }

    fn is_accredited(&self, did: &str) -> bool {
        let state = self.registry.state();
        state.accreditations().any(|record| record.grant().entity == did)
    }

    fn bundle(&self) -> vc_api::BundleAnswer<'_> {
        Box::pin(async move {
            let failed = |error: verifier_service::BundlesError| vc_api::BundleError(error.into());
            let bundles = self.bundles.bundles(BUNDLE_AGE).await.map_err(failed)?;
            let none = || vc_api::BundleError("the registry has no bundle".into());
            bundles.into_iter().next().ok_or_else(none)
        })
    }
}

/// What the administrative handler needs.
#[derive(Clone)]
pub(crate) struct Instances {
    pub(crate) data: Arc<DataFolder>,
    pub(crate) registry: Registry,
    pub(crate) api: VcApi,
    pub(crate) clock: Clock,
    pub(crate) public_url: String,
}

impl FromRef<Instances> for AdminToken {
    fn from_ref(instances: &Instances) -> Self {
        instances.data.admin().clone()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddRequest {
    did: Method,
    suite: String,
    curve: String,
    name: Option<String>,
}

/// What kind of DID an instance gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    Key,
    Web,
    Webvh,
}

/// `POST /admin/vc-api/instances`
pub(crate) fn router(instances: Instances) -> Router {
    Router::new()
        .route("/admin/vc-api/instances", post(add))
        .with_state(instances)
}

async fn add(
    _: Admin,
    State(instances): State<Instances>,
    StrictJson(request): StrictJson<AddRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let record = add_instance(&instances, request).await.map_err(|error| {
        let cause: Vec<String> = error.chain().map(ToString::to_string).collect();
        tracing::warn!(cause = cause.join(": "), "instance not added");
        Problem::new(StatusCode::CONFLICT, "instance", "The instance cannot be added.").detail(cause.join(": "))
    })?;
    let at = |path: &str| format!("{}/vc-api/{}/{path}", instances.public_url, record.name);
    let answer = json!({
        "name": record.name,
        "id": record.did,
        "suite": record.mechanism,
        "curve": record.curve,
        "issue": at("credentials/issue"),
        "verify": at("credentials/verify"),
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Checks what is asked for before a key is made or anything is logged: the log forgets nothing.
async fn add_instance(instances: &Instances, request: AddRequest) -> Result<InstanceRecord> {
    let mechanism = Mechanism::from_name(&request.suite)?;
    let algorithm = instance::algorithm_of(&request.curve)?;
    let name = request
        .name
        .unwrap_or_else(|| instance::default_name(mechanism, algorithm));
    let mut record = InstanceRecord {
        name: name.clone(),
        did: String::new(),
        verification_method: String::new(),
        mechanism: request.suite,
        curve: request.curve,
        sample: false,
    };
    record.check()?;
    if instances.api.instance(&name).is_some() {
        bail!("expected a new name, found the instance {name}: give another with --name");
    }
    let web = (request.did == Method::Web).then(|| did_web(&instances.public_url, &name));
    let web = web.transpose()?;
    let key = key(&instances.data, &name, algorithm)?;
    (record.did, record.verification_method) = match web {
        Some(did) => with_fragment(did),
        None if request.did == Method::Key => (
            methods::key::did(key.public_key()),
            methods::key::method_id(key.public_key()),
        ),
        None => with_fragment(log_did(instances, &name, &key).await?),
    };
    instances.api.add(Instance::new(record.clone(), key)?).await?;
    Ok(record)
}

fn with_fragment(did: String) -> (String, String) {
    let method = format!("{did}#{KEY_FRAGMENT}");
    (did, method)
}

/// The did:web whose document lies at `/vc-api/{name}/did.json` below the public URL.
fn did_web(public_url: &str, name: &str) -> Result<String> {
    let url = Url::parse(public_url).context("the public URL cannot be used")?;
    let host = url.host_str().filter(|_| url.scheme() == "https");
    let host =
        host.context("expected a platform with an https URL for a did:web, found another: start it with --public-url")?;
    let port = url.port().map(|port| format!("%3A{port}")).unwrap_or_default();
    let segments = url.path_segments().into_iter().flatten();
    let path = segments.filter(|segment| !segment.is_empty());
    let path: Vec<&str> = path.chain(["vc-api", name]).collect();
    Ok(format!("did:web:{host}{port}:{}", path.join(":")))
}

/// Makes a did:webvh with the key, and logs it.
async fn log_did(instances: &Instances, name: &str, key: &SoftwareKey) -> Result<String> {
    let update = instances.data.key(&format!("vc-api-{name}-update"), Algorithm::EdDsa)?;
    let host = format!("{name}.vc-api");
    let (did, line) = new_did(&host, &update, &[(KEY_FRAGMENT, key)], instances.clock.now())?;
    let event = instances.registry.did_event(&did, vec![line.into_bytes()], None)?;
    instances.registry.append(event, Vec::new()).await?;
    Ok(did)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_web_is_where_its_document_lies() {
        for (public, did) in [
            ("https://a.example", "did:web:a.example:vc-api:one"),
            ("https://a.example:8443", "did:web:a.example%3A8443:vc-api:one"),
            ("https://a.example/sub", "did:web:a.example:sub:vc-api:one"),
        ] {
            assert_eq!(did_web(public, "one").unwrap(), did);
        }
        assert!(did_web("http://127.0.0.1:8080", "one").is_err());
    }
}
