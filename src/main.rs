//! The binary `dataproduct`: parses, dispatches, and is the only place that may end the process.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use dataproduct_operator::cli::Cli;

/// Reports are made of many small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(ending) => ExitCode::from(ending.code()),
        Err(error) => {
            // Nothing is left to be done about an error that cannot be shown.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(error.code())
        }
    }
}
