//! The HTTP interface: one table of routes, from which the router, the
//! description and the metrics are made; one handler a file; one shape of
//! errors.

mod body;
mod error;
mod handlers;
mod held;
mod openapi;
mod path;
mod reply;
mod rest;
mod route;
mod stream;

use std::collections::BTreeMap;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::map_request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};

use self::error::ApiError;
use self::route::{Access, Route};
use super::metrics;
use super::state::Node;

/// Every call the node answers, as a service that needs no socket.
pub fn router(node: Node) -> Router {
    let routes = handlers::routes();
    let mut paths: BTreeMap<&'static str, (MethodRouter<Node>, Vec<&'static str>)> =
        BTreeMap::new();
    let fallback_number = routes.len();
    for (number, route) in routes.into_iter().enumerate() {
        let (methods, names) = paths.entry(route.path).or_default();
        let filter = match route.method {
            Method::POST => MethodFilter::POST,
            // A GET route answers HEAD, too.
            _ => MethodFilter::GET,
        };
        names.extend(match route.method {
            Method::POST => &["POST"][..],
            _ => &["GET", "HEAD"],
        });
        let Route {
            handler, access, ..
        } = route;
        let dispatch = move |State(node): State<Node>, request: Request| async move {
            observe(&node, number, request, |request| async {
                authorize(&node, access, request.headers())?;
                handler(node.clone(), request).await
            })
            .await
        };
        *methods = std::mem::take(methods).merge(on(filter, dispatch));
    }
    let mut router = Router::new();
    for (path, (methods, mut names)) in paths {
        names.push("OPTIONS");
        let allowed = names.join(", ");
        let methods = methods.fallback(
            move |State(node): State<Node>, request: Request| async move {
                observe(&node, fallback_number, request, |request| async move {
                    if request.method() == Method::OPTIONS {
                        return Ok(reply::options(&allowed));
                    }
                    Err(ApiError::method_not_allowed(
                        request.method().as_str(),
                        request.uri().path(),
                        &allowed,
                    ))
                })
                .await
            },
        );
        router = router.route(path, methods);
    }
    let router = router
        .fallback(
            move |State(node): State<Node>, request: Request| async move {
                observe(&node, fallback_number, request, |request| async move {
                    Err(unknown_path(request.uri()))
                })
                .await
            },
        )
        .with_state(node);
    // What is around a router's fallback comes before the routes within it.
    Router::new()
        .fallback_service(router)
        .layer(map_request(path::normalize))
}

/// The description of the interface, as `/openapi.json` answers it.
pub fn openapi(node: &Node) -> serde_json::Value {
    let config = &node.shared.config;
    openapi::describe(
        &handlers::routes(),
        config.token.is_some(),
        config.strictness,
    )
}

/// The text of `/metrics`.
fn metrics_text(node: &Node) -> String {
    let mut names: Vec<_> = handlers::routes()
        .iter()
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    names.push(("other".to_owned(), "other"));
    metrics::render(node, &names)
}

/// Answers, and counts and logs the answer.
async fn observe<F, Answer>(node: &Node, route: usize, request: Request, answer: F) -> Response
where
    F: FnOnce(Request) -> Answer,
    Answer: Future<Output = Result<Response, ApiError>>,
{
    let started = Instant::now();
    let logged = tracing::enabled!(tracing::Level::DEBUG)
        .then(|| (request.method().clone(), request.uri().path().to_owned()));
    let (request, rest) = rest::lend(request);
    let mut response = match answer(request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    let elapsed = started.elapsed();
    if !rest.discard(node.shared.config.limits.request_time).await {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    let status = response.status().as_u16();
    node.shared.metrics.count(route, status, elapsed);
    if let Some((method, path)) = logged {
        tracing::debug!(%method, path, status, milliseconds = elapsed.as_secs_f64() * 1e3, "answered");
    }
    response
}

/// Whether the caller may do what a route does.
fn authorize(node: &Node, access: Access, headers: &HeaderMap) -> Result<(), ApiError> {
    let (Some(token), Access::Changes) = (&node.shared.config.token, access) else {
        return Ok(());
    };
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::unauthorized(
            "this call changes the node, and needs the header Authorization: Bearer TOKEN",
        ));
    };
    let is_known = match given.as_bytes().split_at_checked("Bearer ".len()) {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case(b"Bearer ") => token.is(text),
        _ => false,
    };
    if is_known {
        Ok(())
    } else {
        Err(ApiError::unauthorized("the token is not this node's"))
    }
}

fn unknown_path(uri: &Uri) -> ApiError {
    ApiError::not_found(format!(
        "there is no {}; /openapi.json lists what there is",
        uri.path()
    ))
}
