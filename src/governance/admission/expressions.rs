//! The built-in rules in the language of the API server, as rows of one table.
//!
//! A row says of a rule what its function in the family's file says, in the same words; a property test compares the two on
//! products of any shape, and another one asks a real API server. A rule is in [`EXPRESSED`] or, with the reason, in
//! [`NOT_EXPRESSED`].

/// A rule as the API server can judge it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expressed {
    /// The built-in rule.
    pub(super) id: &'static str,
    /// Whether its breaches are errors whatever a policy says.
    pub(super) always_error: bool,
    /// What is asked.
    pub(super) parts: &'static [Part],
}

/// One question of a rule. In a message, what stands in braces is an expression, `$` is the first breach of `Each`, and
/// `@name` is a parameter of the rule.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// The product keeps the rule, or breaks it as a whole.
    Whole { holds: &'static str, message: &'static str },
    /// Each element of a list is a breach. The API server tells the first, and how many more there are.
    Each { broken: &'static str, message: &'static str },
}

/// What several expressions share, each after those that it uses itself.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("fields", "has(object.spec.schema) && has(object.spec.schema.fields) ? object.spec.schema.fields : []"),
    ("names", "variables.fields.map(field, field.name)"),
    (
        "columns",
        "has(object.spec.access) && has(object.spec.access.privacy) && has(object.spec.access.privacy.pii_columns) \
         ? object.spec.access.privacy.pii_columns : []",
    ),
    (
        "personal",
        "variables.fields.exists(field, has(field.pii) && field.pii) || size(variables.columns) > 0",
    ),
    ("tests", "has(object.spec.quality) && has(object.spec.quality.tests) ? object.spec.quality.tests : []"),
    ("outputs", "has(object.spec.outputPorts) ? object.spec.outputPorts : []"),
    ("storage", "variables.outputs.filter(port, !(port.type in @apis) && !(port.type in @streams))"),
    ("apis", "variables.outputs.filter(port, port.type in @apis)"),
    ("formatted", "variables.outputs.filter(port, has(port.format) && port.format.trim() != \"\")"),
    (
        "availability",
        "has(object.spec.slo) && has(object.spec.slo.availability) ? object.spec.slo.availability.target : \"0%\"",
    ),
    ("described", "has(object.spec.description) && object.spec.description.trim() != \"\""),
    (
        "allowed_storage",
        "has(params.spec.standards.storage) && has(params.spec.standards.storage.allowed) \
         ? params.spec.standards.storage.allowed : []",
    ),
    (
        "forbidden_storage",
        "has(params.spec.standards.storage) && has(params.spec.standards.storage.not_allowed) \
         ? params.spec.standards.storage.not_allowed : []",
    ),
    (
        "required_formats",
        "has(params.spec.standards.formats) && has(params.spec.standards.formats.required) \
         ? params.spec.standards.formats.required : []",
    ),
    (
        "optional_formats",
        "has(params.spec.standards.formats) && has(params.spec.standards.formats.optional) \
         ? params.spec.standards.formats.optional : []",
    ),
    (
        "protocols",
        "has(params.spec.standards.apis) && has(params.spec.standards.apis.required_protocols) \
         ? params.spec.standards.apis.required_protocols : []",
    ),
    (
        "authentication",
        "has(params.spec.standards.apis) && has(params.spec.standards.apis.required_authentication) \
         ? params.spec.standards.apis.required_authentication : []",
    ),
    (
        "required_tests",
        "has(params.spec.standards.quality) && has(params.spec.standards.quality.required_tests) \
         ? params.spec.standards.quality.required_tests : []",
    ),
    (
        "documentation",
        "has(params.spec.standards.quality) && has(params.spec.standards.quality.required_documentation) \
         ? params.spec.standards.quality.required_documentation : []",
    ),
];

