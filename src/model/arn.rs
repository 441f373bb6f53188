//! Amazon resource names: the identifiers that the backend `aws` and its plans compute instead of asking for them.

/// The partition of a region: the name of the cloud that it belongs to.
pub fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// A role of an account.
pub fn role(account: &str, region: &str, name: &str) -> String {
    format!("arn:{}:iam::{account}:role/{name}", partition(region))
}

/// A bucket.
pub fn bucket(region: &str, name: &str) -> String {
    format!("arn:{}:s3:::{name}", partition(region))
}

/// A database of the catalog.
pub fn database(account: &str, region: &str, name: &str) -> String {
    format!("arn:{}:glue:{region}:{account}:database/{name}", partition(region))
}

/// An alarm.
pub fn alarm(account: &str, region: &str, name: &str) -> String {
    format!("arn:{}:cloudwatch:{region}:{account}:alarm:{name}", partition(region))
}

/// The topic that is told of the alarms of a domain where its class names none.
pub fn alerts(account: &str, region: &str, domain: &str) -> String {
    format!("arn:{}:sns:{region}:{account}:{}", partition(region), alerts_topic(domain))
}

/// The name of that topic.
pub fn alerts_topic(domain: &str) -> String {
    format!("datamesh-{domain}-alerts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_the_cloud_of_their_region() {
        let role = |region| role("123456789012", region, "orders-team-role");
        assert_eq!(role("eu-central-1"), "arn:aws:iam::123456789012:role/orders-team-role");
        assert_eq!(role("cn-north-1"), "arn:aws-cn:iam::123456789012:role/orders-team-role");
        assert_eq!(role("us-gov-west-1"), "arn:aws-us-gov:iam::123456789012:role/orders-team-role");
        assert_eq!(role("local"), "arn:aws:iam::123456789012:role/orders-team-role");
    }
}
