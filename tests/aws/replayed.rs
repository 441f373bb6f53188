//! What no emulator shows: listings of more than one page, batches that fail in part, and states that pass. The answers are
//! written as the services document them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use ciborium::{Value as Cbor, cbor};
use dataproduct_operator::{
    model::{
        attributes::{Attributes, Bucket, Grants},
        measurement::{Subject, Value},
        owner::Owner,
        resource::{Desired, Key, Kind, Look, Sought},
    },
    provider::{
        ErrorKind, Provider,
        aws::{Aws, Calls},
    },
};
use serde_json::{Value as Json, json};

use crate::{
    mesh::{key, product, subject},
    replay::{Answer, Replay},
    support::emulators::{ACCOUNT, REGION},
    world::{identity, place, settings},
};

const DATABASE: &str = "orders_replayed";

/// Prepared answers, and the backend alone in front of them.
struct Replayed {
    service: Replay,
    aws: Aws,
}

impl Replayed {
    async fn start(answers: Vec<(&'static str, Answer)>) -> Result<Self> {
        let who = format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:sts::{ACCOUNT}:assumed-role/operator/session</Arn><UserId>A:session</UserId>\
             <Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        let mut all = vec![("GetCallerIdentity", Answer::xml(200, &who))];
        all.extend(answers);
        let service = Replay::start(all).await?;
        let calls = Arc::new(Calls::default());
        let settings = settings(service.url(), service.url());
        let aws = Aws::open(&settings, &place(REGION), &identity(), &calls).await?;
        Ok(Self { service, aws })
    }

    /// Every answer was asked for.
    fn assert_used(&self) {
        assert_eq!(self.service.left(), Vec::<String>::new(), "nobody asked for these");
    }

    /// The requests of an operation as JSON.
    fn requests(&self, operation: &str) -> Result<Vec<Json>> {
        let requests = self.service.requests(operation);
        requests.iter().map(|body| serde_json::from_str(body).context("a request in JSON")).collect()
    }
}

fn owner() -> Owner {
    let mark = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let rows = [
        ("owner.cluster", "c"),
        ("owner.uid", "u"),
        ("owner.product", "orders/replayed"),
        ("owner.purpose", "orders/replayed"),
        ("owner.deletionPolicy", "Retain"),
        ("owner.released", "false"),
    ];
    Owner::from_rows(&rows.map(mark).into()).expect("a mark")
}

/// The tags of the mark, as they are on every resource.
fn mark() -> Vec<(&'static str, &'static str)> {
    vec![
        ("datamesh.io/cluster", "c"),
        ("datamesh.io/uid", "u"),
        ("datamesh.io/product", "orders/replayed"),
        ("datamesh.io/purpose", "orders/replayed"),
        ("datamesh.io/deletion-policy", "Retain"),
        ("datamesh.io/released", "false"),
    ]
}

fn sought(kind: Kind, name: &str, look: Look) -> Sought {
    Sought { key: Key { kind, name: name.to_owned() }, owner: owner(), look }
}

fn metadata(id: &str, state: &str) -> Json {
    let arn = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}");
    json!({"KeyMetadata": {"KeyId": id, "Arn": arn, "KeyState": state, "CreationDate": 1.0, "Description": "d"}})
}

fn answer(body: Json) -> Answer {
    Answer::json(&body)
}

