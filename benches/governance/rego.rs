//! The seven rules in Rego, by regorus: the policy is compiled once, and a product is its input.

use dataproduct_operator::api::DataProduct;
use regorus::{Engine, Value};

pub(crate) fn engine() -> impl FnMut(&DataProduct) -> usize {
    let mut engine = Engine::new();
    engine.add_policy("rules.rego".to_owned(), include_str!("rules.rego").to_owned()).expect("a policy");
    move |product| {
        let input = serde_json::to_value(product).expect("plain data");
        engine.set_input(Value::from(input));
        let broken = engine.eval_rule("data.rules.broken".to_owned()).expect("an answer");
        broken.as_set().expect("a set").len()
    }
}
