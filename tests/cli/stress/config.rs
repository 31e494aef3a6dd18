//! `stress:` of the configuration.

use super::*;

/// The limits of the decision, as `metric limit`.
fn limits(ran: &Ran) -> Vec<String> {
    let found = found(ran);
    let limits = found["slo"].as_array().unwrap().iter();
    limits.map(|one| format!("{} {}", one["metric"].as_str().unwrap(), one["limit"])).collect()
}

#[test]
fn flags_take_precedence_metric_by_metric() {
    let server = echo();
    let config = "stress: { slo: { latency_p95_ms: 90000, pass_rate: 0.25, error_rate: 0.5 } }\n";
    let table: &[(&str, &[&str], &[&str])] = &[
        (config, &[], &["latency_p95_ms 90000.0", "error_rate 0.5", "pass_rate 0.25"]),
        (
            config,
            &["--slo", "pass_rate=0.75"],
            &["latency_p95_ms 90000.0", "error_rate 0.5", "pass_rate 0.75"],
        ),
        (
            config,
            &["--slo", "goodput_rps=0", "--slo", "error_rate=1"],
            &["latency_p95_ms 90000.0", "error_rate 1.0", "pass_rate 0.25", "goodput_rps 0.0"],
        ),
        ("stress: {}\n", &["--slo", "pass_rate=0.5"], &["pass_rate 0.5"]),
        ("model: x\n", &[], &[]),
        // The last flag for a metric counts.
        ("model: x\n", &["--slo", "pass_rate=0.5", "--slo", "pass_rate=0.25"], &["pass_rate 0.25"]),
    ];
    for (config, flags, wanted) in table {
        let ran = stress(&server.url, &["-n", "4", "-c", "2"]).args(flags).file("akit.yaml", config).run();
        assert_eq!(limits(&ran), *wanted, "{config}{flags:?}");
    }
}

#[test]
fn a_limit_of_the_configuration_gates() {
    let ran = solid(|| {
        stress(&slow_echo().url, &["-n", "4", "-c", "4"])
            .file("akit.yaml", "stress: { slo: { latency_p95_ms: 100 } }\n")
    });
    ran.ended(1).out("latency_p95_ms").out("the limit is 100 ms");
}

#[test]
fn mistakes_in_it_are_reported_with_their_line() {
    let table = [
        ("stress: { slo: { pass_rate: 1.5 } }", "`pass_rate`", "1"),
        ("stress: { slo: { pass_rate: -0.1 } }", "`pass_rate`", "0"),
        ("stress: { slo: { error_rate: 2 } }", "`error_rate`", "1"),
        ("stress: { slo: { escalation_availability: 99.9 } }", "`escalation_availability`", "1"),
        ("stress: { slo: { latency_p95_ms: fast } }", "`latency_p95_ms`", "number"),
        ("stress: { slo: { latency_p95_ms: -1 } }", "`latency_p95_ms`", "0"),
        ("stress: { slo: { latency_p95: 5 } }", "`latency_p95`", "did you mean `latency_p95_ms`?"),
        ("stress: { slos: { pass_rate: 1 } }", "`slos`", "did you mean `slo`?"),
        ("stres: { slo: { pass_rate: 1 } }", "`stres`", "did you mean `stress`?"),
        ("stress: 5", "`stress`", "mapping"),
        ("stress: { slo: [pass_rate] }", "`slo`", "mapping"),
    ];
    let server = Server::start(|_| panic!("nothing may be sent"));
    for (config, what, more) in table {
        let ran = stress(&server.url, &["-n", "1"]).file("akit.yaml", format!("{config}\n")).run();
        ran.ended(2).err(what).err(more).err("--> akit.yaml:1:");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn doctor_names_the_source_of_a_limit() {
    let akit = |config: &str| {
        Akit::new(&["doctor", "s.yaml", "-m", "m", "--explain"])
            .file("s.yaml", SUITE)
            .file("akit.yaml", config)
            .env("OPENAI_API_KEY", "k")
    };
    let ran = akit("stress:\n  slo: { pass_rate: 0.9, latency_p95_ms: 2000 }\n").run();
    let line = ran.stdout.lines().find(|line| line.contains("slo under load")).unwrap_or_default();
    assert!(
        line.contains("latency_p95_ms 2,000 ms, pass_rate 90%") && line.contains("akit.yaml:2"),
        "{line}"
    );
    let ran = akit("model: m\n").run();
    let line = ran.stdout.lines().find(|line| line.contains("slo under load")).unwrap_or_default();
    assert!(line.contains("none"), "{line}");
}
