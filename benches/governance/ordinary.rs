//! The crate `cel` as its documentation shows it: programs compiled once, and a context made from JSON for each evaluation.

use std::sync::Arc;

use cel::{Context, Env, Program, Value};
use dataproduct_operator::api::DataProduct;

/// The seven rules, as the policy says them. Where a function is the operator's own, the way is one that the crate has.
const RULES: [&str; 7] = [
    "has(object.spec.schema) && has(object.spec.schema.type) && has(object.spec.schema.fields)",
    "!has(object.spec.schema) || !has(object.spec.schema.fields) || object.spec.schema.fields.all(field, has(field.description) && field.description.matches('[^ \\n]'))",
    "!has(object.spec.schema) || !has(object.spec.schema.fields) || object.spec.schema.fields.all(field, has(field.pii))",
    "has(object.spec.slo) && has(object.spec.slo.availability) && percent(object.spec.slo.availability.target) >= 99.0",
    "has(object.spec.slo) && has(object.spec.slo.freshness)",
    "has(object.spec.access) && has(object.spec.access.classification)",
    "has(object.spec.access) && has(object.spec.access.retention)",
];

/// A context with the functions of the crate, made anew each time, as `Context::default()` does.
pub(crate) fn plain() -> impl FnMut(&DataProduct) -> usize {
    judged(Context::default)
}

/// A context that shares its functions with the one before, so that only the document is new.
pub(crate) fn kept() -> impl FnMut(&DataProduct) -> usize {
    let functions = Arc::new(Env::stdlib());
    judged(move || Context::with_env(functions.clone()))
}

fn judged(context: impl Fn() -> Context<'static, 'static>) -> impl FnMut(&DataProduct) -> usize {
    let programs = RULES.map(|rule| Program::compile(rule).expect(rule));
    move |product| {
        let broken = programs.iter().filter(|program| {
            let object = serde_json::to_value(product).expect("plain data");
            let mut context = context();
            context.add_variable("object", object).expect("plain data");
            context.add_function("percent", percent).expect("a new name");
            program.execute(&context) != Ok(Value::Bool(true))
        });
        broken.count()
    }
}

fn percent(text: Arc<String>) -> f64 {
    text.trim_end_matches('%').parse().unwrap_or(0.0)
}
