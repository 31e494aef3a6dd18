//! Files that a command leaves behind: claimed before any work is paid for, written whole at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::terminal;
use crate::source::{Pending, slashed};

/// Where a report goes.
#[derive(Debug)]
pub(super) enum Output {
    /// `-`.
    Stdout,
    /// A file.
    File(Pending),
}

impl Output {
    /// Claims the places that were asked for, in order; `None` where none was asked for.
    ///
    /// A report never replaces one of the `inputs`: a slip must not cost the suite.
    /// Tells what stands in the way and answers `Err`.
    pub(super) fn open_all<const N: usize>(
        paths: [&Option<PathBuf>; N],
        inputs: &[&Path],
    ) -> Result<[Option<Self>; N], ()> {
        let mut wrong = false;
        let stdout = paths.iter().filter(|path| path.as_deref() == Some(Path::new("-"))).count();
        if stdout > 1 {
            terminal::error("only one report can go to stdout", "give the others a file");
            wrong = true;
        }
        let inputs: BTreeSet<_> = inputs.iter().filter_map(|path| place(path)).collect();
        let mut taken = BTreeSet::new();
        let outputs = paths.map(|path| {
            let path = path.as_deref()?;
            if path == Path::new("-") {
                return Some(Output::Stdout);
            }
            match Pending::open(path) {
                Ok(_) if place(path).is_some_and(|place| inputs.contains(&place)) => {
                    terminal::error(
                        &format!("`{}` is read here and would be replaced by a report", slashed(path)),
                        "nothing was sent; choose another path",
                    );
                    wrong = true;
                    None
                }
                Ok(_) if place(path).is_some_and(|place| !taken.insert(place)) => {
                    terminal::error(
                        &format!("two reports go to `{}`", slashed(path)),
                        "give each report its own file",
                    );
                    wrong = true;
                    None
                }
                Ok(file) => Some(Output::File(file)),
                Err(error) => {
                    terminal::error(
                        &format!("cannot write `{}`: {}", slashed(path), terminal::system(&error)),
                        "nothing was sent; choose another path or mend the folder",
                    );
                    wrong = true;
                    None
                }
            }
        });
        if wrong { Err(()) } else { Ok(outputs) }
    }

    /// Writes a report; tells when it cannot.
    pub(super) fn write(self, text: &str) {
        match self {
            Output::Stdout => terminal::out(text),
            Output::File(file) => {
                let path = slashed(file.path());
                if let Err(error) = file.write(text.as_bytes()) {
                    terminal::error(
                        &format!("could not write `{path}`: {}", terminal::system(&error)),
                        "the exit status still tells the decision",
                    );
                }
            }
        }
    }
}

/// Where a file will stand, whatever path leads there; `None` for a device, which takes several.
fn place(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return path.is_file().then(|| path.canonicalize().ok()).flatten();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}
