//! What a customer knows, and says when asked.

use super::pattern::{Pattern, SearchError};
use super::reading::Reading;
use crate::redact::{Find as _, GaveUp};
use crate::source::{Field, Fields, Shape, Span};
use crate::text;
use crate::text::said::{folded, folded_lower};

/// Keys of an entry of `facts`.
pub const FACT: &[Field] = &[
    Field::required("name", Shape::Name, "Name for expectations."),
    Field::required("asked", Shape::Name, "Pattern for an answer that asks for it; case is ignored."),
    Field::optional("say", Shape::Name, "What the customer says when asked for it."),
    Field::optional(
        "value",
        Shape::Name,
        "Its value, for `carries` and `keeps` (the match of `shape` in `say`).",
    ),
    Field::optional("shape", Shape::Name, "Pattern that matches any such value, for `keeps`."),
];

/// Something that the customer knows.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name for expectations.
    pub name: String,
    /// What the customer says when asked for it.
    pub say: Option<String>,
    /// Its value, if known.
    pub value: Option<String>,
    /// Where its name is written.
    pub span: Span,
    asked: Pattern,
    shape: Option<Pattern>,
}

impl Fact {
    /// Reads an entry of `facts`, and reports its problems.
    pub fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Self> {
        let (name, span) = fields.text("name")?;
        let mut pattern = |key: &str, flags: &str| {
            let (written, span) = fields.text(key)?;
            let pattern = reading.pattern(written, span, flags)?;
            if matches!(pattern.find(""), Ok(Some(_))) {
                let message = format!("`{key}` matches every answer");
                reading.refuse("wrong-value", span, message, "match text that must be there");
            }
            Some(pattern)
        };
        let (asked, shape) = (pattern("asked", "i"), pattern("shape", "i"));
        let mut filled = |key: &str| fields.text(key).map(|(text, span)| reading.fill(text, span));
        let (say, value) = (filled("say"), filled("value"));
        let matched = |text: &str| {
            let range = shape.as_ref()?.find(text).ok().flatten()?;
            Some(text[range].to_owned())
        };
        if let (Some(value), Some(_)) = (&value, &shape)
            && matched(value).is_none_or(|found| digest(&found) != digest(value))
        {
            let span = fields.key_span("shape").unwrap_or(span);
            let message = format!("`shape` does not match the value `{}`", text::excerpt(value, 60));
            reading.refuse("wrong-value", span, message, "write a pattern that matches any such value");
        }
        let value = value.or_else(|| matched(say.as_deref()?));
        Some(Self { name: name.to_owned(), say, value, span, asked: asked?, shape })
    }

    /// Whether an answer asks for it.
    ///
    /// # Errors
    /// If the search gives up.
    pub fn is_asked(&self, answer: &str) -> Result<bool, SearchError> {
        Ok(self.asked.find(answer)?.is_some())
    }

    /// Whether the text contains its value.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.value.as_deref().is_some_and(|value| says(text, value))
    }

    /// Whether an answer only repeats its value, in a statement and without asking for it elsewhere.
    #[must_use]
    pub fn restated(&self, answer: &str) -> bool {
        let mut asking = text::said::sentences(answer);
        self.is_in(answer)
            && !asking.any(|part| !self.is_in(part) && self.asked.find(part).is_ok_and(|it| it.is_some()))
    }

    /// Whether a turn of a script gives it: the text has its value, or what it says.
    #[must_use]
    pub fn is_given_by(&self, text: &str) -> bool {
        let is_said = self.say.as_deref().is_some_and(|say| folded_lower(text).contains(&folded_lower(say)));
        is_said || self.is_in(text)
    }

    /// Another value of its shape in an answer.
    ///
    /// # Errors
    /// If the search gives up.
    pub fn altered(&self, answer: &str) -> Result<Option<String>, GaveUp> {
        let (Some(shape), Some(value)) = (&self.shape, &self.value) else { return Ok(None) };
        let own = digest(value);
        // Other hyphens, full-width digits, invisible characters, a space for a hyphen, or spaces between the digits do
        // not make a value differ in shape.
        let plain = folded(answer);
        let joined = value.contains('-').then(|| plain.replace(' ', "-"));
        let spelled = spelled(&plain);
        for text in [answer, &plain, &spelled].into_iter().chain(joined.as_deref()) {
            let all = shape.all(text)?.into_iter().map(|range| &text[range]);
            if let Some(found) = all.into_iter().find(|found| digest(found) != own) {
                return Ok(Some(found.to_owned()));
            }
        }
        Ok(None)
    }

    /// Whether it says what its values look like.
    #[must_use]
    pub fn has_shape(&self) -> bool {
        self.shape.is_some()
    }

    /// Whether both are asked for, given and altered in the same way. Their `say` matters only without a value.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        let is_given_alike = self.value.is_some() || self.say == other.say;
        self.asked == other.asked && self.shape == other.shape && self.value == other.value && is_given_alike
    }
}

