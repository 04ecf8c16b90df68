//! Admitting an agency to a running platform: its keys, its DID in the log, its issuing desk.
//!
//! The administrative token makes keys and a DID; it accredits nothing. What the agency may issue, the officers
//! decide with their own keys, through proposals.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use axum::Json;
use axum::Router;
use axum::extract::FromRef;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use issuer::Agency;
use issuer::Issuer;
use issuer::agency::AgencyFile;
use registry::Registry;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use server::Problem;
use server::StrictJson;
use server::admin::Admin;

use crate::data::DataFolder;
use crate::sample::agency_signers;
use crate::sample::new_agency_did;

/// What the handler needs.
#[derive(Clone)]
pub(crate) struct Agencies {
    pub(crate) data: Arc<DataFolder>,
    pub(crate) registry: Registry,
    pub(crate) issuer: Issuer,
    pub(crate) clock: Clock,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdmitRequest {
    id: String,
    name: String,
}

impl FromRef<Agencies> for AdminToken {
    fn from_ref(agencies: &Agencies) -> Self {
        agencies.data.admin().clone()
    }
}

/// `POST /admin/agencies`
pub(crate) fn router(agencies: Agencies) -> Router {
    Router::new().route("/admin/agencies", post(admit)).with_state(agencies)
}

async fn admit(
    _: Admin,
    State(agencies): State<Agencies>,
    StrictJson(request): StrictJson<AdmitRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if !is_agency_id(&request.id) {
        let problem = Problem::new(
            StatusCode::BAD_REQUEST,
            "agency-id",
            "An agency id has 1 to 63 of a-z, 0-9 and '-'.",
        );
        return Err(problem.detail(format!("found {:?}", request.id)));
    }
    let folder = agencies.data.path().join("agencies").join(&request.id);
    if folder.join("agency.json").exists() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "agency-exists",
            "An agency of this id is there already.",
        ));
    }
    if !folder.join("mappings").is_dir() {
        let problem = Problem::new(
            StatusCode::CONFLICT,
            "agency-folder",
            "The agency's mappings and types must lie in its folder first.",
        );
        return Err(problem.detail(folder.join("mappings").display()));
    }
    let did = admit_folder(&agencies, &folder, request).await.map_err(|error| {
        let cause: Vec<String> = error.chain().map(ToString::to_string).collect();
        tracing::warn!(cause = cause.join(": "), "agency not admitted");
        Problem::new(StatusCode::CONFLICT, "agency", "The agency cannot be admitted.").detail(cause.join(": "))
    })?;
    Ok((StatusCode::CREATED, Json(json!({"did": did}))))
}

/// Checks the folder before anything is logged: the log forgets nothing.
async fn admit_folder(agencies: &Agencies, folder: &Path, request: AdmitRequest) -> Result<String> {
    let data = &agencies.data;
    let (did, line) = new_agency_did(data, &request.id, agencies.clock.now())?;
    let signers = agency_signers(data, &request.id)?;
    let file = AgencyFile {
        id: request.id,
        name: request.name,
        did: did.clone(),
        verification_method: format!("{did}#es256"),
    };
    let draft = folder.join("agency.json~");
    write_json(&draft, &file)?;
    let final_path = folder.join("agency.json");
    std::fs::rename(&draft, &final_path).with_context(|| format!("cannot write {}", final_path.display()))?;
    let admitted = async {
        let agency = Agency::load(folder, signers).await?;
        agencies
            .registry
            .append(
                agencies.registry.did_event(&did, vec![line.into_bytes()], None)?,
                Vec::new(),
            )
            .await?;
        agencies.issuer.add(agency)?;
        anyhow::Ok(())
    };
    if let Err(error) = admitted.await {
        std::fs::remove_file(&final_path).ok();
        return Err(error);
    }
    Ok(did)
}

/// Whether `id` can stand in a URL and a folder name.
pub(crate) fn is_agency_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !id.is_empty() && id.len() <= 63 && id.bytes().all(allowed)
}

fn write_json(path: &PathBuf, file: &AgencyFile) -> Result<()> {
    std::fs::write(path, serde_json::to_string_pretty(file)?)
        .with_context(|| format!("cannot write {}", path.display()))
}
