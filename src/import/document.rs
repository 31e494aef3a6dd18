//! The files of a promptfoo suite: the configuration and the files it names with `file://`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ImportError;
use crate::source::{Node, ReadError, SourceFile, Span, SyntaxError, Value, slashed};

/// A part of a file.
#[derive(Clone, Debug)]
pub(super) struct Excerpt {
    /// The node.
    pub(super) node: Node,
    /// The file.
    pub(super) file: Arc<SourceFile>,
}

impl Excerpt {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Excerpt> {
        self.node.get(key).map(|node| self.with(node.clone()))
    }

    /// The items, if this is a list.
    pub(super) fn items(&self) -> Option<Vec<Excerpt>> {
        match &self.node.value {
            Value::List(items) => Some(items.iter().map(|item| self.with(item.clone())).collect()),
            _ => None,
        }
    }

    /// Keys with their values, if this is a mapping.
    pub(super) fn entries(&self) -> Vec<(String, Span, Excerpt)> {
        let Value::Map(entries) = &self.node.value else { return Vec::new() };
        let entry = |(key, value): &(Node, Node)| {
            let name = key.as_str().map_or_else(|| key.to_json().to_string(), str::to_owned);
            (name, key.span, self.with(value.clone()))
        };
        entries.iter().map(entry).collect()
    }

    /// A number.
    pub(super) fn number(&self) -> Option<f64> {
        self.node.number().filter(|number| number.is_finite())
    }

    /// An excerpt with another node of the same file.
    pub(super) fn with(&self, node: Node) -> Excerpt {
        Excerpt { node, file: Arc::clone(&self.file) }
    }
}

/// The files below one folder.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder of a configuration.
    pub(super) fn of(path: &Path) -> Self {
        Self(path.parent().unwrap_or(Path::new("")).to_path_buf())
    }

    /// The path behind `file://`, relative to the folder.
    pub(super) fn path(&self, reference: &str) -> PathBuf {
        let name = reference.strip_prefix("file://").unwrap_or(reference);
        self.0.join(name.strip_prefix("./").unwrap_or(name))
    }

    /// A text file.
    pub(super) fn text(&self, reference: &str) -> Result<String, ReadError> {
        Ok(SourceFile::read(&self.path(reference))?.text().to_owned())
    }

    /// A YAML or JSON file.
    pub(super) fn document(&self, reference: &str) -> Result<Excerpt, ImportError> {
        document(&self.path(reference))
    }

    /// The values of a JSONL file.
    pub(super) fn lines(&self, reference: &str) -> Result<Vec<Excerpt>, ImportError> {
        let path = self.path(reference);
        let file = SourceFile::read(&path).map_err(|error| ImportError::Unreadable(slashed(&path), error))?;
        let file = Arc::new(file);
        let mut parts = Vec::new();
        for (number, line) in (0..).zip(file.text().lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let moved = |mut error: SyntaxError| {
                error.span.line += number;
                syntax(&file, &error)
            };
            let mut node = Node::parse(&SourceFile::from_text(file.shown(), line)).map_err(moved)?;
            lower(&mut node, number);
            parts.push(Excerpt { node, file: Arc::clone(&file) });
        }
        Ok(parts)
    }
}

/// Moves a node some lines down.
fn lower(node: &mut Node, by: u32) {
    node.span.line += by;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| lower(item, by)),
        Value::Map(entries) => {
            for (key, value) in entries {
                lower(key, by);
                lower(value, by);
            }
        }
        _ => {}
    }
}

/// Reads a YAML or JSON file and resolves merge keys.
pub(super) fn document(path: &Path) -> Result<Excerpt, ImportError> {
    let file = SourceFile::read(path).map_err(|error| ImportError::Unreadable(slashed(path), error))?;
    let mut node = Node::parse(&file).map_err(|error| syntax(&file, &error))?;
    merge(&mut node);
    Ok(Excerpt { node, file: Arc::new(file) })
}

fn syntax(file: &SourceFile, error: &SyntaxError) -> ImportError {
    let place = format!("{}:{}:{}", file.shown(), error.span.line, error.span.column);
    ImportError::Syntax(place, error.message.clone())
}

/// Resolves `<<`, which is not in YAML 1.2 but is supported by promptfoo.
fn merge(node: &mut Node) {
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(merge),
        Value::Map(entries) => {
            let mut merged = Vec::new();
            for (_, value) in entries.iter_mut() {
                merge(value);
            }
            entries.retain(|(key, value)| {
                let sources = match &value.value {
                    _ if key.as_str() != Some("<<") => return true,
                    Value::Map(_) => std::slice::from_ref(value),
                    Value::List(items) => items.as_slice(),
                    _ => return true,
                };
                for source in sources {
                    if let Value::Map(more) = &source.value {
                        merged.extend(more.iter().cloned());
                    }
                }
                false
            });
            for (key, value) in merged {
                if !entries.iter().any(|(own, _)| own.value == key.value) {
                    entries.push((key, value));
                }
            }
        }
        _ => {}
    }
}
