//! The control plane that other tests stand on: several at once, restarts, and nothing left behind.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

#[path = "../support/mod.rs"]
mod support;

use std::{
    env, fs,
    future::pending,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use support::{
    control_plane::{ControlPlane, Options},
    wait::{Seen, wait_for},
};

/// Where the owner that is going to be killed says which folder its control plane has.
const NOTE: &str = "CONTROL_PLANE_NOTE";

#[tokio::test]
async fn two_control_planes_are_apart_survive_a_restart_and_end_when_dropped() -> Result<()> {
    let (one, other) =
        tokio::try_join!(ControlPlane::start(Options::default()), ControlPlane::start(Options::default()))?;
    let mut one = one;
    one.kubectl(&["create", "configmap", "mine"])?;
    ensure!(names(&one)?.contains("configmap/mine"), "the object is where it was made");
    ensure!(!names(&other)?.contains("configmap/mine"), "the other control plane knows nothing of it");

    one.stop_api_server();
    ensure!(one.kubectl(&["get", "--raw", "/readyz"]).is_err(), "a stopped API server does not answer");
    one.start_api_server().await?;
    ensure!(names(&one)?.contains("configmap/mine"), "a restart keeps the objects");

    let folder = one.folder().to_owned();
    ensure!(running(&folder)?.len() >= 2, "etcd and kube-apiserver are found by their folder");
    drop(one);
    none_left(&folder).await?;
    ensure!(!folder.exists(), "the folder goes with its control plane");
    ensure!(names(&other).is_ok(), "the other control plane goes on");
    Ok(())
}

#[tokio::test]
async fn a_control_plane_ends_when_its_test_panics() -> Result<()> {
    let (told, folder) = tokio::sync::oneshot::channel();
    let owner = tokio::spawn(async move {
        let plane = ControlPlane::start(Options::default()).await.expect("a control plane");
        told.send(plane.folder().to_owned()).expect("somebody listens");
        panic!("on purpose");
    });
    let folder = folder.await?;
    ensure!(owner.await.is_err_and(|end| end.is_panic()), "the owner has panicked");
    none_left(&folder).await?;
    ensure!(!folder.exists(), "the folder goes with its control plane");
    Ok(())
}

#[tokio::test]
async fn a_control_plane_ends_with_its_owner_even_when_that_is_killed() -> Result<()> {
    let note = tempfile::NamedTempFile::new()?;
    let mut owner = Command::new(env::current_exe()?)
        .args(["--exact", "owner_that_waits_to_be_killed", "--ignored"])
        .env(NOTE, note.path())
        .stdout(Stdio::null())
        .spawn()?;
    let folder = wait_for("the owner has started its control plane", Duration::from_mins(2), || async {
        let folder = fs::read_to_string(note.path())?;
        Ok(Seen::when(!folder.is_empty(), PathBuf::from(folder), "an empty note"))
    })
    .await;
    let before = folder.as_ref().map_or(Ok(Vec::new()), |folder| running(folder));
    owner.kill()?;
    owner.wait()?;

    let folder = folder?;
    ensure!(before?.len() >= 2, "etcd and kube-apiserver ran while their owner lived");
    none_left(&folder).await?;
    // A killed owner cannot tidy up after itself.
    fs::remove_dir_all(&folder).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    Ok(())
}

#[tokio::test]
#[ignore = "started by the test above, which kills it"]
async fn owner_that_waits_to_be_killed() -> Result<()> {
    let note = env::var_os(NOTE).context("only the test above starts this")?;
    let plane = ControlPlane::start(Options::default()).await?;
    fs::write(note, plane.folder().display().to_string())?;
    pending().await
}

fn names(plane: &ControlPlane) -> Result<String> {
    plane.kubectl(&["get", "configmaps", "--output", "name"])
}

/// Command lines that name the folder, as all of a control plane's do. What has ended and only waits for its parent to
/// take notice has no command line any more.
fn running(folder: &Path) -> Result<Vec<String>> {
    let listed = Command::new("ps").args(["-A", "-ww", "-o", "args="]).output().context("cannot run ps")?;
    ensure!(listed.status.success(), "ps: {}", String::from_utf8_lossy(&listed.stderr));
    let folder = folder.display().to_string();
    let all = String::from_utf8_lossy(&listed.stdout);
    Ok(all.lines().filter(|line| line.contains(&folder)).map(str::to_owned).collect())
}

async fn none_left(folder: &Path) -> Result<()> {
    wait_for("nothing of the control plane runs", Duration::from_secs(10), || async {
        let left = running(folder)?;
        Ok(Seen::when(left.is_empty(), (), left))
    })
    .await
}
