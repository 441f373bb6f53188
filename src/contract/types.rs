//! Types of fields: ours are texts of the schema language, the standard has nine words.

/// The word of the standard for a type text; `None` where no word is known to fit.
pub fn logical(text: &str) -> Option<&'static str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let base = text.get(..end)?.to_ascii_lowercase();
    let (_, logical) = WORDS.iter().find(|(words, _)| words.contains(&base.as_str()))?;
    Some(logical)
}

/// Type words of Avro, JSON Schema, Protobuf and SQL dialects, without their parameters, and what they are.
const WORDS: &[(&[&str], &str)] = &[
    (
        &[
            "string",
            "varchar",
            "nvarchar",
            "char",
            "nchar",
            "character",
            "text",
            "uuid",
            "enum",
            "clob",
            "str",
            "utf8",
            "varchar2",
            "nvarchar2",
            "citext",
            "bpchar",
            "email",
            "uri",
            "url",
            "ipaddr",
            "inet",
            "fixedstring",
        ],
        "string",
    ),
    (
        &[
            "integer",
            "int",
            "long",
            "bigint",
            "smallint",
            "tinyint",
            "mediumint",
            "short",
            "byte",
            "byteint",
            "int2",
            "int4",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "sint32",
            "sint64",
            "fixed32",
            "fixed64",
            "serial",
            "bigserial",
        ],
        "integer",
    ),
    (
        &[
            "number",
            "float",
            "double",
            "decimal",
            "numeric",
            "real",
            "money",
            "float4",
            "float8",
            "float32",
            "float64",
            "bignumeric",
            "dec",
            "smallmoney",
        ],
        "number",
    ),
    (&["boolean", "bool", "bit"], "boolean"),
    (&["date", "date32"], "date"),
    (
        &[
            "timestamp",
            "timestamptz",
            "timestamp_ntz",
            "timestamp_ltz",
            "timestamp_tz",
            "datetime",
            "datetime2",
            "datetime64",
            "datetimeoffset",
            "smalldatetime",
            "instant",
        ],
        "timestamp",
    ),
    (&["time", "timetz"], "time"),
    (&["array", "list", "set", "repeated", "vector"], "array"),
    (&["object", "struct", "map", "record", "row", "json", "jsonb", "variant", "tuple", "message"], "object"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_matter_and_what_is_unknown_stays_unsaid() {
        let cases = [
            ("string", Some("string")),
            ("VARCHAR(18)", Some("string")),
            ("long", Some("integer")),
            ("NUMBER(38,0)", Some("number")),
            ("decimal(12,2)", Some("number")),
            ("timestamp with time zone", Some("timestamp")),
            ("array<string>", Some("array")),
            ("map<string,int>", Some("object")),
            ("geography", None),
            ("", None),
            ("(", None),
            ("größe", None),
        ];
        for (text, expected) in cases {
            assert_eq!(logical(text), expected, "{text}");
        }
    }

    #[test]
    fn every_word_of_the_standard_means_itself_and_no_word_stands_twice() {
        let words: Vec<_> = WORDS.iter().flat_map(|(words, _)| *words).collect();
        assert_eq!(words.iter().collect::<std::collections::BTreeSet<_>>().len(), words.len());
        for (_, logical_type) in WORDS {
            assert_eq!(logical(logical_type), Some(*logical_type));
        }
    }
}
