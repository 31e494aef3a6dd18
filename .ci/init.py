#!/usr/bin/env python3
"""Runs the pipelines that `akit init` writes, unchanged: both halves for GitHub and for GitLab.

    init.py AKIT TOOLS OUT

TOOLS contains run_action.sh and run_gitlab_ci.sh. `akit` is in PATH, as the pipelines expect.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

AKIT, TOOLS = (pathlib.Path(one).resolve() for one in sys.argv[1:3])
OUT = pathlib.Path(sys.argv[3]).resolve() / "init"
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI", "AKIT_"))}
ENVIRONMENT = {**PLAIN, "PATH": f"{AKIT.parent}:{os.environ['PATH']}"}
FORK = {"full_name": "acme/bot", "default_branch": "main"}


def run(*words, folder, code=0):
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=900
    )
    log = done.stdout + done.stderr
    assert done.returncode == code, f"{words}: exit {done.returncode} (expected {code})\n{log}"
    return log


def git(*words, folder):
    return run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words, folder=folder).strip()


def project(forge):
    """A repository with a remote and the files of `akit init`; returns its commit."""
    folder, remote = OUT / forge, OUT / f"{forge}.git"
    folder.mkdir(parents=True)
    git("init", "-q", "--bare", "-b", "main", remote, folder=OUT)
    git("init", "-q", "-b", "main", ".", folder=folder)
    git("remote", "add", "origin", remote, folder=folder)
    run("akit", "init", "--forge", forge, folder=folder)
    git("add", "-A", folder=folder)
    git("commit", "-qm", "first", folder=folder)
    git("push", "-q", "origin", "main", folder=folder)
    git("remote", "set-head", "origin", "main", folder=folder)
    run(TOOLS / "check_ci_files.sh", folder, folder=folder)
    return folder, git("rev-parse", "HEAD", folder=folder)


def has(log, *words):
    for word in words:
        assert word in log, f"{word!r} is not in\n{log}"


def worse(folder):
    """Replaces the application's answers with worse ones."""
    replies = folder / "scenarios/replies"
    shutil.copy(replies / "regressed.jsonl", replies / "good.jsonl")
    git("commit", "-qam", "worse", folder=folder)


def github():
    folder, commit = project("github")

    def act(event, data, code=0):
        path = OUT / f"{event}.json"
        path.write_text(json.dumps({**data, "repository": FORK}))
        words = [TOOLS / "run_action.sh", folder, ".github/workflows/akit.yml", event, path]
        return run(*words, "--env", "GITHUB_API_URL=http://127.0.0.1:9", folder=folder, code=code)

    has(act("push", {"ref": "refs/heads/main", "after": commit}), "added 3 judged cases", "RESULT: ")
    git("checkout", "-qb", "change", folder=folder)
    side = {"ref": "main", "sha": commit, "repo": FORK}

    def request(code=0):
        head = {"ref": "change", "sha": git("rev-parse", "HEAD", folder=folder), "repo": FORK}
        return act("pull_request", {"number": 7, "pull_request": {"number": 7, "head": head, "base": side}}, code)

    has(request(), "compared with refs/akit/main")
    worse(folder)
    has(request(1), "wants-a-person")


def gitlab():
    folder, _ = project("gitlab")
    run_job = [TOOLS / "run_gitlab_ci.sh", folder]
    has(run(*run_job, "akit-baseline", folder=folder), "added 3 judged cases")
    git("checkout", "-qb", "change", folder=folder)
    request = {"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7",
               "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    given = [word for name, value in request.items() for word in ("--variable", f"{name}={value}")]
    has(run(*run_job, "akit", *given, folder=folder), "compared with refs/akit/main")
    worse(folder)
    has(run(*run_job, "akit", *given, folder=folder, code=1), "Did not pass:", "wants-a-person")


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)
github()
gitlab()
print("   both halves of both pipelines run unchanged")
