//! The log as [C2SP tlog-tiles](https://c2sp.org/tlog-tiles) serves it: checkpoint, hash tiles, entry bundles.

use axum::extract::Path;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;
use store::records::RecordError;
use trust::tiles::Tile;
use trust::tiles::TileKind;

use crate::Registry;
use crate::published::durable_entries;

/// A tile of a given width never changes, and what is durable is never taken back.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// `GET /registry/checkpoint`
pub(super) async fn checkpoint(State(registry): State<Registry>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, registry.checkpoint()).into_response()
}

/// `GET /registry/tile/{level}/{index}[.p/{width}]`, `GET /registry/tile/entries/{index}[.p/{width}]`
pub(super) async fn get(State(registry): State<Registry>, Path(path): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::not_found("a tile of the published tree");
    let tile = Tile::parse(&format!("tile/{path}")).map_err(|_| missing())?;
    let bytes = read(&registry, tile)
        .await
        .map_err(|error| Problem::internal(&error))?
        .ok_or_else(missing)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, FOREVER),
    ];
    Ok((headers, bytes).into_response())
}

async fn read(registry: &Registry, tile: Tile) -> Result<Option<Vec<u8>>, RecordError> {
    let head = registry.published();
    let snapshot = registry.0.store.snapshot().await?;
    match head.tile(&snapshot, tile).await? {
        // State witnesses judge entries before there is a checkpoint that others may see.
        None if tile.kind() == TileKind::Entries => durable_entries(&snapshot, tile).await,
        found => Ok(found),
    }
}
