//! The control planes of the tests themselves: several side by side, and never left behind.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::support::{
    control_plane::{ControlPlane, Options},
    wait::{Seen, wait_for},
};

const CHILD: &str = "DATAPRODUCT_TEST_KEEPS_A_CONTROL_PLANE";
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn two_control_planes_side_by_side_see_different_objects_and_end_with_their_owner() -> Result<()> {
    let (first, second) =
        tokio::try_join!(ControlPlane::start(Options::default()), ControlPlane::start(Options::default()))?;
    first.kubectl(&["create", "namespace", "only-in-the-first"])?;
    ensure!(first.kubectl(&["get", "namespaces"])?.contains("only-in-the-first"), "the first has it");
    ensure!(!second.kubectl(&["get", "namespaces"])?.contains("only-in-the-first"), "the second has not");
    let folder = first.folder().to_owned();
    drop(first);
    wait_for("nothing of the first runs", PATIENCE, || async { Ok(gone(&folder)) }).await
}

/// The child: keeps a control plane until it is killed. Does nothing in an ordinary run.
#[tokio::test]
async fn child() -> Result<()> {
    if std::env::var_os(CHILD).is_none() {
        return Ok(());
    }
    let plane = ControlPlane::start(Options::default()).await?;
    println!("folder={}", plane.folder().display());
    std::future::pending().await
}

#[tokio::test]
async fn a_control_plane_ends_when_its_owner_is_killed() -> Result<()> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["plane::child", "--exact", "--nocapture"])
        .env(CHILD, "yes")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let lines = BufReader::new(child.stdout.take().context("its output")?).lines();
    let folder = lines.map_while(Result::ok).find_map(|line| line.split("folder=").nth(1).map(str::to_owned));
    let folder = folder.context("the child has a control plane")?;
    ensure!(matches!(gone(Path::new(&folder)), Seen::NotYet(_)), "it runs");
    child.kill()?;
    child.wait()?;
    wait_for("nothing of it runs", PATIENCE, || async { Ok(gone(Path::new(&folder))) }).await?;
    // Whoever is killed cannot remove its folder.
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Whether no process was started with a folder among its arguments.
fn gone(folder: &Path) -> Seen<()> {
    let name = folder.display().to_string();
    let running = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|process| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(&name).then_some(line)
    });
    let running = running.collect::<Vec<_>>();
    Seen::when(running.is_empty(), (), running)
}
