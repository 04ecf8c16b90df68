//! The front door: what runs here, in one page.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::response::IntoResponse;
use axum::routing::get;

pub(crate) fn router() -> Router {
    Router::new().route("/", get(page)).route("/front.css", get(style))
}

async fn page() -> Html<&'static str> {
    Html(include_str!("front.html"))
}

async fn style() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("front.css"),
    )
}
