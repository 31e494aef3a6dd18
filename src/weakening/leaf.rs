//! Two expectations that are no `combined` and no `not`, kind by kind.

use super::document::{number, place, same, shown, word};
use super::expectation::Judges;
use super::form::{expression, flags, folds, is_lenient, score, text_of, values};
use super::kind::{Flag, Kind};
use super::schema;
use crate::source::Node;
use crate::text;

/// In what `now` demands less than `before`.
pub(super) fn weaker(before: &Node, now: &Node, judges: &Judges<'_>) -> Vec<Flag> {
    let (old, new) = (word(before, "type").unwrap_or_default(), word(now, "type").unwrap_or_default());
    if old != new {
        return replaced(before, now, old, new);
    }
    let mut leaf = Leaf { before, now, found: Vec::new() };
    match new {
        "contains" => leaf.contains(),
        "not_contains" => leaf.not_contains(),
        "exact" => {
            leaf.value();
            if folds(now) && !folds(before) {
                leaf.tell(
                    Kind::CaseIgnored,
                    "caseSensitive",
                    "upper and lower case no longer differ".to_owned(),
                );
            }
        }
        "fuzzy" => {
            leaf.value();
            leaf.nearness();
        }
        "similarity" => {
            leaf.value();
            leaf.score();
            leaf.judge(&["mode", "model", "embeddingModel"], judges);
        }
        "regex" => leaf.pattern(),
        "inline" => leaf.inline(),
        "llm_grader" => leaf.llm_grader(judges),
        "json_schema" => leaf.schema(),
        _ if !same(before, now) => leaf.tell(Kind::ValueChanged, "type", format!("`{new}` is another one")),
        _ => {}
    }
    leaf.found
}

/// An expectation of another kind, unless it plainly demands more.
fn replaced(before: &Node, now: &Node, old: &str, new: &str) -> Vec<Flag> {
    // The whole text holds everything that had to stand in it.
    if (old, new) == ("contains", "exact") {
        let whole = text_of(now).to_lowercase();
        let values = values(before);
        let holds = |value: &String| whole.contains(value.as_str());
        let enough = if is_lenient(before) { values.iter().any(holds) } else { values.iter().all(holds) };
        if enough {
            return Vec::new();
        }
    }
    vec![Flag::new(Kind::KindChanged, place(now, &["type"]), format!("`{old}` was replaced by `{new}`"))]
}

struct Leaf<'a> {
    before: &'a Node,
    now: &'a Node,
    found: Vec<Flag>,
}

