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

/// Whether a principal is the caller of an API, who is known by the ARN of a session where it has assumed a role. That ARN
/// lacks the path of the role, so the path is not compared.
pub fn is_caller(principal: &str, caller: &str) -> bool {
    let session = caller.split_once(":assumed-role/").and_then(|(place, rest)| {
        let role = rest.split('/').next()?;
        Some((place.replacen(":sts:", ":iam:", 1), role))
    });
    let Some((place, role)) = session else { return principal == caller };
    let named = principal.split_once(":role/").map(|(place, path)| (place, path.rsplit('/').next()));
    named == Some((place.as_str(), Some(role)))
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

    #[test]
    fn a_session_of_a_role_is_that_role_wherever_its_path_leads() {
        let session = "arn:aws:sts::123456789012:assumed-role/operator/dataproduct-operator";
        for (principal, expected) in [
            ("arn:aws:iam::123456789012:role/operator", true),
            ("arn:aws:iam::123456789012:role/platform/operator", true),
            ("arn:aws:iam::123456789012:role/operator/team", false),
            ("arn:aws:iam::210987654321:role/operator", false),
            ("arn:aws:iam::123456789012:user/operator", false),
            (session, false),
        ] {
            assert_eq!(is_caller(principal, session), expected, "{principal}");
        }
        let user = "arn:aws:iam::123456789012:user/somebody";
        assert!(is_caller(user, user) && !is_caller(user, session));
    }
}
