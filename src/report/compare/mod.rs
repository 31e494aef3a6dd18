//! The reports of a comparison of two stored runs: console and page.

mod console;
mod html;

pub use console::of as console;
pub use html::of as html;

#[cfg(test)]
mod tests;
