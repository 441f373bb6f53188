//! `dataproduct man`: the manual pages, made of the same declarations as the help.

use std::io;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::{Cli, CliError};

/// The page of the program.
pub fn page() -> Result<String, CliError> {
    rendered(&Man::new(Cli::command())).map(|(_, page)| page)
}

/// The page of every command, with the name of its file.
pub fn pages() -> Result<Vec<(String, String)>, CliError> {
    let mut command = Cli::command().disable_help_subcommand(true);
    // Only a command that is built knows the names of those below it.
    command.build();
    let mut pages = below(&command)?;
    pages.sort();
    Ok(pages)
}

/// The pages of a command and of all below it.
fn below(command: &Command) -> Result<Vec<(String, String)>, CliError> {
    let mut pages = vec![rendered(&Man::new(command.clone()))?];
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        pages.extend(below(command)?);
    }
    Ok(pages)
}

fn rendered(man: &Man) -> Result<(String, String), CliError> {
    let mut page = Vec::new();
    let unwritable = |source: io::Error| CliError::Write { path: man.get_filename(), source };
    man.render(&mut page).map_err(unwritable)?;
    Ok((man.get_filename(), String::from_utf8_lossy(&page).into_owned()))
}
