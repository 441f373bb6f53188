//! The commands as a whole: what the README lists, help with examples, and manual pages.

use std::{
    ffi::OsString,
    io::Write,
    process::{Command, Stdio},
};

use dataproduct_operator::cli::{Cli, completions::Shell, definition, man};

const README: &str = include_str!("../../README.md");

/// Every command that does something, with its words.
fn commands() -> Vec<(String, clap::Command)> {
    let mut left = vec![(String::new(), definition(&[]))];
    let mut commands = Vec::new();
    while let Some((name, command)) = left.pop() {
        let below = command.get_subcommands().filter(|below| below.get_name() != "help");
        let below = below.map(|below| (format!("{name} {}", below.get_name()), below.clone()));
        let below = below.collect::<Vec<_>>();
        if below.is_empty() {
            commands.push((name.trim_start().to_owned(), command));
        }
        left.extend(below.into_iter().rev());
    }
    commands
}

#[test]
fn the_declarations_of_the_command_line_hold_together() {
    definition(&[]).debug_assert();
}

#[test]
fn every_command_is_in_the_readme_with_what_it_does() {
    let table = README.split("| Command | Does |").nth(1).unwrap_or_default();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect::<Vec<_>>();
    let expected = commands().into_iter().map(|(name, command)| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        format!("| `{name}` | {} |", about.trim_end_matches('.'))
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

#[test]
fn every_command_has_examples_that_it_understands() {
    for (name, command) in commands() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = help.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>();
        assert!(!examples.is_empty(), "{name} has no example");
        let begin = format!("dataproduct {name}");
        let own = examples.iter().flat_map(|line| line.split(['|', '(', '\'', '&']));
        let own = own.filter_map(|part| part.trim().strip_prefix(&begin));
        let mut understood = 0;
        for rest in own {
            // What a shell does with the rest of a line is not the program's.
            let rest = rest.split([')', '<', '>', '&', ';']).next().unwrap_or_default();
            let words = format!("{begin}{rest}");
            let words = words.split_whitespace().map(OsString::from).collect::<Vec<_>>();
            if let Err(error) = Cli::read(&words) {
                panic!("{name}: {words:?}: {error}");
            }
            understood += 1;
        }
        assert!(understood > 0, "{name}: no example calls it: {help}");
    }
}

#[test]
fn who_calls_the_program_as_kubectl_does_gets_help_for_kubectl() {
    let help = |called: &str| {
        let words = [called, "events", "--help"].map(OsString::from);
        Cli::read(&words).expect_err("help").to_string()
    };
    let plugin = help("/usr/local/bin/kubectl-dataproduct");
    assert!(plugin.contains("Usage: kubectl dataproduct events "), "{plugin}");
    assert!(plugin.contains("\n  kubectl dataproduct events -A "), "{plugin}");
    let plain = help("/usr/local/bin/dataproduct");
    assert!(
        plain.contains("Usage: dataproduct events ") && !plain.contains("kubectl dataproduct"),
        "{plain}"
    );
}

#[test]
fn every_command_has_a_manual_page_that_a_formatter_reads_without_complaint() {
    let pages = man::pages().expect("the pages");
    assert!(pages.iter().any(|(name, _)| name == "dataproduct.1"));
    for (name, command) in commands() {
        let file = format!("dataproduct-{}.1", name.replace(' ', "-"));
        let (_, page) = pages.iter().find(|(name, _)| *name == file).unwrap_or_else(|| panic!("{file}"));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let first = about.split_whitespace().next().expect("a word");
        assert!(page.contains(".SH NAME") && page.contains(first), "{file}: {page}");
    }
    let Ok(groff) = Command::new("groff").arg("--version").output() else {
        // Where there is no formatter, there is nobody to complain.
        return;
    };
    assert!(groff.status.success());
    for (name, page) in &pages {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww", "-z"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut groff = groff.spawn().expect("groff");
        groff.stdin.take().expect("a pipe").write_all(page.as_bytes()).expect("a reader");
        let said = groff.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&said.stderr);
        assert!(said.is_empty(), "{name}: {said}");
    }
}

#[test]
fn bash_reads_the_script_of_its_completion() {
    let script = Shell::Bash.script().expect("a script");
    let mut bash = Command::new("bash");
    bash.args(["-euc", "source /dev/stdin && complete -p dataproduct"]);
    let mut bash = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash");
    bash.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("a reader");
    let said = bash.wait_with_output().expect("an end");
    assert!(said.status.success(), "{script}");
    assert!(String::from_utf8_lossy(&said.stdout).trim_end().ends_with(" dataproduct"));
    for shell in [Shell::Zsh, Shell::Fish, Shell::Powershell, Shell::Elvish] {
        assert!(shell.script().expect("a script").contains("DATAPRODUCT_COMPLETE"), "{shell:?}");
    }
}
