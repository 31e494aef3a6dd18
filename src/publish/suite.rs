//! Several suites in one comment: each suite has its own section and never replaces the section of another one.
//!
//! The marker lists the suites in the order of their sections, the worst decision first. A suite is identified by the
//! arguments of `akit run` and its scenarios; a later run of the same suite replaces its section. Sections of other
//! suites for the same commit are kept; those for an earlier commit are dropped.

use std::cmp::Reverse;

use super::marker::{self, Key, Marker};
use super::site::RunNumber;
use crate::text::markdown::code;

/// Starts each section if there are several.
const BEGIN: &str = "<!-- akit:suite -->\n";

/// Ends the line that names the suite.
const NAMED: &str = "\n\n<!-- akit:report -->\n";

/// Maximum number of characters in a suite's name.
const NAME: usize = 200;

/// The section of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// An id of 16 hexadecimal digits, which is the same for every run of the suite.
    pub(super) suite: String,
    /// The suite's name for people.
    pub(super) name: String,
    /// The run that it comes from.
    pub(super) turn: RunNumber,
    /// 0 for the worst decision.
    pub(super) rank: u8,
    /// The report.
    pub(super) text: String,
}

/// A comment by akit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) commit: Option<String>,
    /// The newest run in it.
    pub(super) turn: RunNumber,
    pub(super) sections: Vec<Section>,
}

/// Reads a comment that starts with a marker with this key. A comment from a version without suites has no section.
pub(super) fn read(body: &str, key: &Key) -> Option<Comment> {
    let Marker { turn, commit, suites } = marker::read(body, key)?;
    let rest = body.split_once('\n').map_or("", |(_, rest)| rest).replace("\r\n", "\n");
    let texts: Vec<&str> = match rest.strip_prefix(BEGIN) {
        None => vec![rest.as_str()],
        Some(rest) => {
            let parts = rest.split(BEGIN);
            parts.map(|part| part.split_once(NAMED).map_or(part, |(_, text)| text)).collect()
        }
    };
    // Someone edited it, so its sections cannot be told apart.
    let sections = if texts.len() == suites.len() { suites } else { Vec::new() };
    let sections = sections.into_iter().zip(texts).map(|(suite, text)| {
        let marker::Suite { id, name, turn, rank } = suite;
        Section { suite: id, name, turn, rank, text: text.trim_end().to_owned() }
    });
    Some(Comment { commit, turn, sections: sections.collect() })
}

/// The result of merging a section into the existing ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Merged {
    /// The sections to post.
    Said(Vec<Section>),
    /// The comment with this index is from a newer run.
    Newer(usize),
}

/// Merges a section into those of earlier comments.
pub(super) fn merge(comments: &[Comment], own: Section, commit: Option<&str>) -> Merged {
    let mut sections: Vec<Section> = Vec::new();
    for (index, comment) in comments.iter().enumerate() {
        let same_commit = match (comment.commit.as_deref(), commit) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            _ => comment.turn.id == own.turn.id,
        };
        if !same_commit {
            if comment.turn > own.turn {
                return Merged::Newer(index);
            }
            continue;
        }
        if comment.sections.is_empty() && comment.turn > own.turn {
            return Merged::Newer(index);
        }
        for section in &comment.sections {
            if section.suite == own.suite {
                if section.turn > own.turn {
                    return Merged::Newer(index);
                }
                continue;
            }
            match sections.iter_mut().find(|known| known.suite == section.suite) {
                Some(known) if known.turn >= section.turn => {}
                Some(known) => *known = section.clone(),
                None => sections.push(section.clone()),
            }
        }
    }
    sections.push(own);
    sections.sort_by(|a, b| (a.rank, &a.name, &a.suite).cmp(&(b.rank, &b.name, &b.suite)));
    Merged::Said(sections)
}

/// The whole comment; if it would be too long, sections longer than their share are shortened.
pub(super) fn compose(key: &Key, commit: Option<&str>, sections: &[Section], most: usize) -> String {
    let turn = sections.iter().map(|section| section.turn).max().unwrap_or_default();
    let suites = sections.iter().map(|one| marker::Suite {
        id: one.suite.clone(),
        name: one.name.chars().take(NAME).collect(),
        turn: one.turn,
        rank: one.rank,
    });
    let marker = Marker { turn, commit: commit.map(str::to_owned), suites: suites.collect() };
    let mut out = marker::line(key, &marker);
    out.push('\n');
    if let [only] = sections {
        out.push_str(&only.text);
        return out;
    }
    let heads: Vec<String> =
        sections.iter().map(|one| format!("{BEGIN}Suite {}{NAMED}", code(&one.name, NAME))).collect();
    let frames: usize = heads.iter().map(|head| head.len() + 2).sum();
    let room = most.saturating_sub(out.len() + frames);
    let mut texts: Vec<String> = sections.iter().map(|section| section.text.clone()).collect();
    // The longest first, until all fit.
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|index| Reverse(texts[*index].len()));
    for index in order {
        let all: usize = texts.iter().map(String::len).sum();
        if all > room {
            let share = (room / sections.len()).max(texts[index].len().saturating_sub(all - room));
            texts[index] = shortened(&texts[index], share);
        }
    }
    for (head, text) in heads.iter().zip(&texts) {
        out.push_str(head);
        out.push_str(text);
        out.push_str("\n\n");
    }
    out.truncate(out.trim_end().len());
    out
}