/// Whether the text has a value, however it is written. A number within a longer one is another number.
pub(super) fn says(text: &str, value: &str) -> bool {
    let value = digest(value);
    let folded = folded_lower(text);
    // Each character, with whether the digest leaves out something before it.
    let mut chars: Vec<(char, bool)> = Vec::new();
    let mut is_apart = false;
    for c in folded.chars() {
        if is_of_writing(c) {
            is_apart = true;
        } else {
            chars.push((c, std::mem::take(&mut is_apart)));
        }
    }
    let value: Vec<char> = value.chars().collect();
    let is_number = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    // A word continues with letters, a number with digits.
    let goes_on = |before: Option<char>, next: Option<&(char, bool)>| {
        next.is_some_and(|(c, is_apart)| {
            let (before, next) = (before, Some(*c));
            !is_apart && (is_number(next) && is_number(before) || is_letter(next) && is_letter(before))
        })
    };
    // A sign between two digits is part of their number, unless at most two zeros follow (`240.00`).
    let joins = |at: usize| {
        let sign = chars.get(at).is_some_and(|(c, is_apart)| !is_apart && matches!(c, ',' | '.' | '\''));
        let next = chars.get(at + 1).is_some_and(|(c, is_apart)| !is_apart && c.is_ascii_digit());
        let before = at.checked_sub(1).and_then(|before| chars.get(before));
        sign && next && is_number(before.map(|(c, _)| *c))
    };
    let is_nothing = |at: usize| {
        let digits = chars[at + 1..].iter().take_while(|(c, is_apart)| !is_apart && c.is_ascii_digit());
        let digits: Vec<char> = digits.map(|(c, _)| *c).collect();
        digits.len() < 3 && digits.iter().all(|c| *c == '0')
    };
    let begins = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| chars.get(before));
        let whole = chars[at..].iter().map(|(c, _)| *c).zip(&value).all(|(c, wanted)| c == *wanted);
        let is_longer = is_number(value.first().copied()) && at.checked_sub(1).is_some_and(&joins);
        whole && !is_longer && !goes_on(before.map(|(c, _)| *c), chars.get(at))
    };
    let ends = |at: usize| {
        let end = at + value.len();
        !goes_on(value.last().copied(), chars.get(end)) && (!joins(end) || is_nothing(end))
    };
    !value.is_empty() && (0..(chars.len() + 1).saturating_sub(value.len())).any(|at| begins(at) && ends(at))
}

/// The text with single digits that have single spaces between them joined into one number: `4 4 1 7` becomes 4417.
fn spelled(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is = |at: usize, what: fn(char) -> bool| chars.get(at).is_some_and(|c| what(*c));
    let is_alone = |at: usize| {
        let is_next_to_word =
            is(at.wrapping_sub(1), char::is_alphanumeric) || is(at + 1, char::is_alphanumeric);
        is(at, |c| c.is_ascii_digit()) && !is_next_to_word
    };
    let is_between = |at: &usize| chars[*at] == ' ' && is_alone(at.wrapping_sub(1)) && is_alone(at + 1);
    (0..chars.len()).filter(|at| !is_between(at)).map(|at| chars[at]).collect()
}

