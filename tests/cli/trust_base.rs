//! `--trust base`: a change is judged by the settings of its base, and API keys go only to addresses that the base
//! knows.
//! || Each claim in docs/security.md about what a change can and cannot do is a row or a test here, in `records` or
//! in
//! `pipelines`.

use super::Akit;
use super::akit::Ran;
use super::calibrate::measured;
use super::judge::verdict;
use super::replies::replies;
use super::server::{Answer, Server};
use super::weakening::{akit, git};

type Files = Vec<(&'static str, String)>;

const SUITE: &str = "\
name: s
cases:
  - { id: a, prompt: q, expected: { type: contains, values: [good] } }
  - { id: b, prompt: q, expected: { type: contains, values: [good] } }
";

fn files(all: &[(&'static str, &str)]) -> Files {
    all.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
}

/// A repository whose main branch has these files, with a branch off it checked out.
pub(crate) fn base(files: &[(&str, String)]) -> Ran {
    let start = Akit::new(&["--version"]).file("README", "");
    let ran = files.iter().fold(start, |akit, (name, text)| akit.file(name, text)).run().ended(0);
    git(&ran, &["init", "--quiet", "--initial-branch=main"]);
    git(&ran, &["add", "--all", "--force"]);
    git(&ran, &["commit", "--quiet", "-m", "base"]);
    git(&ran, &["switch", "--quiet", "-c", "change"]);
    ran
}

/// Applies the change; an empty text removes the file.
pub(crate) fn change(ran: &Ran, files: &[(&str, String)]) {
    for (name, text) in files {
        if text.is_empty() {
            std::fs::remove_file(ran.path(name)).unwrap();
        } else {
            ran.then(&["--version"]).file(name, text).run();
        }
        git(ran, &["add", "--force", name]);
    }
}

const RUN: [&str; 4] = ["run", "scenarios", "--json", "run.json"];

fn trusting(ran: &Ran, who: &str, flags: &[&str]) -> Akit {
    akit(ran, &RUN).args(&["--trust", who]).args(flags)
}

/// The suite, answers with one bad, and two histories: `good.json`, in which both cases pass, and `bad.json`.
fn with_history() -> Ran {
    let ran = Akit::new(&["--version"]).file("scenarios/s.yaml", SUITE).run().ended(0);
    for (name, answers) in [("good", ["good", "good"]), ("bad", ["good", "no"])] {
        let line = |trial: usize, id: &str, text: &str| {
            format!("{{\"id\": \"{id}\", \"trial\": {trial}, \"reply\": \"{text}\"}}\n")
        };
        let lines: String =
            (0..6).map(|trial| line(trial, "a", answers[0]) + &line(trial, "b", answers[1])).collect();
        let made =
            ["run", "scenarios", "--replies", "r.jsonl", "--repeat", "6", "--json", "made.json", "--quiet"];
        ran.then(&made).file("r.jsonl", lines).run();
        let file = format!("{name}.json");
        ran.then(&["baseline", "update", "made.json", "--force", "--baseline", &file]).run().ended(0);
    }
    ran
}

/// Settings under `gate:`: the change, and the base's result; the change's own settings would pass.
#[test]
fn a_change_is_judged_by_the_gate_of_its_base() {
    let history = with_history();
    let (good, bad) = (history.read("good.json"), history.read("bad.json"));
    let entry = |year: u32| format!("- {{ case: s/b, owner: ana, reason: known, until: {year}-01-01 }}\n");
    let config = |text: &str| ("akit.yaml", text.to_owned());
    let lax = || config("gate: { min_pass_rate: 0.5 }\n");
    let strict = || config("gate: { min_pass_rate: 1 }\n");
    let from = |file: &str| config(&format!("gate: {{ baseline: {{ from: {file} }} }}\n"));
    let rows: Vec<(&str, i32, Files, Files)> = vec![
        ("min_pass_rate", 1, vec![strict()], vec![lax()]),
        (
            "thresholds",
            1,
            vec![config("gate: { min_pass_rate: 0.5, thresholds: [{ metric: pass_rate, min: 1 }] }\n")],
            vec![lax()],
        ),
        ("critical", 1, vec![config("gate: { min_pass_rate: 0.5, critical: [s/b] }\n")], vec![lax()]),
        ("policy", 5, vec![config("gate: { min_pass_rate: 0.5, policy: strict }\n")], vec![lax()]),
        (
            "quarantine",
            1,
            vec![strict()],
            vec![config("gate: { min_pass_rate: 1, quarantine: q.yaml }\n"), ("q.yaml", entry(2999))],
        ),
        (
            "what is in the quarantine",
            1,
            vec![config("gate: { quarantine: q.yaml }\n"), ("q.yaml", entry(2020))],
            vec![("q.yaml", entry(2999))],
        ),
        ("another file", 1, vec![strict()], vec![config(""), ("akit.yml", lax().1)]),
        ("a nearer file", 1, vec![strict()], vec![("scenarios/akit.yaml", lax().1)]),
        (
            "a nearer file that is gone",
            1,
            vec![lax(), ("scenarios/akit.yaml", strict().1)],
            vec![("scenarios/akit.yaml", String::new())],
        ),
        ("no akit.yaml before", 1, vec![], vec![lax()]),
        ("baseline.from", 5, vec![from("good.json")], vec![from("bad.json"), ("bad.json", bad.clone())]),
        ("what is in the baseline", 5, vec![from("good.json")], vec![("good.json", bad)]),
        (
            "baseline.unconfirmed",
            1,
            vec![config("gate: { baseline: { from: good.json, unconfirmed: fail } }\n")],
            vec![config("gate: { baseline: { from: good.json, unconfirmed: warn } }\n")],
        ),
    ];
    let replied = ["--replies", "r.jsonl"];
    for (what, honest, before, after) in rows {
        let always = files(&[("scenarios/s.yaml", SUITE), ("good.json", &good)]);
        let answers = ("r.jsonl", replies(&[("a", "good"), ("b", "no")]));
        let ran = base(&[always, before, vec![answers]].concat());
        let control = akit(&ran, &RUN).args(&replied).run();
        assert_eq!(control.status, honest, "{what}, unchanged: {}", control.stdout);
        change(&ran, &after);
        let own = trusting(&ran, "head", &replied).run();
        assert_eq!(own.status, 0, "{what}, with the change's settings: {}{}", own.stdout, own.stderr);
        let by_base = akit(&ran, &["gate", "run.json", "--trust", "base"]).run();
        assert_eq!(by_base.status, honest, "{what}, gate: {}{}", by_base.stdout, by_base.stderr);
        let by_base = trusting(&ran, "base", &replied).run();
        assert_eq!(
            by_base.status, honest,
            "{what}, with the base's settings: {}{}",
            by_base.stdout, by_base.stderr
        );
        // `--policy-from base` is the same; the last flag wins.
        let same = akit(&ran, &RUN).args(&["--trust", "head", "--policy-from", "base"]).args(&replied).run();
        assert_eq!(same.status, honest, "{what}");
    }
}

/// A server that gives this text as every answer and verdict, except on known-bad answers.
fn saying(text: &str) -> Server {
    let text = text.to_owned();
    Server::start(move |_| Answer::Text(text.clone()))
}

/// Everything else in akit.yaml: providers, judge, and how they are asked.
#[test]
fn providers_judge_cache_prices_and_repeats_come_from_the_base() {
    let (honest, friendly) = (saying("no"), saying("good"));
    let (stern, kind) =
        (Server::start(|_| Answer::Text(verdict(0))), Server::start(|_| Answer::Text(verdict(10))));
    let live = |server: &Server, more: &str| {
        let url = &server.url;
        format!("provider: openai\nmodel: m\nproviders: {{ openai: {{ baseUrl: \"{url}\" }} }}\n{more}")
    };
    let config = |text: String| vec![("akit.yaml", text)];
    let judged = "name: s\ncases: [{ id: a, prompt: q, expected: { type: llm_grader, rubric: Be kind. } }]\n";
    let grader = |server: &Server, more: &str| {
        config(live(&honest, &format!("grader: {{ model: j, baseUrl: \"{}\"{more} }}\n", server.url)))
    };
    let priced = |usd: u32| {
        let cost = "gate: { thresholds: [{ metric: cost_usd, max: 1 }] }\n";
        config(live(&friendly, &format!("prices: {{ m: {{ input: {usd}000000, output: 0 }} }}\n{cost}")))
    };
    let rows: Vec<(&str, &str, Files, Files)> = vec![
        ("providers", SUITE, config(live(&honest, "")), config(live(&friendly, ""))),
        ("grader.baseUrl", judged, grader(&stern, ""), grader(&kind, "")),
        ("prices", SUITE, priced(1), priced(0)),
    ];
    for (what, suite, before, after) in rows {
        let ran = base(&[files(&[("scenarios/s.yaml", suite)]), before].concat());
        change(&ran, &after);
        let by_base = trusting(&ran, "base", &["--cache", "off"]).run();
        assert_eq!(
            by_base.status, 1,
            "{what}, with the base's settings: {}{}",
            by_base.stdout, by_base.stderr
        );
        let own = trusting(&ran, "head", &["--cache", "off"]).run();
        assert_eq!(own.status, 0, "{what}, with the change's settings: {}{}", own.stdout, own.stderr);
    }

    // Repeats come from the base, but the tested model from the change.
    let count = |model: &str, n: u32| live(&friendly, &format!("repeat: {n}\n")).replace("model: m", model);
    let ran = base(&[files(&[("scenarios/s.yaml", SUITE)]), config(count("model: m", 3))].concat());
    change(&ran, &config(count("model: newer", 1)));
    let asked = friendly.asked().len();
    trusting(&ran, "base", &["--cache", "off"]).run().ended(0).err("; ignored in this change: `repeat`");
    let asked = friendly.asked().split_off(asked);
    assert!(asked.len() == 6 && asked.iter().all(|one| one.body["model"] == "newer"), "{asked:?}");

    // The pipeline has a record of a better day. Turning the cache on is not up to the change.
    let named = "target: { version: \"1\" }\n";
    let ran = base(&[files(&[("scenarios/s.yaml", SUITE)]), config(live(&honest, named))].concat());
    let at = ["--base-url", friendly.url.as_str()];
    trusting(&ran, "base", &at).run().ended(0);
    change(&ran, &config(live(&honest, &format!("{named}cache: {{ mode: auto }}\n"))));
    for entry in walkdir(&ran.path(".akit/cache")) {
        let text = std::fs::read_to_string(&entry).unwrap();
        assert!(text.contains("good"));
    }
    trusting(&ran, "base", &[]).run().ended(1);
}

fn walkdir(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let below = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
    below(folder).flat_map(|shelf| below(&shelf).collect::<Vec<_>>()).collect()
}

/// Redacted values stay redacted, whatever the change says.
#[test]
fn the_redaction_of_the_base_applies() {
    let suite = SUITE.replace("prompt: q", "prompt: I am ana@shop.example");
    let answers = replies(&[("a", "good"), ("b", "good")]);
    let config = "redaction: { patterns: [email] }\n";
    let ran = base(&files(&[("scenarios/s.yaml", &suite), ("akit.yaml", config), ("r.jsonl", &answers)]));
    change(&ran, &files(&[("akit.yaml", "repeat: 1\n")]));
    let kept = |who: &str| {
        let ran = trusting(&ran, who, &["--replies", "r.jsonl"]).run().ended(0);
        ran.read("run.json").contains("ana@shop.example")
    };
    assert!(kept("head") && !kept("base"));
}

/// The base decides the calibration's numbers and not only its file name.
#[test]
fn the_calibration_is_read_at_the_base() {
    let server = super::calibrate::judge();
    let (sound, weak) = (measured(&server, 18), measured(&server, 12));
    let bound = format!(
        "grader:\n  model: judge\n  baseUrl: {}\n  calibration: {{ file: cal.json, min_kappa: 0.6 }}\n",
        server.url
    );
    let all = [
        ("scenarios/s.yaml", super::calibrate::SUITE),
        ("r.jsonl", super::calibrate::REPLIES),
        ("akit.yaml", bound.as_str()),
    ];
    let replied = ["--replies", "r.jsonl"];
    let ran = base(&[files(&all), files(&[("cal.json", &sound)])].concat());
    // Verdicts of an uncalibrated judge do not fail cases.
    change(&ran, &files(&[("cal.json", &weak)]));
    trusting(&ran, "head", &replied).run().ended(0);
    trusting(&ran, "base", &replied).run().ended(1);
    change(&ran, &files(&[("cal.json", "")]));
    trusting(&ran, "base", &replied).run().ended(1);
    // A calibration that only the change adds does not count either.
    let ran = base(&files(&all));
    change(&ran, &files(&[("cal.json", &sound)]));
    trusting(&ran, "base", &replied).run().ended(0).err("no calibration file `cal.json in the base");
}

/// A change accepts results in its own baseline file, and they are named.
#[test]
fn results_accepted_by_a_change_count_and_are_named() {
    let history = with_history();
    let config = "gate: { baseline: { from: good.json } }\n";
    let answers = replies(&[("a", "good"), ("b", "no")]);
    let ran = base(&files(&[
        ("scenarios/s.yaml", SUITE),
        ("akit.yaml", config),
        ("good.json", &history.read("good.json")),
        ("r.jsonl", &answers),
    ]));
    let replied = ["--replies", "r.jsonl"];
    trusting(&ran, "base", &replied).run().ended(5);
    let accept = ["baseline", "accept", "s/b", "--reason", "shorter answers", "--baseline", "good.json"];
    akit(&ran, &accept).args(&["--run", "run.json"]).run().ended(0);
    git(&ran, &["add", "good.json"]);
    trusting(&ran, "base", &replied).run().ended(0).out("baseline-accepted");
    trusting(&ran, "base", &["--replies", "r.jsonl", "--fail-on", "weakened"]).run().ended(1);
    // They are also named if the change compares with another file.
    change(&ran, &files(&[("akit.yaml", "gate: { min_pass_rate: 0 }\n")]));
    trusting(&ran, "base", &replied).run().ended(0).out("baseline-accepted");
}

/// A run behind a proxy, so that requests to made-up hosts arrive.
fn asking(ran: &Ran, proxy: &Server, who: &str, flags: &[&str]) -> Ran {
    trusting(ran, who, &["--retries", "0", "--cache", "off"])
        .args(flags)
        .env("HTTP_PROXY", proxy.url.trim_end_matches("/v1"))
        .env("OPENAI_API_KEY", "sk-env-key")
        .run()
}

const EVIL: &str = "http://evil.example/v1";

/// Ways for a change to redirect the key: its configuration, its trusted addresses, a scenario, its judge.
#[test]
fn keys_go_only_to_addresses_that_the_base_knows() {
    let head = "name: s\nprovider: openai\nmodel: m\n";
    let cases = "cases: [{ id: a, prompt: q, expected: { type: contains, values: [good] } }]\n";
    let judged = "cases: [{ id: a, prompt: q, expected: { type: llm_grader, rubric: Be kind. } }]\n";
    let suite = |more: &str, cases: &str| ("scenarios/s.yaml", format!("{head}{more}{cases}"));
    let named = format!("providerConfig: {{ baseUrl: \"{EVIL}\" }}\n");
    let at = |url: &str, more: &str| {
        ("akit.yaml", format!("providers: {{ openai: {{ baseUrl: \"{url}\"{more} }} }}\n"))
    };
    let home = "http://home.example/v1";
    let trusted = ", trustedOrigins: [\"http://evil.example\"]";
    let grader = |url: &str| format!("grader: {{ model: j, baseUrl: \"{url}\" }}\n");
    let rows: Vec<(&str, i32, Files, Files)> = vec![
        ("providers.baseUrl", 0, vec![suite("", cases), at(home, "")], vec![at(EVIL, "")]),
        (
            "trustedOrigins",
            2,
            vec![suite("", cases), at(home, "")],
            vec![at(home, trusted), suite(&named, cases)],
        ),
        ("scenario", 2, vec![suite("", cases), at(home, "")], vec![suite(&named, cases), at(EVIL, "")]),
        (
            "grader.baseUrl",
            4,
            vec![suite("", judged), ("akit.yaml", at(home, "").1 + &grader("http://judge.example/v1"))],
            vec![("akit.yaml", at(home, "").1 + &grader(EVIL))],
        ),
    ];
    for (what, status, before, after) in rows {
        let ran = base(&before);
        change(&ran, &after);
        let sent = |who: &str| {
            let proxy = saying("good");
            let ran = asking(&ran, &proxy, who, &[]);
            let to: Vec<_> = proxy.asked().into_iter().map(|asked| asked.path).collect();
            (ran.status, to.iter().any(|path| path.starts_with(EVIL)), ran)
        };
        let (found, is_sent, output) = sent("base");
        assert_eq!((found, is_sent), (status, false), "{what}: {}{}", output.stdout, output.stderr);
        if status == 2 {
            output.err("is not sent to http://evil.example").err("first");
        }
        assert!(sent("head").1, "{what}: under `head` the key must be sent");
    }
}

#[test]
fn a_hostname_made_of_a_variable_is_not_sent_to_a_scenarios_server() {
    let foreign = format!(
        "name: s\nproviderConfig: {{ baseUrl: \"{EVIL}\", apiKey: own }}\ncases: [{{ id: a, prompt: q, expected: \
         {{ type: contains, values: [good] }} }}]\n"
    );
    for named in [
        "model: \"${OPENAI_API_KEY}\"\n",
        "model: \"x-${ OPENAI_API_KEY }\"\n",
        "providers: { openai: { defaultModel: \"${OPENAI_API_KEY:-x}\" } }\n",
    ] {
        let ran = base(&[("scenarios/s.yaml", SUITE.to_owned())]);
        change(&ran, &[("scenarios/s.yaml", foreign.clone()), ("akit.yaml", named.to_owned())]);
        for who in ["base", "head"] {
            let proxy = saying("good");
            let output = asking(&ran, &proxy, who, &[]);
            assert!(proxy.asked().is_empty(), "{named} {who}: {}", output.stdout);
            assert!(!format!("{}{}", output.stdout, output.stderr).contains("sk-env-key"), "{named}");
            if who == "head" {
                output.ended(2).err("`OPENAI_API_KEY` is not sent to http://evil.example");
            }
        }
    }
}

#[test]
fn a_base_without_akit_yaml_means_the_defaults_and_the_vendors_own_addresses() {
    let suite = "name: s\nprovider: openai\nmodel: m\ncases: [{ id: a, prompt: q, expected: { type: contains, values: [good] } }]\n";
    let ran = base(&files(&[("scenarios/s.yaml", suite)]));
    let brings =
        format!("providers: {{ openai: {{ baseUrl: \"{EVIL}\" }} }}\ngate: {{ min_pass_rate: 0 }}\n");
    change(&ran, &files(&[("akit.yaml", &brings)]));
    let proxy = saying("no");
    // The vendor's own address, which the environment may override.
    let output = trusting(&ran, "base", &["--retries", "0", "--cache", "off"])
        .env("HTTP_PROXY", proxy.url.trim_end_matches("/v1"))
        .env("OPENAI_BASE_URL", "http://vendor.example/v1")
        .env("OPENAI_API_KEY", "sk-env-key")
        .run()
        .ended(1)
        .err("has no akit.yaml: akit's defaults apply, and keys go only to the vendors' own addresses");
    assert!(output.stderr.starts_with("warning: "), "the warning must come first: {}", output.stderr);
    let to: Vec<_> = proxy.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(to, ["http://vendor.example/v1/chat/completions"]);
}

#[test]
fn a_change_that_adds_akit_has_its_own_settings_but_no_address_of_its_own() {
    let suite = "name: s\nprovider: openai\nmodel: m\ncases: [{ id: a, prompt: q, expected: { type: contains, values: [good] } }]\n";
    let config = |url: &str| {
        format!("providers: {{ openai: {{ baseUrl: \"{url}\" }} }}\ngate: {{ min_pass_rate: 0.5 }}\n")
    };
    let new = || base(&files(&[("src/app.py", "print()")]));
    let bring = |url: &str, suite: &str| {
        let ran = new();
        change(&ran, &files(&[("scenarios/s.yaml", suite), ("akit.yaml", &config(url))]));
        ran
    };
    // Its settings apply: a local server is asked, and the pass rate is its own.
    let server = saying("good");
    let two = suite
        .replace("cases: [", "cases: [{ id: b, prompt: q, expected: { type: contains, values: [other] } }, ");
    trusting(&bring(&server.url, &two), "base", &[])
        .run()
        .ended(0)
        .err("has neither akit.yaml nor this suite: the change's own settings apply");
    let proxy = saying("good");
    let foreign = bring(EVIL, suite);
    asking(&foreign, &proxy, "base", &[])
        .ended(2)
        .err("nothing is sent to http://evil.example: only this change names it")
        .err("merge akit.yaml first")
        .err("`trust: head`");
    let named =
        suite.replace("model: m\n", &format!("model: m\nproviderConfig: {{ baseUrl: \"{EVIL}\" }}\n"));
    asking(&bring(EVIL, &named), &proxy, "base", &[]).ended(2).err("merge akit.yaml first");
    let judged = suite.replace("type: contains, values: [good]", "type: llm_grader, rubric: Be kind.");
    let ran = bring(&server.url, &judged);
    let grader = config(&server.url) + &format!("grader: {{ model: j, baseUrl: \"{EVIL}\" }}\n");
    change(&ran, &files(&[("akit.yaml", &grader)]));
    asking(&ran, &proxy, "base", &[]).ended(2).err("nothing is sent to http://evil.example");
    assert_eq!(proxy.asked().len(), 0);
    asking(&foreign, &proxy, "head", &[]).ended(0);
    asking(&foreign, &proxy, "base", &["--base-url", "http://flag.example/v1"]).ended(0);
    assert_eq!(proxy.asked().len(), 2);
    // A suite that was only moved is not new.
    let ran = base(&files(&[("evals/s.yaml", suite)]));
    change(&ran, &files(&[("evals/s.yaml", ""), ("scenarios/s.yaml", suite), ("akit.yaml", &config(EVIL))]));
    let moved = trusting(&ran, "base", &["--replay"]).run().err("has no akit.yaml: akit's defaults apply");
    assert!(!moved.stderr.contains("neither"), "{}", moved.stderr);
}

/// A configuration outside of the repository belongs to the pipeline that names it.
#[test]
fn a_configuration_from_outside_applies_unchanged() {
    let outside = tempfile::tempdir().unwrap();
    let path = outside.path().join("akit.yaml");
    std::fs::write(&path, "gate: { min_pass_rate: 0.5 }\n").unwrap();
    let answers = replies(&[("a", "good"), ("b", "no")]);
    let ran = base(&files(&[("scenarios/s.yaml", SUITE), ("r.jsonl", &answers)]));
    let named = ["--replies", "r.jsonl", "--config", path.to_str().unwrap()];
    trusting(&ran, "base", &named).run().ended(0);
}

/// A configuration that cannot be read at the base is an error and does not fall back to the defaults.
#[test]
fn a_missing_or_unreadable_base_is_an_error() {
    let answers = replies(&[("a", "good"), ("b", "good")]);
    let replied = ["--replies", "r.jsonl"];
    for (broken, output) in [("gate: [", "invalid YAML"), ("gate: { quarantine: gone.yaml }\n", "gone.yaml")]
    {
        let all = files(&[("scenarios/s.yaml", SUITE), ("akit.yaml", broken), ("r.jsonl", &answers)]);
        let ran = base(&all);
        change(&ran, &files(&[("akit.yaml", "repeat: 1\n")]));
        trusting(&ran, "base", &replied).run().ended(2).err(output).err("akit.yaml at ");
        trusting(&ran, "head", &replied).run().ended(0);
    }
    let ran = base(&files(&[("scenarios/s.yaml", SUITE), ("r.jsonl", &answers)]));
    change(&ran, &files(&[("akit.yaml", "repeat: 1\n")]));
    git(&ran, &["commit", "--quiet", "-m", "change"]);
    let folder = ran.path("").canonicalize().unwrap();
    let shallow = Akit::new(&["--version"]).run();
    git(&shallow, &["clone", "--quiet", "--depth", "1", &format!("file://{}", folder.display()), "clone"]);
    let clone = shallow.path("clone");
    let mut command =
        trusting(&shallow, "base", &replied).env("CI", "1").env("GITHUB_BASE_REF", "main").command();
    let output = command.current_dir(clone).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("fetch-depth: 0"), "{stderr}");
}