/// A report shortened to fit: whole sections are dropped from its end, and none is cut in two.
fn shortened(text: &str, most: usize) -> String {
    const CUT: &str =
        "\n\nShortened to leave room for other suites. The reports of this suite's job are complete.";
    if text.len() <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(CUT.len());
    let ends = text.match_indices("\n\n#### ").map(|(at, _)| at);
    let first_line = text.find('\n').unwrap_or(text.len());
    let end = ends.filter(|at| *at <= room).last().unwrap_or(first_line);
    format!("{}{CUT}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: Option<&str> = Some("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

    fn section(suite: &str, run: u64, rank: u8, text: &str) -> Section {
        let turn = RunNumber { id: run, attempt: 1 };
        Section { suite: suite.to_owned(), name: format!("evals/{suite}"), turn, rank, text: text.to_owned() }
    }

    fn said(comments: &[Comment], own: Section) -> Vec<Section> {
        match merge(comments, own, COMMIT) {
            Merged::Said(sections) => sections,
            Merged::Newer(index) => panic!("comment {index} is newer"),
        }
    }

    fn again(sections: &[Section]) -> Comment {
        read(&compose(&Key::default(), COMMIT, sections, 60_000), &Key::default()).unwrap()
    }

    #[test]
    fn a_composed_comment_reads_back() {
        let long = "### akit: FAIL\n\ntext\r\nmore\n```\n#### no heading\n```";
        let odd = Section { name: "a b/--> | `x` ü".to_owned(), ..section("c", 3, 3, "### akit: PASS") };
        for sections in [
            vec![section("a", 1, 0, "### akit: FAIL")],
            vec![section("a", 1, 0, long), section("b", 2, 3, "### akit: PASS\n\n| x |")],
            vec![section("a", 1, 0, "### akit: FAIL"), section("b", 2, 1, "### akit: ERROR"), odd],
        ] {
            let read = again(&sections);
            let plain = |sections: &[Section]| {
                let texts = sections.iter().map(|one| one.text.replace("\r\n", "\n"));
                sections
                    .iter()
                    .cloned()
                    .zip(texts)
                    .map(|(one, text)| Section { text, ..one })
                    .collect::<Vec<_>>()
            };
            assert_eq!(read.sections, plain(&sections));
            assert_eq!(read.turn.id, sections.iter().map(|one| one.turn.id).max().unwrap());
        }
    }

    #[test]
    fn suites_of_one_commit_share_a_comment_worst_first() {
        let first = again(&said(&[], section("b", 5, 3, "### akit: PASS")));
        let second = again(&said(&[first], section("a", 4, 0, "### akit: FAIL")));
        let names = |comment: &Comment| {
            comment.sections.iter().map(|one| (one.suite.clone(), one.turn.id)).collect::<Vec<_>>()
        };
        assert_eq!(names(&second), [("a".to_owned(), 4), ("b".to_owned(), 5)]);
        // The same suite in a later attempt.
        let third = again(&said(std::slice::from_ref(&second), section("a", 6, 3, "### akit: PASS")));
        assert_eq!(names(&third), [("a".to_owned(), 6), ("b".to_owned(), 5)]);
        // An earlier attempt arrives too late.
        assert_eq!(merge(std::slice::from_ref(&third), section("a", 5, 0, "late"), COMMIT), Merged::Newer(0));
        // Two comments created at the same time are merged.
        let other = again(&said(&[], section("c", 5, 1, "### akit: ERROR")));
        let all = said(&[third, other], section("d", 5, 2, "### akit: INCONCLUSIVE"));
        assert_eq!(all.iter().map(|one| one.suite.as_str()).collect::<Vec<_>>(), ["c", "d", "a", "b"]);
    }

    #[test]
    fn another_commit_starts_over() {
        let old = Comment { commit: Some("b".repeat(40)), ..again(&[section("a", 5, 0, "old")]) };
        assert_eq!(said(std::slice::from_ref(&old), section("b", 6, 3, "new")).len(), 1);
        assert_eq!(merge(&[old], section("b", 4, 3, "late"), COMMIT), Merged::Newer(0));
        // Written by an older version: no sections, and its run decides.
        let bare = Comment {
            commit: COMMIT.map(str::to_owned),
            turn: RunNumber { id: 5, attempt: 1 },
            sections: Vec::new(),
        };
        assert_eq!(said(std::slice::from_ref(&bare), section("a", 5, 0, "new")).len(), 1);
        assert_eq!(merge(&[bare], section("a", 4, 0, "late"), COMMIT), Merged::Newer(0));
    }

    #[test]
    fn many_long_suites_fit() {
        let long = |heading: &str| {
            let entries: Vec<_> = (0..400).map(|n| format!("\n\n#### {n}\n\n{}", "x".repeat(100))).collect();
            format!("### akit: {heading}{}", entries.concat())
        };
        let sections: Vec<_> = (0..6)
            .map(|n| {
                section(
                    &format!("s{n}"),
                    1,
                    0,
                    &if n == 5 { "### akit: PASS".to_owned() } else { long("FAIL") },
                )
            })
            .collect();
        let body = compose(&Key::default(), COMMIT, &sections, 60_000);
        assert!((40_000..=60_000).contains(&body.len()), "{}", body.len());
        assert_eq!(body.matches("### akit: FAIL").count(), 5);
        assert_eq!(body.matches("Shortened to leave room").count(), 5);
        assert!(read(&body, &Key::default()).unwrap().sections[5].text == "### akit: PASS");
    }
}
