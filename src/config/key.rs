//! A key in a file, or printed by a program.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::environment::Environment;
use crate::process::Program;
use crate::secret::Secret;
use crate::source::{plain, slashed};
use crate::text;

/// Time limit for a program that prints a key.
const PATIENCE: Duration = Duration::from_secs(30);

/// Maximum length of a key, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Held<'a> {
    /// The key itself.
    Key(Secret),
    /// In this variable, which is not set.
    Unset(&'a str),
    /// In a file.
    File(PathBuf),
    /// Printed by a program.
    Command(&'a [String]),
}

/// Why a key is missing from where it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("cannot read the key in `{0}`: {1}")]
    File(String, String),
    #[error("cannot get the key from `apiKeyCommand` (`{0}`): {1}")]
    Command(String, String),
}

impl KeyError {
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::File(..) => "set `apiKeyFile:` to a file with only the key",
            Self::Command(..) => {
                "run it by hand: it must print the key to stdout, exit with code 0, and ask for no input"
            }
        }
    }
}

impl Held<'_> {
    /// The key itself; `None` if its variable is not set.
    pub(super) fn key(&self, environment: &Environment) -> Result<Option<Secret>, KeyError> {
        match self {
            Held::Key(key) => Ok(Some(key.clone())),
            Held::Unset(_) => Ok(None),
            Held::File(path) => in_file(path).map(Some),
            Held::Command(command) => printed(command, environment).map(Some),
        }
    }
}

fn in_file(path: &Path) -> Result<Secret, KeyError> {
    let wrong = |reason: &str| KeyError::File(slashed(path), reason.to_owned());
    let system = |error: std::io::Error| wrong(&plain(&error));
    // Reading a pipe or a device would block.
    if !std::fs::metadata(path).map_err(system)?.is_file() {
        return Err(wrong("not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(system)?.take(LONGEST).read_to_end(&mut bytes).map_err(system)?;
    trimmed(bytes).ok_or_else(|| wrong("it is empty"))
}

/// Whether everyone on the machine can read a file.
#[must_use]
pub fn is_open_to_all(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

fn trimmed(bytes: Vec<u8>) -> Option<Secret> {
    let text = String::from_utf8(bytes).ok()?;
    Some(text.trim()).filter(|text| !text.is_empty()).map(Secret::new)
}

/// The key printed by a program; errors show none of its output. The program gets the user's environment, which it may
/// need to reach a vault.
fn printed(command: &[String], environment: &Environment) -> Result<Secret, KeyError> {
    let name = command.first().map_or("", String::as_str);
    let wrong = |reason: String| KeyError::Command(text::excerpt(name, 60), reason);
    let environment = environment.all().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let program = Program { command: command.to_vec(), environment };
    let ended = program.run(PATIENCE).map_err(|error| wrong(error.to_string()))?;
    if !ended.status.success() {
        return Err(wrong("it failed".to_owned()));
    }
    if ended.stdout.len() as u64 > LONGEST {
        return Err(wrong("it printed more than a key".to_owned()));
    }
    trimmed(ended.stdout).ok_or_else(|| wrong("it printed no key".to_owned()))
}
