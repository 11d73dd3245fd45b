//! The handlers: one call per file.

pub(super) mod balances;
pub(super) mod blocks;
pub(super) mod chain;
pub(super) mod health;
pub(super) mod metrics;
pub(super) mod mine;
pub(super) mod mining_submit;
pub(super) mod mining_template;
pub(super) mod nodes;
pub(super) mod nodes_register;
pub(super) mod nodes_resolve;
pub(super) mod openapi_json;
pub(super) mod pending;
pub(super) mod transactions_new;
