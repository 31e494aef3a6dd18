//! A calibration for people: the figures, what they are based on, and what they mean.

use std::fmt::Write as _;

use crate::grader::calibration::{Calibration, Measured};
use crate::manifest::Fault;
use crate::stats::{Interval, SLACK};
use crate::text::{self, log, number};

/// Maximum number of unjudged labels listed.
const LISTED: usize = 10;

/// Number of cells of the longest bar of a histogram.
const BAR: u64 = 24;

/// Number of rows of a histogram, without the top score.
const ROWS: usize = 10;

/// A label whose answer could not be judged.
#[derive(Clone, Copy, Debug)]
pub struct Unjudged<'a> {
    /// Its id.
    pub id: &'a str,
    /// Why.
    pub fault: &'a Fault,
}

/// The whole report.
#[must_use]
pub fn of_calibration(calibration: &Calibration, unjudged: &[Unjudged<'_>]) -> String {
    let mut out = head(calibration);
    for one in unjudged.iter().take(LISTED) {
        let words = log::line(&format!("{}: {}: {}", one.id, one.fault.kind, one.fault.message), 300);
        let _ = writeln!(out, "  not judged: {words}");
    }
    if unjudged.len() > LISTED {
        let _ = writeln!(out, "  … and {} more", unjudged.len() - LISTED);
    }
    out.push('\n');
    out.push_str(&figures(calibration));
    out.push('\n');
    out.push_str(&table(calibration));
    out.push('\n');
    out.push_str(&histogram(calibration));
    out.push('\n');
    for sentence in reading(calibration) {
        let _ = writeln!(out, "{sentence}");
    }
    out
}

fn head(calibration: &Calibration) -> String {
    let judge = &calibration.judge;
    let (passes, fails) = (of(calibration.tpr), of(calibration.tnr));
    let mut out = format!(
        "{} ({} at {}) judged {}",
        log::line(&judge.model, 100),
        log::line(&judge.provider, 60),
        log::line(&judge.host, 100),
        text::count(usize::try_from(calibration.judged).unwrap_or(usize::MAX), "label"),
    );
    let _ = write!(out, ": people pass {} and fail {}", number::whole(passes), number::whole(fails));
    if calibration.errored > 0 {
        let errored = number::whole(calibration.errored);
        let _ = write!(out, "; {errored} more could not be judged and do not count");
    }
    out.push('\n');
    out
}

fn figures(calibration: &Calibration) -> String {
    let mut out = String::new();
    let mut row = |name: &str, value: &str, interval: &str, words: &str| {
        let _ = writeln!(out, "{}", format!("{name:<10} {value:>8}  {interval:<18} {words}").trim_end());
    };
    let percents = |range: Interval| format!("{} to {}", bare(range.low), number::percent(range.high));
    let share = |measured: Option<Measured>| match measured {
        Some(one) => {
            (number::percent(one.value), percents(one.interval), format!("{} of {}", one.hits, one.of))
        }
        None => ("unknown".to_owned(), String::new(), String::new()),
    };
    let (value, interval, words) = share(calibration.agreement);
    let constant = calibration.constant.agreement.map_or(String::new(), |rate| {
        format!("; always {} would agree in {}", calibration.constant.says, number::percent(rate))
    });
    row("agreement", &value, &interval, &(words + &constant));
    match calibration.kappa {
        Some(kappa) => {
            let interval = format!("{:.2} to {:.2}", kappa.interval.low, kappa.interval.high);
            row("kappa", &format!("{:.2}", kappa.value), &interval, strength(kappa.value));
        }
        None => row("kappa", "unknown", "", ""),
    }
    let (value, interval, words) = share(calibration.tpr);
    row("TPR", &value, &interval, &behind(words, "that people pass"));
    let (value, interval, words) = share(calibration.tnr);
    row("TNR", &value, &interval, &behind(words, "that people fail"));
    out.push_str("Intervals contain the true figure with 95% confidence.\n");
    out
}

fn behind(words: String, what: &str) -> String {
    if words.is_empty() { words } else { format!("{words} answers {what}") }
}

fn table(calibration: &Calibration) -> String {
    let counts = calibration.counts;
    let mut out = format!("{:<13} {:>12} {:>12}\n", "", "judge: pass", "judge: fail");
    for (name, pass, fail) in [
        ("people: pass", counts.true_pass, counts.false_fail),
        ("people: fail", counts.false_pass, counts.true_fail),
    ] {
        let _ = writeln!(out, "{name:<13} {:>12} {:>12}", number::whole(pass), number::whole(fail));
    }
    out
}

/// Scores in at most eleven rows, the highest first, with how often people passed and failed them.
fn histogram(calibration: &Calibration) -> String {
    let scale = calibration.judge.scale.max(1) as usize;
    let rows = scale.min(ROWS);
    let gathered = |counts: &[u64]| {
        let mut row = vec![0_u64; rows + 1];
        for (score, count) in counts.iter().enumerate() {
            if let Some(cell) = row.get_mut(score * rows / scale) {
                *cell += count;
            }
        }
        row
    };
    let (pass, fail) = (gathered(&calibration.scores.pass), gathered(&calibration.scores.fail));
    let most = pass.iter().chain(&fail).copied().max().unwrap_or(0).max(1);
    let bar = |count: u64| {
        // Any count above zero is visible.
        let cells = (count * BAR).div_ceil(most);
        let count = if count == 0 { String::new() } else { format!(" {}", number::whole(count)) };
        format!("{}{count}", "#".repeat(usize::try_from(cells).unwrap_or(0)))
    };
    let step = if scale > rows { "score from" } else { "score" };
    let mut out = format!("{step:<11} {:<31} people: fail\n", "people: pass");
    for index in (0..=rows).rev() {
        let score = format!("{index}/{rows}");
        let line = format!("{score:<11} {:<31} {}", bar(pass[index]), bar(fail[index]));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    match calibration.threshold {
        Some(threshold) => {
            let _ = writeln!(out, "A score of {} or more is a pass.", number::score(threshold));
        }
        None => out.push_str("The labels have several thresholds.\n"),
    }
    out
}

/// What the figures mean, one sentence per line.
fn reading(calibration: &Calibration) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(tnr) = calibration.tnr {
        out.push(errors("bad", "passes", tnr));
    } else {
        out.push(one_class("fail", "TNR", "bad"));
    }
    if let Some(tpr) = calibration.tpr {
        out.push(errors("good", "fails", tpr));
    } else {
        out.push(one_class("pass", "TPR", "good"));
    }
    if let (Some(tpr), Some(tnr)) = (calibration.tpr, calibration.tnr) {
        if tpr.value + tnr.value <= 1.0 + SLACK {
            out.push(
                "TPR + TNR is not above 1: a verdict of this judge says nothing about an answer.".to_owned(),
            );
        } else if calibration.kappa.is_some_and(|kappa| kappa.interval.low <= 0.0) {
            out.push("Kappa's interval contains 0: these labels do not show that the judge agrees with people beyond chance.".to_owned());
        }
        let (fewest, name) = if tpr.of < tnr.of { (tpr, "TPR") } else { (tnr, "TNR") };
        out.push(format!(
            "{name} is based on {}, and its interval is {:.0} points wide; four times as many labels would roughly halve it.",
            text::count(usize::try_from(fewest.of).unwrap_or(usize::MAX), "label"),
            fewest.interval.width() * 100.0,
        ));
    }
    if let (Some(agreement), Some(constant)) = (calibration.agreement, calibration.constant.agreement)
        && agreement.value <= constant
    {
        let says = &calibration.constant.says;
        out.push(format!("A judge that always says {says} would agree with people at least as often."));
    }
    if calibration.kappa.is_some_and(|kappa| kappa.standard_error <= 0.0) {
        out.push(
            "Kappa's interval has no width because the judge never disagrees with people here; rely on those of TPR and TNR."
                .to_owned(),
        );
    }
    out
}

/// For example `Of 100 bad answers the judge passes about 19 (10 to 34).`
fn errors(which: &str, does: &str, right: Measured) -> String {
    let wrong = |share: f64| (100.0 * (1.0 - share)).abs();
    format!(
        "Of 100 {which} answers the judge {does} about {:.0} ({:.0} to {:.0}).",
        wrong(right.value),
        wrong(right.interval.high),
        wrong(right.interval.low)
    )
}

fn one_class(label: &str, rate: &str, which: &str) -> String {
    format!(
        "No judged label says {label}: {rate} and kappa are unknown, and no pass rate can be corrected; label {which} answers too."
    )
}

/// The usual word for a kappa: Landis & Koch, Biometrics 33 (1977), 159–174.
fn strength(kappa: f64) -> &'static str {
    match kappa {
        k if k < 0.0 => "worse than chance",
        k if k <= 0.2 => "slight agreement beyond chance",
        k if k <= 0.4 => "fair agreement beyond chance",
        k if k <= 0.6 => "moderate agreement beyond chance",
        k if k <= 0.8 => "substantial agreement beyond chance",
        _ => "almost perfect agreement",
    }
}

