#!/usr/bin/env python3
"""Runs the action in a local runner: passing, failing, misused, downloaded, and for a fork.

    action.py AKIT TOOLS OUT

TOOLS contains run_action.sh, fake_llm.py and fake_forge.py. Third-party actions (caches and uploads) are replaced by
small ones that keep files below OUT and log their inputs.
"""

import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORKFLOW = ".ci/workflows/action.yml"
HEAD = "a" * 40
INPUTS = ["path", "key", "restore-keys", "name", "sarif_file", "run-id", "github-token"]

ONE = """
name: one
model: gpt-4o-mini
provider: openai
cases:
  - id: greets
    prompt: Say hello.
    expected: { type: regex, pattern: "." }
"""

STUB = {
    "restore": """
        found=$(ls -t "$STORE" 2>/dev/null | grep -F -- "$PREFIX" | head -n 1 || true)
        if [ -n "$found" ]; then mkdir -p "$IN_PATH"; cp -r "$STORE/$found/." "$IN_PATH"; fi
        echo "cache-matched-key=$found" >>"$GITHUB_OUTPUT" """,
    "save": """
        mkdir -p "$STORE/$KEY" && cp -r "$IN_PATH/." "$STORE/$KEY" """,
    "upload-artifact": """
        mkdir -p "$STORE-artifacts/$NAME" && while read -r one; do cp "$one" "$STORE-artifacts/$NAME"; done <<<"$IN_PATH" """,
    "download-artifact": """
        mkdir -p "$IN_PATH" && cp -r "$STORE-artifacts/$NAME/." "$IN_PATH" """,
}


def stub(folder, name, out):
    """Writes an action that logs its inputs and acts as a cache or an artifact store."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = "".join(f"  {one}: {{ description: x, required: false }}\n" for one in INPUTS)
    note = " ".join(f"{one}=${{{{ inputs['{one}'] }}}}" for one in INPUTS if one != "github-token")
    (folder / "action.yml").write_text(f"""name: {name}
description: stands in for {name}
inputs:
{inputs}
outputs:
  cache-matched-key: {{ description: x, value: "${{{{ steps.do.outputs.cache-matched-key }}}}" }}
runs:
  using: composite
  steps:
    - id: do
      shell: bash
      env:
        STORE: {out}/store
        PREFIX: ${{{{ inputs.restore-keys }}}}
        KEY: ${{{{ inputs.key }}}}
        NAME: ${{{{ inputs.name }}}}
        IN_PATH: ${{{{ inputs.path }}}}
        NOTE: "{note}"
      run: |
        printf '%s %s\\n' '{name}' "$NOTE" >>{out}/asked
        {STUB.get(name.rsplit("/", 1)[-1], ":")}
""")


def stubs(out):
    """Runner options that replace the actions used in action.yml with local folders."""
    options = []
    for owner, name, below, commit in re.findall(
        r"uses: ([\w-]+)/([\w-]+)/?([\w-]*)@([0-9a-f]{40})", (ROOT / "action.yml").read_text()
    ):
        folder = out / "actions" / owner / name
        stub(folder / below, f"{owner}/{name}/{below}".rstrip("/"), out)
        options += ["--local-repository", f"{owner}/{name}@{commit}={folder}"]
    folder = out / "actions/actions/download-artifact"
    stub(folder, "actions/download-artifact", out)
    return [*options, "--local-repository", f"actions/download-artifact@v7={folder}"]


def repository(out):
    """A copy of this repository's files, without build output."""
    copy = out / "repository"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    (copy / "one.yaml").write_text(ONE)
    (copy / "priced.yaml").write_text("prices: { gpt-4o-mini: { input: 0.15, output: 0.6 } }\n")
    return copy


def project(copy):
    """Makes the copy a project with a suite and a baseline on main, as in the documentation."""
    for name in ("customer-service.yaml", "akit.yaml", "replies", "cache"):
        source, target = ROOT / "fixtures" / name, copy / "scenarios" / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, target)
    shutil.copy2(ROOT / "fixtures/baseline.json", copy / "akit-baseline.json")
    for command in (["init", "-q", "-b", "main"], ["add", "-A"],
                    ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x"],
                    ["remote", "add", "origin", "https://github.com/acme/shop.git"],
                    ["update-ref", "refs/remotes/origin/main", "HEAD"]):
        subprocess.run(["git", "-C", str(copy), *command], check=True)


