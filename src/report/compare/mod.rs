//! A comparison of two stored runs in its forms.

mod console;
mod html;

pub use console::of as console;
pub use html::of as html;

#[cfg(test)]
mod tests;
