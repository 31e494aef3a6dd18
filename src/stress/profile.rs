//! The shape of a load: stages, each with a number of visits in flight or per second.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use strum::{EnumString, IntoStaticStr, VariantNames};

use crate::stats::real;
use crate::text;
use crate::text::number::time;

/// Maximum number of visits in flight, or per second.
pub const MOST: u64 = 50_000;
/// Maximum number of stages.
pub const MOST_STAGES: usize = 100;

/// When visits of a rate arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum Arrivals {
    /// At equal intervals.
    #[default]
    Constant,
    /// Independently of each other, as real customers do.
    Poisson,
}

/// The size of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// This many visits at once.
    InFlight(u32),
    /// This many visits per second.
    PerSecond(f64),
}

impl Amount {
    /// The number, whatever its unit.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::InFlight(many) => f64::from(many),
            Self::PerSecond(rate) => rate,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InFlight(many) => write!(f, "{many} in flight"),
            Self::PerSecond(rate) => write!(f, "{rate}/s"),
        }
    }
}

/// A stage of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Its load.
    pub amount: Amount,
    /// How long it lasts; `None` if only the number of requests ends it.
    pub lasts: Option<Duration>,
}

/// The stages of `--stages`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages(pub Vec<Stage>);

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| {
            format!(
                "`{}` is not a stage: write LOAD@TIME, with a load up to {} in flight or, with `/s`, a second; for \
                 example `5@30s,20@30s` or `10/s@1m`",
                text::excerpt(part, 60),
                text::number::whole(MOST)
            )
        };
        let stages: Vec<Stage> = text
            .split(',')
            .map(|part| {
                let (load, lasts) = part.split_once('@').ok_or_else(|| wrong(part))?;
                let amount = amount(load).ok_or_else(|| wrong(part))?;
                let lasts = seconds(lasts).filter(|lasts| !lasts.is_zero()).ok_or_else(|| wrong(part))?;
                Ok(Stage { amount, lasts: Some(lasts) })
            })
            .collect::<Result<_, String>>()?;
        if stages.len() > MOST_STAGES {
            return Err(format!("there are {} stages, but at most {MOST_STAGES} are allowed", stages.len()));
        }
        Ok(Self(stages))
    }
}

fn amount(text: &str) -> Option<Amount> {
    if let Some(rate) = text.trim().strip_suffix("/s") {
        Some(Amount::PerSecond(self::rate(rate)?))
    } else {
        let many = text.trim().parse::<u32>().ok()?;
        (many > 0 && u64::from(many) <= MOST).then_some(Amount::InFlight(many))
    }
}

/// A rate per second, with or without `/s`.
#[must_use]
pub fn rate(text: &str) -> Option<f64> {
    let text = text.trim();
    let rate = text.strip_suffix("/s").unwrap_or(text).trim().parse::<f64>().ok()?;
    (rate.is_finite() && rate >= 0.001 && rate <= real(MOST)).then_some(rate)
}

/// A duration of at most a week, in seconds unless a unit is given.
#[must_use]
pub fn seconds(text: &str) -> Option<Duration> {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    let text = text.trim();
    let found = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => time(text)?,
    };
    (found <= WEEK).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_or_refused() {
        let second = Duration::from_secs;
        let closed = |many, secs| Stage { amount: Amount::InFlight(many), lasts: Some(second(secs)) };
        let open = |rate, secs| Stage { amount: Amount::PerSecond(rate), lasts: Some(second(secs)) };
        let table: [(&str, &[Stage]); 5] = [
            ("5@30s", &[closed(5, 30)]),
            ("5@30", &[closed(5, 30)]),
            ("5@30s, 20@1m ,80@2m", &[closed(5, 30), closed(20, 60), closed(80, 120)]),
            ("2.5/s@10s", &[open(2.5, 10)]),
            ("10/s@10,50@5", &[open(10.0, 10), closed(50, 5)]),
        ];
        for (text, stages) in table {
            assert_eq!(text.parse::<Stages>().map(|stages| stages.0), Ok(stages.to_vec()), "{text}");
        }
        for text in [
            "",
            ",",
            "5",
            "@30s",
            "5@",
            "0@30s",
            "-5@30s",
            "5@0",
            "5@-1s",
            "1e9@5s",
            "5.5@30s",
            "0/s@5",
            "nan/s@5",
            "inf/s@5",
            "5/s@",
            "5@30s,",
            "5@30x",
            "60000@5",
            "5@99w",
            "5@30s;20@30s",
            "a@b",
            "5/m@30",
        ] {
            assert!(text.parse::<Stages>().is_err(), "{text}");
        }
        assert!(vec!["1@1"; 101].join(",").parse::<Stages>().is_err());
    }
}
