//! `dataproduct completions`, and the completion of `kubectl dataproduct`: both ask this program what may come next, so that
//! they know as many commands as it does, and the products of the cluster.

use std::ffi::OsString;

use clap::ValueEnum;
use clap_complete::{
    CompleteEnv,
    engine::complete,
    env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh},
};

use super::{
    CliError,
    called::{self, PLUGIN, definition},
};

/// Variable by which a shell asks what may come next.
const VARIABLE: &str = "DATAPRODUCT_COMPLETE";
/// What kubectl is told at the end: that file names are nothing to offer (`ShellCompDirectiveNoFileComp` of cobra).
const NO_FILES: &str = ":4";
/// The same, where file names are (`ShellCompDirectiveDefault`).
const FILES: &str = ":0";

pub(super) const HELP: &str = "\
Examples:
  echo 'source <(dataproduct completions bash)' >> ~/.bashrc
  echo 'source <(dataproduct completions zsh)' >> ~/.zshrc
  echo 'dataproduct completions fish | source' >> ~/.config/fish/config.fish
  echo 'dataproduct completions powershell | Out-String | Invoke-Expression' >> $PROFILE

As a plugin of kubectl, with its completion, for kubectl 1.26 or later:
  ln -s \"$(command -v dataproduct)\" ~/bin/kubectl-dataproduct
  ln -s \"$(command -v dataproduct)\" ~/bin/kubectl_complete-dataproduct";

/// The shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash 4 or later.
    Bash,
    /// Z shell.
    Zsh,
    /// Fish.
    Fish,
    /// PowerShell.
    Powershell,
    /// Elvish.
    Elvish,
}

impl Shell {
    /// What the shell has to read.
    pub fn script(self) -> Result<String, CliError> {
        let shell: &dyn EnvCompleter = match self {
            Self::Bash => &Bash,
            Self::Zsh => &Zsh,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
            Self::Elvish => &Elvish,
        };
        let mut script = Vec::new();
        let unwritable = |source| CliError::Write { path: "the script".to_owned(), source };
        let name = "dataproduct";
        shell.write_registration(VARIABLE, name, name, name, &mut script).map_err(unwritable)?;
        Ok(String::from_utf8_lossy(&script).into_owned())
    }
}

/// Answers a shell or kubectl that asks what may come next; nothing when nobody asks.
pub fn answer(words: &[OsString]) -> Option<Result<(), String>> {
    if called::is_to_complete(words) {
        return Some(super::print(&for_kubectl(words)).map_err(|error| error.to_string()));
    }
    let answered = CompleteEnv::with_factory(|| definition(&[])).var(VARIABLE);
    match answered.try_complete(words.to_vec(), std::env::current_dir().ok().as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(Ok(())),
        Err(error) => Some(Err(error.to_string())),
    }
}

/// What kubectl reads: one candidate a line with its explanation after a tab, and a directive at the end. The last word is the
/// one that is begun.
fn for_kubectl(words: &[OsString]) -> String {
    let mut definition = definition(&[PLUGIN.into()]);
    let last = words.len().saturating_sub(1);
    let here = std::env::current_dir().ok();
    let found = complete(&mut definition, words.to_vec(), last, here.as_deref()).unwrap_or_default();
    let lines = found.iter().map(|candidate| {
        let value = candidate.get_value().to_string_lossy();
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        match help.lines().next().filter(|help| !help.is_empty()) {
            Some(help) => format!("{value}\t{help}\n"),
            None => format!("{value}\n"),
        }
    });
    let lines = lines.collect::<String>();
    let directive = if found.is_empty() { FILES } else { NO_FILES };
    format!("{lines}{directive}\n")
}