def release(copy, akit, mirror):
    """A release archive, with its checksum in the copy; next to it an archive with one byte added."""
    version = re.search(r'^version = "(.*)"$', (copy / "Cargo.toml").read_text(), re.M).group(1)
    machine = {"arm64": "aarch64"}.get(os.uname().machine, os.uname().machine)
    name = f"akit-{version}-{machine}-unknown-linux-musl"
    (mirror / "changed").mkdir(parents=True)
    with tarfile.open(mirror / f"{name}.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.add(akit, f"{name}/akit")
    data = (mirror / f"{name}.tar.gz").read_bytes()
    (mirror / "changed" / f"{name}.tar.gz").write_bytes(data + b"\0")
    sums = copy / ".github/release/checksums.txt"
    kept = [line for line in sums.read_text().splitlines() if name not in line]
    sums.write_text("\n".join([*kept, f"{hashlib.sha256(data).hexdigest()}  {name}.tar.gz"]) + "\n")


class Runner:
    def __init__(self, akit, tools, out):
        self.akit, self.tools, self.out = akit, tools, out
        self.options = stubs(out)
        self.copy = repository(out)
        release(self.copy, akit, out / "mirror")
        project(self.copy)

    def run(self, job, event, payload, good=True, env=(), workflow=WORKFLOW):
        """Runs one job; returns its log."""
        began = time.monotonic()
        path = self.out / "event.json"
        path.write_text(json.dumps(payload))
        values = {"AKIT": self.akit, "MIRROR": f"file://{self.out}/mirror", "COMMENT": "false", **dict(env)}
        given = [word for name, value in values.items() for word in ("--env", f"{name}={value}")]
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI"))}
        done = subprocess.run(
            [str(self.tools / "run_action.sh"), str(self.copy), workflow, event, str(path), "-j", job,
             "--no-cache-server", "-s", "GITHUB_TOKEN=token-of-the-run", *self.options, *given],
            env=plain, capture_output=True, text=True, timeout=300,
        )
        log = done.stdout + done.stderr
        (self.out / f"{job}.log").write_text(log)
        assert (done.returncode == 0) == good, f"{job}: exit {done.returncode}\n{log}"
        print(f"   {job} on {event}: ok, {time.monotonic() - began:.1f} s")
        return log

    def asked(self):
        path = self.out / "asked"
        text = path.read_text() if path.exists() else ""
        path.unlink(missing_ok=True)
        return text


@contextlib.contextmanager
def serving(script, out):
    """The address of a server that runs until the block ends."""
    port = out / f"{script.stem}.port"
    port.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, str(script), "--port-file", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            if port.exists() and port.read_text().strip():
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port.read_text().strip()}"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def knowing_pulls(forge):
    """The forge, which only stores comments, extended by pull requests whose newest commit is HEAD."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0)) or None
            one = re.fullmatch(r"/repos/[^/]+/[^/]+/pulls/(\d+)", self.path)
            if one or re.search(r"/pulls(\?|$)", self.path):
                pull = {"number": int(one[1]) if one else 8, "state": "open", "head": {"sha": HEAD}}
                status, data = 200, json.dumps(pull if one else [pull]).encode()
            else:
                kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
                asked = urllib.request.Request(forge + self.path, body, kept, method=self.command)
                try:
                    with urllib.request.urlopen(asked, timeout=10) as given:
                        status, data = given.status, given.read()
                except urllib.error.HTTPError as error:
                    status, data = error.code, error.read()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def has(text, *wanted):
    for one in wanted:
        assert one in text, f"no {one!r} in\n{text}"


def main():
    akit, tools = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
    out = pathlib.Path(sys.argv[3]).resolve() / "action"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    runner = Runner(akit, tools, out)
    ours = {"pull_request": {"number": 7, "head": {"sha": HEAD, "repo": {"full_name": "acme/shop"}}}}
    fork = {"pull_request": {"number": 8, "head": {"sha": HEAD, "repo": {"full_name": "eve/shop"}}}}

    has(runner.run("passes", "push", {}), "PASS")
    has(runner.asked(), "upload-artifact", "path=akit-reports/run.json", "name=akit", "sarif_file=akit-reports/akit.sarif")

    log = runner.run("fails", "push", {}, good=False)
    has(log, "::error file=fixtures/customer-service.yaml,line=", "#### About this run", "exit status 1")
    assert not re.search(r"Failure - Main Outputs", log), log
    has(runner.asked(), "upload-artifact", "path=fixtures/out/run.json", "sarif_file=fixtures/out/akit.sarif")

    has(runner.run("misused", "push", {}), "no checksum of akit-0.0.0-")
    runner.run("downloads", "push", {})
    runner.asked()
    has(runner.run("neutral", "pull_request", fork), "nothing was evaluated")

    with serving(tools / "fake_llm.py", out) as server:
        server += "/v1"
        for version in ("1", ""):
            log = runner.run("records", "push", {}, env={"LLM": server, "KEY": "k", "VERSION": version}.items())
            has(runner.asked(), "actions/cache/restore path=./.akit/cache key=akit-cache@", "actions/cache/save")
            assert "was not asked" not in log, log
    # The server is gone and the fork has no API key, so only the records of the push are left. Without a version,
    # nothing
    # shows that the application is still the same.
    shutil.rmtree(runner.copy / ".akit", ignore_errors=True)
    for version, word in (("1", "PASS"), ("", "INCONCLUSIVE")):
        log = runner.run("records", "pull_request", fork, good=version == "1",
                         env={"LLM": server, "KEY": "", "VERSION": version}.items())
        has(log, "the application was not asked", word)
        asked = runner.asked()
        has(asked, "actions/cache/restore", "name=recorded")
        assert "cache/save" not in asked, asked

    # One comment, created and then updated.
    with serving(tools / "fake_forge.py", out) as forge:
        for attempt in ("1", "2"):
            log = runner.run("fails", "pull_request", ours, good=False, env={
                "COMMENT": "true", "GITHUB_API_URL": forge, "GITHUB_RUN_ATTEMPT": attempt}.items())
            has(log, "comment at <http")
        with urllib.request.urlopen(forge + "/__state", timeout=10) as answer:
            found = [one["body"] for one in json.load(answer)["comments"]["acme/shop#7"]]
    assert len(found) == 1 and "FAIL" in found[0].splitlines()[1], found

    own(runner)
    page(runner, ours, fork)


def own(runner):
    """This repository's own workflow. A fake cargo has already built the program."""
    cargo = runner.out / "bin/cargo"
    cargo.parent.mkdir()
    cargo.write_text('#!/bin/sh\n[ "$1 $2" = "build --profile" ] && mkdir -p "$CARGO_TARGET_DIR/dist" &&\n'
                     f'cp {runner.akit} "$CARGO_TARGET_DIR/dist/akit"\n')
    cargo.chmod(0o755)
    has(runner.run("gate", "push", {}, workflow=".github/workflows/akit.yml", env={
        "PATH": f"{cargo.parent}:{os.environ['PATH']}", "CARGO_TARGET_DIR": str(runner.out / "target")}.items()), "exit status 1")
    runner.asked()


