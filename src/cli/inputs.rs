//! Reading what people name on the command line: files, directories and the standard input, within limits.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use super::{CliError, clean};
use crate::api::GROUP;
use crate::manifest::{Definitions, Fault, Object, Reading, Source, limits::MAX_BYTES, objects};

/// Most files that are read in one go.
const MAX_FILES: usize = 10_000;
/// Most bytes that are read in one go.
const MAX_TOTAL: usize = 64 << 20;
/// Deepest folder below one that is named.
const MAX_FOLDERS: usize = 16;
/// How people name the standard input.
pub const STANDARD_INPUT: &str = "-";

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Inputs {
    /// The texts with what is in them, in the order in which they were named, those of a directory by name.
    pub files: Vec<Input>,
    /// What people should know beside what was found.
    pub notes: Vec<String>,
}

/// A file that is to be read.
struct Found {
    path: PathBuf,
    /// Whether it was named, and not found in a folder.
    named: bool,
}

/// A text with what is in it.
#[derive(Debug)]
pub struct Input {
    /// The text.
    pub source: Source,
    /// Its objects, and what is wrong with the text as a whole.
    pub reading: Reading,
}

impl Inputs {
    /// Reads what is named. What cannot be opened ends it; what cannot be understood is in the readings. `tick` is told the
    /// number of files done and of all of them.
    pub fn read(
        names: &[PathBuf],
        definitions: &Definitions,
        mut tick: impl FnMut(usize, usize),
    ) -> Result<Self, CliError> {
        let mut inputs = Self::default();
        let mut paths: Vec<Found> = Vec::new();
        for name in names {
            inputs.find(name, &mut paths)?;
        }
        if names.iter().filter(|name| is_standard_input(name)).count() > 1 {
            return Err(CliError::Usage(
                "- can be given once: the standard input is read only once".to_owned(),
            ));
        }
        let mut total = 0_usize;
        for (done, path) in paths.iter().enumerate() {
            tick(done, paths.len());
            let bytes = read(&path.path)?;
            total = total.saturating_add(bytes.len());
            if total > MAX_TOTAL {
                let most = MAX_TOTAL >> 20;
                return Err(CliError::Usage(format!(
                    "the files have more than {most} MiB; check them in several parts"
                )));
            }
            let ours = path.named || mentions_us(&bytes);
            let input = Input::of(&path.path.display().to_string(), bytes, definitions);
            if ours || input.reading.faults.is_empty() {
                inputs.files.push(input);
            } else {
                // Folders hold files of other tools, some of which only look like YAML.
                inputs.notes.push(format!(
                    "{} cannot be read as YAML and does not mention {GROUP}; it was left out",
                    path.path.display()
                ));
            }
        }
        Ok(inputs)
    }

    /// Every object with the index of its file.
    pub fn objects(&self) -> impl Iterator<Item = (usize, &Object)> {
        let files = self.files.iter().enumerate();
        files.flat_map(|(index, file)| file.reading.objects.iter().map(move |object| (index, object)))
    }

    /// Every fault with the index of its file and the object that it is in.
    pub fn faults(&self) -> impl Iterator<Item = (usize, Option<&Object>, &Fault)> {
        let files = self.files.iter().enumerate();
        files.flat_map(|(index, file)| {
            let whole = file.reading.faults.iter().map(move |fault| (index, None, fault));
            let objects = file.reading.objects.iter();
            let within = objects
                .flat_map(move |object| object.faults.iter().map(move |fault| (index, Some(object), fault)));
            whole.chain(within)
        })
    }

    /// Number of documents that belong to others.
    pub fn others(&self) -> usize {
        self.files.iter().map(|file| file.reading.others).sum()
    }

    fn find(&mut self, name: &Path, paths: &mut Vec<Found>) -> Result<(), CliError> {
        if is_standard_input(name) {
            paths.push(Found { path: name.to_owned(), named: true });
            return Ok(());
        }
        let metadata = fs::metadata(name).map_err(|error| cannot_read(name, &error))?;
        if !metadata.is_dir() {
            paths.push(Found { path: name.to_owned(), named: true });
            return Ok(());
        }
        let before = paths.len();
        self.descend(name, 0, paths)?;
        if paths.len() == before {
            let name = name.display();
            return Err(CliError::Usage(format!("{name} has no file that ends in .yaml, .yml or .json")));
        }
        Ok(())
    }

    fn descend(&mut self, folder: &Path, depth: usize, paths: &mut Vec<Found>) -> Result<(), CliError> {
        let failed = |error| cannot_read(folder, &error);
        if depth > MAX_FOLDERS {
            let folder = folder.display();
            return Err(CliError::Usage(format!(
                "{folder} is more than {MAX_FOLDERS} folders deep; name it itself"
            )));
        }
        let entries = fs::read_dir(folder).map_err(failed)?;
        let mut entries = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(failed)?;
        entries.sort();
        let is_chart = folder.join("Chart.yaml").is_file();
        for path in entries {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // A link to a folder may lead in a circle. Files are followed, as mounted configuration needs it.
            let kind = fs::symlink_metadata(&path).map_err(|error| cannot_read(&path, &error))?;
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir() && is_chart && name == "templates" {
                self.notes.push(format!(
                    "{} holds templates and was left out; check what they become: helm template {} | dataproduct check -",
                    path.display(),
                    folder.display()
                ));
            } else if kind.is_dir() {
                self.descend(&path, depth + 1, paths)?;
            } else if is_manifest(&path) && path.is_file() {
                paths.push(Found { path, named: false });
            }
            if paths.len() > MAX_FILES {
                return Err(CliError::Usage(format!(
                    "there are more than {MAX_FILES} files; name fewer of them"
                )));
            }
        }
        Ok(())
    }
}

impl Input {
    /// A text that has been read.
    pub fn of(name: &str, bytes: Vec<u8>, definitions: &Definitions) -> Self {
        let (source, fault) = Source::new(name, bytes);
        let reading = match fault {
            Some(fault) => Reading { faults: vec![fault], ..Reading::default() },
            None => objects(&source, definitions),
        };
        Self { source, reading }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = if is_standard_input(path) {
        if io::stdin().is_terminal() {
            return Err(CliError::Usage(
                "nothing is piped into the standard input; try for example `kustomize build . | dataproduct check -`"
                    .to_owned(),
            ));
        }
        bounded(io::stdin().lock())
    } else {
        File::open(path).and_then(bounded)
    };
    bytes.map_err(|error| cannot_read(path, &error))
}

/// Whether a text can hold an object of ours.
fn mentions_us(bytes: &[u8]) -> bool {
    bytes.windows(GROUP.len()).any(|window| window == GROUP.as_bytes())
}

/// Reads one byte more than is allowed, so that more is seen and never held.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["yaml", "yml", "json"].contains(&extension))
}

fn cannot_read(path: &Path, error: &io::Error) -> CliError {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission is denied".to_owned(),
        _ => error.to_string(),
    };
    CliError::Usage(clean(&format!("cannot read {}: {why}", path.display())))
}
