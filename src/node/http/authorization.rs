//! The token that calls which change the node must send.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::error::ApiError;
use crate::node::state::Node;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Proof that the caller may change the node: it sent the token, or the node
/// has none. Handlers that change anything take it as an argument.
pub(super) struct Authorized;

impl FromRequestParts<Node> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &Node) -> Result<Self, ApiError> {
        let Some(token) = &node.shared.config.token else {
            return Ok(Self);
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
