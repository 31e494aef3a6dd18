//! `language`: every sentence of the answer is in the given language. An answer that is too short, or could be in
//! several languages, is errored.

use std::collections::BTreeSet;

use whatlang::{Detector, Info, Lang, detect};

use super::exact::other_text;
use super::{Candidate, Reading, TYPE, errored, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text::said::behind_thoughts;
use crate::text::{count, js_trim};
use crate::vocabulary::{VerdictKind, Weaker};

pub(super) const FIELDS: &[Field] =
    &[TYPE, Field::required("value", Shape::OneOf(CODES), "ISO 639-1 code of the language, such as `de`.")];

/// Minimum characters needed to recognize a language.
const LEAST: usize = 40;

/// The ISO 639-1 codes and their languages.
macro_rules! codes {
    ($($code:literal $lang:ident,)+) => {
        /// The languages that can be recognized.
        const CODES: &[&str] = &[$($code),+];

        /// The code of a language.
        fn code(lang: Lang) -> &'static str {
            match lang {
                $(Lang::$lang => $code,)+
            }
        }
    };
}

codes! {
    "af" Afr, "ak" Aka, "am" Amh, "ar" Ara, "az" Aze, "be" Bel, "bg" Bul, "bn" Ben, "ca" Cat, "cs" Ces, "cy" Cym,
    "da" Dan, "de" Deu, "el" Ell, "en" Eng, "eo" Epo, "es" Spa, "et" Est, "fa" Pes, "fi" Fin, "fr" Fra, "gu" Guj,
    "he" Heb, "hi" Hin, "hr" Hrv, "hu" Hun, "hy" Hye, "id" Ind, "it" Ita, "ja" Jpn, "jv" Jav, "ka" Kat, "km" Khm,
    "kn" Kan, "ko" Kor, "la" Lat, "lt" Lit, "lv" Lav, "mk" Mkd, "ml" Mal, "mr" Mar, "my" Mya, "nb" Nob, "ne" Nep,
    "nl" Nld, "or" Ori, "pa" Pan, "pl" Pol, "pt" Por, "ro" Ron, "ru" Rus, "si" Sin, "sk" Slk, "sl" Slv, "sn" Sna,
    "sr" Srp, "sv" Swe, "ta" Tam, "te" Tel, "th" Tha, "tk" Tuk, "tl" Tgl, "tr" Tur, "uk" Ukr, "ur" Urd, "uz" Uzb,
    "vi" Vie, "yi" Yid, "zh" Cmn, "zu" Zul,
}

/// Common languages and those that are similar to them. Short texts are compared with these only, because among all
/// languages a short text looks like several.
const USUAL: [Lang; 20] = [
    Lang::Eng,
    Lang::Deu,
    Lang::Fra,
    Lang::Spa,
    Lang::Ita,
    Lang::Nld,
    Lang::Por,
    Lang::Pol,
    Lang::Tur,
    Lang::Ces,
    Lang::Swe,
    Lang::Dan,
    Lang::Nob,
    Lang::Fin,
    Lang::Hun,
    Lang::Ron,
    Lang::Vie,
    Lang::Ind,
    Lang::Cat,
    Lang::Afr,
];

/// The most frequent words, for the languages that most answers are in.
const WORDS: [(Lang, &str); 7] = [
    (
        Lang::Eng,
        "the and you your is are for with will our can we have has been this that to of it not please if be any there at by",
    ),
    (
        Lang::Deu,
        "der die das und ist sie ihre ihr ihnen wir nicht ein eine einen für mit den dem des zu im am auf ich bitte können haben wird werden auch",
    ),
    (
        Lang::Fra,
        "le la les et est vous votre nous notre pas un une des du pour avec dans de que qui au en je il sera sont veuillez pouvez",
    ),
    (
        Lang::Spa,
        "el la los las y es su sus usted un una de del que para con por no se en le al ha está puede nos nuestro nuestra",
    ),
    (
        Lang::Ita,
        "il lo la gli i e è di del della che per con non un una si sono ha può suo sua le nel dal alle ci abbiamo questo",
    ),
    (
        Lang::Nld,
        "de een uw ik niet wordt zijn voor naar hebben kunt met dat deze het u en van op om onze wij er te nog aan",
    ),
    (
        Lang::Por,
        "o a os as e é seu sua você um uma de do da que para com por não se em no na foi ao está pode nós nossa",
    ),
];

