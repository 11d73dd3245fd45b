//! The HTTP interface: the list of all calls, one handler per file, and one
//! JSON form for all errors.

mod answer_memory;
mod authorization;
mod chain_stream;
mod error;
mod handlers;
mod normalize_path;
mod openapi;
mod reply;
mod request_body;

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state, map_request, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use self::error::ApiError;
use self::handlers::{
    balances, blocks, chain, health, metrics, mine, mining_submit, mining_template, nodes,
    nodes_register, nodes_resolve, openapi_json, pending, transactions_new,
};
use self::request_body::RequestBody;
use super::state::Node;

/// Every call the node answers, as a service that needs no socket.
pub fn router(node: Node) -> Router {
    let calls = Router::new()
        .route("/mine", get(mine::handle).post(mine::handle))
        .route("/transactions/new", post(transactions_new::handle))
        .route("/transactions/pending", get(pending::handle))
        .route("/chain", get(chain::handle))
        .route("/blocks/latest", get(blocks::latest))
        .route("/blocks/{index}", get(blocks::by_index))
        .route("/balances/{name}", get(balances::handle))
        .route("/nodes", get(nodes::handle))
        .route("/nodes/register", post(nodes_register::handle))
        .route("/nodes/resolve", get(nodes_resolve::handle))
        .route("/mining/template", get(mining_template::handle))
        .route("/mining/submit", post(mining_submit::handle))
        .route("/health", get(health::handle))
        .route("/metrics", get(metrics::handle))
        .route("/openapi.json", get(openapi_json::handle))
        .fallback(unknown_path)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(node.clone(), observe))
        .with_state(node);
    // A layer around a fallback runs before the routes inside it are matched.
    Router::new()
        .fallback_service(calls)
        .layer(map_request(normalize_path::normalize))
        .layer(map_response(allow_options))
}

/// The description of the interface, as `/openapi.json` returns it.
pub fn openapi(node: &Node) -> serde_json::Value {
    openapi::describe(&node.shared.config)
}

/// Times, counts and logs a call, and discards the unread rest of its body.
async fn observe(State(node): State<Node>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (request, body) = RequestBody::attach(request);
    let mut response = next.run(request).await;
    let elapsed = started.elapsed();

    let headers = response.headers_mut();
    if !body.discard(node.shared.config.limits.request_time).await {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status();
    let route = route.as_ref().map(MatchedPath::as_str);
    node.shared.metrics.count(&method, route, status, elapsed);
    if let Some(path) = path {
        let milliseconds = elapsed.as_secs_f64() * 1e3;
        tracing::debug!(%method, path, status = status.as_u16(), milliseconds, "answered");
    }
    response
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!(
        "there is no {}; /openapi.json lists all calls",
        uri.path()
    ))
}

/// Answers OPTIONS, and refuses methods that the path does not take.
async fn other_method(method: Method, uri: Uri) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::OK.into_response();
    }
    ApiError::method_not_allowed(&method, uri.path()).into_response()
}

/// Adds OPTIONS to the methods in the header `Allow`, which axum writes.
async fn allow_options(mut response: Response) -> Response {
    if let Some(allow) = response.headers_mut().get_mut(header::ALLOW)
        && let Ok(methods) = allow.to_str()
        && let Ok(all) = HeaderValue::from_str(&format!("{methods},OPTIONS").replace(',', ", "))
    {
        *allow = all;
    }
    response
}
