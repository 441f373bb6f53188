//! Folders of YAML in, plan, status and its text for people out, compared with what lies beside them.
//!
//! `UPDATE_GOLDEN=1` writes the files anew; read the difference before you commit it.

use std::{fmt::Write, fs, path::Path};

use dataproduct_operator::{
    cli::status::story,
    governance::Precedents,
    plan::{assess::assess_all, decide, judge, scope::resolve},
    slo,
    status::{Facts, summarize},
};

use crate::{
    outside::Outside,
    world::{declared, now, world},
};

#[test]
fn every_golden_case_gives_the_plan_and_the_status_beside_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let platform = |name| fs::read_to_string(root.join("examples").join(name)).expect("an example platform");
    let (local, aws) = (platform("platform.yaml"), platform("platform-aws.yaml"));
    let mut cases = 0;
    for entry in fs::read_dir(root.join("tests/golden")).expect("the golden cases") {
        let folder = entry.expect("a readable folder").path();
        let input = fs::read_to_string(folder.join("input.yaml")).expect("an input");
        let platform = if folder.ends_with("aws") { &aws } else { &local };
        let text = run(&format!("{platform}\n---\n{input}"));
        compare(&folder.join("plan.txt"), &text.plan);
        compare(&folder.join("status.yaml"), &text.status);
        compare(&folder.join("story.txt"), &text.story);
        cases += 1;
    }
    assert!(cases >= 5, "the golden cases are there");
}

/// What is said of a case.
struct Text {
    plan: String,
    status: String,
    /// What `dataproduct status` prints.
    story: String,
}

fn run(manifests: &str) -> Text {
    let declared = declared(manifests);
    let keys = resolve(&declared).map_or_else(|_| Vec::new(), |scope| scope.names.keys().collect());
    let mut outside = Outside::default();
    let world = world(declared, outside.observe(keys.iter().cloned()));
    let decision = decide(&world);
    let mut text = decision.plan.to_string();
    for blocker in &decision.blockers {
        writeln!(text, "because: {blocker}").expect("a string takes every text");
    }
    let outcomes = outside.apply(&decision.plan);
    let observed = outside.observe(keys.into_iter());
    let after = assess_all(&decision.wanted, &observed, &decision.memory);
    let verdicts = slo::judge(&world.declared.product, &Ok(Vec::new()), now());
    let judgement = judge(&world, &decision.wanted, &observed, &Precedents::default());
    let report = judgement.map(|judgement| judgement.report);
    let facts = Facts { world: &world, decision: &decision, outcomes: &outcomes, report, after, verdicts };
    let status = summarize(&facts);
    let mut product = (*world.declared.product).clone();
    product.status = Some(status.clone());
    Text {
        plan: text,
        status: serde_saphyr::to_string(&status).expect("a status is YAML"),
        story: anstream::adapter::strip_str(&story(&product)).to_string(),
    }
}

fn compare(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, actual).expect("a writable golden file");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    let first =
        expected.lines().zip(actual.lines()).enumerate().find(|(_, (expected, actual))| expected != actual);
    assert!(
        expected == actual,
        "{} differs, first at line {:?}; UPDATE_GOLDEN=1 writes it anew",
        path.display(),
        first.map(|(line, (expected, actual))| (line + 1, expected, actual))
    );
}
