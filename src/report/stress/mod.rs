//! A load test, for people and for pipelines: one file per form.
//!
//! What is said of a level, a limit and a case is in [`told`]; the forms only lay it out.

mod chart;
pub mod console;
#[cfg(test)]
mod fixture;
pub mod html;
pub mod junit;
pub mod markdown;
#[cfg(test)]
mod tests;
mod told;

pub use told::{share, time};
