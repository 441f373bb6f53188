//! The contracts of the examples, judged by the datacontract tool.
//!
//! `make datacontract` installs it; where it is not installed, the test says so and is skipped.

use std::{fs, process::Command};

use anyhow::{Result, ensure};

use crate::golden::path;

#[test]
fn the_datacontract_tool_finds_nothing_in_the_contracts_of_the_examples() -> Result<()> {
    let python = path(".tools/datacontract/bin/python");
    if !python.exists() {
        eprintln!("skipped: the datacontract tool is not installed; run `make datacontract`");
        return Ok(());
    }
    let lint = |contract: &std::path::Path| -> Result<(bool, String)> {
        let lint = Command::new(&python)
            .args([
                "-c",
                "import sys; from datacontract.cli import main; sys.exit(main())",
                "lint",
                "--all-errors",
            ])
            .arg("--json-schema")
            .arg(path("tests/contract/schema/odcs-json-schema-v3.1.0.json"))
            .arg(contract)
            .output()?;
        Ok((lint.status.success(), String::from_utf8_lossy(&lint.stdout).into_owned()))
    };
    for example in ["customer-360", "customer-orders", "orders", "violating"] {
        let (sound, said) = lint(&path(&format!("tests/contract/golden/{example}.odcs.yaml")))?;
        ensure!(sound && !said.contains("warning"), "{example}: {said}");
    }
    let folder = tempfile::tempdir()?;
    let broken = folder.path().join("broken.odcs.yaml");
    let text = fs::read_to_string(path("tests/contract/golden/customer-360.odcs.yaml"))?;
    fs::write(&broken, text.replace("  account: unknown\n", ""))?;
    ensure!(
        !lint(&broken)?.0,
        "the tool finds nothing in a contract that lacks the account of its warehouse"
    );
    Ok(())
}
