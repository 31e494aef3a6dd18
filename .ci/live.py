#!/usr/bin/env python3
"""Runs akit with a server that behaves, one that acts as a judge, and one with every known fault.

    live.py AKIT SHARED OUT

SHARED contains tools/fake_llm.py and compat/seed. Writes akit's requests to OUT/wire.json.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import canaries

STATUSES = [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529]
FAULTS = ["reset", "eof", "hang", "truncate", "badjson", "badutf8", "html", "empty", "huge", "slowloris", "nochoices"]

# An answer that passes the deterministic expectations of the founding suite in every case.
FOUNDING = "I am sorry. I understand, and help is near: a specialist of our team takes over now. Card: ****."

WIRE = """
name: wire
model: gpt-4o
seed: 7
temperature: 0
maxTokens: 200
setup:
  systemPrompt: You are a helpful assistant.
  functions:
    - name: lookup
      description: Finds an order.
      parameters: { type: object, properties: { id: { type: string } } }
cases:
  - id: plain
    prompt: "[[reply:hello there]]"
    expected: { type: contains, values: [hello] }
  - id: turns
    prompt:
      - { role: user, content: Where is my order? }
      - { role: assistant, content: Which one? }
      - { role: user, content: "[[reply:hello again]]" }
    expected: { type: contains, values: [hello] }
  - id: reasoning-model
    model: o4-mini
    prompt: "[[reply:hello]]"
    expected: { type: exact, value: hello }
  - id: judged
    prompt: Say something kind.
    expected: { type: llm_grader, rubric: The reply is kind. }
