//! A small project in which the commands of the documentation run: scenarios, stored runs, a baseline, a git
//! repository
//! with a remote, a server that answers and judges, and a forge.
//!
//! | path | contents |
//! |---|---|
//! | `scenarios/`, `more/extra.yml`, `suite.yaml`, `fixtures/` | scenarios; they pass |
//! | `akit.yaml` | points the providers and the judge to 127.0.0.1; sets the application's version |
//! | `akit-baseline.json` | a baseline of several runs, committed on `main` |
//! | `run.json`, `base.json`, `head.json`, `old-run.json`, `new-run.json`, `nightly.json`, `runs/` | stored runs |
//! | `answers.jsonl`, `labels.jsonl` | an application's answers, labeled by people |
//! | `promptfooconfig.yaml` | a suite to import |
//! | branch `change` | one commit ahead of `main`; pushed to `origin` |
//! | `curl` | serves a release's archives, nothing else |
//! | `buildkite-agent` | consumes its input |

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::json;

use super::forge::Forge;
use super::root;
use super::server::{Answer, Asked, Server};

/// An answer that passes the scenarios and that the judge accepts.
const GOOD: &str = "I block your card now, and connect you with a specialist of the fraud team: 0800 555 0199. \
                    A refund takes up to 14 days.";

const SUPPORT: &str = "name: support
provider: openai
model: gpt-4o-mini
cases:
  - id: stolen-card
    prompt: Somebody stole my card.
    tags: [fraud]
    expected:
      type: combined
      operator: and
      expectations:
        - { type: contains, values: [block] }
        - { type: llm_grader, rubric: Blocks the card at once and offers a person. }
  - id: double-charge
    prompt: I was charged twice.
    tags: [dispute]
    expected: { type: contains, values: [specialist] }
  - id: long-story
    prompt: It all began in May.
    tags: [slow]
    expected: { type: not_contains, values: [wait] }
";

/// Replaces the real one: serves a release archive whose program calls the one under test.
const CURL: &str = r#"#!/bin/sh
for address; do
  case $address in
    https://github.com/OWNER/akit/releases/download/v0.1.0/akit-0.1.0-x86_64-unknown-linux-musl.tar.gz*) ;;
    -*) continue ;;
    *) echo "curl: nothing at $address" >&2; exit 22 ;;
  esac
  archive=akit-0.1.0-x86_64-unknown-linux-musl
  mkdir -p "$archive"
  printf '#!/bin/sh
exec AKIT "$@"
' > "$archive/akit"
  chmod +x "$archive/akit"
  tar -czf "$archive.tar.gz" "$archive"
  sha256sum "$archive.tar.gz" > "$archive.tar.gz.sha256"
  rm -r "$archive"
done
"#;

/// The project, built once.
pub(crate) struct Template {
    folder: tempfile::TempDir,
    server: Server,
    forge: Forge,
}

/// A copy of the project for one page.
pub(crate) struct World {
    folder: tempfile::TempDir,
    forge: String,
    server: String,
}

fn answer(asked: &Asked) -> Answer {
    if asked.path == "/chat" {
        let said = json!({ "messages": [{ "text": GOOD }] });
        return Answer::Raw(200, Vec::new(), said.to_string().into_bytes());
    }
    let judging = asked.body["response_format"].is_object();
    let good = asked.body["messages"].to_string().contains("a specialist of the fraud team");
    let verdict = || json!({ "reasoning": "seen", "score": if good { 10 } else { 0 } }).to_string();
    Answer::Text(if judging { verdict() } else { GOOD.to_owned() })
}

impl Template {
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(answer);
        let project = folder.path().join("project");
        let write = |name: &str, text: &str| write(&project, name, text);
        write("scenarios/support.yaml", SUPPORT);
        let refund = |name: &str, id: &str| {
            format!(
                "name: {name}\nprovider: openai\nmodel: gpt-4o-mini\ncases:\n  - id: {id}\n    prompt: {id}?\n    \
                 expected: {{ type: regex, pattern: '14 days' }}\n"
            )
        };
        write("scenarios/refunds.yaml", &refund("refunds", "late-return"));
        write("scenarios/money/refund-days.yaml", &refund("refund-days", "days"));
        write("more/extra.yml", &refund("extra", "gift"));
        write("suite.yaml", &SUPPORT.replace("name: support", "name: customer-service"));
        let of = |name: &str| format!("  {name}: {{ baseUrl: '{}', apiKey: secret }}\n", server.url);
        write(
            "akit.yaml",
            &format!(
                "provider: openai\nmodel: gpt-4o-mini\ntarget: {{ version: '1' }}\nproviders:\n{}{}grader:\n  model: gpt-4o\n  baseUrl: {}\n",
                of("openai"),
                of("ollama"),
                server.url
            ),
        );
        write(".gitignore", ".akit/\nruns/\n/*.json\n!/akit-baseline.json\n");
        let cases = ["stolen-card", "double-charge", "long-story", "late-return", "days"];
        let replies = cases.map(|id| json!({ "id": id, "reply": GOOD, "finish_reason": "stop" }).to_string());
        write("answers.jsonl", &replies.join("\n"));
        let label = |answer: &str, label: &str| {
            json!({ "input": "Stolen!", "answer": answer, "rubric": "Offers a person.", "label": label })
                .to_string()
        };
        write("labels.jsonl", &[label(GOOD, "pass"), label("Have you read our FAQ?", "fail")].join("\n"));
        write(
            "promptfooconfig.yaml",
            "prompts: ['Answer {{question}}']\nproviders: [openai:gpt-4o-mini]\ntests:\n  - vars: { question: 'Refund?' }\n    \
             assert: [{ type: icontains, value: refund }]\n",
        );
        copy(&root().join("fixtures"), &project.join("fixtures"));

