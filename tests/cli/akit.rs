//! Runs the binary in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

/// Builds a run of `akit`.
pub(crate) struct Akit {
    folder: Rc<tempfile::TempDir>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A finished run and its output.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: Rc<tempfile::TempDir>,
}

impl Akit {
    /// `akit` with these arguments in a new, empty folder.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        Self::within(&Rc::new(tempfile::tempdir().unwrap()), arguments)
    }

    fn within(folder: &Rc<tempfile::TempDir>, arguments: &[&str]) -> Self {
        Self {
            folder: Rc::clone(folder),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Writes a file into the folder, with missing parent folders.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Adds several arguments.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Copies a folder of the repository under this name.
    pub(crate) fn copy(self, from: &str, name: &str) -> Self {
        let to = self.folder.path().join(name);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(repository().join(from)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command, ready to spawn.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_akit"));
        command
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command and waits for it.
    pub(crate) fn run(self) -> Ran {
        let output = self.command().output().unwrap();
        self.ran(output)
    }

    /// Wraps the output of a process that the test started itself.
    pub(crate) fn ran(self, output: std::process::Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).expect("akit prints UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(!stderr.contains("panicked"), "{stderr}");
        Ran { status: output.status.code().unwrap_or(-1), stdout, stderr, folder: self.folder }
    }
}

impl Ran {
    /// Prepares another run in the same folder.
    pub(crate) fn then(&self, arguments: &[&str]) -> Akit {
        Akit::within(&self.folder, arguments)
    }

    /// Panics with the whole output unless stdout contains this text.
    #[track_caller]
    pub(crate) fn out(self, part: &str) -> Self {
        assert!(
            self.stdout.contains(part),
            "no {part:?} in stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Panics with the whole output unless stderr contains this text.
    #[track_caller]
    pub(crate) fn err(self, part: &str) -> Self {
        assert!(
            self.stderr.contains(part),
            "no {part:?} in stderr:\n{}\nstdout:\n{}",
            self.stderr,
            self.stdout
        );
        self
    }

    /// The contents of a file in the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A parsed JSON file in the folder.
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The concatenated contents of all files below a folder.
    pub(crate) fn all(&self, folder: &str) -> String {
        fn walk(folder: &Path) -> String {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let text = |path: PathBuf| {
                if path.is_dir() { walk(&path) } else { std::fs::read_to_string(&path).unwrap() }
            };
            entries.map(text).collect()
        }
        walk(&self.path(folder))
    }

    /// Panics with the whole output unless this is the exit code.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