/// The rules that the API server can judge, in the order of the catalogue.
pub(super) const EXPRESSED: &[Expressed] = &[
    rule(
        "SCHEMA-001",
        &[
            Part::Whole {
                holds: "has(object.spec.schema) && has(object.spec.schema.type)",
                message: "Missing required schema field: type",
            },
            Part::Whole {
                holds: "has(object.spec.schema) && has(object.spec.schema.fields)",
                message: "Missing required schema field: fields",
            },
        ],
    ),
    rule(
        "SCHEMA-002",
        &[Part::Each {
            broken: "variables.fields.filter(field, !has(field.description) || field.description.trim() == \"\")",
            message: "Field '{$.name}' missing description",
        }],
    ),
    rule(
        "PRIVACY-001",
        &[Part::Each {
            broken: "variables.fields.filter(field, !has(field.pii))",
            message: "Field '{$.name}' missing PII classification",
        }],
    ),
    rule(
        "SLO-001",
        &[Part::Whole {
            holds: "double(variables.availability.replace(\"%\", \"\")) >= double(@minimum.replace(\"%\", \"\"))",
            message: "Availability SLO ({variables.availability}) below recommended {@minimum}",
        }],
    ),
    rule(
        "SLO-002",
        &[Part::Whole {
            holds: "has(object.spec.slo) && has(object.spec.slo.freshness)",
            message: "Freshness SLO not defined",
        }],
    ),
    rule(
        "SEC-001",
        &[Part::Whole {
            holds: "has(object.spec.access) && has(object.spec.access.classification)",
            message: "Data classification not specified",
        }],
    ),
    rule(
        "SEC-002",
        &[Part::Whole {
            holds: "has(object.spec.access) && has(object.spec.access.retention)",
            message: "Retention policy not specified",
        }],
    ),
    rule(
        "DOC-001",
        &[Part::Whole {
            holds: "!(\"description\" in variables.documentation) || variables.described",
            message: "Product description missing",
        }],
    ),
    rule(
        "DOC-004",
        &[Part::Whole {
            holds: "!(\"schema\" in variables.documentation) || has(object.spec.schema)",
            message: "Schema not documented",
        }],
    ),
    rule(
        "DOC-005",
        &[Part::Whole {
            holds: "!(\"slo\" in variables.documentation) || has(object.spec.slo)",
            message: "SLOs not documented",
        }],
    ),
    rule(
        "STD-001",
        &[Part::Each {
            broken: "variables.storage.filter(port, size(variables.allowed_storage) > 0 \
                     && !(port.type in variables.allowed_storage))",
            message: "Output port '{$.name}' stores data in '{$.type}', which is not an allowed storage",
        }],
    ),
    // Its question about accounts is not asked here: the API server knows no provider.
    rule(
        "STD-002",
        &[Part::Each {
            broken: "variables.storage.filter(port, port.type in variables.forbidden_storage)",
            message: "Output port '{$.name}' stores data in '{$.type}', which is forbidden",
        }],
    ),
    rule(
        "STD-003",
        &[Part::Each {
            broken: "variables.formatted.filter(port, \
                     size(variables.required_formats) + size(variables.optional_formats) > 0 \
                     && !(port.format in variables.required_formats) && !(port.format in variables.optional_formats))",
            message: "Output port '{$.name}' has format '{$.format}', which is not an allowed format",
        }],
    ),
    rule(
        "STD-004",
        &[Part::Each {
            broken: "variables.formatted.filter(port, port.format in variables.optional_formats \
                     && !(port.format in variables.required_formats) \
                     && !(has(object.metadata.annotations) && @justification in object.metadata.annotations \
                     && object.metadata.annotations[@justification].trim() != \"\"))",
            message: "Output port '{$.name}' has format '{$.format}', which needs a justification",
        }],
    ),
    rule(
        "STD-005",
        &[Part::Each {
            broken: "variables.storage.filter(port, size(variables.required_formats) > 0 \
                     && !(has(port.format) && port.format.trim() != \"\"))",
            message: "Output port '{$.name}' states no format",
        }],
    ),
    rule(
        "STD-006",
        &[Part::Each {
            broken: "variables.apis.filter(port, size(variables.protocols) > 0 && !(port.type in variables.protocols))",
            message: "Output port '{$.name}' speaks '{$.type}', which is not an allowed protocol",
        }],
    ),
    rule(
        "STD-007",
        &[Part::Each {
            broken: "variables.apis.filter(port, size(variables.authentication) > 0 \
                     && !(has(port.authentication) && port.authentication in variables.authentication))",
            message: "Output port '{$.name}' {has($.authentication) ? \"has authentication '\" + $.authentication \
                      + \"', which is not allowed for an API\" : \"is an API and states no authentication\"}",
        }],
    ),
    rule(
        "QUALITY-001",
        &[Part::Each {
            broken: "variables.required_tests.filter(word, !variables.tests.exists(test, test.type == word))",
            message: "Required quality test '{$}' missing",
        }],
    ),
    rule(
        "PRIVACY-002",
        &[Part::Each {
            broken: "variables.fields.filter(field, has(field.pii) && field.pii && !(field.name in variables.columns))",
            message: "Field '{$.name}' holds personal data and is not in pii_columns",
        }],
    ),
    rule(
        "PRIVACY-003",
        &[Part::Each {
            broken: "variables.columns.filter(column, size(variables.names) > 0 && !(column in variables.names))",
            message: "pii_columns names '{$}', which is no field of the schema",
        }],
    ),
    rule(
        "PRIVACY-004",
        &[Part::Each {
            broken: "variables.fields.filter(field, has(field.pii) && !field.pii && field.name in variables.columns)",
            message: "Field '{$.name}' says pii: false and is in pii_columns",
        }],
    ),
    rule(
        "PRIVACY-005",
        &[Part::Whole {
            holds: "!variables.personal || (has(object.spec.access) && has(object.spec.access.privacy) \
                    && has(object.spec.access.privacy.masking_policy) \
                    && object.spec.access.privacy.masking_policy.trim() != \"\")",
            message: "Personal data without a masking policy",
        }],
    ),
    // Internal data is a warning whatever a policy says, and stops nothing.
    Expressed {
        id: "PRIVACY-006",
        always_error: true,
        parts: &[Part::Whole {
            holds: "!variables.personal || !has(object.spec.access) || !has(object.spec.access.classification) \
                    || object.spec.access.classification != \"public\"",
            message: "Personal data is classified as public",
        }],
    },
    rule(
        "SLO-004",
        &[
            Part::Whole {
                holds: "!has(object.spec.slo) || has(object.spec.slo.completeness)",
                message: "No target for completeness",
            },
            Part::Whole {
                holds: "!has(object.spec.slo) || has(object.spec.slo.accuracy)",
                message: "No target for accuracy",
            },
        ],
    ),
    rule(
        "SEC-003",
        &[Part::Whole {
            holds: "has(object.spec.access) && has(object.spec.access.roles) && size(object.spec.access.roles) > 0",
            message: "No access role, so that nobody but the domain's own team gets to the data",
        }],
    ),
    rule(
        "PROD-001",
        &[Part::Whole {
            holds: "size(variables.outputs) > 0",
            message: "No output port, so that nobody can use the data",
        }],
    ),
    rule(
        "PROD-002",
        &[Part::Whole {
            holds: "has(object.spec.slo) || size(variables.tests) > 0 || variables.described",
            message: "No service level, no quality test and no description: a table, not a product",
        }],
    ),
    rule(
        "LINEAGE-003",
        &[Part::Each {
            broken: "(has(object.spec.lineage) && has(object.spec.lineage.upstreamProducts) \
                     && size(object.spec.lineage.upstreamProducts) > 0) || !has(object.spec.inputPorts) \
                     ? [] : object.spec.inputPorts.filter(port, !has(port.productRef))",
            message: "Input port '{$.name}' names no product that it reads",
        }],
    ),
];

