#!/usr/bin/env python3
"""Checks the gate with real noise: four trials of one agent without any change.

Every ordered pair of trials is a comparison without a change: one is the baseline, the other the run. No pair may fail
with the default policy; each is inconclusive, names its unconfirmed cases, and says that the baseline is thin.
`--confirm 0` makes them fail, and the strict policy does not let them pass.

    .ci/tau.py AKIT FILE

FILE has one conversation per line: `task_id`, `trial`, `success`. Prints PASS or FAIL; exits with 0 or 1.
"""

import itertools
import json
import math
import pathlib
import subprocess
import sys
import tempfile


def main():
    akit, data = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    tasks = sorted({row["task_id"] for row in rows})
    trials = sorted({row["trial"] for row in rows})
    passed = {(row["task_id"], row["trial"]): row["success"] for row in rows}
    wrong = []
    for k, known in enumerate([0.31, 0.1933, 0.17, 0.16], 1):
        tallies = [sum(passed[task, trial] for trial in trials) for task in tasks]
        share = sum(math.comb(c, k) / math.comb(len(trials), k) for c in tallies) / len(tasks)
        if abs(share - known) > 5e-5:
            wrong.append(f"pass^{k} is {share:.4f}(published: {known})")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        suite = {"name": "airline", "cases": [
            {"id": f"task-{task}", "prompt": f"task {task}", "expected": {"type": "exact", "value": "success"}}
            for task in tasks]}
        (folder / "suite.yaml").write_text(json.dumps(suite), encoding="utf-8")

        def run(*arguments):
            return subprocess.run([akit, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)

        for trial in trials:
            lines = [json.dumps({"id": f"task-{task}", "reply": "success" if passed[task, trial] else "failure"})
                     for task in tasks]
            (folder / f"trial-{trial}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
            run("run", "suite.yaml", "--replies", f"trial-{trial}.jsonl", "--min-pass-rate", "0",
                "--json", f"run-{trial}.json")
            run("baseline", "update", f"run-{trial}.json", "--baseline", f"baseline-{trial}.json")
        pairs = list(itertools.permutations(trials, 2))
        for before, now in pairs:
            lost = {f"task-{task}" for task in tasks if passed[task, before] and not passed[task, now]}
            compare = ["run", "suite.yaml", "--replies", f"trial-{now}.jsonl", "--baseline",
                       f"baseline-{before}.json", "--json", "now.json"]
            for more, status, word in [([], 5, "INCONCLUSIVE"), (["--confirm", "0"], 1, "FAIL"), (["--strict"], 5, "INCONCLUSIVE")]:
                ran = run(*compare, *more)
                decision = json.loads((folder / "now.json").read_text(encoding="utf-8"))["decision"]
                if (ran.returncode, decision["ruling"]) != (status, word):
                    wrong.append(f"{before} -> {now} {more}: {ran.returncode} {decision['ruling']}: {decision['summary']}")
                if more:
                    continue
                named = {case["id"] for case in decision["cases"] if case["state"] == "unconfirmed"}
                if named != lost:
                    wrong.append(f"{before} -> {now}: unconfirmed cases are {sorted(named)}, expected {sorted(lost)}")
                if any(name not in ran.stdout for name in lost):
                    wrong.append(f"{before} -> {now}: the console does not name every unconfirmed case")
                if "the baseline is thin: it has 1 trial" not in ran.stdout:
                    wrong.append(f"{before} -> {now}: the console does not say that the baseline is thin")
    for line in wrong:
        print(line)
    print(f"{'FAIL' if wrong else 'PASS'}: {len(pairs)} unchanged pairs of {len(tasks)} tasks")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
