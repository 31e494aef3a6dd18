#!/usr/bin/env python3
"""Comments with akit on a pull request and a merge request, and checks what the forge has stored.

    comment.py AKIT OUT

GITHUB_API_URL is the GitHub API; FORGE_URL is the forge itself, with `/__state` and the GitLab API. Writes OUT/comment.md.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.request

SUITE = "fixtures/customer-service.yaml"
BAD = ["--replies", "fixtures/replies/regressed-bot.jsonl"]


def main():
    akit, out = sys.argv[1], pathlib.Path(sys.argv[2])
    forge = os.environ["FORGE_URL"]
    head = "a" * 40
    event = out / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": head, "repo": {"full_name": "acme/shop"}}}}))
    common = {"PATH": os.environ["PATH"]}
    github = {
        **common,
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_API_URL": os.environ["GITHUB_API_URL"],
        "GITHUB_TOKEN": "t",
    }
    gitlab = {
        **common,
        "GITLAB_CI": "true",
        "CI_API_V4_URL": forge + "/api/v4",
        "CI_PROJECT_ID": "acme/shop",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": head,
        "CI_JOB_ID": "1",
        "AKIT_GITLAB_TOKEN": "t",
    }

    def ran(environment, expected, *arguments):
        done = subprocess.run([akit, *arguments], env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode != expected:
            sys.exit(f"exit {done.returncode} (expected {expected}): {arguments}\n{done.stdout}{done.stderr}")
        return done.stderr

    def state():
        with urllib.request.urlopen(forge + "/__state", timeout=10) as answer:
            return json.load(answer)

    def only(found, run, word):
        own = [one for one in found if one["body"].startswith("<!-- akit:v1 ")]
        assert len(own) == 1, [one["body"][:80] for one in own]
        body = own[0]["body"]
        assert f" run={run} " in body.splitlines()[0] and f" akit: {word} " in body.splitlines()[1], body[:200]
        return body

    good, bad = str(out / "good.run.json"), str(out / "bad.run.json")
    ran(common, 0, "run", SUITE, "--json", good)
    ran(common, 1, "run", SUITE, *BAD, "--json", bad)

    # The fake forge's account endpoint does not match GitHub's schema, so the account is passed as a flag.
    options = ["--required", "--comment-author", "github-actions[bot]"]
    for run, stored, word in [("1", good, "PASS"), ("2", bad, "FAIL"), ("3", bad, "FAIL")]:
        told = ran({**github, "GITHUB_RUN_ID": run}, 0, "comment", stored, *options)
        body = only(state()["comments"]["acme/shop#7"], f"{run}.1", word)
        assert ("commented" if run == "1" else "updated") in told, told
    (out / "comment.md").write_text(body)
    assert "newer run" in ran({**github, "GITHUB_RUN_ID": "2"}, 0, "comment", good, *options)
    ran({**github, "GITHUB_RUN_ID": "4"}, 0, "comment", good, *options, "--comment-mode", "recreate")
    only(state()["comments"]["acme/shop#7"], "4.1", "PASS")
    for run, stored, word in [("1", bad, "FAIL"), ("2", good, "PASS")]:
        ran({**gitlab, "CI_PIPELINE_ID": run}, 0, "comment", stored, "--required")
        only(state()["notes"]["acme/shop!7"], f"{run}.1", word)


main()
