//! The name under which the program was called: its own, or one of those by which kubectl finds it as a plugin.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use clap::{Command, CommandFactory};

use super::Cli;

/// What kubectl calls its plugin.
pub(super) const PLUGIN: &str = "kubectl-dataproduct";
/// What kubectl asks what may come next on a command line of its plugin.
const COMPLETER: &str = "kubectl_complete-dataproduct";

/// The file name of a program, which is the first word of its command line.
fn called(words: &[OsString]) -> Option<&OsStr> {
    words.first().and_then(|word| Path::new(word).file_stem())
}

/// Whether kubectl asks what may come next.
pub(super) fn is_to_complete(words: &[OsString]) -> bool {
    called(words).is_some_and(|name| name == COMPLETER)
}

/// Every command, with help for `kubectl dataproduct` where the program was called as kubectl does.
pub fn definition(words: &[OsString]) -> Command {
    let command = Cli::command();
    if called(words).is_some_and(|name| name == PLUGIN) {
        as_plugin(command.bin_name("kubectl dataproduct"))
    } else {
        command
    }
}

/// The same command with examples for kubectl.
fn as_plugin(mut command: Command) -> Command {
    if let Some(help) = command.get_after_help().map(ToString::to_string) {
        let examples = ["\n  ", "| ", "&& "].iter().fold(help, |examples, before| {
            examples.replace(&format!("{before}dataproduct "), &format!("{before}kubectl dataproduct "))
        });
        command = command.after_help(examples);
    }
    command.mut_subcommands(as_plugin)
}
