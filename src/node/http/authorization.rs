//! Who may change the node: callers with the token. Without a token, everyone
//! except web pages of other sites.

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use axum::http::request::Parts;
use url::Host;

use super::error::ApiError;
use crate::node::config::{NodeConfig, Refusal};
use crate::node::origin::{ForeignCall, HostName, Origin};
use crate::node::state::Node;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Browsers send it to loopback addresses, even with calls that have no Origin,
/// such as images and links.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Proof that the caller may change the node: it sent the token, or the node
/// has none and the call is not foreign. Handlers that change anything take it
/// as an argument.
pub(super) struct Authorized;

impl FromRequestParts<Node> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &Node) -> Result<Self, ApiError> {
        let config = &node.shared.config;
        let Some(token) = &config.token else {
            return check(parts, config).map(|()| Self).map_err(|call| {
                let advice = (config.advice)(Refusal::ForeignCall(&call));
                ApiError::forbidden(format!("{call}{advice}"))
            });
        };
        let given = parts.headers.get(AUTHORIZATION).ok_or_else(|| {
            ApiError::unauthorized(
                "this call changes the node and needs the header Authorization: Bearer TOKEN",
            )
        })?;
        match given.as_bytes().split_at_checked("Bearer ".len()) {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
                // A client may have read its token from a file with the mark.
                let text = text.trim_ascii_start();
                let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
                let is_right = token.is(text);
                is_right.then_some(Self).ok_or_else(|| {
                    ApiError::unauthorized("the token in the header Authorization is wrong")
                })
            }
            _ => Err(ApiError::unauthorized(
                "the header Authorization is not Bearer TOKEN, which this call needs",
            )),
        }
    }
}

/// Refuses what a web page of another site can make a browser send.
fn check(parts: &Parts, config: &NodeConfig) -> Result<(), ForeignCall> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let target = parts.uri.authority().map(|host| host.as_str().to_owned());
    // Browsers always send a host; HTTP/1.0 does not need one.
    let named = parts.headers.get_all(HOST).iter().map(text).chain(target);
    let hosts: Vec<String> = named.filter(|host| !host.is_empty()).collect();
    if let Some(host) = hosts.iter().find(|host| !is_ours(host, &config.hosts)) {
        return Err(ForeignCall::Host(host.clone()));
    }

    if config.origins.iter().any(Origin::is_any) {
        return Ok(());
    }
    let mut origins = parts.headers.get_all(ORIGIN).iter().peekable();
    if origins.peek().is_none() {
        return match parts.headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes) {
            None | Some(b"same-origin" | b"none") => Ok(()),
            Some(_) => Err(ForeignCall::Site),
        };
    }
    let is_trusted = |origin: &HeaderValue| {
        let mut trusted = config.origins.iter().map(Origin::header);
        trusted.any(|trusted| trusted == origin) || is_same(origin, &hosts)
    };
    match origins.find(|origin| !is_trusted(origin)) {
        Some(origin) => Err(ForeignCall::Origin(text(origin))),
        None => Ok(()),
    }
}

/// Whether `host`, perhaps with a port, is an address or a name of this node.
///
/// A site can load its page from a name of its own, and then point that name to
/// this node. To the browser, the calls of the page are then same-origin.
fn is_ours(host: &str, names: &[HostName]) -> bool {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    match Host::parse(name) {
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Ok(Host::Domain(name)) => name == "localhost" || names.iter().any(|ours| ours.is(&name)),
        Err(_) => false,
    }
}

/// Whether a page of `origin` calls the host that it came from. The page may have
/// come over HTTPS from a proxy.
fn is_same(origin: &HeaderValue, hosts: &[String]) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    let (Some((scheme, authority)), [host]) = (origin.split_once("://"), hosts) else {
        return false;
    };
    matches!(scheme, "http" | "https") && authority.eq_ignore_ascii_case(host)
}