/// The rules that the API server cannot judge, and why.
pub(super) const NOT_EXPRESSED: &[(&str, &str)] = &[
    ("DOC-002", DOMAIN),
    ("DOC-003", DOMAIN),
    (
        "QUALITY-002",
        "it compares every column of every test with every field, which costs more than one expression may",
    ),
    ("SLO-003", "it compares lengths of time in the words of the spec, which the language does not know"),
    ("SEC-004", OBSERVED),
    ("SEC-005", OBSERVED),
    ("SEC-006", HISTORY),
    ("SEC-007", MESH),
    ("PROD-003", MESH),
    ("PROD-004", "it needs the domain of the namespace"),
    ("VERSION-001", HISTORY),
    ("VERSION-002", HISTORY),
    ("LINEAGE-001", MESH),
    ("LINEAGE-002", MESH),
    ("LINEAGE-004", MESH),
    ("SEC-008", OBSERVED),
];

const DOMAIN: &str = "the owner of the domain stands in for the product's own";
const OBSERVED: &str = "it needs what the provider observed";
const HISTORY: &str = "it needs the contracts that were accepted before";
const MESH: &str = "it needs the other products of the mesh";

/// A rule that is as grave as its policy says.
const fn rule(id: &'static str, parts: &'static [Part]) -> Expressed {
    Expressed { id, always_error: false, parts }
}
