#!/usr/bin/env python3
"""Runs the scripts of the action and of the release with malicious inputs, and on simulated Windows and macOS.

    inputs.py AKIT OUT

No runner is needed: a script gets variables, and produces outputs, a log and an exit code.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ONE = "name: one\nprovider: openai\nmodel: m\ncases:\n  - { id: one, prompt: x, expected: { type: contains, values: ['yes'] } }\n"
OUTSIDE = "GITHUB_", "CI", "INPUT_", "AKIT_"


class Machine:
    """A workspace, a temporary folder, and a copy of the action."""

    def __init__(self, akit, out):
        self.akit, self.out = akit, out
        self.workspace = out / "workspace"
        shutil.rmtree(out, ignore_errors=True)
        self.workspace.mkdir(parents=True)
        shutil.copytree(ROOT / "fixtures", self.workspace / "fixtures")

    def run(self, script, folder, status, variables):
        """The outputs as a later step sees them, and the log."""
        output, summary = self.out / "output", self.out / "summary"
        output.write_text("")
        summary.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
        done = subprocess.run(
            ["bash", str(ROOT / ".github/action" / script)], cwd=folder, capture_output=True, text=True, timeout=120,
            env={**kept, "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true",
                 "GITHUB_WORKSPACE": str(self.workspace), "GITHUB_ACTOR": "ada", **variables})
        log = done.stdout + done.stderr
        assert done.returncode == status, f"{script} {variables}: exit {done.returncode}\n{log}"
        # A workflow command is a line that starts with two colons; these scripts print some of their own.
        for line in log.splitlines():
            assert not line.startswith("::") or line.startswith(("::error ", "::warning ", "::notice ", "::group", "::endgroup")), line
        found, lines = {}, iter(output.read_text().splitlines())
        for line in lines:
            if "<<" in line and "=" not in line:
                name, end = line.split("<<")
                found[name] = "\n".join(iter(lambda: next(lines), end))
            else:
                name, found[name] = line.split("=", 1)
        return found, log

    def evaluate(self, env=(), **inputs):
        words = {"SCENARIOS": "fixtures/customer-service.yaml", "SHARE_CACHE": "false", "WITHOUT_KEY": "replay",
                 "WORKING_DIRECTORY": ".", "REPORTS": "akit-reports", **inputs}
        names = re.findall(r"^ +INPUT_(\w+):", (ROOT / "action.yml").read_text(), re.MULTILINE)
        assert set(words) <= set(names), words
        given = {f"INPUT_{name}": words.get(name, "") for name in names}
        return self.run("evaluate.sh", self.workspace, 0, {"AKIT_PROGRAM": self.akit, "FROM_FORK": "", **given, **dict(env)})

    def install(self, status=0, folder=None, env=(), **inputs):
        given = {f"INPUT_{name}": inputs.get(name, "") for name in ("BINARY", "BUILD", "VERSION", "DOWNLOAD_FROM")}
        temporary = self.out / "temporary"
        temporary.mkdir(exist_ok=True)
        fixed = {"ACTION_PATH": str(self.out / "action"), "ACTION_REF": "", "ACTION_REPOSITORY": "", "RUNNER_OS": "Linux",
                 "RUNNER_ARCH": "X64", "RUNNER_TEMP": str(temporary), "GITHUB_SERVER_URL": "https://127.0.0.1:1",
                 "GITHUB_REPOSITORY": "acme/shop"}
        return self.run("install.sh", folder or self.workspace, status, {**fixed, **given, **dict(env)})

    def release(self, name, members):
        """An archive with these members, whose checksum is in the copy of the action."""
        mirror = self.out / "mirror"
        mirror.mkdir(exist_ok=True)
        with tarfile.open(mirror / name, "w:gz") as archive:
            for member, path in members.items():
                archive.add(path, member)
        sums = self.out / "action/.github/release/checksums.txt"
        with sums.open("a") as file:
            file.write(f"{hashlib.sha256((mirror / name).read_bytes()).hexdigest()}  {name}\n")
        return f"file://{mirror}"


def words(machine):
    """Invalid values are errors before anything is evaluated, and no value becomes an output or a command."""
    for inputs in ({"STRICT": "yes"}, {"SHARE_CACHE": "no"}, {"UPLOAD_SARIF": "1"}, {"UPLOAD_ARTIFACT": "on"},
                   {"WITHOUT_KEY": "pass"}, {"COMMAND": "baseline"}, {"COMMAND": "run\n::add-mask::x"}, {"COMMAND": "stress", "REPLAY": "true"}, {"WORKING_DIRECTORY": "nowhere"}, {"WORKING_DIRECTORY": "-"},
                   {"STRICT": "x\n::add-mask::y%0A::z"}, {"REPORTS": "out\nverdict=pass\n"},
                   {"WORKING_DIRECTORY": "out\nverdict=pass"}):
        found, log = machine.evaluate(**inputs)
        assert found == {"verdict": "error", "exit-code": "2"}, (inputs, found)
        assert "::error title=akit::" in log and "RESULT" not in log, (inputs, log)
    for inputs in ({"PROVIDER": "$(touch pwned)"}, {"ARGS": "--quiet; touch pwned\n`touch pwned`"},
                   {"SCENARIOS": "--help"}, {"SCENARIOS": "-q"}, {"REPLIES": "--help"}, {"TAGS": "x\nverdict=pass"}, {"DEADLINE": "' ; touch pwned"}):
        found, _ = machine.evaluate(**inputs)
        assert (found["verdict"], found["exit-code"]) != ("pass", "0"), (inputs, found)
        assert not list(machine.workspace.rglob("pwned")), inputs
    machine.evaluate(MODEL="a\n::add-mask::b", PROVIDER="ollama", BASELINE="--help\n::add-mask::b")
    # Empty lines and Windows line ends are ignored.
    found, _ = machine.evaluate(ARGS="\r\n  \n--quiet\r\n", SCENARIOS="\n\nfixtures/customer-service.yaml\r\n \n")
    assert (found["verdict"], found["exit-code"]) == ("pass", "0"), found


def folders(machine):
    """Files that a change puts into the report folder, or in its place, are not taken for reports and not uploaded."""
    reports = machine.workspace / "akit-reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    (reports / "passwords").write_text("x")
    (reports / "junit.xml").write_text("<all-is-well/>")
    found, _ = machine.evaluate(SCENARIOS="nowhere.yaml")
    assert "reports" not in found and found["verdict"] == "error", found
    found, _ = machine.evaluate()
    names = [f"akit-reports/{name}" for name in ("run.json", "junit.xml", "akit.sarif", "summary.md", "akit.html")]
    assert found["reports"].split("\n") == names, found
    elsewhere = machine.out / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "run.json").write_text("kept")
    shutil.rmtree(reports)
    reports.symlink_to(elsewhere)
    found, log = machine.evaluate()
    assert found["verdict"] == "error" and "leads out of" in log, found
    assert [(one.name, one.read_text()) for one in elsewhere.iterdir()] == [("run.json", "kept")]
    reports.unlink()
    # An absolute path is the workflow's own choice.
    found, _ = machine.evaluate(REPORTS=str(elsewhere))
    assert found["json"] == f"{elsewhere}/run.json", found
    found, _ = machine.evaluate(WORKING_DIRECTORY="./fixtures", SCENARIOS="customer-service.yaml", REPORTS="out")
    assert found["sarif"] == "fixtures/out/akit.sarif", found


def baselines(machine):
    """A push that passes is added to the baseline; a failing one or a pull request is not."""
    stored = machine.workspace / "akit-baseline.json"
    regressed = "fixtures/replies/regressed-bot.jsonl"
    push = {"UPDATE_BASELINE": "true", "BASELINE": "akit-baseline.json"}
    at = {"GITHUB_EVENT_NAME": "push"}
    for env, inputs, words in (
        ({"GITHUB_EVENT_NAME": "pull_request"}, push, "for pushes, not for pull_request"),
        (at, {"UPDATE_BASELINE": "true"}, "needs the input baseline"),
        (at, {**push, "UPDATE_BASELINE": "yes"}, "true or false"),
    ):
        found, log = machine.evaluate(env=env, **inputs)
        assert found == {"verdict": "error", "exit-code": "2"} and words in log, (found, log)
    stored.write_text('{"schema":"akit.baseline/1","cases":[]}')
    found, log = machine.evaluate(env=at, REPLIES=regressed, **push)
    assert found["exit-code"] == "1" and json.loads(stored.read_text())["cases"] == [], (found, log)
    found, log = machine.evaluate(env=at, **push)
    assert found["exit-code"] == "0" and "added 9 judged cases" in log, (found, log)
    found, log = machine.evaluate(env=at, REPLIES=regressed, **push)
    assert found["exit-code"] != "0" and "added" not in log, (found, log)
    stored.unlink()


def caches(machine):
    """A cache folder with odd file names has a digest, which depends only on the files; a replay has none."""
    shutil.rmtree(machine.workspace / ".akit", ignore_errors=True)
    cache = machine.workspace / "a cache"
    cache.mkdir()
    for name in ("-n", "two\nlines", "$(touch pwned)"):
        (cache / name).write_text(name)
    (cache / "loop").symlink_to(cache)
    (cache / "etc").symlink_to("/etc/passwd")
    (machine.workspace / "one.yaml").write_text(ONE)
    shared = {"SHARE_CACHE": "true", "CACHE_DIR": "a cache", "SCENARIOS": "one.yaml", "REPLIES": "one.jsonl"}
    (machine.workspace / "one.jsonl").write_text('{"id": "one", "reply": "yes"}\n')
    first, second = (machine.evaluate(CACHE="record", **shared)[0] for _ in "12")
    assert len(first["cache-digest"]) == 64 and first["cache-digest"] == second["cache-digest"], (first, second)
    for more in ({"CACHE": "off"}, {"REPLAY": "true"}, {"SHARE_CACHE": "false"}):
        found, _ = machine.evaluate(**{**shared, **more})
        assert "cache-digest" not in found, (more, found)


def keys(machine):
    """A fork with an API key is evaluated as usual, even in a huge environment; one without a key is neutral."""
    many = {f"ZZ_{number}": "x" * 500 for number in range(400)}
    for turn in range(20):
        found, log = machine.evaluate(WITHOUT_KEY="neutral", env={**many, "FROM_FORK": "true", "A_API_KEY": "k"}, SCENARIOS="nowhere")
        assert found["verdict"] == "error" and "nothing was evaluated" not in log, (turn, found)
    for variables in ({"FROM_FORK": "true", "OPENAI_API_KEY": ""}, {"GITHUB_ACTOR": "dependabot[bot]"}):
        found, _ = machine.evaluate(WITHOUT_KEY="neutral", env=variables)
        assert found == {"verdict": "neutral", "exit-code": "0"}, found


def programs(machine):
    """The program is the given one, or one with a committed checksum, wherever the runner's temporary folder is."""
    copy = machine.out / "action"
    (copy / ".github/release").mkdir(parents=True)
    shutil.copy2(ROOT / "Cargo.toml", copy)
    (copy / ".github/release/checksums.txt").write_text("")
    for inputs in ({"VERSION": "../../x"}, {"VERSION": "1.0\n::add-mask::x"}, {"VERSION": "$(touch pwned)"}, {"VERSION": ".*"},
                   {"BINARY": "nowhere/akit"}, {"BINARY": "--help"}, {"BINARY": "fixtures"}, {"BUILD": "yes"}):
        found, log = machine.install(2, **inputs)
        assert found == {"verdict": "error", "exit-code": "2"} and "::error title=akit::" in log, (inputs, found, log)
    assert not list(machine.out.rglob("pwned"))
    odd = machine.workspace / "x\npath=y"
    odd.mkdir()
    shutil.copy2("/bin/true", odd / "akit")
    found, _ = machine.install(2, BINARY=f"{odd}/akit")
    assert "path" not in found, found
    found, _ = machine.install(BINARY=machine.akit)
    assert found["path"] == machine.akit, found

    version = next(line for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version")).split('"')[1]
    name = f"akit-{version}-x86_64-unknown-linux-musl"
    program = machine.out / "program"
    program.write_text("#!/bin/sh\necho akit 0.0.0\n")
    program.chmod(0o755)
    mirror = machine.release(f"{name}.tar.gz", {f"{name}/akit": program})
    found, _ = machine.install(DOWNLOAD_FROM=mirror)
    assert found["path"].endswith(f"{name}/akit"), found
    found, _ = machine.install(2, DOWNLOAD_FROM=mirror, env={"ACTION_REF": "v9.9.9"})
    assert "path" not in found, found
    # As on Windows, where it is D:\a\_temp: tar takes a name with a colon for a remote machine.
    (machine.workspace / "D:/temp").mkdir(parents=True)
    found, _ = machine.install(DOWNLOAD_FROM=mirror, env={"RUNNER_TEMP": "D:\\temp"})
    assert found["path"].startswith("D:/temp/akit-"), found
    # As on macOS, which has shasum but not sha256sum.
    tools = machine.out / "tools"
    tools.mkdir()
    for tool in "bash sed head awk cut curl mktemp tar gzip shasum perl".split():
        if found := shutil.which(tool):
            (tools / tool).symlink_to(found)
    if (tools / "shasum").exists():
        found, _ = machine.install(DOWNLOAD_FROM=mirror, env={"PATH": str(tools)})
        assert found["path"].endswith(f"{name}/akit"), found
    with (machine.out / "mirror" / f"{name}.tar.gz").open("ab") as file:
        file.write(b"\0")
    found, log = machine.install(2, DOWNLOAD_FROM=mirror)
    assert "was not used" in log and "path" not in found, (found, log)


def tags(machine):
    """The build equals the tag except for checksums, and comes from a commit below the tag."""
    clone = machine.out / "clone"
    (clone / ".github/release").mkdir(parents=True)
    (clone / "templates").mkdir()
    shutil.copy2(ROOT / ".github/release/built", clone / ".github/release")
    sums, template, other = clone / ".github/release/checksums.txt", clone / "templates/akit.yml", clone / "other"
    sums.write_text("# sums\n")
    template.write_text('      default: "" # x86_64\n')

    def git(*words):
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        return subprocess.run(["git", "-C", str(clone), *who, *words], check=True, capture_output=True, text=True).stdout.strip()

    def built(commit):
        sums.write_text(f"# sums\n# 1.0.0 built by run 7 from {commit}\n")
        git("add", "-A")
        git("commit", "-qm", "sums", "--allow-empty")
        done = subprocess.run(["bash", str(clone / ".github/release/built"), "v1.0.0"], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "version")
    commit = git("rev-parse", "HEAD")
    template.write_text('      default: "0a" # x86_64\n')
    assert built(commit) == (0, f"run=7\ncommit={commit}\n")
    status, log = built("a" * 40)
    assert status == 1 and "not on top" in log, log
    template.write_text('      default: "0a" # x86_64\n      - curl evil\n')
    status, log = built(commit)
    assert status == 1 and "templates/akit.yml changed since" in log, log
    template.write_text('      default: "0a" # x86_64\n')
    other.write_text("x")
    status, log = built(commit)
    assert status == 1 and "more than the sums changed" in log, log


def main():
    machine = Machine(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve() / "inputs")
    for part in (words, folders, baselines, caches, keys, programs, tags):
        part(machine)
        print(f"   {part.__name__}: ok")


if __name__ == "__main__":
    main()
