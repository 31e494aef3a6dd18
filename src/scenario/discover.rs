//! Finds scenario files from the paths on the command line: files, folders and globs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::source::slashed;

/// Folders that hold no scenarios.
const PASSED_OVER: [&str; 4] = ["node_modules", "dist", "build", "coverage"];

/// Files that are configuration, not scenarios.
const CONFIGURATION: [&str; 4] = ["akit.yaml", "akit.yml", "artemis.config.yaml", "artemis.config.yml"];

/// Why discovery failed.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// A path that does not exist.
    #[error("no such file or folder: `{0}`")]
    Missing(String),
    /// A malformed glob.
    #[error("invalid glob `{0}`: {1}")]
    Glob(String, &'static str),
    /// A folder or glob without a scenario.
    #[error("no .yaml or .yml file in `{0}`")]
    Empty(String),
    /// The operating system refused access.
    #[error("cannot read `{0}`: {1}")]
    Walk(String, String),
}

/// The scenario files at some paths, each once, sorted by path.
///
/// # Errors
/// If a path does not exist, a glob is malformed, or a folder or glob yields no file.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DiscoverError> {
    let mut files = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            extend(&mut files, path, path, &|_| true)?;
        } else if path.exists() {
            files.insert(path.clone());
        } else if is_glob(path) {
            let root = fixed_part(path, &|part| part.exists());
            let matcher = compile(path, &root)?;
            if !root.is_dir() {
                return Err(DiscoverError::Empty(slashed(path)));
            }
            extend(&mut files, &root, path, &|file| matcher.is_match(file))?;
        } else {
            return Err(DiscoverError::Missing(slashed(path)));
        }
    }
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_key(|path| (path.components().count(), slashed(path)));
    // A file that is listed under two paths would be asked, and paid for, twice. Of a file and a link to it, the
    // shorter path is kept.
    let mut known = BTreeSet::new();
    files.retain(|path| path.canonicalize().map_or(true, |full| known.insert(full)));
    files.sort_by_key(|path| slashed(path));
    Ok(files)
}

/// The listed paths that [`discover`] would find if they existed, in alphabetical order.
///
/// Both sides are relative to one folder; a path that is not a glob is a file or a folder.
#[must_use]
pub fn among(paths: &[PathBuf], listed: &[String]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for path in paths {
        let is_there = |part: &Path| listed.iter().any(|name| Path::new(name).starts_with(part));
        let fixed = fixed_part(path, &is_there);
        let glob = if is_glob(path) && !is_there(path) { compile(path, &fixed).ok() } else { None };
        let root = if glob.is_some() { fixed } else { path.clone() };
        let root = if root == Path::new(".") { PathBuf::new() } else { root };
        for name in listed {
            let Ok(rest) = Path::new(name).strip_prefix(&root) else { continue };
            let itself = rest.as_os_str().is_empty();
            let mut folders = rest.parent().into_iter().flat_map(Path::components);
            let passed_over = folders.any(|part| is_passed_over(&part.as_os_str().to_string_lossy()));
            let wanted = glob.as_ref().is_none_or(|glob| glob.is_match(name));
            if itself || (!passed_over && wanted && is_scenario(Path::new(name))) {
                found.insert(name.clone());
            }
        }
    }
    found.into_iter().collect()
}

/// Whether a folder of this name is skipped.
fn is_passed_over(name: &str) -> bool {
    // Hidden folders hold other people's YAML: workflows, editors' settings.
    name.starts_with('.') || PASSED_OVER.contains(&name)
}

fn extend(
    files: &mut BTreeSet<PathBuf>,
    root: &Path,
    named: &Path,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<(), DiscoverError> {
    let walk = walkdir::WalkDir::new(root).follow_links(true).into_iter().filter_entry(|entry| {
        let passed_over = is_passed_over(&entry.file_name().to_string_lossy());
        entry.depth() == 0 || !(entry.file_type().is_dir() && passed_over)
    });
    let before = files.len();
    let mut known = 0;
    for entry in walk {
        let path = match entry {
            Ok(entry) => entry.into_path(),
            // A broken link is no scenario (editors leave such links beside open files); a link back up is read at its
            // target.
            Err(error) if error.loop_ancestor().is_some() || error.path().is_some_and(Path::is_symlink) => {
                continue;
            }
            Err(error) => return Err(refused(root, &error)),
        };
        let path = path.strip_prefix("./").map(Path::to_path_buf).unwrap_or(path);
        if path.is_file() && is_scenario(&path) && wanted(&path) {
            known += usize::from(!files.insert(path));
        }
    }
    if files.len() == before && known == 0 {
        return Err(DiscoverError::Empty(slashed(named)));
    }
    Ok(())
}

fn refused(root: &Path, error: &walkdir::Error) -> DiscoverError {
    let path = error.path().map_or_else(|| slashed(root), slashed);
    let words = error.io_error().map_or_else(|| error.to_string(), |error| error.kind().to_string());
    DiscoverError::Walk(path, words)
}

fn is_scenario(path: &Path) -> bool {
    let extension = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    extension && !CONFIGURATION.contains(&name.as_ref())
}

fn is_glob(path: &Path) -> bool {
    slashed(path).contains(['*', '?', '[', '{'])
}

/// Compiles the glob; brackets in its fixed first part are not wildcards.
fn compile(path: &Path, fixed: &Path) -> Result<GlobMatcher, DiscoverError> {
    let text = match path.strip_prefix(fixed) {
        Ok(rest) => format!("{}/{}", globset::escape(&slashed(fixed)), slashed(rest)),
        Err(_) => slashed(path),
    };
    let text = text.strip_prefix("./").unwrap_or(&text);
    GlobBuilder::new(text)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| DiscoverError::Glob(text.to_owned(), crate::text::glob(&error)))
}

/// The folder before the first part with a wildcard. A part that exists under its literal name has no wildcard.
fn fixed_part(path: &Path, is_there: &dyn Fn(&Path) -> bool) -> PathBuf {
    let mut fixed = PathBuf::new();
    for part in path.components() {
        let longer = fixed.join(part);
        if is_glob(part.as_ref()) && !is_there(&longer) {
            break;
        }
        fixed = longer;
    }
    if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed }
}
