//! The AWS emulators that other tests stand on: they answer, forget, and leave nothing behind, and each fault of the proxy
//! is what it says.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
mod support;

use std::{process::Command, time::Duration};

use ::http::{Request, Response, StatusCode};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use support::{
    emulators::{ACCOUNT, Emulators, REGION},
    fault_proxy::{ANY, Effect, Fault, FaultProxy},
    plain_http::send,
    wait::{Seen, wait_for},
};
use tokio::time::timeout;

/// Prefixes of the header that names an operation.
const KMS: &str = "TrentService";
const CLOUDWATCH: &str = "GraniteServiceVersion20100801";
/// How long nothing has to happen until we believe that nothing will.
const SILENCE: Duration = Duration::from_secs(1);
/// How long an answer may take, which is long where a first call loads a service.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn emulators_answer_as_one_account_forget_and_end_when_dropped() -> Result<()> {
    // Nobody has a permission, for nobody is known; but they are not looked at yet.
    let emulators = Emulators::start_with(&[("INITIAL_NO_AUTH_ACTION_COUNT", "1")]).await?;
    create_key(emulators.moto_url()).await?;
    let refused = call(emulators.moto_url(), KMS, "ListKeys", &json!({})).await?;
    ensure!(refused.status().is_client_error(), "permissions are looked at after one call: {refused:?}");
    emulators.check_permissions_after(None).await?;
    ensure!(keys(&emulators).await? == 1, "the key is in moto");
    ensure!(emulators.dump().await?["kms"]["Key"].is_array(), "the dump has the key");
    let alarm = json!({
        "AlarmName": "late", "Namespace": "mesh", "MetricName": "age", "Statistic": "Maximum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    ok(&call(emulators.ministack_url(), CLOUDWATCH, "PutMetricAlarm", &alarm).await?)?;
    let found = ok(&call(emulators.ministack_url(), CLOUDWATCH, "DescribeAlarms", &json!({})).await?)?;
    let name = &found["MetricAlarms"][0]["AlarmArn"];
    ensure!(*name == format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:late"), "one account: {found}");

    emulators.reset().await?;
    ensure!(keys(&emulators).await? == 0, "moto has forgotten");
    let found = ok(&call(emulators.ministack_url(), CLOUDWATCH, "DescribeAlarms", &json!({})).await?)?;
    ensure!(found["MetricAlarms"] == json!([]), "MiniStack has forgotten: {found}");

    emulators.check_permissions_after(Some(0)).await?;
    let refused = call(emulators.moto_url(), KMS, "ListKeys", &json!({})).await?;
    ensure!(refused.status().is_client_error(), "permissions are looked at from now on: {refused:?}");

    let proxy = FaultProxy::start(emulators.moto_url()).await?;
    let groups = [emulators.groups().as_slice(), &[proxy.group()]].concat();
    ensure!(running(&groups)?.len() >= 3, "the emulators are found by their groups");
    drop((emulators, proxy));
    wait_for("nothing of the emulators runs", Duration::from_secs(10), || async {
        let left = running(&groups)?;
        Ok(Seen::when(left.is_empty(), (), left))
    })
    .await
}

#[tokio::test]
async fn faults_are_what_they_say_and_have_their_calls() -> Result<()> {
    let emulators = Emulators::start().await?;
    let (one, other) =
        tokio::try_join!(FaultProxy::start(emulators.moto_url()), FaultProxy::start(emulators.moto_url()),)?;
    each_fault_is_what_it_says(&emulators, &one).await?;
    emulators.reset().await?;
    faults_have_their_calls(&other).await?;
    without_a_body_answers_are_not_lost_but_failed(&emulators, &other).await
}

async fn each_fault_is_what_it_says(emulators: &Emulators, proxy: &FaultProxy) -> Result<()> {
    create_key(proxy.url()).await?;
    let mut expected = 1;

    let cases = [
        // The effect, whether the call is done all the same, and how the answer looks.
        (Effect::Refused("AccessDeniedException"), false, "400 AccessDeniedException"),
        (Effect::RefusedWith("KMSInternalException", 500), false, "500 KMSInternalException"),
        (Effect::Throttled, false, "400 ThrottlingException"),
        (Effect::Reset, false, "cut"),
        (Effect::Silent, false, "silent"),
        (Effect::Lost, true, "cut"),
        (Effect::Halved, true, "200 half"),
        (Effect::Stalled, true, "silent"),
        (Effect::Failed, true, "500 half"),
    ];
    for (effect, done, looks) in cases {
        proxy.set(&[Fault::nth(1, "kms", "CreateKey", effect.clone())]).await?;
        let seen = look(proxy.url(), if looks == "silent" { SILENCE } else { PATIENCE }).await?;
        ensure!(seen == looks, "{effect:?}: {seen} and not {looks}");
        expected += usize::from(done);
        ensure!(keys(emulators).await? == expected, "{effect:?}: {done} that it was done");
        create_key(proxy.url()).await?;
        expected += 1;
    }
    let calls = proxy.calls("kms", "CreateKey").await?;
    ensure!(calls == 19, "faults are calls too: {calls}");
    ensure!(proxy.calls("kms", "ListKeys").await? == 0, "what goes past the proxy is not counted");
    Ok(())
}

async fn faults_have_their_calls(proxy: &FaultProxy) -> Result<()> {
    proxy
        .set(&[
            Fault::every(ANY, ANY, Effect::Refused("Any")),
            Fault::every("kms", ANY, Effect::Refused("AnyOfKms")),
            Fault::nth(4, "kms", "CreateKey", Effect::Throttled),
            Fault::nth(2, "kms", "CreateKey", Effect::Refused("DisabledException")),
            Fault::every("s3", "CreateBucket", Effect::Throttled),
        ])
        .await?;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(look(proxy.url(), PATIENCE).await?);
    }
    let expected =
        ["200 whole", "400 DisabledException", "200 whole", "400 ThrottlingException", "400 AnyOfKms"];
    ensure!(seen == expected, "{seen:?}");
    let other = call(proxy.url(), CLOUDWATCH, "DescribeAlarms", &json!({})).await?;
    ensure!(other.body().contains("\"Any\""), "any service: {other:?}");
    let slow = bucket(proxy.url(), "PUT", "").await?;
    ensure!(slow.status() == StatusCode::SERVICE_UNAVAILABLE && slow.body().contains("SlowDown"), "{slow:?}");
    let twice = [Fault::nth(1, "s3", ANY, Effect::Lost), Fault::nth(1, "s3", ANY, Effect::Failed)];
    ensure!(proxy.set(&twice).await.is_err(), "one call has one fault");
    let counts = counts(proxy).await?;
    ensure!(counts == ["cloudwatch:DescribeAlarms:1", "kms:CreateKey:5", "s3:CreateBucket:1"], "{counts:?}");
    Ok(())
}

async fn without_a_body_answers_are_not_lost_but_failed(
    emulators: &Emulators,
    proxy: &FaultProxy,
) -> Result<()> {
    proxy.clear().await?;
    ensure!(bucket(proxy.url(), "PUT", "").await?.status().is_success(), "all is well without faults");
    for (effect, status) in [(Effect::Lost, 204), (Effect::Failed, 500)] {
        proxy.set(&[Fault::nth(1, "s3", "PutBucketTagging", effect.clone())]).await?;
        let answer = bucket(proxy.url(), "PUT", &format!("{effect:?}")).await?;
        ensure!(answer.status().as_u16() == status, "{effect:?}: {answer:?}");
        let tags = bucket(emulators.moto_url(), "GET", "").await?;
        ensure!(tags.body().contains(&format!("{effect:?}")), "{effect:?} is done: {tags:?}");
    }
    ensure!(proxy.calls("s3", "PutBucketTagging").await? == 2, "calls of S3 are told apart");
    Ok(())
}

async fn counts(proxy: &FaultProxy) -> Result<Vec<String>> {
    let all = proxy.all_calls().await?;
    let counts = all.iter().map(|((service, operation), count)| format!("{service}:{operation}:{count}"));
    Ok(counts.collect())
}

/// A call in AWS's JSON protocol. The signature is not looked at, but the region in it is.
async fn call(url: &str, service: &str, operation: &str, body: &Value) -> Result<Response<String>> {
    let request = Request::post(url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("{service}.{operation}"))
        .header("authorization", authorization(if service == KMS { "kms" } else { "monitoring" }));
    send(request.body(body.to_string())?).await
}

/// A call for a bucket: its tags when one is given to put or when they are read, and otherwise the bucket itself.
async fn bucket(url: &str, method: &str, tag: &str) -> Result<Response<String>> {
    let (tags, body) = match (method, tag) {
        ("GET", _) => ("?tagging", String::new()),
        (_, "") => (
            "",
            format!(
                "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
            ),
        ),
        _ => (
            "?tagging",
            format!("<Tagging><TagSet><Tag><Key>fault</Key><Value>{tag}</Value></Tag></TagSet></Tagging>"),
        ),
    };
    let request = Request::builder().method(method).uri(format!("{url}/a-bucket{tags}"));
    send(request.header("authorization", authorization("s3")).body(body)?).await
}

fn authorization(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=testing/20260101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

async fn create_key(url: &str) -> Result<()> {
    ok(&call(url, KMS, "CreateKey", &json!({})).await?).map(|_| ())
}

async fn keys(emulators: &Emulators) -> Result<usize> {
    let listed = ok(&call(emulators.moto_url(), KMS, "ListKeys", &json!({})).await?)?;
    listed["Keys"].as_array().map(Vec::len).context("a list of keys")
}

/// Creates a key and says how the answer looks: its status, and the type of the error or whether the JSON is whole.
async fn look(url: &str, patience: Duration) -> Result<String> {
    let Ok(answer) = timeout(patience, call(url, KMS, "CreateKey", &json!({}))).await else {
        return Ok("silent".to_owned());
    };
    let Ok(answer) = answer else { return Ok("cut".to_owned()) };
    let body = serde_json::from_str::<Value>(answer.body());
    // Some types have the name of a layer of AWS before their own.
    let type_ = body.as_ref().map_or("half", |body| body["__type"].as_str().unwrap_or("whole"));
    let what = type_.rsplit('#').next().unwrap_or(type_);
    Ok(format!("{} {what}", answer.status().as_u16()))
}

fn ok(answer: &Response<String>) -> Result<Value> {
    ensure!(answer.status().is_success(), "{answer:?}");
    Ok(if answer.body().is_empty() { Value::Null } else { serde_json::from_str(answer.body())? })
}

/// Command lines of the processes in these groups. What has ended and only waits for its parent to take notice has none
/// any more.
fn running(groups: &[u32]) -> Result<Vec<String>> {
    let listed =
        Command::new("ps").args(["-A", "-ww", "-o", "pgid=,args="]).output().context("cannot run ps")?;
    ensure!(listed.status.success(), "ps: {}", String::from_utf8_lossy(&listed.stderr));
    let all = String::from_utf8_lossy(&listed.stdout);
    let ours = all.lines().filter(|line| {
        let group = line.split_whitespace().next().and_then(|group| group.parse::<u32>().ok());
        group.is_some_and(|group| groups.contains(&group)) && !line.ends_with("<defunct>")
    });
    Ok(ours.map(str::to_owned).collect())
}