/// Words that Danish and Norwegian write differently; without them, the detector can only guess which of the two it is.
const TWINS: [(Lang, &str); 2] = [
    (
        Lang::Dan,
        "af efter hvad hvis hvornår nogen nogle noget nu dig mig sig mere bliver blive blevet jer jeres tak uge dage op ud modtaget hjælp hjælpe leveret kontakte gennem igen ret vores",
    ),
    (
        Lang::Nob,
        "av etter hva dersom noen noe nå deg meg seg mer blir bli blitt dere takk uke dager opp ut mottatt hjelp hjelpe levert kontakt gjennom igjen rett vår våre",
    ),
];

/// Danish or Norwegian, according to the words that differ, or `None` if they do not tell; any other language
/// unchanged.
fn told_apart(lang: Lang, text: &str) -> Option<Lang> {
    if !TWINS.iter().any(|(twin, _)| *twin == lang) {
        return Some(lang);
    }
    let [danish, norwegian] = TWINS.map(|(_, own)| usual_words(text, own));
    match danish.cmp(&norwegian) {
        std::cmp::Ordering::Greater => Some(Lang::Dan),
        std::cmp::Ordering::Less => Some(Lang::Nob),
        std::cmp::Ordering::Equal => None,
    }
}

/// How many words of the text are usual ones of a language.
fn usual_words(text: &str, own: &str) -> usize {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.filter(|word| own.split(' ').any(|one| one == *word)).count()
}

/// Whether sentences without any usual word of this language have three of another one. Fewer may be a street name or a
/// title.
fn has_foreign(text: &str, value: &str) -> bool {
    let own = WORDS.iter().find(|(lang, _)| code(*lang) == value).map_or("", |(_, own)| *own);
    // A short word could be of any language.
    let least = if own.is_empty() { 3 } else { 1 };
    let lower = text.to_lowercase();
    let sentences = lower.split(['\n', '.', '!', '?', ';', '。', '！', '？']);
    let strange: Vec<&str> = sentences.filter(|sentence| usual_words(sentence, own) == 0).collect();
    let words: BTreeSet<&str> =
        strange.iter().flat_map(|sentence| sentence.split(|c: char| !c.is_alphabetic())).collect();
    WORDS.iter().filter(|(lang, _)| code(*lang) != value).any(|(_, other)| {
        let usual = |word: &&&str| word.chars().count() >= least && other.split(' ').any(|one| one == **word);
        words.iter().filter(usual).count() >= 3
    })
}

/// The usual language that the text looks most like.
fn nearest(text: &str) -> Option<Info> {
    Detector::with_allowlist(USUAL.to_vec()).detect(text)
}

/// Whether the text, whose language is unknown, looks more like another usual language than like this one.
fn is_doubtful(text: &str, value: &str) -> bool {
    let is_usual = USUAL.iter().any(|lang| code(*lang) == value);
    let twins = TWINS.map(|(lang, _)| code(lang));
    let is_other = |found: &str| found != value && !(twins.contains(&found) && twins.contains(&value));
    is_usual && nearest(text).is_some_and(|found| is_other(code(found.lang())))
}

/// The language of the text, if it can be recognized.
fn recognized(text: &str) -> Option<Lang> {
    let twin =
        || nearest(text).map(|found| found.lang()).filter(|lang| TWINS.iter().any(|(twin, _)| twin == lang));
    detected(text).or_else(twin).and_then(|lang| told_apart(lang, text))
}

fn detected(text: &str) -> Option<Lang> {
    // A word with a digit or one of these signs is an address, a number or a name, and does not belong to any language.
    let words = text.split_whitespace().filter(|word| {
        !word.contains(['/', '@', '_', '<', '=']) && !word.contains(|c: char| c.is_ascii_digit())
    });
    let text = words.collect::<Vec<_>>().join(" ");
    if let Some(found) = detect(&text).filter(Info::is_reliable) {
        return Some(found.lang());
    }
    let found = nearest(&text)?;
    let lower = text.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let count = |of: &str| words.iter().filter(|word| of.split(' ').any(|one| one == **word)).count();
    let mut counts = WORDS.map(|(lang, of)| (count(of), lang));
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let [(most, lang), (second, _), ..] = counts;
    let is_same = found.lang() == lang;
    let by_words = (most >= 3 && most >= second + 2 && (is_same || !found.is_reliable()))
        || (is_same && most >= 2 && most > second);
    if by_words {
        return Some(lang);
    }
    (found.is_reliable() && (most < 2 || is_same)).then(|| found.lang())
}

