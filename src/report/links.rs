//! Addresses where a pipeline shows what a report mentions.

use std::path::Path;

use crate::source::{Location, slashed};

use super::sarif;

/// The repository that releases come from, as `owner/name`; a build for a release sets it.
pub const REPOSITORY: Option<&str> = option_env!("AKIT_REPOSITORY");

/// Addresses to link to, most of which only a known pipeline provides, and the file of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The run of the pipeline, or its job.
    pub run: Option<String>,
    /// The HTML page of this report.
    pub page: Option<String>,
    /// The tested commit.
    pub commit: Option<String>,
    /// The address below which the files of that commit are shown, such as
    /// `https://gitlab.com/group/project/-/blob/SHA`.
    pub files: Option<String>,
    /// The address below which the pages of the documentation are, for this version.
    pub docs: Option<String>,
    /// The file the run is stored in.
    pub stored: Option<String>,
}

impl Links {
    /// Adds the file that the run is stored in. Of an absolute path, only the name is kept, because the rest means
    /// nothing elsewhere.
    #[must_use]
    pub fn stored_in(mut self, file: Option<&Path>) -> Self {
        let name = file.filter(|file| file.is_absolute()).and_then(Path::file_name).map(Path::new);
        self.stored = name.or(file).map(slashed);
        self
    }

    /// The name that a command uses for the file of the run.
    pub(super) fn stored(&self) -> &str {
        self.stored.as_deref().unwrap_or("run.json")
    }

    /// `; see [docs/accept.md](https://…)`, or nothing if the address of the documentation is unknown.
    pub(super) fn see(&self, page: &str) -> String {
        let link = |docs: &String| format!("; see [docs/{page}]({docs}/{page})");
        self.docs.as_ref().map_or_else(String::new, link)
    }

    /// A line of a file in the repository.
    pub(super) fn line(&self, place: &Location) -> Option<String> {
        // A path that begins with `/`, or has an empty part, is not in the repository.
        let is_inside = place.file.split('/').all(|part| !part.is_empty() && part != "..");
        let files = self.files.as_deref().filter(|_| is_inside)?;
        Some(format!("{files}/{}#L{}", sarif::uri(&place.file), place.line.max(1)))
    }

    /// An `http` or `https` address without a user name, and without characters that would end a link.
    #[must_use]
    pub fn address(text: &str) -> Option<String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=+,%".contains(c);
        let has_host = rest.starts_with(|c: char| c.is_ascii_alphanumeric());
        (has_host && rest.len() <= 500 && rest.chars().all(is_plain))
            .then(|| text.trim_end_matches('/').to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_escape_its_link() {
        let right = "https://git.example:8443/a/b_c/-/jobs/7?x=1&y=%20#note";
        assert_eq!(Links::address(right).as_deref(), Some(right));
        for wrong in [
            "",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://user:key@host/x",
            "https://host/a b",
            "https://host/a)b",
            "https://host/\"x",
            "https://host/<x>",
            "https://host/[x]",
            "https://host/ü",
            "//host",
        ] {
            assert_eq!(Links::address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_files_of_the_repository_have_a_line() {
        let links = Links { files: Some("https://h/blob/0af".to_owned()), ..Links::default() };
        let line = |file: &str| links.line(&Location { file: file.to_owned(), line: 0, column: 0 });
        assert_eq!(line("a/ü (1).yaml").as_deref(), Some("https://h/blob/0af/a/%C3%BC%20%281%29.yaml#L1"));
        assert_eq!((line(""), line("../x.yaml"), line("/etc/x")), (None, None, None));
    }
}
