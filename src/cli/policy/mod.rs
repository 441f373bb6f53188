//! `dataproduct policy`: policies tried before they are applied, on fixtures and on the live mesh.

mod simulate;
mod test;

use clap::Subcommand;

use super::{CliError, Ending};

/// What is done with policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Try policies on fixture products with expected results.
    ///
    /// A test is a file of kind `PolicyTest` (cli.datamesh.io/v1): policies and what else bears on them, and cases, each with
    /// a product and the violations that it must have. Paths in it are relative to the file.
    #[command(after_help = test::HELP)]
    Test(test::TestArgs),
    /// Show what policies would do to the products of a mesh: who would fail, and the scores before and after, by domain.
    ///
    /// The policies of the files count in place of those that the mesh has under the same names. Nothing is changed.
    #[command(after_help = simulate::HELP)]
    Simulate(Box<simulate::SimulateArgs>),
}

impl PolicyCommand {
    /// Runs the command.
    pub(super) fn run(self) -> Result<Ending, CliError> {
        match self {
            Self::Test(args) => test::run(&args),
            Self::Simulate(args) => simulate::run(*args),
        }
    }
}