/// The sentences of the text, each with the index of its first character; short ones are joined with the next.
fn sentences(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut one, mut began) = (Vec::new(), String::new(), 0);
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        one.push(c);
        let ends = c == '\n'
            || "。！？".contains(c)
            || (".!?".contains(c) && chars.peek().is_none_or(|(_, next)| next.is_whitespace()));
        if ends && one.trim().chars().count() >= LEAST {
            found.push((began, std::mem::take(&mut one)));
            began = at + 1;
        }
    }
    if one.trim().chars().count() >= LEAST {
        found.push((began, one));
    }
    found
}

/// The language that the answer must be in.
#[derive(Clone, Debug)]
pub struct Language {
    value: String,
}

impl Language {
    pub(super) fn read(fields: &Fields<'_>, _: &mut Reading<'_>) -> Option<Self> {
        fields.string("value").map(|value| Self { value })
    }

    pub(super) fn judge(&self, answer: &Candidate<'_>) -> Verdict {
        if let Some(reason) = answer.blank() {
            return Verdict { reason, ..verdict(VerdictKind::Language, false, 0.0) };
        }
        let text = js_trim(behind_thoughts(answer.text).unwrap_or_default());
        let length = text.chars().count();
        if length < LEAST {
            let has = count(length, "character");
            let reason = format!("unknown language: the answer has {has}, but at least {LEAST} are needed");
            return errored(VerdictKind::Language, reason);
        }
        let unknown = "unknown language: the answer could be in several, or in none that akit knows";
        let mut is_sure = true;
        let mut other = None;
        // An answer that is half in another language does not count as being in this one.
        for (at, sentence) in sentences(text) {
            match recognized(&sentence).map(code) {
                Some(is) if is != self.value => {
                    other =
                        Some((is, format!("the answer is in `{is}` from character {} on", at + 1), sentence));
                    break;
                }
                Some(_) => {}
                None => is_sure &= !is_doubtful(&sentence, &self.value),
            }
        }
        // Short sentences of two languages in turn look like one language.
        is_sure &= !has_foreign(text, &self.value);
        let whole = || Some(code(recognized(text).filter(|_| is_sure)?));
        let whole = || whole().map(|is| (is, format!("the answer is in `{is}`"), text.to_owned()));
        let Some((is, reason, got)) = other.or_else(whole) else {
            return errored(VerdictKind::Language, unknown.to_owned());
        };
        let mut verdict = verdict(VerdictKind::Language, is == self.value, 0.0);
        verdict.expected = format!("an answer in `{}`", self.value);
        verdict.reason = reason;
        if is != self.value {
            verdict.got = quote(&got);
        }
        verdict
    }

    /// Always empty: a language has no fixed text.
    #[expect(clippy::unused_self, reason = "every kind has the same signature")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Where a new version requires less: it expects another language.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        (self.value != now.value).then(|| other_text(&self.value)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Outcome::{self, Errored, Failed, Passed};

    fn judged(value: &str, text: &str) -> Outcome {
        Language { value: value.to_owned() }.judge(&Candidate::of(text)).outcome
    }

    #[test]
    fn a_language_is_recognized_or_the_case_is_errored() {
        let texts = [
            (
                "de",
                "Gerne verbinde ich Sie mit einer Kollegin, die Ihnen weiterhelfen kann. Bitte haben Sie einen Moment Geduld.",
            ),
            ("en", "Your order was shipped this morning and will arrive at your place on Thursday."),
            (
                "fr",
                "Votre commande a été expédiée ce matin et arrivera chez vous jeudi, au plus tard vendredi.",
            ),
            ("es", "Su pedido se ha enviado esta mañana y llegará a su casa el jueves por la tarde."),
            ("pl", "Państwa zamówienie zostało wysłane dziś rano i dotrze do Państwa w czwartek."),
            (
                "ja",
                "ご注文の商品は本日の朝に発送いたしましたので、木曜日にはお手元に届く予定でございます。ご安心ください。",
            ),
            ("ru", "Ваш заказ был отправлен сегодня утром и прибудет к вам в четверг."),
        ];
        for (own, text) in texts {
            assert_eq!(judged(own, text), Passed, "{own}");
            for other in CODES.iter().filter(|code| **code != own) {
                assert_eq!(judged(other, text), Failed, "{other} of {own}");
            }
        }
        let nothing = [
            "Ja, gern.",
            "Ihre Bestellung kommt am Donnerstag an.",
            "0123456789 0123456789 0123456789 0123456789",
            "NW-5512 / 4417 / 240.00 / 2026-11-29 / 18:40:00",
            "Hotel Radio Taxi Bus Auto Video Internet Computer",
        ];
        for text in nothing {
            assert_eq!(judged("de", text), Errored, "{text}");
        }
        assert_eq!(judged("de", ""), Failed);
        assert_eq!(
            judged("de", "<think>This is only what the model thought before it said anything</think>"),
            Failed
        );
    }

