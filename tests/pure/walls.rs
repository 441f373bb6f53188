//! The walls between the rooms, read from the sources: a room that decides knows neither client nor task nor backend.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Files below a folder of `src`, with their code: comments and everything from the tests on left out.
fn sources(room: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a readable file");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                files.push((path, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    assert!(!files.is_empty(), "the room {room} has no files");
    files
}

fn assert_free_of(room: &str, words: &[&str]) {
    for (path, code) in sources(room) {
        for word in words {
            assert!(!code.contains(word), "{} must not know `{word}`", path.display());
        }
    }
}

#[test]
fn the_pure_rooms_know_no_client_no_task_no_backend_no_clock_and_no_chance() {
    for room in ["api", "model", "manifest", "cel", "governance", "plan", "slo", "status", "contract"] {
        assert_free_of(
            room,
            &[
                "kube::Client",
                "Client",
                "tokio",
                "provider::local",
                "provider::aws",
                "provider::layers",
                "provider::registry",
                "rusqlite",
                "cap_std",
                "crate::controller",
                "crate::cli",
                "std::env",
                "std::fs",
                "std::net",
                "Timestamp::now",
                "SystemTime",
                "Instant::now",
                "rand::",
                "async fn",
            ],
        );
    }
}

#[test]
fn the_seam_does_not_know_the_shell() {
    assert_free_of("provider", &["crate::controller", "crate::cli", "crate::status", "crate::plan"]);
}

#[test]
fn the_operator_does_not_know_the_webhook_and_the_webhook_asks_no_provider() {
    assert_free_of("controller", &["crate::webhook"]);
    assert_free_of("webhook", &["crate::provider", "crate::cli"]);
}

#[test]
fn only_the_registry_knows_every_backend() {
    assert_free_of("controller", &["provider::local", "provider::aws"]);
    for (path, code) in sources("cli") {
        // What prints the policies of a backend is about that backend.
        let about_aws = path.ends_with("aws_policy.rs");
        assert!(about_aws || !code.contains("provider::aws"), "{} must not know a backend", path.display());
        assert!(!code.contains("provider::local"), "{} must not know a backend", path.display());
    }
    for (path, code) in sources("provider") {
        let allowed = path.ends_with("registry.rs") || path.ends_with("provider/mod.rs");
        for backend in ["local", "aws"] {
            let inside = path.components().any(|part| part.as_os_str() == backend);
            let known = code.contains(&format!("{backend}::"));
            assert!(inside || allowed || !known, "{} must not know {backend}", path.display());
        }
    }
}

#[test]
fn only_the_main_file_may_end_the_process() {
    for room in [
        "api",
        "model",
        "manifest",
        "cel",
        "governance",
        "plan",
        "slo",
        "status",
        "contract",
        "provider",
        "controller",
        "webhook",
        "cli",
    ] {
        assert_free_of(room, &["process::exit", "process::abort"]);
    }
}
