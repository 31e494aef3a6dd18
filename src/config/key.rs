//! A key that lies in a file, or that a program prints.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::environment::Environment;
use crate::process::Program;
use crate::secret::Secret;
use crate::source::slashed;
use crate::text;

/// Longest time that a program may take to print a key.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest key that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Held<'a> {
    /// It is at hand.
    Key(Secret),
    /// It should be in this variable, which is not set.
    Unset(&'a str),
    /// In a file.
    File(PathBuf),
    /// A program prints it.
    Command(&'a [String]),
}

/// Why there is no key where it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the key in `{0}` cannot be read: {1}")]
    File(String, String),
    #[error("the key of `apiKeyCommand` (`{0}`) cannot be had: {1}")]
    Command(String, String),
}

impl KeyError {
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::File(..) => "name a file under `apiKeyFile:` that holds the key and nothing else",
            Self::Command(..) => {
                "run it by hand: it must print the key on stdout, end with exit code 0, and ask for nothing"
            }
        }
    }
}

impl Held<'_> {
    /// The key itself; `None` where its variable is not set.
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
    let system = |error: std::io::Error| wrong(&error.to_string());
    // A pipe or a device would be waited for.
    if !std::fs::metadata(path).map_err(system)?.is_file() {
        return Err(wrong("it is no regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(system)?.take(LONGEST).read_to_end(&mut bytes).map_err(system)?;
    trimmed(bytes).ok_or_else(|| wrong("it holds no key"))
}

/// Whether everybody on the machine may read a file.
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

/// What a program prints; none of it stands in an error. It finds what the user's shell would give it: where a vault is,
/// and who asks.
fn printed(command: &[String], environment: &Environment) -> Result<Secret, KeyError> {
    let name = command.first().map_or("", String::as_str);
    let wrong = |reason: String| KeyError::Command(text::excerpt(name, 60), reason);
    let environment = environment.all().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let program = Program { command: command.to_vec(), environment };
    let ended = program.run(PATIENCE).map_err(|error| wrong(error.to_string()))?;
    if !ended.status.success() {
        return Err(wrong("it ended with an error".to_owned()));
    }
    if ended.stdout.len() as u64 > LONGEST {
        return Err(wrong("it printed more than a key".to_owned()));
    }
    trimmed(ended.stdout).ok_or_else(|| wrong("it printed no key".to_owned()))
}
