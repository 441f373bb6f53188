//! The reader of manifests on any bytes: it ends, it does not panic, and what it says stands in the text.

use std::{env, fs, path::Path, sync::LazyLock};

use dataproduct_operator::manifest::{Definitions, Fault, Source, objects, place};
use proptest::prelude::*;

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| Definitions::new().expect("the definitions"));

/// Reads a text and checks that every place lies in it and has a line and a column that exist.
fn read(bytes: Vec<u8>) -> Vec<Fault> {
    let (source, unreadable) = Source::new("any.yaml", bytes);
    let reading = objects(&source, &DEFINITIONS);
    let within = reading.objects.iter().flat_map(|object| object.faults.clone());
    let faults = unreadable.into_iter().chain(reading.faults.clone()).chain(within).collect::<Vec<_>>();
    for Fault { place, message, remediation, .. } in &faults {
        assert!(source.text().get(place.clone()).is_some(), "{place:?} of {message} is not in the text");
        let (start, end) = (source.position(place.start), source.position(place.end));
        assert!(start <= end && start.line <= source.line_count(), "{start:?} {end:?} {message}");
        assert!(start.column <= source.line(start.line).chars().count() + 2, "{start:?} {message}");
        assert!(!message.is_empty() && !remediation.is_empty(), "{message}: {remediation}");
    }
    for object in &reading.objects {
        for path in ["spec.schema.fields[email].pii", "spec.outputPorts[0]", "metadata.name", "spec[", "]..["]
        {
            let found = place(&object.node, path).unwrap_or_default();
            assert!(source.text().get(found.clone()).is_some(), "{found:?}");
        }
    }
    faults
}

/// The manifests of some folders of the repository, as texts.
fn manifests(folders: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = folders.iter().flat_map(|folder| fs::read_dir(root.join(folder)).expect(folder));
    let files = files.map(|file| file.expect("a file").path());
    let yaml = files.filter(|path| path.extension().is_some_and(|it| it == "yaml"));
    yaml.map(|path| fs::read_to_string(path).expect("a readable file")).collect()
}

/// What means something to YAML.
const PIECES: [&str; 30] = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\t",
    "&a ",
    "*a",
    "<<: ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "#",
    "---\n",
    "...\n",
    "!!str ",
    "? ",
    ",",
    "%YAML 1.1\n",
    "\r\n",
    "\u{feff}",
    "ü",
    "日本",
    "\0",
    "apiVersion: datamesh.io/v1\nkind: DataProduct\n",
    "kind: List\nitems:\n",
];

fn spliced() -> impl Strategy<Value = String> {
    let base = prop::sample::select(manifests(&["examples", "deploy/policies", "tests/governance/fixtures"]));
    let cuts = prop::collection::vec(
        (any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(&PIECES[..])),
        1..6,
    );
    (base, cuts).prop_map(|(base, cuts)| {
        cuts.into_iter().fold(base, |text, (at, gone, piece)| {
            let mut characters = text.chars().collect::<Vec<_>>();
            let at = at.index(characters.len() + 1);
            let end = (at + gone).min(characters.len());
            characters.splice(at..end, piece.chars());
            characters.into_iter().collect()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic_and_every_place_is_in_the_text(bytes: Vec<u8>) {
        read(bytes);
    }

    #[test]
    fn any_pieces_of_yaml_are_read_without_panic(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        read(pieces.concat().into_bytes());
    }

    #[test]
    fn a_manifest_with_anything_cut_and_pasted_is_read_without_panic(text in spliced()) {
        read(text.into_bytes());
    }
}

#[test]
fn every_manifest_that_comes_with_the_operator_is_accepted() {
    for text in manifests(&["examples", "deploy/policies"]) {
        assert_eq!(read(text.clone().into_bytes()), vec![], "{text}");
    }
}