fn of(measured: Option<Measured>) -> u64 {
    measured.map_or(0, |one| one.of)
}

/// A percentage without its sign.
fn bare(share: f64) -> String {
    number::percent(share).trim_end_matches('%').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::vocabulary::FaultKind;

    /// A judge on this scale that gave each of these scores once to a good answer.
    fn judged(scale: u32, given: &[usize]) -> Calibration {
        let mut pass = vec![0; scale as usize + 1];
        for score in given {
            pass[*score] += 1;
        }
        let hash = "0".repeat(64);
        serde_json::from_value(json!({
            "schema": "akit.calibration/1", "akit": "0", "n": given.len(), "judged": given.len(), "errored": 0,
            "judge": {
                "provider": "openai", "model": "j\u{1b}[31m", "host": "h", "template": "t",
                "template_hash": hash, "scale": scale, "votes": 3, "rubric_set_hash": hash,
            },
            "counts": { "tp": given.len(), "fp": 0, "tn": 0, "fn": 0 },
            "constant": { "says": "pass", "agreement": 1.0 },
            "rubrics": [], "scores": { "pass": pass, "fail": vec![0; scale as usize + 1] },
        }))
        .unwrap()
    }

    #[test]
    fn every_scale_fits_eleven_rows_and_the_highest_score_has_its_own() {
        let shown = histogram(&judged(100, &[100, 99, 90, 89, 0]));
        insta::assert_snapshot!(shown, @r"
        score from  people: pass                    people: fail
        10/10       ############ 1
        9/10        ######################## 2
        8/10        ############ 1
        7/10
        6/10
        5/10
        4/10
        3/10
        2/10
        1/10
        0/10        ############ 1
        The labels have several thresholds.
        ");
        assert_eq!(histogram(&judged(5, &[5])).lines().count(), 8);
    }

    #[test]
    fn unknown_figures_are_marked_and_foreign_text_is_printed_safely() {
        let fault = Fault::new(FaultKind::Timeout, "\u{1b}[2J".to_owned(), "");
        let unjudged = [Unjudged { id: "a\nb", fault: &fault }; 12];
        let text = of_calibration(&judged(10, &[9]), &unjudged);
        assert!(!text.contains('\u{1b}') && text.contains("  not judged: a⏎b: timeout: "), "{text}");
        assert!(text.contains("… and 2 more\n") && text.contains("kappa       unknown\n"), "{text}");
    }
}
