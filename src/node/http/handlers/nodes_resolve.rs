//! `GET /nodes/resolve`.

use axum::extract::State;
use axum::response::Response;

use super::health::must_be_sound;
use crate::node::http::authorization::Authorized;
use crate::node::http::chain_stream::{self, ChainAnswer};
use crate::node::http::error::ApiError;
use crate::node::http::reply::quoted;
use crate::node::peers::Resolution;
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    _: Authorized,
) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let before = match node.shared.peers.resolve().await? {
        Resolution::Replaced => {
            "{\"message\": \"Our chain was replaced\", \"new_chain\": [".to_owned()
        }
        Resolution::Kept(detail) => {
            // The tutorial's answer, unless there is something to add.
            let detail = match &*detail {
                "" => String::new(),
                detail => format!("\"detail\": {}, ", quoted(detail)),
            };
            format!("{{\"message\": \"Our chain is authoritative\", {detail}\"chain\": [")
        }
    };
    let head = node.shared.writer.head();
    let answer = ChainAnswer {
        before,
        first: 1,
        last: head.tip.index,
        after: "]}".to_owned(),
    };
    chain_stream::answer(&node, &head, answer).await
}
