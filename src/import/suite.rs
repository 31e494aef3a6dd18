//! A promptfoo configuration as a scenario.

use std::collections::BTreeSet;
use std::path::Path;

use super::case::{Test, choices, commented, one_line, write};
use super::document::{Excerpt, Folder, document};
use super::findings::{Findings, place};
use super::id::{slug, unique};
use super::prompt::{Prompt, has_ending};
use super::provider::Provider;
use super::talk;
use super::template::Variables;
use super::yaml::YamlItem;
use super::{ImportError, Imported, SCHEMA_LINE};
use crate::source::{Node, Span, Value, slashed};
use crate::text;

/// Keys of a configuration without a counterpart, and where to look.
const ELSEWHERE: [(&str, &str); 10] = [
    ("outputPath", "use `akit run --json`, `--junit` or `--html`"),
    ("evaluateOptions", "use the flags of `akit run`: `-c`, `--repeat`, `--timeout`"),
    ("commandLineOptions", "use the flags of `akit run`"),
    ("scenarios", "list the tests under `tests`"),
    ("redteam", "write the cases out; akit does not generate any"),
    ("env", "set the variables where akit runs"),
    ("nunjucksFilters", "add variables with the final values to the cases"),
    ("extensions", "remove it; akit does not run code"),
    ("passRateThreshold", "set `gate: { min_pass_rate: … }` in akit.yaml"),
    ("sharing", "remove it; akit does not share results"),
];