        let bin = folder.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_akit"), bin.join("akit")).unwrap();
        program(&bin.join("curl"), &CURL.replace("AKIT", env!("CARGO_BIN_EXE_akit")));
        program(&bin.join("buildkite-agent"), "#!/bin/sh\ncat > /dev/null\n");
        std::fs::create_dir_all(folder.path().join("home")).unwrap();
        let run = |command: &str| {
            let output = shell(folder.path(), command, &[]);
            assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        run("akit run scenarios/ --json base.json --quiet && akit run scenarios/ --json run.json --quiet");
        run(
            "for name in head old-run new-run nightly runs/2; do mkdir -p runs && cp run.json $name.json; done",
        );
        run("cp base.json runs/1.json");
        for stored in ["base", "run"] {
            run(&format!("akit baseline update {stored}.json --baseline akit-baseline.json"));
        }
        run("git init --quiet --bare ../origin.git && git init --quiet --initial-branch main");
        run("git add . && git commit --quiet --message begin && git remote add origin ../origin.git");
        run("git push --quiet origin main && git checkout --quiet -b change");
        run(
            "echo >> more/extra.yml && git commit --quiet --all --message change && git push --quiet origin change",
        );
        let forge = Forge::start(&run("git rev-parse HEAD"));
        // A stored run of the newest commit.
        run("JENKINS_URL=x GIT_COMMIT=$(git rev-parse HEAD) akit run scenarios/ --json run.json --quiet");
        Self { folder, server, forge }
    }
}

impl World {
    /// A copy of the template.
    pub(crate) fn of(template: &Template) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(template.folder.path(), folder.path());
        let head = shell(folder.path(), "git rev-parse HEAD", &[]);
        let event = json!({ "pull_request": { "number": 7, "head": {
            "sha": String::from_utf8(head.stdout).unwrap().trim(), "repo": { "full_name": "acme/shop" } } } });
        std::fs::write(folder.path().join("event.json"), event.to_string()).unwrap();
        Self { folder, forge: template.forge.github(), server: template.server.host().to_owned() }
    }

    /// Writes an executable file into the project.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = write(&self.folder.path().join("project"), name, text);
        program(&path, text);
    }

    /// Runs a command in the project with a pipeline's variables.
    pub(crate) fn run(&self, command: &str, site: &str) -> Output {
        let command = command.replace("cargo run -- ", "akit ").replace("127.0.0.1:8080", &self.server);
        let head = shell(self.folder.path(), "git rev-parse HEAD", &[]);
        let head = String::from_utf8(head.stdout).unwrap().trim().to_owned();
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let (event, summary, output) = (at("event.json"), at("summary.md"), at("output.txt"));
        let forge = [("GITHUB_API_URL", self.forge.as_str()), ("GITHUB_TOKEN", "ghs_own-token")];
        let own: &[(&str, &str)] = match site {
            "" => return shell(self.folder.path(), &command, &[]),
            "github" => &[
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_EVENT_NAME", "pull_request"),
                ("GITHUB_EVENT_PATH", &event),
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_BASE_REF", "main"),
                ("GITHUB_SHA", &head),
                ("GITHUB_RUN_ID", "12"),
                ("GITHUB_STEP_SUMMARY", &summary),
                ("GITHUB_OUTPUT", &output),
            ],
            "gitlab" => &[("GITLAB_CI", "true"), ("CI_COMMIT_SHA", &head), ("CI_PIPELINE_ID", "12")],
            "jenkins" => &[
                ("JENKINS_URL", "https://jenkins.acme.test/"),
                ("CHANGE_URL", "https://github.com/acme/shop/pull/7"),
                ("CHANGE_TARGET", "main"),
                ("GIT_COMMIT", &head),
                ("BUILD_NUMBER", "12"),
            ],
            "buildkite" => &[
                ("BUILDKITE", "true"),
                ("BUILDKITE_PULL_REQUEST", "7"),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
                ("BUILDKITE_REPO", "git@github.com:acme/shop.git"),
                ("BUILDKITE_COMMIT", &head),
                ("BUILDKITE_BUILD_NUMBER", "12"),
                ("BUILDKITE_RETRY_COUNT", "0"),
            ],
            "circleci" => &[
                ("CIRCLECI", "true"),
                ("CIRCLE_PULL_REQUEST", "https://github.com/acme/shop/pull/7"),
                ("CIRCLE_SHA1", &head),
                ("CIRCLE_BUILD_NUM", "12"),
            ],
            "azure" => &[
                ("TF_BUILD", "True"),
                ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "7"),
                ("SYSTEM_PULLREQUEST_SOURCECOMMITID", &head),
                ("BUILD_REPOSITORY_PROVIDER", "GitHub"),
                ("BUILD_REPOSITORY_NAME", "acme/shop"),
                ("BUILD_BUILDID", "12"),
                ("SYSTEM_JOBATTEMPT", "1"),
            ],
            other => panic!("unknown pipeline: {other}"),
        };
        shell(self.folder.path(), &command, &[own, &forge].concat())
    }
}

/// Runs a command in a project folder; of the test's own environment, only `PATH` is passed on.
fn shell(folder: &Path, command: &str, variables: &[(&str, &str)]) -> Output {
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-e", "-c", command])
        .current_dir(folder.join("project"))
        .env_clear()
        .env("PATH", format!("{}:{path}", folder.join("bin").display()))
        .env("HOME", folder.join("home"))
        .env("OPENAI_API_KEY", "secret")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|name| (name, "Ada")))
        .envs(["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|name| (name, "ada@acme.test")))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Writes an executable file.
fn program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn write(project: &Path, name: &str, text: &str) -> PathBuf {
    let path = project.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// Copies a folder recursively; links stay links.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else if kind.is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