/// A value without differences in how it is written: case, spaces, hyphens, and digits of other scripts.
fn digest(text: &str) -> String {
    folded_lower(text).chars().filter(|c| !is_of_writing(*c)).collect()
}

fn is_of_writing(c: char) -> bool {
    c.is_whitespace() || text::said::ignorable(c) || matches!(c, '-' | '\u{2010}'..='\u{2015}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_as_whole_words_however_it_is_written() {
        let table = [
            ("NW-5512", "your parcel nw 5512 is late", true),
            ("NW-5512", "your parcel NW\u{2011}5512", true),
            ("NW-5512", "NW-55123", false),
            ("NW-5512", "XNW-5512", false),
            ("Ann", "an annual fee", false),
            ("Ann", "I am Ann.", true),
            ("240", "240 euros", true),
            ("240", "240euros, twice", true),
            ("240", "240.00 euros", true),
            ("240", "240,00", true),
            ("240", "It was 240.", true),
            ("240", "240, twice", true),
            ("240", "240.50", false),
            ("240", "1,240 euros", false),
            ("240", "1.240 euros", false),
            ("240", "240,000", false),
            ("240", "2400", false),
            ("0", "10", false),
            ("0", "0 euros", true),
        ];
        for (value, text, is_said) in table {
            assert_eq!(says(text, value), is_said, "{value} in {text}");
        }
    }

    fn fact(value: &str, asked: &str, shape: &str) -> Fact {
        let pattern = |written: &str| Pattern::compile(written, "i").unwrap();
        Fact {
            name: "it".to_owned(),
            say: None,
            value: Some(value.to_owned()),
            span: Span::default(),
            asked: pattern(asked),
            shape: Some(pattern(shape)),
        }
    }

    #[test]
    fn a_different_value_is_noticed_however_it_is_written() {
        let parcel = fact("NW-5512", "which parcel", r"\bNW-\d{4}\b");
        for same in [
            "NW-5512",
            "nw\u{2011}5512",
            "NW 5512",
            "NW\u{2013}5512",
            "NW-\u{ff15}\u{ff15}\u{ff11}\u{ff12}",
            "no number",
        ] {
            assert_eq!(parcel.altered(same).ok(), Some(None), "{same}");
        }
        for other in [
            "NW-5513",
            "NW\u{2011}5513",
            "NW\u{2013}5513",
            "NW-\u{ff15}\u{ff15}\u{ff11}\u{ff13}",
            "NW\u{ad}-5513",
            "NW 5513",
        ] {
            assert!(parcel.altered(other).is_ok_and(|found| found.is_some()), "{other}");
        }
        let card = fact("4417", "which card", r"\b\d{4}\b");
        for (answer, found) in [
            ("Your card 4 4 1 8 is blocked.", Some("4418")),
            ("Your card 4 4 1 7 is blocked.", None),
            ("Press 4 4 times, 1 or 8", None),
            ("4417 2 times, in 2 to 3 days", None),
            ("x4 4 1 8 or 4, 4, 1, 8", None),
        ] {
            assert_eq!(card.altered(answer).unwrap().as_deref(), found, "{answer}");
        }
    }

    #[test]
    fn repeating_a_value_in_a_statement_is_not_asking_for_it() {
        let table = [
            (
                "ann.b@shop.example",
                "e-?mail address",
                "I sent it to your e-mail address ann.b@shop.example.",
                true,
            ),
            ("240.50", "which amount|amount", "The amount of 240.50 is on its way back.", true),
            ("4417", "which card", "Case 4417 is open. But which card is it?", false),
            ("4417", "which card", "Thank you for 4417.\nWhich card was it?", false),
        ];
        for (value, asked, answer, is_repeated) in table {
            assert_eq!(fact(value, asked, "x").restated(answer), is_repeated, "{answer}");
        }
    }
}
