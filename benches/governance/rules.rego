package rules

import rego.v1

fields := object.get(input.spec, ["schema", "fields"], [])

broken contains "SCHEMA-001" if not input.spec.schema.type

broken contains "SCHEMA-001" if not input.spec.schema.fields

broken contains "SCHEMA-002" if {
	some field in fields
	trim_space(object.get(field, "description", "")) == ""
}

broken contains "PRIVACY-001" if {
	some field in fields
	object.get(field, "pii", null) == null
}

broken contains "SLO-001" if {
	target := object.get(input.spec, ["slo", "availability", "target"], "0%")
	to_number(trim_suffix(target, "%")) < 99
}

broken contains "SLO-002" if not input.spec.slo.freshness

broken contains "SEC-001" if not input.spec.access.classification

broken contains "SEC-002" if not input.spec.access.retention
