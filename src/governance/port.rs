//! What an output port is: storage, an API or a stream. The standards of storage bind only storage, those of APIs
//! only APIs.

/// What an output port is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortKind {
    /// It holds the data.
    Storage,
    /// It answers requests.
    Api,
    /// It sends events.
    Stream,
}

impl PortKind {
    /// The word used in messages and documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Api => "api",
            Self::Stream => "stream",
        }
    }
}

/// The types of output ports that are not storage. Every other type is, so that a technology which nobody foresaw has
/// to be allowed by name.
pub const PORT_TYPES: &[(&str, PortKind)] = &[
    ("rest", PortKind::Api),
    ("grpc", PortKind::Api),
    ("graphql", PortKind::Api),
    ("http", PortKind::Api),
    ("https", PortKind::Api),
    ("odata", PortKind::Api),
    ("soap", PortKind::Api),
    ("websocket", PortKind::Api),
    ("amqp", PortKind::Stream),
    ("event_hubs", PortKind::Stream),
    ("eventhub", PortKind::Stream),
    ("eventhubs", PortKind::Stream),
    ("kafka", PortKind::Stream),
    ("kinesis", PortKind::Stream),
    ("mqtt", PortKind::Stream),
    ("nats", PortKind::Stream),
    ("pubsub", PortKind::Stream),
    ("pulsar", PortKind::Stream),
    ("rabbitmq", PortKind::Stream),
    ("redpanda", PortKind::Stream),
];

/// What a type of output port is.
pub fn port_kind(type_: &str) -> PortKind {
    PORT_TYPES.iter().find(|(name, _)| *name == type_).map_or(PortKind::Storage, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_nobody_foresaw_is_storage() {
        let cases = [
            ("snowflake", PortKind::Storage),
            ("s3_delta_lake", PortKind::Storage),
            ("postgres", PortKind::Storage),
            ("rest_in_peace", PortKind::Storage),
            ("", PortKind::Storage),
            ("rest", PortKind::Api),
            ("soap", PortKind::Api),
            ("kafka", PortKind::Stream),
        ];
        for (type_, kind) in cases {
            assert_eq!(port_kind(type_), kind, "{type_:?}");
        }
    }

    #[test]
    fn no_type_is_listed_twice_and_every_type_can_be_written_in_a_spec() {
        for (index, (name, kind)) in PORT_TYPES.iter().enumerate() {
            assert!(PORT_TYPES[..index].iter().all(|(other, _)| other != name), "{name}");
            assert!(
                name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_'),
                "{name}"
            );
            assert_ne!(*kind, PortKind::Storage, "{name}");
        }
    }
}
