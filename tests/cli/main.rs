//! The program as its users meet it: arguments and files in, output and exit status out.
//!
//! Every test runs the binary in a folder of its own with an environment that holds nothing but
//! what the test puts in; nobody but 127.0.0.1 is ever asked.

#![expect(clippy::unwrap_used, reason = "what a test cannot do, it fails for")]

mod accept;
mod akit;
mod always;
mod artemiskit;
mod attempts;
mod baseline;
mod baseline_git;
mod bot;
mod bot_faults;
mod bot_keys;
mod bot_reading;
mod bounded;
mod cache;
mod calibrate;
mod canaries;
mod causes;
mod claims;
mod clock;
mod command;
mod command_output;
mod comment;
mod comment_suites;
mod confirmation;
mod conversation_reports;
mod conversations;
mod discovery;
mod doctor;
mod endpoint;
mod evidence;
mod file;
mod fixtures;
mod foreign;
mod forge;
mod formats;
mod gate;
mod gateway_odd;
mod gateway_rows;
mod gateways;
mod help;
mod history;
mod hostile;
mod identity;
mod import;
mod init;
mod judge;
mod judge_address;
mod judge_refusals;
mod judge_wire;
mod key;
mod keys;
mod limits;
mod order;
mod output;
mod pipelines;
mod places;
mod plan;
mod planted;
mod provider;
mod records;
mod redaction;
mod regrade;
mod replies;
mod report;
mod request;
mod resume;
mod schema;
mod seed;
mod selection;
mod server;
mod signal;
#[cfg(unix)]
mod special;
mod spending;
mod stop;
mod store;
mod stored;
mod suspects;
mod tool_calls;
mod tools;
mod trust;
mod trust_base;
mod trust_pairs;
mod update;
mod validate;
mod values;
mod vendors;
mod version1;
mod weakened;
mod weakening;

use akit::Akit;
