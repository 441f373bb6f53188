//! The certificate of the webhook: made, shared with other replicas and renewed while a real API server calls; and what keeps
//! the webhook answering.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use dataproduct_operator::{
    controller::context,
    provider::registry::Registry,
    webhook::{NAME, Settings, Webhook, WebhookError, answer::Action, certificate::Lives},
};
use jiff::SignedDuration;
use k8s_openapi::api::{admissionregistration::v1::ValidatingWebhookConfiguration, core::v1::Secret};
use kube::Api;
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, IpAddr, ServerName, pem::PemObject},
};

use crate::{
    asked::{register, said, wait_answers},
    counted::Inner,
    fixture::{Mesh, PATIENCE, small},
    support::{
        control_plane::Options,
        wait::{Seen, wait_for},
    },
};

/// A webhook at this machine, which looks at its certificate often.
fn settings(action: Action, lives: Lives) -> Settings {
    Settings {
        host: "127.0.0.1".to_owned(),
        action,
        lives,
        look: Duration::from_millis(200),
        answers: Arc::default(),
    }
}

/// A webhook in this process.
struct Replica {
    inner: Inner,
    port: u16,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), WebhookError>>,
}

impl Replica {
    async fn start(mesh: &Mesh, lives: Lives) -> Result<Self> {
        let inner = Inner::start(mesh, Registry::default()).await?;
        let webhook = Webhook::bind("127.0.0.1:0".parse()?).await?;
        let port = webhook.address()?.port();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async {
            let _ = stopped.await;
        };
        let task =
            tokio::spawn(webhook.serve(Arc::clone(&inner.ctx), settings(Action::Warn, lives), stopped));
        Ok(Self { inner, port, stop, task })
    }

    /// The certificate that a new connection gets, where it is one that API servers trust.
    async fn served(&self, trusted: &str) -> Result<Vec<u8>> {
        self.posted(trusted, "GET / HTTP/1.1", Vec::new()).await.map(|(certificate, _)| certificate)
    }

    /// The certificate and the answer that a request of our own gets.
    async fn posted(&self, trusted: &str, line: &str, body: Vec<u8>) -> Result<(Vec<u8>, String)> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(trusted.as_bytes()) {
            roots.add(certificate?)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::IpAddress(IpAddr::try_from("127.0.0.1")?);
        let (port, line) = (self.port, line.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let mut stream = StreamOwned::new(ClientConnection::new(Arc::new(config), name)?, stream);
            let head = format!(
                "{line}\r\nHost: webhook\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            // Whoever is refused before the end of a long body may find that nobody listens any more.
            let _ = stream.write_all(&body);
            let mut answer = [0; 12];
            stream.read_exact(&mut answer)?;
            let certificates = stream.conn.peer_certificates().context("a certificate")?;
            let certificate = certificates.first().context("a certificate")?.to_vec();
            Ok((certificate, String::from_utf8_lossy(&answer).into_owned()))
        });
        work.await?
    }

    async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        self.task.await??;
        self.inner.stop().await
    }
}

/// The authorities that the API server trusts.
async fn trusted(mesh: &Mesh) -> Result<String> {
    let configurations: Api<ValidatingWebhookConfiguration> = Api::all(mesh.client.clone());
    let webhooks = configurations.get(NAME).await?.webhooks.unwrap_or_default();
    let bundle = webhooks.into_iter().next().and_then(|hook| hook.client_config.ca_bundle);
    Ok(String::from_utf8(bundle.context("a bundle")?.0)?)
}

/// The requests of others than kubectl to a kind, as verb and answer, from the audit log.
fn requests(mesh: &Mesh, resource: &str) -> Result<Vec<(String, u64)>> {
    let log = fs::read_to_string(mesh.plane.folder().join("audit.log"))?;
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let ours = events.filter(|event| {
        let agent = event["userAgent"].as_str().unwrap_or_default();
        event["stage"] == "ResponseComplete"
            && event["objectRef"]["resource"] == resource
            && !agent.starts_with("kubectl")
            && !agent.starts_with("kube-apiserver")
    });
    let told = ours.filter_map(|event| {
        Some((event["verb"].as_str()?.to_owned(), event["responseStatus"]["code"].as_u64()?))
    });
    Ok(told.collect())
}

// The test waits for kubectl, which waits for the webhook in this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_replicas_share_one_secret_and_one_authority_and_write_no_more_than_that() -> Result<()> {
    let mesh = Mesh::start(Options { audit: true, ..Options::default() }).await?;
    let replicas =
        tokio::try_join!(Replica::start(&mesh, Lives::default()), Replica::start(&mesh, Lives::default()))?;
    let replicas = [replicas.0, replicas.1];
    register(&mesh, replicas[0].port)?;
    wait_answers(&mesh).await?;
    register(&mesh, replicas[1].port)?;
    wait_answers(&mesh).await?;
    let trusted = trusted(&mesh).await?;
    let served = wait_for("both serve the same", PATIENCE, || async {
        let both = [replicas[0].served(&trusted).await?, replicas[1].served(&trusted).await?];
        Ok(Seen::when(both[0] == both[1], both[0].clone(), "two certificates"))
    })
    .await?;
    ensure!(!served.is_empty(), "a certificate");

    // Twenty more looks of each, and nothing more is written.
    let looks = |requests: &[(String, u64)]| requests.iter().filter(|(verb, _)| verb == "get").count();
    let before = looks(&requests(&mesh, "secrets")?);
    wait_for("forty looks", PATIENCE, || async {
        let now = looks(&requests(&mesh, "secrets")?);
        Ok(Seen::when(now >= before + 40, (), now))
    })
    .await?;
    let written = |resource: &str, verb: &str| -> Result<usize> {
        let requests = requests(&mesh, resource)?;
        let others =
            requests.iter().find(|(of, _)| !matches!(of.as_str(), "get" | "create" | "update" | "patch"));
        ensure!(others.is_none(), "{resource}: {others:?}");
        Ok(requests.iter().filter(|(of, code)| of == verb && *code < 300).count())
    };
    ensure!(
        written("secrets", "create")? == 1 && written("secrets", "update")? == 0,
        "one Secret, written once"
    );
    let patches = written("validatingwebhookconfigurations", "patch")?;
    ensure!(patches == 1, "{patches} patches");
    ensure!(mesh.product_writes()? == 0, "no product is touched");
    for replica in replicas {
        replica.stop().await?;
    }
    Ok(())
}