impl Leaf<'_> {
    /// Something at a key; where the key is gone, at the beginning of the expectation.
    fn tell(&mut self, kind: Kind, key: &str, message: String) {
        self.found.push(Flag::new(kind, place(self.now, &[key]), message));
    }

    fn contains(&mut self) {
        let (old, new) = (values(self.before), values(self.now));
        // A longer text holds the shorter ones in it.
        let covered = |value: &String| new.iter().any(|other| other.contains(value.as_str()));
        match (self.was_lenient(), is_lenient(self.now)) {
            (false, true) => self.mode("all values were needed, now one is enough"),
            (false, false) => self.removed(old.iter().filter(|value| !covered(value)), "no longer needed"),
            (true, true) => {
                let stronger = |value: &&String| old.iter().any(|other| value.contains(other.as_str()));
                self.added(new.iter().filter(|value| !stronger(value)), "is enough now");
            }
            (true, false) if old.iter().any(covered) => {}
            (true, false) => self.removed(old.iter(), "no longer one of those of which one is needed"),
        }
    }

    fn not_contains(&mut self) {
        let (old, new) = (values(self.before), values(self.now));
        // A shorter text forbids the longer ones that hold it.
        let covered = |value: &String| new.iter().any(|other| value.contains(other.as_str()));
        match (self.was_lenient(), is_lenient(self.now)) {
            (false, true) => self.mode("no value was allowed, now only all together fail"),
            (false, false) => self.removed(old.iter().filter(|value| !covered(value)), "no longer forbidden"),
            (true, true) => {
                self.added(new.iter().filter(|value| !old.contains(value)), "must be there as well to fail");
            }
            (true, false) if old.iter().any(covered) => {}
            (true, false) => self.removed(old.iter(), "no longer forbidden"),
        }
    }

    /// Of one value the mode makes no difference until there are more.
    fn was_lenient(&self) -> bool {
        let kept = word(self.before, "mode") == word(self.now, "mode");
        is_lenient(self.before) || (kept && is_lenient(self.now))
    }

    fn mode(&mut self, message: &str) {
        self.tell(Kind::ModeLoosened, "mode", message.to_owned());
    }

    fn removed<'v>(&mut self, values: impl Iterator<Item = &'v String>, why: &str) {
        for value in values {
            self.tell(Kind::ValueRemoved, "values", format!("`{}` is {why}", text::excerpt(value, 60)));
        }
    }

    fn added<'v>(&mut self, values: impl Iterator<Item = &'v String>, why: &str) {
        for value in values {
            self.tell(Kind::ValueAdded, "values", format!("`{}` {why}", text::excerpt(value, 60)));
        }
    }

    fn value(&mut self) {
        let folded = folds(self.before) || folds(self.now);
        let fold = |text: String| if folded { text.to_lowercase() } else { text };
        if fold(text_of(self.before)) != fold(text_of(self.now)) {
            let was = text::excerpt(word(self.before, "value").unwrap_or_default(), 60);
            self.tell(Kind::ValueChanged, "value", format!("another text is expected than `{was}`"));
        }
    }

    /// A distance counts edits, and a threshold the share of the text that is alike.
    fn nearness(&mut self) {
        let (was, is) = (number(self.before, "distance"), number(self.now, "distance"));
        let message = match (was, is) {
            (None, None) => return self.score(),
            (None, Some(0.0)) => return,
            (Some(was), Some(is)) if is <= was => return,
            (Some(was), Some(is)) => format!("{was} edits were allowed, now {is}"),
            (Some(was), None) => format!("{was} edits were allowed, now a score of {}", score(self.now)),
            (None, Some(is)) => {
                format!("a score of {} was needed, now {is} edits are allowed", score(self.before))
            }
        };
        self.tell(Kind::ScoreLowered, if is.is_some() { "distance" } else { "threshold" }, message);
    }

    fn score(&mut self) {
        let (was, is) = (score(self.before), score(self.now));
        if is < was {
            self.tell(Kind::ScoreLowered, "threshold", format!("a score of {was} was needed, now {is}"));
        }
    }

    fn pattern(&mut self) {
        let (old, new) = (word(self.before, "pattern"), word(self.now, "pattern"));
        let was = text::excerpt(old.unwrap_or_default(), 80);
        if old != new {
            self.tell(Kind::PatternChanged, "pattern", format!("the pattern was `{was}`"));
        } else if flags(self.before) != flags(self.now) {
            let message = format!("the flags of `{was}` were \"{}\"", flags(self.before));
            self.tell(Kind::PatternChanged, "flags", message);
        }
    }

    fn inline(&mut self) {
        let (old, new) = (expression(self.before), expression(self.now));
        let kept = match (conjuncts(&old), conjuncts(&new)) {
            (Some(old), Some(new)) => old.iter().all(|one| new.contains(one)),
            _ => old == new,
        };
        if !kept {
            let was = text::excerpt(word(self.before, "expression").unwrap_or_default(), 100);
            self.tell(Kind::ExpressionChanged, "expression", format!("the expression was `{was}`"));
        }
        if word(self.before, "value") != word(self.now, "value") {
            let was = text::excerpt(word(self.before, "value").unwrap_or_default(), 60);
            self.tell(Kind::ValueChanged, "value", format!("`expected` stood for `{was}`"));
        }
    }

    fn llm_grader(&mut self, judges: &Judges<'_>) {
        for key in ["rubric", "anchors"] {
            let (old, new) = (self.before.get(key), self.now.get(key));
            let kept = match (old, new) {
                (Some(old), Some(new)) => same(old, new),
                (None, None) => true,
                _ => false,
            };
            if !kept {
                let was = old.map_or("nothing".to_owned(), |old| shown(&old.to_json()));
                self.tell(Kind::RubricChanged, key, format!("`{key}` was {was}"));
            }
        }
        self.score();
        self.judge(&["model", "provider", "scale"], judges);
        if self.before.get("votes") != self.now.get("votes") {
            let (was, is) = (judges.0.votes(Some(self.before)), judges.1.votes(Some(self.now)));
            if is < was {
                let message = "the judge is asked for fewer votes than before".to_owned();
                self.tell(Kind::VotesLowered, "votes", message);
            }
        }
    }

    /// Another judge by one of these keys; what the configuration says where the key is not there.
    fn judge(&mut self, keys: &[&str], judges: &Judges<'_>) {
        for key in keys {
            if self.before.get(key).map(Node::to_json) == self.now.get(key).map(Node::to_json) {
                continue;
            }
            let (was, is) = (judges.0.setting(Some(self.before), key), judges.1.setting(Some(self.now), key));
            if was != is {
                let message = format!("the judge's `{key}` was {}, it is {}", shown(&was), shown(&is));
                self.tell(Kind::JudgeSwapped, key, message);
            }
        }
    }

    fn schema(&mut self) {
        if let (Some(before), Some(now)) = (self.before.get("schema"), self.now.get("schema")) {
            for (span, message) in schema::weaker(before, now) {
                self.found.push(Flag::new(Kind::SchemaLoosened, span, message));
            }
        }
    }
}

/// The tests that `&&` joins; `None` where there is anything else between them.
fn conjuncts(expression: &str) -> Option<Vec<&str>> {
    let (mut quote, mut escaped, mut depth, mut from) = (None, false, 0_i32, 0);
    let mut found = Vec::new();
    let bytes = expression.as_bytes();
    for (at, byte) in expression.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'' | b'`') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth -= 1,
            // A pattern between slashes may hold anything.
            (None, b'/' | b'?') => return None,
            (None, b'|') if depth == 0 => return None,
            (None, b'&') if depth == 0 && bytes.get(at + 1) == Some(&b'&') => {
                found.push(&expression[from..at]);
                from = at + 2;
            }
            (Some(open), _) if byte == open && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some() && byte == b'\\' && !escaped;
    }
    found.push(&expression[from..]);
    Some(found)
}
