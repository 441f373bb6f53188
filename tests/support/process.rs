//! Children that never outlive their parent, however it ends.

use std::{
    fs::File,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::{Context, Result};

/// Waits for the end of its standard input and then ends its process group. A parent that dies in whatever way closes
/// the other end of that pipe, so nothing of ours is ever left behind. The child's own end ends the wrapper too, and
/// SIGTERM to the group is for the child alone.
const KEEPER: &str = r#"
exec 3<&0
trap : TERM
"$@" </dev/null 3<&- &
child=$!
( trap '' TERM; cat <&3 >/dev/null; kill -KILL 0 ) &
while kill -0 "$child" 2>/dev/null; do wait "$child"; done
"#;

/// A child process with its keeper.
pub(crate) struct Kept {
    keeper: Child,
    /// Dropping it ends the child.
    leash: Option<ChildStdin>,
}

impl Kept {
    /// Starts a program whose output goes to a file.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = output.try_clone()?;
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // A group of its own, so that the keeper's last act reaches the child and nobody else.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let leash = keeper.stdin.take();
        Ok(Self { keeper, leash })
    }

    /// Id of the process group.
    pub(crate) fn group(&self) -> u32 {
        self.keeper.id()
    }

    /// Whether the child runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.keeper.try_wait(), Ok(None))
    }

    /// The code with which the child has ended; one that was killed has none of its own and gets 137, as in a container.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        let status = self.keeper.try_wait().ok().flatten()?;
        Some(status.code().unwrap_or(137))
    }

    /// Sends a signal to the child and its keeper, by name.
    pub(crate) fn signal(&mut self, name: &str) -> Result<()> {
        let group = format!("-{}", self.group());
        Command::new("kill").args([&format!("-{name}"), "--", &group]).status().context("cannot run kill")?;
        Ok(())
    }

    /// Ends the child at once, as `kill -9` does, and waits until it is gone. The second time it does nothing: the number
    /// of a group that is gone may belong to somebody else.
    pub(crate) fn kill(&mut self) {
        if self.leash.take().is_none() {
            return;
        }
        let _ = self.signal("KILL");
        let _ = self.keeper.wait();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.kill();
    }
}