// The test waits for kubectl, which waits for the webhook in this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn certificate_and_authority_are_renewed_while_the_api_server_calls() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let lives = Lives { authority: SignedDuration::from_secs(60), serving: SignedDuration::from_secs(15) };
    let replica = Replica::start(&mesh, lives).await?;
    register(&mesh, replica.port)?;
    wait_answers(&mesh).await?;
    let (mut certificates, mut bundles) = (BTreeSet::new(), BTreeSet::new());
    // Until an authority has taken over from another one and both were trusted for a while.
    while bundles.len() < 2 || certificates.len() < 4 {
        let before = certificates.len();
        wait_for("another certificate", PATIENCE, || async {
            let bundle = trusted(&mesh).await?;
            let served = replica.served(&bundle).await?;
            let is_new = !certificates.contains(&served);
            Ok(Seen::when(is_new, (served, bundle), "the same certificate"))
        })
        .await
        .map(|(served, bundle)| {
            certificates.insert(served);
            bundles.insert(bundle);
        })?;
        ensure!(certificates.len() > before, "it is another one");
        // The API server goes on to call.
        wait_answers(&mesh).await?;
    }
    let both = bundles.iter().any(|bundle| bundle.matches("BEGIN CERTIFICATE").count() == 2);
    ensure!(both, "the old authority is trusted beside the new one");

    // A Secret that somebody has garbled is made anew.
    let secrets: Api<Secret> = Api::namespaced(mesh.client.clone(), "default");
    let garbled = r#"{"data":{"tls.key":"Zm9v"}}"#;
    mesh.plane.kubectl(&["patch", "secret", NAME, "--type", "merge", "-p", garbled])?;
    wait_answers(&mesh).await?;
    wait_for("a Secret that can be read", PATIENCE, || async {
        let data = secrets.get(NAME).await?.data.unwrap_or_default();
        let key = data.get("tls.key").map(|key| key.0.starts_with(b"-----BEGIN"));
        Ok(Seen::when(key == Some(true), (), key))
    })
    .await?;
    wait_answers(&mesh).await?;
    replica.stop().await
}

// The test waits for kubectl, which waits for the webhook in this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_no_question_is_refused_and_connections_that_say_nothing_keep_nobody_out() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    let replica = Replica::start(&mesh, Lives::default()).await?;
    register(&mesh, replica.port)?;
    wait_answers(&mesh).await?;
    let trusted = trusted(&mesh).await?;
    let other = r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}"#;
    let cases = [
        ("POST /validate HTTP/1.1", b"{".to_vec(), "HTTP/1.1 400"),
        ("POST /validate HTTP/1.1", other.as_bytes().to_vec(), "HTTP/1.1 400"),
        ("POST /validate HTTP/1.1", vec![b' '; 3 * 1024 * 1024 + 1], "HTTP/1.1 413"),
        ("GET /validate HTTP/1.1", Vec::new(), "HTTP/1.1 405"),
        ("POST /elsewhere HTTP/1.1", Vec::new(), "HTTP/1.1 404"),
    ];
    for (line, body, expected) in cases {
        let length = body.len();
        let (_, answer) = replica.posted(&trusted, line, body).await?;
        ensure!(answer == expected, "{line} with {length} bytes: {answer}");
    }
    // More than the webhook takes at the same time, and none of them begins a handshake.
    let silent = (0..100).map(|_| TcpStream::connect(("127.0.0.1", replica.port)));
    let silent = silent.collect::<std::io::Result<Vec<_>>>()?;
    register(&mesh, replica.port)?;
    wait_answers(&mesh).await?;
    let (_, answer) = replica.posted(&trusted, "GET /validate HTTP/1.1", Vec::new()).await?;
    ensure!(answer == "HTTP/1.1 405", "{answer}");
    drop(silent);
    replica.stop().await
}

// The test waits for kubectl, which waits for the webhook in this process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn before_the_mesh_is_known_everything_is_let_in_and_that_is_said() -> Result<()> {
    let mesh = Mesh::start(Options::default()).await?;
    // Nobody runs its watches.
    let ctx = context::Context::new(mesh.client.clone(), "cluster".to_owned(), Registry::default());
    let webhook = Webhook::bind("127.0.0.1:0".parse()?).await?;
    register(&mesh, webhook.address()?.port())?;
    let settings = settings(Action::Deny, Lives::default());
    let task = tokio::spawn(webhook.serve(Arc::new(ctx), settings, std::future::pending()));
    let unclassified = small("orders", "orders", "new", "").replace("classification: internal, ", "");
    wait_for("an answer of the webhook", PATIENCE, || async {
        let said = said(&mesh, &unclassified)?;
        Ok(Seen::when(said.iter().any(|line| line.contains("does not know the mesh yet")), (), said))
    })
    .await?;
    task.abort();
    Ok(())
}
