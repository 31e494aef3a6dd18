//! The program as its users meet it: arguments and files in, output and exit status out.
//!
//! Every test runs the binary in a folder of its own with an environment that holds nothing but
//! what the test puts in; nobody but 127.0.0.1 is ever asked.

mod akit;
mod baseline;
mod calibrate;
mod discovery;
mod file;
mod fixtures;
mod key;
mod order;
mod output;
mod replies;
mod schema;
mod selection;
mod server;
mod store;
mod validate;

use akit::Akit;
