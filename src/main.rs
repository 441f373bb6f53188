//! The binary `dataproduct`: parses, dispatches, and is the only place that may end the process.

use std::{ffi::OsString, io::Write, process::ExitCode};

use dataproduct_operator::cli::{Cli, completions, shown};

/// Reports are made of many small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let words = std::env::args_os().collect::<Vec<OsString>>();
    if let Some(answered) = completions::answer(&words) {
        return answered.map_or_else(|said| failed(&said, 2), |()| ExitCode::SUCCESS);
    }
    let cli = match Cli::read(&words) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match cli.run() {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(error) => failed(&shown(&error), error.code()),
    }
}

fn failed(said: &str, code: u8) -> ExitCode {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    // Nothing is left to be done about an error that cannot be shown.
    let _ = writeln!(anstream::stderr(), "{style}error:{style:#} {said}");
    ExitCode::from(code)
}
