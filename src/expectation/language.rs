//! `language`: the answer is written in a language. What is too short, or could be several, is errored.

use whatlang::{Info, Lang, detect};

use super::exact::other_text;
use super::{Candidate, Reading, TYPE, errored, quote, verdict};
use crate::manifest::Verdict;
use crate::source::{Field, Fields, Shape};
use crate::text::said::behind_thoughts;
use crate::text::{count, js_trim};
use crate::vocabulary::{VerdictKind, Weaker};

pub(super) const FIELDS: &[Field] =
    &[TYPE, Field::required("value", Shape::OneOf(CODES), "The language's code by ISO 639-1, such as `de`.")];

/// Fewest characters by which a language can be told.
const LEAST: usize = 40;

/// The codes by ISO 639-1, and which language each is.
macro_rules! codes {
    ($($code:literal $lang:ident,)+) => {
        /// The languages that can be told.
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

/// The language of the answer.
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
            let reason = format!("cannot tell the language: the answer has {has}, and {LEAST} are needed");
            return errored(VerdictKind::Language, reason);
        }
        let Some(found) = detect(text).filter(Info::is_reliable) else {
            let reason =
                "cannot tell the language: the answer could be in several, or in none that akit knows";
            return errored(VerdictKind::Language, reason.to_owned());
        };
        let is = code(found.lang());
        let mut verdict = verdict(VerdictKind::Language, is == self.value, 0.0);
        verdict.expected = format!("an answer in `{}`", self.value);
        verdict.reason = format!("the answer is in `{is}`");
        if is != self.value {
            verdict.got = quote(text);
        }
        verdict
    }

    /// Nothing that a right answer says.
    #[expect(clippy::unused_self, reason = "every kind is asked in the same way")]
    pub(super) fn texts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// In what a new version demands less: another language is expected.
    pub(super) fn weaker(&self, now: &Self) -> Vec<Weaker> {
        (self.value != now.value).then(|| other_text(&self.value)).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Outcome::{self, Errored, Failed, Passed};

    fn told(value: &str, text: &str) -> Outcome {
        Language { value: value.to_owned() }.judge(&Candidate::of(text)).outcome
    }

    #[test]
    fn a_language_is_told_or_the_case_is_errored() {
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
            assert_eq!(told(own, text), Passed, "{own}");
            for other in CODES.iter().filter(|code| **code != own) {
                assert_eq!(told(other, text), Failed, "{other} of {own}");
            }
        }
        let nothing = [
            "Ja, gern.",
            "Ihre Bestellung kommt am Donnerstag an.",
            "Ihre Bestellung ist heute verschickt worden. Your order was shipped this morning and arrives on Thursday.",
            "0123456789 0123456789 0123456789 0123456789",
            "NW-5512 / 4417 / 240.00 / 2026-11-29 / 18:40:00",
            "Hotel Radio Taxi Bus Auto Video Internet Computer",
        ];
        for text in nothing {
            assert_eq!(told("de", text), Errored, "{text}");
        }
        assert_eq!(told("de", ""), Failed);
        assert_eq!(
            told("de", "<think>This is only what the model thought before it said anything</think>"),
            Failed
        );
    }

    #[test]
    fn codes_are_in_order_and_each_is_one_language() {
        assert!(CODES.is_sorted() && CODES.iter().all(|code| code.len() == 2));
        assert!(CODES.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