#[tokio::test]
async fn tags_and_keys_on_later_pages_count() -> Result<()> {
    let tags =
        mark().into_iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect::<Vec<_>>();
    let found =
        mark().into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>();
    let second = format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/second");
    let mapping = json!([{"ResourceARN": second, "Tags": found}]);
    let replayed = Replayed::start(vec![
        ("DescribeKey", answer(metadata("first", "Enabled"))),
        ("ListResourceTags", answer(json!({"Tags": tags[..2], "NextMarker": "more", "Truncated": true}))),
        ("ListResourceTags", answer(json!({"Tags": tags[2..], "Truncated": false}))),
        // An empty page in between, as the service gives them.
        ("GetResources", answer(json!({"ResourceTagMappingList": [], "PaginationToken": "more"}))),
        ("GetResources", answer(json!({"ResourceTagMappingList": mapping, "PaginationToken": ""}))),
        ("DescribeKey", answer(metadata("second", "Enabled"))),
        ("GetKeyRotationStatus", answer(json!({"KeyRotationEnabled": true}))),
    ])
    .await?;
    let observed = replayed.aws.observe(&sought(Kind::EncryptionKey, "orders-replayed", Look::Full)).await?;
    let observed = observed.context("a key")?;
    ensure!(observed.owner == Some(owner()), "the mark is on two pages: {:?}", observed.owner);
    let Attributes::EncryptionKey(attributes) = observed.attributes else { anyhow::bail!("no key") };
    ensure!(attributes.surplus == BTreeSet::from([second]), "{:?}", attributes.surplus);
    ensure!(replayed.requests("ListResourceTags")?[1]["Marker"] == "more");
    ensure!(replayed.requests("GetResources")?[1]["PaginationToken"] == "more");
    replayed.assert_used();
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_being_changed_is_looked_at_again_and_not_judged() -> Result<()> {
    let replayed = Replayed::start(vec![
        ("DescribeKey", answer(metadata("first", "Updating"))),
        ("ListResourceTags", answer(json!({"Tags": [], "Truncated": false}))),
        ("GetResources", answer(json!({"ResourceTagMappingList": []}))),
        ("GetKeyRotationStatus", answer(json!({"KeyRotationEnabled": true}))),
    ])
    .await?;
    let error = replayed.aws.observe(&sought(Kind::EncryptionKey, "orders-replayed", Look::Full)).await;
    let error = error.err().context("an error")?;
    ensure!(error.kind == ErrorKind::Unavailable && error.is_transient(), "{error}");
    Ok(())
}

#[tokio::test]
async fn no_bucket_is_made_that_its_key_could_not_encrypt() -> Result<()> {
    for state in ["Disabled", "PendingDeletion"] {
        let replayed = Replayed::start(vec![("DescribeKey", answer(metadata("first", state)))]).await?;
        let attributes = Attributes::Bucket(Bucket {
            encryption_key: Some("orders-replayed".to_owned()),
            bucket_key: true,
            versioning: true,
            public_access_blocked: true,
            tls_only: true,
            tags: BTreeMap::new(),
        });
        let key = Key { kind: Kind::Bucket, name: "a-bucket".to_owned() };
        let error = replayed.aws.create(&Desired { key, owner: owner(), attributes }).await;
        let error = error.err().context("an error")?;
        ensure!(error.kind == ErrorKind::Conflict && error.to_string().contains("cannot be used"), "{error}");
        ensure!(replayed.service.requests("a-bucket").is_empty(), "S3 is not even asked");
    }
    Ok(())
}

fn database_tags() -> Json {
    let tags = mark().into_iter().map(|(key, value)| (key.to_owned(), Json::from(value)));
    json!({"Tags": tags.collect::<serde_json::Map<_, _>>()})
}

fn granted(principal: &str, on: &Json, words: &[&str]) -> Json {
    json!({"Principal": {"DataLakePrincipalIdentifier": principal}, "Resource": on, "Permissions": words})
}

#[tokio::test]
async fn grants_on_later_pages_count_and_those_of_the_operator_do_not() -> Result<()> {
    let database = json!({"Database": {"Name": DATABASE}});
    let tables = json!({"Table": {"DatabaseName": DATABASE, "Name": "ALL_TABLES", "TableWildcard": {}}});
    let team = granted("team", &database, &["ALL", "ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"]);
    let operator = granted(&format!("arn:aws:iam::{ACCOUNT}:role/platform/operator"), &database, &["ALL"]);
    let list = |entries: &[&Json], next: Option<&str>| {
        let mut page = json!({"PrincipalResourcePermissions": entries});
        if let Some(next) = next {
            page["NextToken"] = next.into();
        }
        answer(page)
    };
    let reader = granted("reader", &tables, &["SELECT"]);
    // Both listings are read at the same time and have two pages, so that whichever comes first gets the first answer.
    let replayed = Replayed::start(vec![
        ("GetTags", answer(database_tags())),
        ("ListPermissions", list(&[&operator], Some("more"))),
        ("ListPermissions", list(&[], Some("more"))),
        ("ListPermissions", list(&[&team], None)),
        ("ListPermissions", list(&[&reader], None)),
    ])
    .await?;
    let observed = replayed.aws.observe(&sought(Kind::Grant, DATABASE, Look::Full)).await?;
    let Some(Attributes::Grant(Grants { entries })) = observed.map(|observed| observed.attributes) else {
        anyhow::bail!("no grants")
    };
    let told = entries
        .iter()
        .map(|(principal, words)| (principal.as_str(), words.iter().cloned().collect::<String>()));
    let expected = [("reader", "SELECT".to_owned()), ("team", "ALL".to_owned())];
    ensure!(told.collect::<Vec<_>>() == expected, "{entries:?}");
    let later =
        replayed.requests("ListPermissions")?.iter().filter(|request| request["NextToken"] == "more").count();
    ensure!(later == 2, "each listing goes on where it was");
    replayed.assert_used();
    Ok(())
}

#[tokio::test]
async fn a_batch_that_fails_in_part_names_the_principal_that_cannot_have_it() -> Result<()> {
    let failure = json!({
        "RequestEntry": {"Id": "1", "Principal": {"DataLakePrincipalIdentifier": "arn:aws:iam::1:role/gone"}},
        "Error": {"ErrorCode": "InvalidInputException", "ErrorMessage": "Invalid principal"},
    });
    let nothing = || answer(json!({"PrincipalResourcePermissions": []}));
    let replayed = Replayed::start(vec![
        ("GetDatabase", answer(json!({"Database": {"Name": DATABASE}}))),
        ("GetTags", answer(database_tags())),
        ("ListPermissions", nothing()),
        ("ListPermissions", nothing()),
        ("BatchGrantPermissions", answer(json!({"Failures": [failure]}))),
    ])
    .await?;
    let entries = ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/gone"];
    let entries = entries.map(|role| (role.to_owned(), BTreeSet::from(["ALL".to_owned()]))).into();
    let key = Key { kind: Kind::Grant, name: DATABASE.to_owned() };
    let desired = Desired { key, owner: owner(), attributes: Attributes::Grant(Grants { entries }) };
    let error = replayed.aws.create(&desired).await.err().context("an error")?;
    let told = error.to_string();
    ensure!(error.kind == ErrorKind::Invalid && told.contains("Invalid principal"), "{told}");
    ensure!(told.contains("arn:aws:iam::1:role/gone"), "{told}");
    replayed.assert_used();
    Ok(())
}

#[tokio::test]
async fn nothing_is_granted_to_the_operator_itself() -> Result<()> {
    let replayed = Replayed::start(Vec::new()).await?;
    let own = format!("arn:aws:iam::{ACCOUNT}:role/operator");
    let entries = [(own, BTreeSet::from(["ALL".to_owned()]))].into();
    let key = Key { kind: Kind::Grant, name: DATABASE.to_owned() };
    let desired = Desired { key, owner: owner(), attributes: Attributes::Grant(Grants { entries }) };
    let error = replayed.aws.create(&desired).await.err().context("an error")?;
    ensure!(error.kind == ErrorKind::Invalid && error.to_string().contains("teamRoleArn"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_database_on_a_later_page_is_still_there() -> Result<()> {
    let database = |name: &str| json!({"Name": name, "LocationUri": "s3://a-bucket/", "CreateTableDefaultPermissions": []});
    let replayed = Replayed::start(vec![
        ("GetDatabase", answer(json!({"Database": database(DATABASE)}))),
        ("GetTags", answer(database_tags())),
        ("GetDatabases", answer(json!({"DatabaseList": [database("other")], "NextToken": "more"}))),
        ("GetDatabases", answer(json!({"DatabaseList": [database(DATABASE)]}))),
    ])
    .await?;
    let full = replayed.aws.observe(&sought(Kind::CatalogDatabase, DATABASE, Look::Full)).await?;
    let usual = replayed.aws.observe(&sought(Kind::CatalogDatabase, DATABASE, Look::Usual)).await?;
    ensure!(full.is_some() && usual == full, "the listing shows it, so that no second full look is needed");
    ensure!(replayed.requests("GetDatabases")?[1]["NextToken"] == "more");
    replayed.assert_used();
    Ok(())
}

/// Ages in minutes at some seconds, as `GetMetricData` gives them.
fn ages(ages: &[(f64, f64)], next: Option<&str>, status: &str) -> Result<Answer> {
    let at = ages.iter().map(|(at, _)| Cbor::Tag(1, Box::new(Cbor::Float(*at)))).collect::<Vec<_>>();
    let values = ages.iter().map(|(_, age)| *age).collect::<Vec<_>>();
    let result = cbor!({"Id" => "m0", "StatusCode" => status, "Timestamps" => at, "Values" => values})?;
    let results = Cbor::Map(vec![("MetricDataResults".into(), Cbor::Array(vec![result]))]);
    let Cbor::Map(mut page) = results else { anyhow::bail!("no map") };
    if let Some(next) = next {
        page.push(("NextToken".into(), next.into()));
    }
    Answer::cbor(&Cbor::Map(page))
}

/// What is measured of a product whose freshness is asked for alone.
fn freshness() -> Subject {
    let mut subject = subject(&product("replayed"));
    subject.objectives.truncate(1);
    subject
}

#[tokio::test]
async fn alarms_and_values_on_later_pages_count() -> Result<()> {
    let alarm = key(&product("replayed"), Kind::FreshnessAlarm).name;
    let alarm = cbor!({"AlarmName" => alarm, "StateValue" => "ALARM"})?;
    let alarms = |alarms: Vec<Cbor>, next: Option<&str>| {
        let mut page = vec![("MetricAlarms".into(), Cbor::Array(alarms))];
        page.extend(next.map(|next| ("NextToken".into(), next.into())));
        Answer::cbor(&Cbor::Map(page))
    };
    let replayed = Replayed::start(vec![
        ("GetMetricData", ages(&[(600.0, 1.0)], Some("more"), "PartialData")?),
        ("GetMetricData", ages(&[(1200.0, 2.0)], None, "Complete")?),
        ("DescribeAlarms", alarms(Vec::new(), Some("more"))?),
        ("DescribeAlarms", alarms(vec![alarm], None)?),
    ])
    .await?;
    let readings = replayed.aws.measure(&freshness()).await?;
    let [reading] = readings.as_slice() else { anyhow::bail!("{readings:?}") };
    let newest = jiff::Timestamp::from_second(1200 - 120)?;
    ensure!(reading.value == Value::NewestData(newest), "{reading:?}");
    ensure!(reading.source.ends_with("its alarm has gone off"), "{reading:?}");
    replayed.assert_used();
    Ok(())
}

#[tokio::test]
async fn a_metric_that_the_service_could_not_read_is_an_error_and_no_silence() -> Result<()> {
    let replayed = Replayed::start(vec![("GetMetricData", ages(&[], None, "InternalError")?)]).await?;
    let error = replayed.aws.measure(&freshness()).await.err().context("an error")?;
    ensure!(error.kind == ErrorKind::Unavailable, "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bucket_of_another_region_says_which_name_to_change() -> Result<()> {
    let moved = "<Error><Code>PermanentRedirect</Code><Message>another endpoint</Message></Error>";
    let replayed = Replayed::start(vec![("a-bucket", Answer::xml(301, moved))]).await?;
    let error = replayed.aws.observe(&sought(Kind::Bucket, "a-bucket", Look::Full)).await;
    let error = error.err().context("an error")?;
    ensure!(error.kind == ErrorKind::Conflict, "{error}");
    ensure!(error.to_string().contains("spec.provisioning.names.bucket"), "{error}");
    replayed.assert_used();
    Ok(())
}