"""


@contextlib.contextmanager
def server(script, out, *arguments):
    """A fake server; it ends with the block, or by itself after two minutes."""
    port_file = out / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, str(script), "--port-file", str(port_file), "--max-seconds", "120", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                if port_file.exists() and port_file.read_text():
                    break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port_file.read_text().strip()}"
        finally:
            process.kill()


def run(akit, out, name, want, *arguments):
    """Runs akit, expects this exit code, and returns the stored run."""
    stored = out / f"{name}.json"
    stored.unlink(missing_ok=True)
    command = [akit, "run", *arguments, "--cache", "off", "--json", str(stored)]
    keys = {name: "sk-nobody" for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY")}
    environment = {"PATH": os.environ.get("PATH", ""), "CI": "true", **keys}
    done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, timeout=100)
    if done.returncode != want or "panicked" in done.stderr:
        sys.exit(f"{name}: exit {done.returncode} (expected {want})\n{done.stdout}\n{done.stderr}")
    return json.loads(stored.read_text(encoding="utf-8"))


def founding(akit, shared, out, tools, rules):
    suite = shared / "compat/seed/customer-service-scenarios.yaml"
    ids = [line.split("id:")[1].strip() for line in suite.read_text().splitlines() if "- id:" in line]
    replies = out / "founding.jsonl"
    with server(tools, out, "--rules", str(rules)) as address:
        judge = ["--grader-base-url", f"{address}/v1", "--grader-model", "stub"]
        for name, want, silent in [("founding", 0, None), ("founding-silent", 1, ids[0])]:
            lines = [json.dumps({"id": one, "reply": "" if one == silent else FOUNDING}) for one in ids]
            replies.write_text("\n".join(lines))
            stored = run(akit, out, name, want, str(suite), "--replies", str(replies), *judge)
            print(f"{name}: {stored['decision']['summary']}")


def wire(akit, out, tools, rules):
    (out / "wire.yaml").write_text(WIRE)
    with server(tools, out, "--rules", str(rules), "--strict") as address:
        base = f"{address}/v1"
        judge = ["--grader-base-url", base, "--grader-model", "gpt-4o"]
        stored = run(akit, out, "wire-run", 0, "wire.yaml", "--base-url", base, *judge)
        # The same over the server's other APIs; all requests are checked together.
        others = {
            "anthropic": ("anthropic", "claude-sonnet-4-6", base, ""),
            "anthropic-stream": ("anthropic", "claude-haiku-5-5", base, "stream: true"),
            "responses": ("openai", "gpt-4o", base, "api: responses"),
            "chat-stream": ("openai", "gpt-4o", base, "stream: true"),
            "azure": ("azure-openai", "gpt-4o", address, "deploymentName: bot, apiVersion: 2024-10-21"),
        }
        for name, (provider, model, url, config) in others.items():
            text = WIRE.replace("model: gpt-4o\n", f"provider: {provider}\nproviderConfig: {{ {config} }}\n", 1)
            (out / f"wire-{name}.yaml").write_text(text)
            judge = ["--grader-provider", provider, "--grader-base-url", url, "--grader-model", model]
            arguments = [f"wire-{name}.yaml", "-p", provider, "-m", model, "--base-url", url]
            run(akit, out, f"wire-{name}", 0, *arguments, *judge)
        with urllib.request.urlopen(f"{address}/__log", timeout=10) as log:
            (out / "wire.json").write_bytes(log.read())
    print(f"wire: {stored['decision']['summary']}; {', '.join(others)}")


def case(name, prompt):
    expected = {"type": "contains", "values": ["hello"]}
    return {"id": name, "prompt": prompt, "expected": expected}


def faults(akit, out, tools):
    bad = [case(f"status-{one}", f"[[status:{one}]] hello") for one in STATUSES]
    bad += [case(one, f"[[fault:{one}]] hello") for one in FAULTS]
    good = [case("well", "[[reply:hello]]"), case("headers", "[[fault:dupheader]][[reply:hello]]")]
    good += [case("third-try", "[[fail_first:2]][[reply:hello]]")]
    # Every YAML reader also reads JSON.
    for name, cases in (("faults", bad), ("well", good)):
        (out / f"{name}.yaml").write_text(json.dumps({"name": name, "model": "m", "cases": cases}))
    slow = ["--drip-ms", "100", "--huge-mb", "40", "--retry-after", "0.2"]
    with server(tools, out, *slow) as address:
        more = ["--base-url", f"{address}/v1", "--timeout", "1500", "--patience", "2s", "-c", "16"]
        arguments = ["faults.yaml", *more]
        stored = run(akit, out, "faults", 4, *arguments)
        # These run alone, because a refused key ends the whole run.
        stored["cases"] += run(akit, out, "well", 0, "well.yaml", *more)["cases"]
    outcomes = {one["id"]: one["outcome"] for one in stored["cases"]}
    kinds = {one["id"]: one["trials"][0].get("fault", {}).get("kind") for one in stored["cases"]}
    wrong = [one["id"] for one in bad if outcomes[one["id"]] != "errored" or kinds[one["id"]] == "internal"]
    wrong += [one["id"] for one in good if outcomes[one["id"]] != "passed"]
    if wrong:
        sys.exit(f"faults: {[(one, outcomes[one], kinds[one]) for one in wrong]}")
    print(f"faults: {len(bad)} errored, {len(good)} passed")
    # Nothing listens there anymore.
    run(akit, out, "nobody", 4, *arguments, "--retries", "0")


def main():
    akit = str(pathlib.Path(sys.argv[1]).resolve())
    shared, out = (pathlib.Path(one).resolve() for one in sys.argv[2:4])
    tools = shared / "tools/fake_llm.py"
    rules = out / "rules.json"
    verdict = json.dumps({"reasoning": "As the rubric asks.", "score": 10})
    # The bad ones among the known answers must not pass.
    refusal = json.dumps({"reasoning": "Not what the rubric asks.", "score": 0})
    judge = [{"system": re.escape(rubric), "reply": refusal} for rubric in canaries.BAD_RUBRICS]
    judge.append({"system": "grade one answer", "reply": verdict})
    rules.write_text(json.dumps(judge))
    founding(akit, shared, out, tools, rules)
    wire(akit, out, tools, rules)
    faults(akit, out, tools)


if __name__ == "__main__":
    main()
