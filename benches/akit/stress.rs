//! `akit stress` against a scripted server: whether its figures are right, and what a request costs compared with
//! `hey`.
//! || The server is a separate process, so that its time is not counted. Expected values are computed from the script
//! alone.
#![expect(clippy::print_stdout, reason = "prints a table")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;

use crate::process::{Cost, command, median, once};
use crate::{Outcome, scripted};

/// First argument of this program when it acts as the server.
pub(crate) const SERVE: &str = "serve-a-script";

/// Maximum CPU per request, in microseconds and as a multiple of `hey`'s.
const MOST_CPU: f64 = 40.0;
const MOST_CPU_OF_HEY: f64 = 1.5;
/// Minimum share of `hey`'s requests per second.
const LEAST_OF_HEY: f64 = 0.75;
/// Maximum growth of memory from 10,000 to 300,000 requests, in MiB.
const MOST_GROWTH: f64 = 20.0;

/// A scripted server in a separate process.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(script: &str) -> Outcome<Self> {
        let me = std::env::current_exe()?;
        let mut child = Command::new(me).args([SERVE, script]).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().ok_or("the server has no output")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        Ok(Self { child, address: line.trim().to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A row of the table.
struct Line {
    what: String,
    found: String,
    target: String,
    is_met: bool,
}

fn line(what: impl Into<String>, found: impl Into<String>, target: impl Into<String>, is_met: bool) -> Line {
    Line { what: what.into(), found: found.into(), target: target.into(), is_met }
}

/// Prints the table; returns how many targets were missed.
pub(crate) fn measure() -> Outcome<usize> {
    let folder = tempfile::tempdir()?;
    let place = folder.path();
    std::fs::write(place.join("suite.yaml"), SUITE)?;
    let mut lines = Vec::new();
    stalls(place, &mut lines)?;
    knees(place, &mut lines)?;
    errors(place, &mut lines)?;
    speed(place, &mut lines)?;
    println!("{:<64} {:>20} {:>20}", "stress", "found", "target");
    for Line { what, found, target, is_met } in &lines {
        println!("{what:<64} {found:>20} {target:>20}{}", if *is_met { "" } else { "  missed" });
    }
    Ok(lines.iter().filter(|line| !line.is_met).count())
}

const SUITE: &str = "name: load
provider: openai
setup: { handoff: { text: 'connect you' } }
cases:
  - { id: refund, prompt: Can I return my order?, expected: { type: contains, values: [30 days] } }
  - { id: hours, prompt: When are you open?, expected: { type: contains, values: [30 days] } }
  - { id: where, prompt: Where is my parcel?, expected: { type: contains, values: [30 days] } }
  - { id: broken, prompt: It came broken., expected: { type: contains, values: [30 days] } }
  - { id: human, tags: [escalation], prompt: I want a human., expected: { type: handoff, state: claimed } }
";

/// Runs a load and returns its report.
fn stress(place: &Path, server: &Server, arguments: &[&str]) -> Outcome<(Json, Cost)> {
    let all = ["stress", "suite.yaml", "-m", "bench", "--base-url", &server.address, "--json", "out.json"];
    let all = [&all, arguments].concat();
    let cost = once(&all, place, -1)?;
    Ok((serde_json::from_slice(&std::fs::read(place.join("out.json"))?)?, cost))
}

fn number(json: &Json, pointer: &str) -> f64 {
    json.pointer(pointer).and_then(Json::as_f64).unwrap_or(f64::NAN)
}

/// Percentiles during a 3 s stall in 12 s: with a fixed rate, and with a fixed number of requests in flight.
fn stalls(place: &Path, lines: &mut Vec<Line>) -> Outcome<()> {
    const USUAL: f64 = 5.0;
    const STALL: (f64, f64) = (4_000.0, 7_000.0);
    // The true latencies if requests were sent continuously.
    let mut truth: Vec<f64> = (0..12_000)
        .map(|at| {
            let at = f64::from(at);
            if (STALL.0..STALL.1).contains(&at) { STALL.1 - at + USUAL } else { USUAL }
        })
        .collect();
    truth.sort_by(f64::total_cmp);
    for (name, load) in [("200/s", ["--rate", "200", "-d", "12"]), ("10 in flight", ["-c", "10", "-d", "12"])]
    {
        let server = Server::start("stall")?;
        let (found, _) = stress(place, &server, &load)?;
        for (word, share) in [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)] {
            let right = truth[truth.len() * share / 100];
            let is = number(&found, &format!("/levels/0/latency_ms/{word}"));
            let is_met = (is - right).abs() <= (right * 0.03).max(0.7);
            lines.push(line(
                format!("{name}, 3 s stall: latency {word}"),
                format!("{is:.1} ms"),
                format!("{right:.1} ms ± 3%"),
                is_met,
            ));
        }
    }
    Ok(())
}

/// Answers slow down above 40 concurrent requests; above 60, handoffs stop.
fn knees(place: &Path, lines: &mut Vec<Line>) -> Outcome<()> {
    let server = Server::start("knees")?;
    let (found, _) = stress(place, &server, &["--stages", "10@3s,20@3s,40@3s,60@3s,80@3s,100@3s,10@3s"])?;
    for (name, right) in [("latency", [40.0, 60.0]), ("quality", [40.0, 60.0])] {
        let is = number(&found, &format!("/knees/{name}"));
        lines.push(line(
            format!("knee of {name}: slower above 40, no handoff above 60"),
            format!("{is}"),
            format!("{} to {}", right[0], right[1]),
            right[0] <= is && is <= right[1],
        ));
    }
    let is = found.pointer("/levels/6/recovery_ms").and_then(Json::as_f64).unwrap_or(f64::NAN);
    lines.push(line("recovery after the peak", format!("{is} ms"), "≤ 1000 ms", is <= 1_000.0));
    Ok(())
}

/// Every fiftieth request gets each kind of error; server and client must count the same.
fn errors(place: &Path, lines: &mut Vec<Line>) -> Outcome<()> {
    let server = Server::start("errors")?;
    let (found, _) = stress(place, &server, &["-c", "10", "-n", "5000"])?;
    for class in ["rate_limited", "server_error", "client_error", "stream_cut", "malformed"] {
        let is = number(&found, &format!("/levels/0/errors/{class}"));
        #[expect(clippy::float_cmp, reason = "counts")]
        lines.push(line(format!("errors: {class} of 5,000"), format!("{is}"), "100", is == 100.0));
    }
    let other: f64 = ["connect", "dns", "tls", "timeout", "unexpected"]
        .iter()
        .map(|class| number(&found, &format!("/levels/0/errors/{class}")))
        .sum();
    lines.push(line("errors: of other classes", format!("{other}"), "0", other == 0.0));
    Ok(())
}

/// Cost and number of requests, compared with `hey` if it is installed, and growth of memory.
fn speed(place: &Path, lines: &mut Vec<Line>) -> Outcome<()> {
    let server = Server::start("at-once")?;
    let body = r#"{"model":"bench","messages":[{"role":"user","content":"Can I return my order?"}]}"#;
    std::fs::write(place.join("body.json"), body)?;
    let url = format!("{}/chat/completions", server.address);
    let has_hey = Command::new("hey").arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let (mut own, mut others, mut rates, mut other_rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..5 {
        let (found, cost) = stress(place, &server, &["-c", "50", "-d", "5"])?;
        let requests = number(&found, "/requests");
        own.push(cost.cpu.unwrap_or(f64::NAN) * 1e3 / requests);
        rates.push(number(&found, "/levels/0/rate"));
        if has_hey {
            let (requests, cost) = hey(place, &url, &["-c", "50", "-z", "5s"])?;
            others.push(cost.cpu.unwrap_or(f64::NAN) * 1e3 / requests);
            other_rates.push(requests / 5.0);
        }
    }
    let (cpu, rate) = (median(own), median(rates));
    lines.push(line(
        "CPU per request at -c 50",
        format!("{cpu:.1} µs"),
        format!("{MOST_CPU} µs"),
        cpu <= MOST_CPU,
    ));
    if has_hey {
        let (share, part) = (cpu / median(others), rate / median(other_rates));
        let target = format!("{MOST_CPU_OF_HEY} × hey");
        lines.push(line(
            "CPU per request at -c 50",
            format!("{share:.2} × hey"),
            target,
            share <= MOST_CPU_OF_HEY,
        ));
        let target = format!("{LEAST_OF_HEY} × hey");
        lines.push(line(
            format!("requests at -c 50: {rate:.0}/s"),
            format!("{part:.2} × hey"),
            target,
            part >= LEAST_OF_HEY,
        ));
        let server = Server::start("steady")?;
        let url = format!("{}/chat/completions", server.address);
        let (found, _) = stress(place, &server, &["-c", "20", "-d", "5"])?;
        let text = hey_text(place, &url, &["-c", "20", "-z", "5s"])?;
        for (word, share) in [("p50", "50%"), ("p95", "95%")] {
            let is = number(&found, &format!("/levels/0/service_ms/{word}"));
            let other = percentile(&text, share);
            let target = format!("{other:.1} ms ± 5%");
            lines.push(line(
                format!("service time {word} compared with hey"),
                format!("{is:.1} ms"),
                target,
                (is / other - 1.0).abs() <= 0.05,
            ));
        }
    }
    let few = stress(place, &server, &["-c", "50", "-n", "10000"])?.1.memory.unwrap_or(f64::NAN);
    let many = stress(place, &server, &["-c", "50", "-n", "300000"])?.1.memory.unwrap_or(f64::NAN);
    let target = format!("+ {MOST_GROWTH} MiB");
    lines.push(line(
        "memory: 10,000 and 300,000 requests",
        format!("{few:.0} and {many:.0} MiB"),
        target,
        many <= few + MOST_GROWTH,
    ));
    Ok(())
}

fn hey(place: &Path, url: &str, arguments: &[&str]) -> Outcome<(f64, Cost)> {
    let all = ["hey", "-m", "POST", "-T", "application/json", "-D", "body.json"];
    let (text, cost) = command(&[&all, arguments, &[url]].concat(), place)?;
    let answered = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("[200]")?.split_whitespace().next()?.parse().ok());
    Ok((answered.ok_or("hey got no answer")?, cost))
}

fn hey_text(place: &Path, url: &str, arguments: &[&str]) -> Outcome<String> {
    let all = ["hey", "-m", "POST", "-T", "application/json", "-D", "body.json"];
    Ok(command(&[&all, arguments, &[url]].concat(), place)?.0)
}

/// One of `hey`'s percentiles, in milliseconds.
fn percentile(text: &str, share: &str) -> f64 {
    let line = text
        .lines()
        .find(|line| line.contains(&format!("{share} in")) || line.contains(&format!("{share}% in")));
    let seconds =
        line.and_then(|line| line.split("in ").nth(1)?.split_whitespace().next()?.parse::<f64>().ok());
    seconds.map_or(f64::NAN, |seconds| seconds * 1e3)
}

/// Serves a script until the process is killed, ten minutes at most.
pub(crate) fn serve(script: &str) -> Outcome<()> {
    println!("{}", scripted::start(script)?);
    std::thread::sleep(Duration::from_secs(600));
    Ok(())
}
