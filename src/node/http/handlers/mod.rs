//! The handlers, and the table of all routes.

mod balances;
mod blocks;
mod chain;
mod health;
mod metrics;
mod mine;
mod mining_submit;
mod mining_template;
mod nodes;
mod nodes_register;
mod nodes_resolve;
mod openapi;
mod pending;
mod transactions_new;

use super::route::Route;

/// Every route, in the order in which they are described.
pub(super) fn routes() -> Vec<Route> {
    vec![
        mine::get(),
        mine::post(),
        transactions_new::route(),
        pending::route(),
        chain::route(),
        blocks::latest(),
        blocks::by_index(),
        balances::route(),
        nodes::route(),
        nodes_register::route(),
        nodes_resolve::route(),
        mining_template::route(),
        mining_submit::route(),
        health::route(),
        metrics::route(),
        openapi::route(),
    ]
}
