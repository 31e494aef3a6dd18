#!/usr/bin/env python3
"""Runs the GitLab job, and the pipelines of docs/ci/gitlab.md, in a local runner.

    gitlab.py AKIT TOOLS OUT

TOOLS contains run_gitlab_ci.sh and fake_forge.py. The component named in the pages is replaced by the one in templates/.
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
import time
import urllib.request

import action

HEAD = "a" * 40


class Runner:
    def __init__(self, akit, tools, out):
        self.tools, self.out = tools, out
        self.copy = action.repository(out)
        action.project(self.copy)
        # `akit` in PATH is the program under test.
        self.path = f"{pathlib.Path(akit).parent}:{os.environ['PATH']}"

    def run(self, name, pipeline, state="PASS", job="akit", words=(), variables=()):
        """Runs one job of a pipeline and expects this state: PASS, FAIL, or WARN for an allowed failure."""
        began = time.monotonic()
        (self.copy / ".gitlab-ci.yml").write_text(pipeline)
        shutil.rmtree(self.copy / ".gitlab-ci-local", ignore_errors=True)
        given = [word for one, value in dict(variables).items() for word in ("--variable", f"{one}={value}")]
        plain = {one: value for one, value in os.environ.items() if not one.startswith(("GITHUB_", "CI", "AKIT_GITLAB"))}
        done = subprocess.run(
            [str(self.tools / "run_gitlab_ci.sh"), str(self.copy), job, "--needs", *given],
            env={**plain, "PATH": self.path}, capture_output=True, text=True, timeout=300,
        )
        log = done.stdout + done.stderr
        # The runner itself exits with 0 if a job with `allow_failure` fails.
        came = re.findall(rf"^ (PASS|FAIL|WARN)  {job}\b", log, re.M)
        assert came == [state], f"{name}: {came}\n{log}"
        action.has(log, *words)
        print(f"   {name}: ok, {time.monotonic() - began:.1f} s")
        return log

    def reports(self):
        folder = self.copy / ".gitlab-ci-local/artifacts/akit/akit-reports"
        return {one.name: one.read_text() for one in folder.iterdir()} if folder.is_dir() else {}


def included(**inputs):
    """A pipeline with the job and these inputs."""
    lines = [f"      {name}: {json.dumps(value)}" for name, value in inputs.items()]
    return "\n".join(["include:", "  - local: templates/akit.yml", "    inputs:", *lines]) + "\n"


def main():
    akit, tools = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    out = pathlib.Path(sys.argv[3]).resolve() / "gitlab"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    runner = Runner(akit, tools, out)

    bad = {"scenarios": "scenarios/", "baseline": "akit-baseline.json", "binary": "akit",
           "args": "--replies=scenarios/replies/regressed-bot.jsonl\n--quiet\n"}
    runner.run("a regression", included(**bad), "FAIL", words=["RESULT: FAIL"])
    found = runner.reports()
    assert json.loads(found["code-quality.json"]) and "<failure" in found["junit.xml"], found.keys()
    assert "AKIT_VERDICT=fail" in found["akit.env"] and found["metrics.txt"].endswith("# EOF\n"), found["akit.env"]
    push = {"scenarios": "scenarios/", "baseline": "akit-baseline.json", "binary": "akit", "update-baseline": True}
    for branch, updated in (("main", True), ("change", False)):
        log = runner.run(f"a push to {branch}", included(**push), variables={"CI_COMMIT_BRANCH": branch, "CI_DEFAULT_BRANCH": "main"})
        assert ("> akit-baseline.json: " in log) == updated, log
    runner.run("a regression that is allowed", included(**bad, **{"allow-exit-codes": [1]}), "WARN")

    with action.serving(tools / "fake_forge.py", out) as forge:
        for turn in ("1", "2"):
            runner.run("a comment", included(**bad), "FAIL", variables={
                "AKIT_GITLAB_TOKEN": "t", "CI_API_V4_URL": forge + "/api/v4", "CI_PROJECT_ID": "acme/shop",
                "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": HEAD, "CI_PIPELINE_ID": turn, "CI_JOB_ID": turn})
        with urllib.request.urlopen(forge + "/__state", timeout=10) as answer:
            notes = [one["body"] for one in json.load(answer)["notes"]["acme/shop!7"]]
    assert len(notes) == 1 and "FAIL" in notes[0].splitlines()[1], notes

    # A report committed by the change must not be taken for one of this run.
    brought = runner.copy / "akit-reports/junit.xml"
    brought.parent.mkdir(exist_ok=True)
    brought.write_text("<testsuites/>")
    runner.run("no sum", included(scenarios="scenarios/"), "FAIL", words=["no checksum of akit"])
    assert "junit.xml" not in runner.reports(), runner.reports().keys()
    shutil.rmtree(brought.parent)
    brought.parent.symlink_to("scenarios")
    runner.run("a link", included(**bad), "FAIL", words=["is a link"])
    brought.parent.unlink()
    name = f"akit-9.9.9-{os.uname().machine}-unknown-linux-musl"
    with tarfile.open(out / f"{name}.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(akit, f"{name}/akit")
    right = hashlib.sha256((out / f"{name}.tar.gz").read_bytes()).hexdigest()
    for case, sum_, state, words in [
        ("a download", right, "PASS", []), ("another sum", "0" * 64, "FAIL", ["it was not used"]),
    ]:
        inputs = {"scenarios": "scenarios/", "version": "9.9.9", "download-from": f"file://{out}",
                  "sha256-" + os.uname().machine: sum_}
        runner.run(case, included(**inputs), state, words=words)

    # `allow-exit-codes` covers akit's exit codes only, and not curl's 37 for a missing file.
    nowhere = {"version": "9.9.8", "download-from": f"file://{out}", "allow-exit-codes": [37]}
    runner.run("no archive", included(**nowhere, **{"sha256-" + os.uname().machine: right}), "FAIL", words=["cannot download"])

    page = (action.ROOT / "docs/ci/gitlab.md").read_text()
    blocks = re.findall(r"^```yaml pipeline\n(.*?)^```", page, re.M | re.S)
    assert len(blocks) >= 5, "pipelines are missing from the page"
    for number, block in enumerate(blocks, 1):
        block = re.sub(r"component: \$CI_SERVER_FQDN/OWNER/akit/akit@[\d.]+", "local: templates/akit.yml", block)
        block = re.sub(r"download-from: .*", "binary: akit", block)
        words = ["the gate says pass"] if "deploy:" in block else []
        # Nine passing cases do not satisfy a strict gate: it exits with 5, which the job allows with a warning.
        state = "WARN" if "--strict" in block else "PASS"
        runner.run(f"pipeline {number} of the page", block, state, job="deploy" if words else "akit", words=words)


if __name__ == "__main__":
    main()
