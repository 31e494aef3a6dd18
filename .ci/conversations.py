#!/usr/bin/env python3
"""Judges recorded conversations of a real agent with `tools`, and compares the results with the data set's.

Each conversation is a case with its customer's messages as turns. The agent must have made the calls that the task
requires, and no other calls that change something; the data set itself compares the final state of a database. Both
agree if the right state needs exactly these calls; differences in arguments or in text are invisible to names alone.

    .ci/conversations.py AKIT FILE

FILE has one conversation per line: `id`, `messages`, `required_actions`, `success`. Prints the table and PASS or FAIL;
exits with 0 or 1.
"""

import json
import pathlib
import subprocess
import sys
import tempfile


# Prefixes of functions that change the database; lookups do not affect its final state.
WRITES = ("book_", "cancel_", "update_", "send_")


def whole(messages):
    """The messages up to the last answer; an unanswered message is not a turn."""
    while messages and messages[-1]["role"] != "assistant":
        messages = messages[:-1]
    return messages


def main():
    akit, data = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["required_actions"] = [name for name in row["required_actions"] if name.startswith(WRITES)]
    made = {call["name"] for row in rows for one in row["messages"] for call in one.get("tool_calls") or []}
    changing = sorted(name for name in made if name.startswith(WRITES))
    cases, lines = [], []
    for row in rows:
        messages = whole(row["messages"])
        must = list(dict.fromkeys(row["required_actions"]))
        expected = {"type": "tools", "never": [name for name in changing if name not in must]}
        if must:
            expected["called"] = must
        turns = [{"user": one["content"].replace("{{", "\\{{")} for one in messages if one["role"] == "user"]
        cases.append({"id": row["id"], "turns": turns, "expected": expected})
        lines.append(json.dumps({"id": row["id"], "messages": messages}))
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        suite = {"name": "airline", "cases": cases}
        (folder / "suite.yaml").write_text(json.dumps(suite), encoding="utf-8")
        (folder / "replies.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [akit, "run", "suite.yaml", "--replies", "replies.jsonl", "--json", "run.json"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        if not (folder / "run.json").exists():
            sys.exit(f"{ran.stdout}\n{ran.stderr}\nFAIL: exit {ran.returncode}")
        report = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    outcome = {case["id"]: case for case in report["cases"]}
    table = {(judged, success): 0 for judged in ("passed", "failed") for success in (True, False)}
    for row in rows:
        case = outcome[row["id"]]
        if case["outcome"] not in ("passed", "failed"):
            wrong.append(f"{row['id']} is {case['outcome']}: {case['reason']}")
            continue
        table[case["outcome"], row["success"]] += 1
        # Every call is seen, and no others.
        trial = case["trials"][0]
        seen = [call["name"] for turn in trial["turns"] for call in turn["answer"].get("tool_calls", [])]
        made = [call["name"] for one in whole(row["messages"]) for call in one.get("tool_calls") or []]
        if seen != made:
            wrong.append(f"{row['id']}: found calls {seen}, expected {made}")
        by_hand = set(row["required_actions"]) <= set(made) and not set(made) & (
            set(changing) - set(row["required_actions"]))
        if by_hand != (case["outcome"] == "passed"):
            wrong.append(f"{row['id']} {case['outcome']}, but should have {'passed' if by_hand else 'failed'}")
    both = table["passed", True] + table["failed", False]
    turns = sum(len(case["turns"]) for case in cases)
    print(f"{len(rows)} conversations of {turns} turns  | reward 1 | reward 0")
    for judged in ("passed", "failed"):
        print(f"  `tools` {judged}                 | {table[judged, True]:8} | {table[judged, False]:8}")
    print(f"  agreement {both} of {sum(table.values())}")
    # Without a required call the final state cannot be right, except where the agent found another way.
    if table["failed", True] > len(rows) // 20:
        wrong.append(f"{table['failed', True]} conversations with the right final state fail")
    for line in wrong:
        print(line)
    print("FAIL" if wrong else "PASS")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