    /// Answers of support staff, each with its language.
    const ANSWERS: &str = include_str!("language_answers.txt");

    #[test]
    fn ordinary_answers_of_one_sentence_are_recognized() {
        let mut wrong = Vec::new();
        for line in ANSWERS.lines() {
            let (value, text) = line.split_once('|').unwrap();
            match judged(value, text) {
                Passed => {}
                Errored => wrong.push(line),
                other => panic!("{other:?}: {line}"),
            }
            for other in WORDS.map(|(lang, _)| code(lang)).into_iter().filter(|other| *other != value) {
                assert_ne!(judged(other, text), Passed, "{other}: {line}");
            }
        }
        assert!(wrong.len() * 10 <= ANSWERS.lines().count(), "{wrong:?}");
    }

    #[test]
    fn half_an_answer_in_another_language_does_not_pass() {
        let answers: Vec<_> = ANSWERS.lines().map(|line| line.split_once('|').unwrap()).collect();
        for (at, (value, text)) in answers.iter().enumerate() {
            for (other, more) in
                answers.iter().cycle().skip(at + 7).step_by(11).take(4).filter(|(other, _)| other != value)
            {
                for both in
                    [format!("{text} {more}"), format!("{more}\n\n{text}"), format!("{text}\n{more} {text}")]
                {
                    for value in [value, other] {
                        assert_ne!(judged(value, &both), Passed, "{value}: {both}");
                    }
                }
            }
        }
        let half = "Ihre Bestellung ist heute verschickt worden und kommt am Donnerstag. Please note that our offices are closed. We apologize for any inconvenience.";
        assert_eq!((judged("en", half), judged("de", half)), (Failed, Failed));
        // Text without a language does not count.
        let link = "Your order was shipped this morning, see https://example.de/sendung/verfolgen/und/der/die/das for its way.";
        assert_eq!(judged("en", link), Passed);
    }

    #[test]
    fn short_sentences_in_two_languages_do_not_pass() {
        for (one, other, text) in [
            (
                "de",
                "en",
                "Ja, das geht. You are right. Ich sehe das. It is for you. Wir sind da. We have it.",
            ),
            (
                "fr",
                "en",
                "Oui, il est en route. You have it at three. Vous avez un colis. It is not with us.",
            ),
            (
                "es",
                "de",
                "Su pedido llega hoy. Das ist für Sie. No se preocupe por el envío. Ich bin da und helfe.",
            ),
            ("nl", "en", "Ik kan u helpen. We have your order. Het is er morgen. You can wait for it."),
        ] {
            for value in [one, other] {
                assert_ne!(judged(value, text), Passed, "{value}: {text}");
            }
        }
        // Addresses and titles have no language.
        for (value, text) in [
            (
                "en",
                "You can visit us at either of these two offices, whichever suits you best:\n- Rue de la Paix 5\n- Calle de la Luna 7",
            ),
            (
                "de",
                "Ihre Bestellung ist heute verschickt worden und kommt am Donnerstag bei Ihnen an.\n- The Lord of the Rings",
            ),
        ] {
            assert_eq!(judged(value, text), Passed, "{text}");
        }
    }

    #[test]
    fn danish_and_norwegian_are_distinguished() {
        let texts = [
            (
                "da",
                "Vi har modtaget din bestilling, og du kan hente den efter klokken ti. Tak for din tålmodighed, og sig til, hvis du mangler noget.",
            ),
            ("da", "Jeg kan hjælpe dig med at få pengene tilbage. Hvad er nummeret på din ordre?"),
            (
                "nb",
                "Vi har mottatt bestillingen din, og du kan hente den etter klokken ti. Takk for tålmodigheten, og si fra om du mangler noe.",
            ),
            ("nb", "Jeg kan hjelpe deg med å få pengene tilbake. Hva er nummeret på ordren din?"),
            (
                "nb",
                "Pakken er sendt i dag og kommer til deg på torsdag. Du får en melding når den er på vei ut til deg.",
            ),
        ];
        for (own, text) in texts {
            assert_eq!(judged(own, text), Passed, "{text}");
            let twin = if own == "da" { "nb" } else { "da" };
            assert_eq!(judged(twin, text), Failed, "{text}");
        }
        // Text that both languages share is neither.
        assert_eq!(judged("da", "Du kan hente pakken i dag. Du kan betale kontant i butikken."), Errored);
    }

    #[test]
    fn codes_are_in_order_and_each_is_one_language() {
        assert!(CODES.is_sorted() && CODES.iter().all(|code| code.len() == 2));
        assert!(CODES.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
