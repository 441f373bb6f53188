//! DOC: what the product is and who answers for it. Each rule holds where the standards require that part of the
//! documentation.

use crate::api::product::Owner;

use super::{Findings, Input, stated};

/// DOC-001.
pub(super) fn has_description(input: &Input<'_>, found: &mut Findings<'_>) {
    let described = stated(input.spec().description.as_deref()).is_some();
    found.when(
        requires(input, "description") && !described,
        "spec.description",
        "Product description missing",
        "Add spec.description: what the data is, where it comes from, how often it is updated",
    );
}

/// DOC-002. A product that names no team belongs to the team of its domain.
pub(super) fn has_owner(input: &Input<'_>, found: &mut Findings<'_>) {
    let owned = owners(input).any(|owner| stated(owner.team.as_deref()).is_some());
    found.when(
        requires(input, "owner") && !owned,
        "spec.owner.team",
        "Owner team missing",
        "Set spec.owner.team or the DataDomain owner",
    );
}

/// DOC-003. Either way of contact will do, on the product or on its domain.
pub(super) fn has_contact(input: &Input<'_>, found: &mut Findings<'_>) {
    let reachable = owners(input)
        .flat_map(|owner| [owner.email.as_deref(), owner.slack.as_deref()])
        .any(|contact| stated(contact).is_some());
    found.when(
        requires(input, "owner") && !reachable,
        "spec.owner",
        "No contact for the owner",
        "Add spec.owner.email or spec.owner.slack",
    );
}

/// DOC-004. What a schema lacks is charged by SCHEMA-001, so that one gap is not charged twice.
pub(super) fn has_schema(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        requires(input, "schema") && input.spec().schema.is_none(),
        "spec.schema",
        "Schema not documented",
        "Add spec.schema",
    );
}

/// DOC-005. What the objectives lack is charged by SLO-001 and SLO-002.
pub(super) fn has_slo(input: &Input<'_>, found: &mut Findings<'_>) {
    found.when(
        requires(input, "slo") && input.spec().slo.is_none(),
        "spec.slo",
        "SLOs not documented",
        "Add spec.slo",
    );
}

fn requires(input: &Input<'_>, part: &str) -> bool {
    input.standards.standards.quality.required_documentation.iter().any(|required| required == part)
}

/// The product's own owner, and the domain's for what that one leaves out.
fn owners<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a Owner> {
    let domain = input.domain.and_then(|domain| domain.spec.owner.as_ref());
    input.spec().owner.as_ref().into_iter().chain(domain)
}

#[cfg(test)]
mod tests {
    use crate::{
        api::{
            DataDomain, DataDomainSpec,
            product::{DataSchema, Owner, Slo},
        },
        governance::{
            Input,
            fixtures::{assert_table, broken_by, evaluate, input, product, standards},
        },
    };

    fn owner(team: Option<&str>, email: Option<&str>, slack: Option<&str>) -> Owner {
        let [team, email, slack] = [team, email, slack].map(|text| text.map(Into::into));
        Owner { team, email, slack, ..Owner::default() }
    }

    #[test]
    fn the_product_has_a_description_that_is_not_blank() {
        let cases = [
            ("described", Some("Customers and what they bought"), vec![]),
            ("not described", None, vec!["spec.description"]),
            ("described by spaces", Some(" \n"), vec!["spec.description"]),
        ];
        assert_table(
            "DOC-001",
            cases.map(|(case, text, paths)| {
                (case, product(|spec| spec.description = text.map(Into::into)), paths)
            }),
        );
    }

    fn owned(owner: Option<Owner>) -> DataDomain {
        DataDomain::new("customer", DataDomainSpec { owner, ..DataDomainSpec::default() })
    }

    #[test]
    fn a_team_owns_the_product_by_itself_or_through_its_domain() {
        let named = || Some(owner(Some("team-a"), None, None));
        let blank = || Some(owner(Some(" "), None, None));
        let cases = [
            ("its own", named(), None, 0),
            ("its domain's", None, named(), 0),
            ("a blank one of its own hides nothing", blank(), named(), 0),
            ("none", None, None, 1),
            ("blank ones", blank(), blank(), 1),
        ];
        for (case, own, domain, expected) in cases {
            let product = product(|spec| spec.owner = own);
            let domain = owned(domain);
            let input = Input { domain: Some(&domain), ..input(&product) };
            assert_eq!(broken_by("DOC-002", &input).len(), expected, "{case}");
        }
    }

    #[test]
    fn the_owner_can_be_reached() {
        let cases = [
            ("by e-mail", Some(owner(None, Some("a@example.com"), None)), None, 0),
            ("by Slack", Some(owner(None, None, Some("#a"))), None, 0),
            ("through the domain", None, Some(owner(None, None, Some("#a"))), 0),
            ("not at all", Some(owner(Some("team-a"), Some(" "), None)), None, 1),
        ];
        for (case, own, domain, expected) in cases {
            let product = product(|spec| spec.owner = own);
            let domain = owned(domain);
            let input = Input { domain: Some(&domain), ..input(&product) };
            assert_eq!(broken_by("DOC-003", &input).len(), expected, "{case}");
        }
    }

    #[test]
    fn schema_and_objectives_are_there_however_empty() {
        let cases = [
            ("an empty schema", Some(DataSchema::default()), vec![]),
            ("no schema", None, vec!["spec.schema"]),
        ];
        assert_table(
            "DOC-004",
            cases.map(|(case, schema, paths)| (case, product(|spec| spec.schema = schema), paths)),
        );
        let cases = [("empty objectives", Some(Slo::default()), vec![]), ("none", None, vec!["spec.slo"])];
        assert_table(
            "DOC-005",
            cases.map(|(case, slo, paths)| (case, product(|spec| spec.slo = slo), paths)),
        );
    }

    #[test]
    fn only_what_the_standards_require_is_asked_for() {
        let product = product(|spec| {
            (spec.description, spec.owner, spec.schema, spec.slo) = (None, None, None, None);
        });
        let documentation = |required: &[&str]| {
            let mut standards = standards();
            standards.standards.quality.required_documentation =
                required.iter().map(|&part| part.into()).collect();
            let report = evaluate(&Input { standards: &standards, ..input(&product) });
            let ids = report
                .violations
                .into_iter()
                .map(|v| v.rule.id.to_string())
                .filter(|id| id.starts_with("DOC-"));
            ids.collect::<Vec<_>>()
        };
        assert_eq!(documentation(&[]), Vec::<String>::new());
        assert_eq!(documentation(&["description"]), ["DOC-001"]);
        assert_eq!(documentation(&["owner"]), ["DOC-002", "DOC-003"]);
        assert_eq!(documentation(&["schema", "slo"]), ["DOC-004", "DOC-005"]);
    }
}
