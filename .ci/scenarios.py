#!/usr/bin/env python3
"""Validates the reference's public examples; two of them use keys that do not exist and must be refused.

    scenarios.py AKIT FOLDER
"""

import json
import pathlib
import subprocess
import sys
import tempfile

# File -> the keys that are refused in it.
REFUSED = {
    "owasp-testing/scenarios/chatbot.yaml": {"system_prompt"},
    "07-agentic/langchain/scenarios/chain-eval.yaml": {"ignoreCase", "normalize"},
}


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as place:
        out = pathlib.Path(place) / "out.json"
        command = [program, "validate", str(folder), "--json", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        report = json.loads(out.read_text(encoding="utf-8"))
    refused, wrong = {}, []
    for one in report["diagnostics"]:
        name = next((name for name in REFUSED if one["location"]["file"].endswith(name)), None)
        keys = {key for key in REFUSED.get(name, ()) if f"unknown key `{key}`" in one["message"]}
        if one["severity"] == "error" and not keys:
            wrong.append(f"{one['location']['file']}:{one['location']['line']}: {one['message']}")
        refused.setdefault(name, set()).update(keys)
    wrong += [f"{name} should be refused for {keys}" for name, keys in REFUSED.items() if refused.get(name) != keys]
    if done.returncode != 2:
        wrong.append(f"exit {done.returncode} (expected 2)")
    print(done.stdout.strip())
    for line in wrong:
        print("  " + line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
