//! A load test, for people and for pipelines.

pub mod console;
