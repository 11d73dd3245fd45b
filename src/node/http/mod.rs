//! The HTTP interface: the list of all calls, one handler per file, and one
//! JSON form for all errors.

mod answer_memory;
mod authorization;
mod chain_stream;
pub(super) mod error;
mod handlers;
mod normalize_path;
mod openapi;
mod reply;
mod request_body;

use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state, map_request, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, post};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use self::error::ApiError;
use self::handlers::{
    balances, blocks, chain, health, metrics, mine, mining_submit, mining_template, nodes,
    nodes_register, nodes_resolve, openapi_json, pending, transactions_new,
};
use self::request_body::RequestBody;
use super::config::NodeConfig;
use super::origin::Origin;
use super::state::Node;

/// Every call the node answers, as a service that needs no socket.
pub fn router(node: Node) -> Router {
    let calls = [
        ("/mine", get(mine::handle).post(mine::handle)),
        ("/transactions/new", post(transactions_new::handle)),
        ("/transactions/pending", get(pending::handle)),
        ("/chain", get(chain::handle)),
        ("/blocks/latest", get(blocks::latest)),
        ("/blocks/{index}", get(blocks::by_index)),
        ("/balances/{name}", get(balances::handle)),
        ("/nodes", get(nodes::handle)),
        ("/nodes/register", post(nodes_register::handle)),
        ("/nodes/resolve", get(nodes_resolve::handle)),
        ("/mining/template", get(mining_template::handle)),
        ("/mining/submit", post(mining_submit::handle)),
        ("/health", get(health::handle)),
        ("/metrics", get(metrics::handle)),
        ("/openapi.json", get(openapi_json::handle)),
    ];
    let cors = cors(&node.shared.config);
    let layered = |route: &'static str, methods: MethodRouter<Node>| {
        let methods = match &cors {
            Some(cors) => methods.layer(cors.clone()),
            None => methods,
        };
        methods
            .layer(from_fn_with_state((node.clone(), route), observe))
            .with_state(node.clone())
    };
    let unknown = layered("other", any(unknown_path));
    let calls = calls
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router.route(path, layered(path, methods.fallback(other_method)))
        })
        .fallback_service(unknown);
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

/// Answers preflights, and tells browsers which origins may read answers. `None`
/// if pages of no other origin may: browsers then need no header.
fn cors(config: &NodeConfig) -> Option<CorsLayer> {
    let origins = &config.origins;
    let allowed = match origins.iter().any(Origin::is_any) {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(origins.iter().map(|origin| origin.header().clone())),
    };
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([reply::BLOCK_HASH, header::RETRY_AFTER]);
    (!origins.is_empty()).then_some(cors)
}

/// Times, counts and logs a call, and discards the unread rest of its body.
/// `route` is its path as the router knows it.
async fn observe(
    State((node, route)): State<(Node, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = tracing::enabled!(tracing::Level::DEBUG).then(|| request.uri().path().to_owned());
    let body = RequestBody::detach(&mut request, node.shared.config.limits.request_time);
    let mut response = next.run(request).await;
    let elapsed = started.elapsed();

    if let Some(body) = body
        && !body.discard().await
    {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status();
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