def page(runner, ours, fork):
    """The workflows of docs/ci/github.md, unchanged."""
    blocks = re.findall(r"^```yaml workflow\n(.*?)^```", (ROOT / "docs/ci/github.md").read_text(), re.M | re.S)
    named = {re.match(r"name: (.*)", block).group(1): block for block in blocks}
    assert list(named) == ["akit", "deploy", "baseline", "queue", "test", "comment"], list(named)
    # The published action is replaced by this one, and its releases by a folder.
    published = runner.out / "published"
    shutil.copytree(runner.copy, published, ignore=shutil.ignore_patterns(".git"))
    text = (published / "action.yml").read_text()
    mirror = f'default: "file://{runner.out}/mirror"'
    text, count = re.subn(r"(  download-from:\n    description: .*\n    )default: \"\"", rf"\1{mirror}", text)
    assert count == 1
    (published / "action.yml").write_text(text)
    for tag in set(re.findall(r"OWNER/akit@(\S+)", "".join(blocks))):
        runner.options += ["--local-repository", f"OWNER/akit@{tag}={published}"]
    for name, block in named.items():
        (runner.copy / f".ci/workflows/page-{name}.yml").write_text(block)
    def run(name, job, event, payload, **more):
        return runner.run(job, event, payload, workflow=f".ci/workflows/page-{name}.yml", **more)

    with serving(runner.tools / "fake_forge.py", runner.out) as forge, knowing_pulls(forge) as api:
        at = {"GITHUB_API_URL": api}.items()
        has(run("akit", "gate", "pull_request", ours, env=at), "PASS", "comment-url=http")
        has(run("deploy", "deploy", "push", {}), "verdict=pass", "to production")
        # akit pushes to a folder. Only for this job, because the runner would take the folder's name for the
        # project's.
        subprocess.run(["git", "init", "-q", "--bare", str(runner.out / "origin.git")], check=True)
        config = ["git", "-C", str(runner.copy), "config"]
        there = f"url.{runner.out}/origin.git.insteadOf"
        subprocess.run([*config, there, "https://github.com/acme/shop.git"], check=True)
        run("baseline", "update", "push", {})
        subprocess.run([*config, "--unset", there], check=True)
        refs = subprocess.run(["git", "-C", str(runner.out / "origin.git"), "for-each-ref"], capture_output=True, text=True)
        has(refs.stdout, "refs/akit/main")
        has(run("queue", "gate", "merge_group", {}, env=at), "PASS")
        has(run("test", "test", "pull_request", fork), "the application was not asked", "PASS")
        ended = {"id": 5, "run_attempt": 1, "event": "pull_request", "head_sha": HEAD, "head_branch": "fix",
                 "head_repository": {"full_name": "eve/shop"}, "pull_requests": [{"number": 8, "head": {"sha": HEAD}}]}
        run("comment", "comment", "workflow_run", {"workflow_run": ended}, env=at)
        with urllib.request.urlopen(forge + "/__state", timeout=10) as answer:
            comments = json.load(answer)["comments"]
    assert [len(comments[f"acme/shop#{number}"]) for number in (7, 8)] == [1, 1], comments


if __name__ == "__main__":
    main()
