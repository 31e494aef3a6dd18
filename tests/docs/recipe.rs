//! The shell scripts of a pipeline file; each runs in one shell.
//!
//! Files are read as text rather than as YAML, so that pages can show them as people write them. Supported keys are
//! `script`, `command`, `run`, `bash` and `commands`, each followed by text, a block (`|`) or a list.

const KEYS: &[&str] = &["script:", "command:", "commands:", "run:", "bash:"];

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The scripts of a YAML file.
pub(crate) fn yaml(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut scripts = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let item = line.trim_start().trim_start_matches("- ");
        let Some(value) = KEYS.iter().find_map(|key| item.strip_prefix(key)) else { continue };
        let value = value.trim();
        let column = line.len() - item.len();
        let below = || {
            let rest = lines[index + 1..].iter();
            rest.take_while(move |line| line.trim().is_empty() || indent(line) > column).copied()
        };
        let script: Vec<&str> = if value == "|" {
            let first = below().find(|line| !line.trim().is_empty()).map_or(0, indent);
            below().map(|line| line.get(first..).unwrap_or_default()).collect()
        } else if value.is_empty() {
            below().filter_map(|line| line.trim_start().strip_prefix("- ")).map(plain).collect()
        } else {
            vec![plain(value)]
        };
        if !script.is_empty() {
            // Buildkite expands variables itself, except those with a double `$`.
            scripts.push(script.join("\n").trim_end().replace("$$", "$"));
        }
    }
    scripts
}

/// A scalar without its quotes.
fn plain(value: &str) -> &str {
    let quoted = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

/// The scripts of a Jenkinsfile: `sh '…'` and `sh '''…'''`, also as `script: '…'`.
pub(crate) fn groovy(text: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut rest = text;
    while let Some(at) = ["sh ", "sh("].iter().filter_map(|step| rest.find(step)).min() {
        let after = rest[at + 3..].trim_start().trim_start_matches("script: ");
        let quote = ["'''", "'"].into_iter().find(|quote| after.starts_with(quote));
        let found = quote.and_then(|quote| after[quote.len()..].split_once(quote));
        rest = found.map_or(after, |(_, next)| next);
        scripts.extend(found.map(|(script, _)| script.trim().to_owned()));
    }
    scripts
}

#[test]
fn scripts_of_pipelines_are_found() {
    let file = "steps:\n  - run:\n      name: x\n      command: |\n        one \\\n          two\n\n        three\n  \
                - script: four\n    env: { A: b }\n  - commands:\n      - five $$A\n      - \"six\"\n";
    assert_eq!(yaml(file), ["one \\\n  two\n\nthree", "four", "five $A\nsix"]);
    let file =
        "steps { sh 'one'\n  script { code = sh(script: 'two', returnStatus: true) }\n sh '''\n  three\n'''}";
    assert_eq!(groovy(file), ["one", "two", "three"]);
}
