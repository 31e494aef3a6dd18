#!/usr/bin/env python3
"""Runs `akit stress` with a server that has known faults and stalls, and compares the report with the server's counts.

    stress.py AKIT SHARED OUT

SHARED contains tools/fake_llm.py. Writes stress.json, stress.xml, stress.md and stress.html to OUT.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

SUITE = """
name: load
provider: openai
model: m
setup: { handoff: { text: "connect you" } }
cases:
  - { id: refund, prompt: "[[reply:Returns are free within 30 days.]]", expected: { type: contains, values: [30 days] } }
  - { id: hours, prompt: "[[reply:We are open from nine to five.]]", expected: { type: contains, values: [nine] } }
  - { id: wrong, prompt: "[[reply:<b>I do not know</b> that & more.]]", expected: { type: contains, values: [order] } }
  - { id: human, tags: [escalation], prompt: "[[reply:I will connect you now.]]", expected: { type: handoff, state: claimed } }
"""


class Server:
    def __init__(self, script, out, *arguments):
        port = out / "port"
        port.unlink(missing_ok=True)
        command = [sys.executable, script, "--port", "0", "--port-file", port, "--max-seconds", "120", *arguments]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
        until = time.time() + 20
        while not (port.exists() and port.read_text().strip()):
            if time.time() > until:
                raise SystemExit("the server did not start")
            time.sleep(0.05)
        self.url = f"http://127.0.0.1:{port.read_text().strip()}"

    def stats(self):
        with urllib.request.urlopen(f"{self.url}/__stats", timeout=10) as reply:
            return json.load(reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def stress(akit, out, server, code, *arguments, may_be_void=False):
    command = [akit, "stress", "suite.yaml", "--base-url", f"{server.url}/v1", "--json", "stress.json", *arguments]
    environment = {"OPENAI_API_KEY": "k", "PATH": os.environ["PATH"]}
    # A busy machine cannot keep a schedule, and the report says so.
    for _ in range(5):
        urllib.request.urlopen(urllib.request.Request(f"{server.url}/__reset", method="POST"), timeout=10)
        done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, timeout=110)
        if done.returncode != 4 or ": void: " not in done.stdout:
            break
    is_void = done.returncode == 4 and ": void: " in done.stdout
    if done.returncode != code and not (may_be_void and is_void):
        raise SystemExit(f"{' '.join(map(str, arguments))}: exit code {done.returncode} (expected {code})\n{done.stdout}{done.stderr}")
    return json.loads((out / "stress.json").read_text())


def equal(what, found, right):
    if found != right:
        raise SystemExit(f"{what}: {found} (expected {right})")


def main():
    akit, shared, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]) / "stress"
    out.mkdir(exist_ok=True)
    (out / "suite.yaml").write_text(SUITE)
    script = shared / "tools" / "fake_llm.py"

    # Each fault is counted by both sides.
    with Server(script, out, "--delay-ms", "50", "--faults", "429:0.1,500:0.1,400:0.05,badjson:0.05") as server:
        found = stress(akit, out, server, 0, "-c", "8", "-n", "400")
        stats = server.stats()
        errors = found["levels"][0]["errors"]
        equal("requests", [found["requests"], stats["requests"]], [400, 400])
        for name, status in [("rate_limited", "429"), ("server_error", "500"), ("client_error", "400")]:
            equal(name, errors[name], stats["status"].get(status, 0))
        equal("malformed", errors["malformed"], stats["fault"].get("badjson", 0))
        equal("errors in all", sum(errors.values()), 400 - found["levels"][0]["quality"]["n"])

    # A stall of a second counts, even if no request was sent meanwhile.
    with Server(script, out, "--delay-ms", "50", "--stall", "2:1") as server:
        for load in (["--rate", "40"], ["-c", "4"]):
            found = stress(akit, out, server, 0, *load, "-d", "5", may_be_void=True)
            p95 = found["levels"][0]["latency_ms"]["p95"]
            if not 500 <= p95 <= 1_000:
                raise SystemExit(f"{load}: p95 is {p95} ms during a stall of 1 s in 5 s (expected about 800 ms)")

    # Every report of a staircase that misses a limit.
    with Server(script, out, "--delay-ms", "40", "--concurrency", "8") as server:
        reports = ["--html", "stress.html", "--junit", "stress.xml", "--markdown", "stress.md"]
        limits = ["--slo", "latency_p95_ms=90", "--slo", "escalation_availability=0.9"]
        found = stress(akit, out, server, 1, "--stages", "4@3s,8@3s,32@3s,4@3s", *limits, *reports)
        equal("the largest load that is quick", found["knees"]["latency"], 8)
        equal("limits", len(found["slo"]), 8)


main()
