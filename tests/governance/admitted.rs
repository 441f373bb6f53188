//! One answer: what the API server is asked says of any product what the evaluator says, in the same words. Here another
//! implementation of the language stands in for the API server, so that any product can be tried; `tests/real` asks a
//! real one.

use std::collections::{BTreeMap, HashMap};

use dataproduct_operator::{
    api::{
        DataProduct, GovernancePolicy, PlatformStandards, PlatformStandardsSpec,
        product::{Access, Classification, InputPort, Lineage, Privacy, ProductRef, SloTarget},
        status::Severity,
    },
    governance::{Action, Input, Policy, PolicySet, RULES, admission, is_expressed},
    model::percent::Percent,
};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicySpec;
use kube_cel::{
    KubeCelExt,
    cel::{Context, Program, Value, to_value},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use crate::any;

/// Every rule that the API server can judge, as an error of an enforced policy.
fn strict() -> GovernancePolicy {
    let expressed = RULES.iter().filter(|rule| is_expressed(rule.id));
    let rules = expressed.map(|rule| json!({"id": rule.id, "severity": "error"})).collect::<Vec<_>>();
    let spec = json!({"state": "Enforced", "rules": rules});
    GovernancePolicy::new("strict", serde_json::from_value(spec).expect("a policy"))
}

/// What is asked of a product.
struct Asked {
    spec: ValidatingAdmissionPolicySpec,
    object: serde_json::Value,
    params: serde_json::Value,
}

impl Asked {
    fn of(product: &DataProduct, standards: &PlatformStandardsSpec) -> Self {
        let generated = admission(&[strict()], &[], Action::Warn, None).remove(0);
        let standards = PlatformStandards::new("default", standards.clone());
        Self {
            spec: generated.policy.spec.expect("a spec"),
            object: serde_json::to_value(product).expect("JSON"),
            params: serde_json::to_value(standards).expect("JSON"),
        }
    }

    /// The messages of all that does not hold.
    fn answers(&self) -> Vec<String> {
        let mut context = Context::default().with_all();
        context.add_variable_from_value("object", to_value(&self.object).expect("a value"));
        context.add_variable_from_value("params", to_value(&self.params).expect("a value"));
        let run = |text: &str, context: &Context<'_>| {
            let program = Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            program.execute(context).unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let mut variables: HashMap<String, Value> = HashMap::new();
        for variable in self.spec.variables.iter().flatten() {
            context.add_variable_from_value("variables", variables.clone());
            let value = run(&variable.expression, &context);
            variables.insert(variable.name.clone(), value);
        }
        context.add_variable_from_value("variables", variables);
        let validations = self.spec.validations.iter().flatten();
        let broken = validations.filter(|validation| match run(&validation.expression, &context) {
            Value::Bool(holds) => !holds,
            other => panic!("{}: {other:?}", validation.expression),
        });
        let answers = broken.map(|validation| match &validation.message_expression {
            None => validation.message.clone().expect("a message"),
            Some(expression) => match run(expression, &context) {
                Value::String(said) => said.to_string(),
                other => panic!("{expression}: {other:?}"),
            },
        });
        answers.collect()
    }
}

/// An answer without what it says of more breaches, and how many it stands for.
fn parted(answer: &str) -> (String, usize) {
    let more = answer.strip_suffix(" more)").and_then(|rest| rest.rsplit_once(" (and "));
    match more.and_then(|(first, more)| Some((first, more.parse::<usize>().ok()?))) {
        Some((first, more)) => (first.to_owned(), more + 1),
        None => (answer.to_owned(), 1),
    }
}

/// What the evaluator says is an error, by rule.
fn expected(product: &DataProduct, standards: &PlatformStandardsSpec) -> BTreeMap<String, Vec<String>> {
    let policy = strict();
    let policies: PolicySet = [Policy::global("strict", &policy.spec.policy, None)].into_iter().collect();
    let report = policies.evaluate(&Input::of(product, standards));
    let errors = report.violations.into_iter().filter(|violation| violation.severity == Severity::Error);
    errors.fold(BTreeMap::new(), |mut all, violation| {
        all.entry(violation.rule.id.to_string())
            .or_insert_with(Vec::new)
            .push(format!("[{}] {}", violation.rule.id, violation.message));
        all
    })
}

fn privacy() -> impl Strategy<Value = Option<Privacy>> {
    let masking_policy = option::of(select(&["hash", " \n"][..]).prop_map(str::to_owned));
    option::of((vec("[a-z]{1,3}", 0..4), masking_policy).prop_map(|(mut pii_columns, masking_policy)| {
        // The schema lets no column in twice.
        pii_columns.sort_unstable();
        pii_columns.dedup();
        Privacy { pii_columns, masking_policy }
    }))
}

fn input_port() -> impl Strategy<Value = InputPort> {
    ("[a-z]{1,3}", any::<bool>()).prop_map(|(name, named)| InputPort {
        name,
        product_ref: named.then(|| ProductRef { name: "p".to_owned(), ..ProductRef::default() }),
        ..InputPort::default()
    })
}

/// A product as the schema of the cluster lets it in, as far as the rules ask for more than it.
fn product() -> impl Strategy<Value = DataProduct> {
    let class = select(&[Classification::Public, Classification::Internal][..]);
    let more = (privacy(), option::of(class), vec(input_port(), 0..3), any::<bool>(), any::<bool>());
    (any::product(), more).prop_map(|(mut product, (privacy, class, ports, upstream, complete))| {
        let spec = &mut product.spec;
        if privacy.is_some() {
            let access = spec.access.get_or_insert_with(Access::default);
            access.privacy = privacy;
            access.classification = access.classification.and(class);
        }
        spec.input_ports = ports;
        spec.lineage =
            upstream.then(|| Lineage { upstream_products: vec!["p".to_owned()], ..Lineage::default() });
        if let Some(slo) = &mut spec.slo {
            slo.availability.take_if(|target| target.target.parse::<Percent>().is_err());
            slo.accuracy = complete.then(|| SloTarget { target: "99%".to_owned(), ..SloTarget::default() });
        }
        product
    })
}

proptest! {
    #[test]
    fn the_api_server_is_asked_what_the_evaluator_asks(product in product(), standards in any::standards()) {
        let mut expected = expected(&product, &standards);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for answer in Asked::of(&product, &standards).answers() {
            let (first, count) = parted(&answer);
            let id = first.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
            let known = expected.get(&id).is_some_and(|messages| messages.contains(&first));
            prop_assert!(known, "{answer:?} is not among {expected:?}");
            *counts.entry(id).or_default() += count;
        }
        let expected: BTreeMap<_, _> = expected.iter_mut().map(|(id, messages)| (id.clone(), messages.len())).collect();
        prop_assert_eq!(counts, expected);
    }
}
