//! Mines random queues and verifies the chains.

use fourzero::chain::Format;
use proptest::prelude::*;

use super::cases;
use super::plan::{expected, mined, plan, verdict};
use crate::naive::Json;
use crate::naive_chain;

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_random_queue_is_mined_to_the_specified_bytes_and_verifies(plan in plan()) {
        let chain = expected(&plan);
        let file = match plan.format {
            Format::Json => naive_chain::json_file(&chain),
            Format::JsonLines => naive_chain::jsonl_file(&chain),
            Format::Array => Json::List(chain.clone()).canonical(),
        };
        let found = mined(&plan);
        prop_assert_eq!(&found, &file);
        for rule in [Some(plan.rule), None] {
            let report = verdict(found.as_bytes(), rule, plan.zeros, plan.threads).unwrap();
            prop_assert!(report.is_valid(), "{:?}", report);
            let mined = chain.len() as u64;
            prop_assert_eq!(report.blocks, mined);
            // Each block except the first has a reward.
            prop_assert_eq!(report.transactions, plan.transactions.len() as u64 + mined - 1);
        }
    }
}