/// Reads a configuration and everything it names.
pub(super) fn import(path: &Path) -> Result<Imported, ImportError> {
    let config = document(path)?;
    if !matches!(config.node.value, Value::Map(_)) {
        return Err(ImportError::NoConfiguration(slashed(path)));
    }
    let mut suite = PromptfooSuite { folder: Folder::of(path), findings: Findings::default(), config };
    let (head, cases, left) = suite.text()?;
    let (assertions, mapped) = suite.findings.counts();
    let Some(cases) = cases else {
        return Err(ImportError::NoCase(slashed(path), suite.findings.into_diagnostics()));
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let counted = text::count(assertions, "assertion");
    let origin = commented(&one_line(&format!("From {name}; {mapped} of {counted} imported.")), "# ");
    let text = format!("{SCHEMA_LINE}\n{origin}{left}{head}\n{cases}");
    Ok(Imported { text, assertions, mapped, findings: suite.findings.into_diagnostics() })
}

/// The top-level keys of the scenario.
struct SuiteHead {
    /// What is omitted, as comments.
    left: String,
    /// Whether the provider's answers are changed before they are judged.
    transforms: bool,
}

/// Why a test with a simulated customer is not imported.
const SIMULATED: &str =
    "a model plays the customer; write the customer's messages as `turns:`, or a `customer:` with rules";

/// Whether a provider is a customer played by a model.
fn is_simulated(part: &Excerpt) -> bool {
    let id = part.node.as_str().or_else(|| part.node.get("id").and_then(Node::as_str));
    id.is_some_and(|id| id.starts_with("promptfoo:simulated-user"))
}

/// The tests of each conversation in order: those with the same `conversationId`, or without one.
fn conversations(tests: &[Test]) -> Vec<Vec<(&Test, &Variables)>> {
    let mut ids: Vec<Option<String>> = Vec::new();
    let mut all: Vec<Vec<(&Test, &Variables)>> = Vec::new();
    for test in tests {
        let id = test.part.node.get("metadata").and_then(|metadata| metadata.get("conversationId"));
        let id = id.map(|id| id.to_json().to_string());
        let turns = test.choices.iter().map(|variables| (test, variables));
        if let Some(at) = ids.iter().position(|known| *known == id) {
            all[at].extend(turns);
        } else {
            ids.push(id);
            all.push(turns.collect());
        }
    }
    all
}

struct PromptfooSuite {
    config: Excerpt,
    folder: Folder,
    findings: Findings,
}

/// Head, cases (empty if none is left), and what is omitted at the top level, each as text.
type Parts = (String, Option<String>, String);

impl PromptfooSuite {
    fn text(&mut self) -> Result<Parts, ImportError> {
        let mut left = self.keys();
        let default = self.default_test()?;
        let mut tests = self.tests(default.as_ref())?;
        let prompts = self.prompts();
        let (head, named) = self.head();
        left.push_str(&named.left);
        let listed = self.config.get("providers").or_else(|| self.config.get("targets"));
        let listed = listed.map(|part| part.items().unwrap_or_else(|| vec![part])).unwrap_or_default();
        if listed.iter().any(is_simulated) {
            for test in &mut tests {
                test.refused = Some(SIMULATED.to_owned());
            }
        }
        if named.transforms {
            for test in &mut tests {
                test.refused =
                    Some("`transform` of the provider changes its answer before it is judged".to_owned());
            }
        }
        let (mut cases, mut ids, mut alive) = ("cases:\n".to_owned(), BTreeSet::new(), false);
        for test in &tests {
            for (choice, variables) in test.choices.iter().enumerate() {
                for (at, prompt) in prompts.iter().enumerate().filter(|(_, prompt)| !prompt.continues) {
                    let mut id = test.id.clone();
                    if test.choices.len() > 1 {
                        id = format!("{id}-{}", choice + 1);
                    }
                    let tags =
                        if prompts.len() > 1 { vec![format!("prompt-{}", at + 1)] } else { Vec::new() };
                    if prompts.len() > 1 {
                        id = format!("{id}-prompt-{}", at + 1);
                    }
                    let id = unique(id, &mut ids);
                    let written =
                        write(test, (&id, &tags), variables, prompt, &self.folder, &mut self.findings);
                    alive |= written.lives;
                    cases.push_str(&written.lines);
                }
            }
        }
        for (at, prompt) in prompts.iter().enumerate().filter(|(_, prompt)| prompt.continues) {
            for turns in conversations(&tests) {
                let many = prompts.len() > 1;
                let tags = if many { vec![format!("prompt-{}", at + 1)] } else { Vec::new() };
                let id = turns.first().map_or_else(String::new, |(test, _)| test.id.clone());
                let id = if many { format!("{id}-prompt-{}", at + 1) } else { id };
                let id = unique(id, &mut ids);
                let written = talk::write(&turns, (&id, &tags), prompt, &self.folder, &mut self.findings);
                alive |= written.lives;
                cases.push_str(&written.lines);
            }
        }
        Ok((head, alive.then_some(cases), left))
    }

    /// Top-level keys without a counterpart, as comments.
    fn keys(&mut self) -> String {
        let known = [
            "description",
            "prompts",
            "providers",
            "targets",
            "tests",
            "defaultTest",
            "$schema",
            "assertionTemplates",
        ];
        let mut left = String::new();
        for (key, span, part) in self.config.entries() {
            if known.contains(&key.as_str()) || key.starts_with("x-") {
                continue;
            }
            let instead = ELSEWHERE.iter().find(|(name, _)| *name == key);
            let instead = instead.map_or("akit has no such key", |(_, instead)| *instead);
            left.push_str(&self.lost_key(&key, span, &part, instead));
        }
        left
    }

    fn lost_key(&mut self, key: &str, span: Span, part: &Excerpt, instead: &str) -> String {
        let key = text::excerpt(key, 60);
        self.findings.lost(part, span, format!("`{key}` was not imported"), instead);
        let place = format!("{}:{}:{}", part.file.shown(), span.line, span.column);
        commented(&one_line(&format!("{place}: `{key}` was not imported: {instead}")), "# ")
    }

    /// Description and provider.
    fn head(&mut self) -> (String, SuiteHead) {
        let mut entries = Vec::new();
        if let Some(description) = self.config.node.get("description").and_then(Node::as_str) {
            entries
                .push(("description".to_owned(), YamlItem::Text(crate::environment::literal(description))));
        }
        let listed = self.config.get("providers").or_else(|| self.config.get("targets"));
        let listed = listed.map(|part| part.items().unwrap_or_else(|| vec![part])).unwrap_or_default();
        let (mut left, mut first, mut transforms) = (String::new(), true, false);
        for part in &listed {
            let provider = Provider::of(part);
            let id = provider.as_ref().map_or("a provider", |one| one.id.as_str());
            let id = text::excerpt(id, 60);
            let instead = match provider.as_ref().map(|one| &one.named) {
                Some(Some(named)) if first => {
                    first = false;
                    entries.push(("provider".to_owned(), YamlItem::text(named.provider)));
                    entries.push((
                        "model".to_owned(),
                        YamlItem::Text(crate::environment::literal(&named.model)),
                    ));
                    entries.extend(provider.iter().flat_map(|one| one.settings.clone()));
                    for (key, span) in provider.iter().flat_map(|one| one.left.clone()) {
                        transforms |= key == "transform";
                        let instead = "see `providerConfig` in docs/scenario.md";
                        left.push_str(&self.lost_key(&key, span, part, instead));
                    }
                    continue;
                }
                Some(Some(named)) => format!(
                    "run it separately: `akit run FILE -p {} -m {}`",
                    named.provider,
                    text::excerpt(&named.model, 60)
                ),
                _ => "use `provider: http` (docs/bot.md), or judge its answers with `--replies`".to_owned(),
            };
            let span = part.node.span;
            self.findings.lost(part, span, format!("provider `{id}` was not imported"), &instead);
            let line = format!("{}: provider `{id}` was not imported: {instead}", place(part));
            left.push_str(&commented(&one_line(&line), "# "));
        }
        let head = if entries.is_empty() { String::new() } else { YamlItem::Map(entries).render() };
        (head, SuiteHead { left, transforms })
    }

    fn prompts(&mut self) -> Vec<Prompt> {
        let Some(part) = self.config.get("prompts") else {
            // Without prompts, promptfoo sends the variable of this name.
            let node = Node { value: Value::String("{{prompt}}".to_owned()), span: Span::default() };
            return Prompt::of(&self.config.with(node), &self.folder);
        };
        let listed = part.items().unwrap_or_else(|| vec![part]);
        for part in &listed {
            for (key, span, _) in part.entries() {
                if !["raw", "id", "label", "display", "description"].contains(&key.as_str()) {
                    let message = format!("`{}` of a prompt was not imported", text::excerpt(&key, 40));
                    self.findings.lost(part, span, message, "see the keys of a case in docs/scenario.md");
                }
            }
        }
        listed.iter().flat_map(|part| Prompt::of(part, &self.folder)).collect()
    }

    fn default_test(&self) -> Result<Option<Excerpt>, ImportError> {
        match self.config.get("defaultTest") {
            Some(part) => match part.node.as_str() {
                Some(name) => self.folder.document(name).map(Some),
                None => Ok(Some(part)),
            },
            None => Ok(None),
        }
    }

    fn tests(&mut self, default: Option<&Excerpt>) -> Result<Vec<Test>, ImportError> {
        let mut parts = Vec::new();
        match self.config.get("tests") {
            // promptfoo sends the prompts once if there is neither.
            None if self.config.get("scenarios").is_some() => {}
            None => parts
                .push(self.config.with(Node { value: Value::Map(Vec::new()), span: self.config.node.span })),
            Some(listed) => self.gather(&listed, &mut parts)?,
        }
        Ok(parts.iter().enumerate().map(|(index, part)| self.test(index, part, default)).collect())
    }

    /// Collects the tests of a list and of the files that it names.
    fn gather(&mut self, part: &Excerpt, tests: &mut Vec<Excerpt>) -> Result<(), ImportError> {
        match (part.items(), part.node.as_str()) {
            (Some(items), _) => items.iter().try_for_each(|item| match item.node.value {
                Value::Map(_) if item.node.get("path").is_none() => {
                    tests.push(self.resolved(item));
                    Ok(())
                }
                _ => self.gather(item, tests),
            }),
            (None, Some(name))
                if [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
                    && !name.contains('*') =>
            {
                let file = self.folder.document(name)?;
                match file.items() {
                    Some(items) => tests.extend(items.iter().map(|item| self.resolved(item))),
                    None => tests.push(file),
                }
                Ok(())
            }
            (None, Some(name)) if has_ending(name, "jsonl") && !name.contains('*') => {
                let lines = self.folder.lines(name)?;
                tests.extend(lines.iter().map(|line| self.resolved(line)));
                Ok(())
            }
            _ => {
                let name = text::excerpt(part.node.as_str().unwrap_or("an entry"), 80);
                let message = format!("tests of `{name}` were not imported");
                self.findings.lost(
                    part,
                    part.node.span,
                    message,
                    "write them as a list in a YAML or JSON file, or as JSONL",
                );
                Ok(())
            }
        }
    }

    /// The part itself, or the target of its `$ref: '#/a/b'` with its own keys on top.
    fn resolved(&self, part: &Excerpt) -> Excerpt {
        let Some(path) =
            part.node.get("$ref").and_then(Node::as_str).and_then(|name| name.strip_prefix("#/"))
        else {
            return part.clone();
        };
        let mut found = Some(self.config.clone());
        for key in path.split('/') {
            found = found.and_then(|part| part.get(key));
        }
        let (Some(found), Value::Map(own)) = (found, &part.node.value) else { return part.clone() };
        let Value::Map(mut entries) = found.node.value else { return part.clone() };
        for (key, value) in own.iter().filter(|(key, _)| key.as_str() != Some("$ref")) {
            entries.retain(|(known, _)| known.value != key.value);
            entries.push((key.clone(), value.clone()));
        }
        part.with(Node { value: Value::Map(entries), span: part.node.span })
    }

    fn test(&mut self, index: usize, part: &Excerpt, default: Option<&Excerpt>) -> Test {
        let name = part.node.get("description").and_then(Node::as_str).map(str::to_owned);
        let id = name
            .as_deref()
            .map(slug)
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| format!("case-{}", index + 1));
        let mut test = Test {
            part: part.clone(),
            id,
            name,
            metadata: None,
            choices: Vec::new(),
            assertions: Vec::new(),
            around: (String::new(), String::new()),
            threshold: None,
            refused: None,
        };
        let mut options = Options::default();
        let mut vars: Vec<(String, Excerpt)> = Vec::new();
        for source in default.into_iter().chain([part]) {
            let own = std::ptr::eq(source, part);
            for (key, span, value) in source.entries() {
                match key.as_str() {
                    "vars" => self.vars(&value, &mut vars, &mut test),
                    "assert" if own || !Self::without_default(part) => {
                        if let Some(listed) = value.items() {
                            test.assertions.extend(listed.iter().map(|item| self.resolved(item)));
                        } else {
                            let message = "`assert` of a test was not imported: it is not a list".to_owned();
                            self.findings.lost(source, span, message, "make it a list of assertions");
                        }
                    }
                    "assert" | "description" => {}
                    "options" => self.options(&value, &mut options, &mut test),
                    "metadata" if matches!(value.node.value, Value::Map(_)) => {
                        let item = YamlItem::of(&value.node).map_texts(&mut crate::environment::literal);
                        test.metadata = Some(item);
                    }
                    "threshold" => {
                        test.threshold = value.number();
                        let message =
                            "`threshold` of a test: akit requires all assertions of the test, not a share";
                        self.findings.differs(source, span, message.to_owned());
                    }
                    "provider" if is_simulated(&value) => test.refused = Some(SIMULATED.to_owned()),
                    key => {
                        let message = format!("`{}` of a test was not imported", text::excerpt(key, 40));
                        self.findings.lost(source, span, message, "akit has no such key");
                    }
                }
            }
        }
        test.choices = choices(&vars, !options.whole);
        test
    }

    fn without_default(part: &Excerpt) -> bool {
        let option = part.node.get("options").and_then(|options| options.get("disableDefaultAsserts"));
        option.is_some_and(|value| value.value == Value::Bool(true))
    }

    /// Adds variables; a later value overrides an earlier one.
    fn vars(&mut self, part: &Excerpt, vars: &mut Vec<(String, Excerpt)>, test: &mut Test) {
        let whole = match part.node.as_str().map(|name| self.folder.document(name)) {
            Some(Ok(file)) => file,
            Some(Err(error)) => {
                test.refused = Some(error.to_string());
                return;
            }
            None => part.clone(),
        };
        if !matches!(whole.node.value, Value::Map(_) | Value::Null) {
            test.refused = Some("its `vars` is not a mapping".to_owned());
        }
        for (name, _, value) in whole.entries() {
            let value = match self.filled(&value.node) {
                Ok(node) => value.with(node),
                Err(why) => {
                    test.refused = Some(why);
                    value
                }
            };
            match vars.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = value,
                None => vars.push((name, value)),
            }
        }
    }

    /// A value, or each of several, with the text of the file it names.
    fn filled(&self, node: &Node) -> Result<Node, String> {
        let value = match &node.value {
            Value::String(name) if name.starts_with("file://") => Value::String(self.file(name)?),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.filled(item)).collect::<Result<_, _>>()?)
            }
            _ => return Ok(node.clone()),
        };
        Ok(Node { value, span: node.span })
    }

    /// The text of the file that a variable names.
    fn file(&self, name: &str) -> Result<String, String> {
        let shown = text::excerpt(name, 80);
        if name.contains('*')
            || [".js", ".mjs", ".cjs", ".ts", ".py", ".pdf"].iter().any(|end| name.ends_with(end))
        {
            return Err(format!("a variable comes from `{shown}`, which akit does not read"));
        }
        if [".yaml", ".yml"].iter().any(|end| name.ends_with(end)) {
            let file = self.folder.document(name).map_err(|error| error.to_string())?;
            return Ok(file.node.to_json().to_string());
        }
        let text = self.folder.text(name).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        Ok(text.trim().to_owned())
    }

    fn options(&mut self, part: &Excerpt, options: &mut Options, test: &mut Test) {
        for (key, span, value) in part.entries() {
            let written = || value.node.as_str().unwrap_or_default().to_owned();
            match key.as_str() {
                "prefix" => test.around.0 = written(),
                "suffix" => test.around.1 = written(),
                "disableVarExpansion" => options.whole = value.node.value == Value::Bool(true),
                "disableDefaultAsserts" => {}
                "transform" | "postprocess" => {
                    test.refused = Some(format!("`{key}` changes its answer before it is judged"));
                }
                "transformVars" => {
                    test.refused =
                        Some("`transformVars` changes its variables before they are used".to_owned());
                }
                "provider" | "rubricPrompt" => {
                    let message = format!("`options.{key}` was not imported");
                    let instead = "set the judge under `grader:` in akit.yaml, or with `--grader-model`";
                    self.findings.lost(part, span, message, instead);
                }
                key => {
                    let message = format!("`options.{}` was not imported", text::excerpt(key, 40));
                    self.findings.lost(part, span, message, "akit has no such key");
                }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Options {
    /// Whether lists are values, not choices.
    whole: bool,
}
