//! Reports of a load test: one file per format.
//!
//! [`phrase`] has the figures and sentences; the formats only lay them out.

mod chart;
pub mod console;
#[cfg(test)]
mod fixture;
pub mod html;
pub mod junit;
pub mod markdown;
mod phrase;
#[cfg(test)]
mod tests;

pub use phrase::{share, time};
