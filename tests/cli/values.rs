//! Values of flags: an error is in akit's own words, with the allowed values and an example.

use super::Akit;

/// Kinds of values, as named in the help, that do not accept every text.
const TYPED: [&str; 13] = [
    "<N>",
    "<N%>",
    "<TIME>",
    "<SHARE>",
    "<USD>",
    "<DROP>",
    "<MODE>",
    "<WHAT>",
    "<PROFILE>",
    "<FORMAT>",
    "<GLOB>",
    "<KEY>",
    "<PLACE>",
];

/// Texts that are invalid or unusual values of a kind.
fn invalid(kind: &str) -> &'static [&'static str] {
    match kind {
        "<GLOB>" => &["[a", "{a", "}a", "a\\", "[b-a]"],
        "<PLACE>" => &["git:x", "git:-x:y", "git-ref:a..b", ""],
        "<KEY>" => &["a b", "--", ""],
        _ => &["abc d", "-1", "nan", "inf", "1e999", "99999999999999999999999999", "1.5.5"],
    }
}

/// Words of parsers.
const MACHINE: [&str; 16] = [
    "invalid value",
    "invalid digit",
    "number too large",
    "invalid float",
    "parse error",
    "error parsing",
    "u16",
    "u32",
    "u64",
    "f64",
    "possible values",
    "is not in ",
    "ParseInt",
    "character class",
    "alternate group",
    "dangling",
];

/// The flags of a command with a value of a checked kind.
fn typed(command: &[&str]) -> Vec<(String, String)> {
    let help = Akit::new(command).arg("--help").env("COLUMNS", "100").run().ended(0).stdout;
    let flags = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    let named = flags.filter_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| !word.starts_with("--"));
        Some((words.next()?.to_owned(), words.next()?.trim_end_matches("...").to_owned()))
    });
    named.filter(|(_, kind)| TYPED.contains(&kind.as_str())).collect()
}

#[test]
fn no_error_uses_the_words_of_a_parser() {
    let commands: [(&[&str], &[&str]); 10] = [
        (&["run"], &["s.yaml", "--replies", "r.jsonl"]),
        (&["gate"], &["run.json"]),
        (&["plan"], &["s.yaml"]),
        (&["prompts"], &["s.yaml"]),
        (&["regrade"], &["run.json", "run.json"]),
        (&["comment"], &["run.json"]),
        (&["report"], &["run.json"]),
        (&["validate"], &["s.yaml"]),
        (&["calibrate"], &["l.jsonl"]),
        (&["doctor"], &["s.yaml"]),
    ];
    let place = Akit::new(&["run", "s.yaml", "--replies", "r.jsonl", "--json", "run.json"])
        .file("s.yaml", super::replies::suite(&["a"]))
        .file("r.jsonl", super::replies::replies(&[("a", "a")]))
        .run()
        .ended(0);
    let mut reported = 0;
    for (command, arguments) in commands {
        let flags = typed(command);
        assert!(!flags.is_empty(), "{command:?}");
        for (flag, kind) in flags {
            let comments = flag.starts_with("--comment") || (flag == "--pull" && command == ["run"]);
            for invalid in invalid(&kind) {
                let given = format!("{flag}={invalid}");
                let more: &[&str] = if comments { &["--comment"] } else { &[] };
                let ran = place.then(command).args(arguments).args(more).arg(&given).run();
                for words in MACHINE {
                    assert!(!ran.stderr.contains(words), "{command:?} {given}: {words}: {}", ran.stderr);
                }
                // There is no upper limit for money and time.
                if ran.stderr.contains(&format!("error: {flag}: ")) {
                    reported += 1;
                    assert_eq!(ran.status, 2, "{command:?} {given}");
                    let helps = ["for example `", "write it as ", "is not one of `"];
                    assert!(
                        helps.iter().any(|help| ran.stderr.contains(help)),
                        "{command:?} {given} has no example: {}",
                        ran.stderr
                    );
                }
            }
        }
    }
    assert!(reported > 300, "{reported}");
}

#[test]
fn an_invalid_value_is_reported_with_its_flag_the_allowed_values_and_an_example() {
    let table: [(&[&str], &str); 12] = [
        (
            &["run", "-c", "abc"],
            "error: --concurrency: `abc` is not a whole number from 1 to 65,535; for example `4`",
        ),
        (&["run", "-c", "0"], "`0` is not a whole number from 1 to 65,535"),
        (
            &["run", "--seed", "x"],
            "error: --seed: `x` is not a whole number from 0 to 18,446,744,073,709,551,615; for example `7`",
        ),
        (&["run", "--seed", "-3"], "`-3` is not a whole number"),
        (&["run", "--repeat", "1001"], "`1001` is not a whole number from 1 to 1,000"),
        (&["run", "--filter", "[a", "s.yaml"], "error: --filter: invalid glob `[a`: `[` without `]`"),
        (
            &["run", "--timeout", "5 parsecs"],
            "error: --timeout: `5 parsecs` is not a duration above 0; write milliseconds, or add `ms`, `s` or `m`; for example `30s`",
        ),
        (&["run", "--patience", "never"], "`never` is not a duration"),
        (
            &["run", "--budget", "NaN"],
            "error: --budget: `NaN` is not an amount in US dollars; for example `2.50`",
        ),
        (
            &["run", "--min-pass-rate", "95"],
            "error: --min-pass-rate: `95` is not a share from 0 to 1; for example `0.95`",
        ),
        (
            &["calibrate", "--votes", "2", "l"],
            "error: --votes: `2` is not an odd number from 1 to 99; for example `3`",
        ),
        (
            &["run", "--cache", "replya"],
            "error: --cache: `replya` is not one of `auto`, `record`, `refresh`, `replay`, `off`\nhelp: did you mean `replay`?",
        ),
    ];
    for (arguments, expected) in table {
        let ran = Akit::new(arguments).file("s.yaml", super::replies::suite(&["a"])).run();
        assert!(ran.stderr.contains(expected), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.status, 2);
    }
}
