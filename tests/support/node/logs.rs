//! The logs of a node's containers, served to the API server as a kubelet serves them.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// Longest head of a request.
const HEAD: usize = 8192;

/// A server that runs until it is dropped.
pub(super) struct Logs {
    work: JoinHandle<()>,
    port: u16,
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Logs {
    /// Serves `<folder>/<namespace>/<pod>/<container>.log`.
    pub(super) async fn start(folder: PathBuf) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let work = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, folder) = (acceptor.clone(), folder.clone());
                tokio::spawn(async move { answer(&acceptor, stream, &folder).await });
            }
        });
        Ok(Self { work, port })
    }

    /// Where it listens.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

async fn answer(acceptor: &TlsAcceptor, stream: TcpStream, folder: &std::path::Path) -> Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let path = head.split_whitespace().nth(1).context("no path")?;
    let path = path.split('?').next().unwrap_or_default();
    let log = path.strip_prefix("/containerLogs/").map(|path| folder.join(format!("{path}.log")));
    let text = log.and_then(|log| fs::read(log).ok());
    let status = if text.is_some() { "200 OK" } else { "404 Not Found" };
    let text = text.unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&text).await?;
    stream.shutdown().await?;
    Ok(())
}
