#!/usr/bin/env python3
"""Holds akit against rows of (expectation, answer) -> (passed, score) that the reference produced.

    conformance.py AKIT ROWS.jsonl

Every row agrees in both, or stands in DIFFERS with the reason why it does not. A row that stands
there and agrees all the same is told too: the list must not outlive its reasons.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

# (type, note) of a row -> why akit differs, as docs/migrating.md tells it.
VARIABLES = "akit fills variables in expectations too, so one without a value is an error"
STRICT = "a gate fails closed: under `mode: any` no value may appear either"
EMPTY = "an empty list of values forbids nothing"
HOLLOW = "an answer that says nothing passes no negative expectation, pattern or expression"
FOLDED = "texts are compared as they read: a letter and its accent are one letter"
CASELESS = "upper and lower case are the same by Unicode: STRASSE is straße"
FENCED = "the JSON of an answer may stand in a fenced block, however its mark is written"
EARLY = "an invalid pattern or expression is an error before anything is sent"
SCHEMA = "JSON Schema 2020-12 in full; the reference knows ten keywords"
PRECEDENCE = "`&&` binds tighter than `||`, as in JavaScript"
LANGUAGE = "akit's expressions know `===` and negative numbers, and `||` inside a pattern is part of it"
NESTING = "`combined` nests"
PASSING = "what passes scores 1: that it found one value of two says nothing against it"

DIFFERS = {
    ("contains", "variables are not substituted in expected"): VARIABLES,
    ("contains", "sharp s is not folded"): CASELESS,
    ("contains", "sharp s not folded 2"): CASELESS,
    ("contains", "dotted I does not match plain i at start"): CASELESS,
    ("contains", "non-final sigma"): CASELESS,
    ("not_contains", "any: at least one absent -> pass"): STRICT,
    ("not_contains", "empty any -> fail, score 1"): EMPTY,
    ("not_contains", "empty response passes"): HOLLOW,
    ("regex", "inline flag (PCRE/Rust style): invalid in JS -> fail with reason"): EARLY,
    ("regex", "invalid pattern -> fail"): EARLY,
    ("regex", "empty pattern matches"): HOLLOW,
    ("fuzzy", "combining"): FOLDED,
    ("json_schema", "uppercase fence tag not stripped -> parse error"): FENCED,
    ("json_schema", "BUG: required ignored without properties -> passes"): SCHEMA,
    ("json_schema", "BUG: additionalProperties ignored -> passes"): SCHEMA,
    ("json_schema", "BUG: minimum ignored -> passes"): SCHEMA,
    ("json_schema", "BUG: minItems ignored"): SCHEMA,
    ("json_schema", "BUG: type list ignored -> passes"): SCHEMA,
    ("json_schema", "BUG: anyOf ignored -> passes"): SCHEMA,
    ("inline", "valid JSON"): HOLLOW,
    ("inline", "UTF-16 length"): HOLLOW,
    ("inline", "empty needle is unsupported"): EARLY,
    ("inline", "JS would be true; here (l<2||l>5)&&(l==99) = false"): PRECEDENCE,
    ("inline", "=== unsupported"): LANGUAGE,
    ("inline", "decimal length unsupported"): EARLY,
    ("inline", "negative unsupported"): LANGUAGE,
    ("inline", "response.length unsupported!"): EARLY,
    ("inline", "negative literal unsupported"): LANGUAGE,
    ("inline", "empty string literal unsupported"): EARLY,
    ("inline", "|| inside a regex is split -> error"): LANGUAGE,
    ("inline", "unsupported"): EARLY,
    ("inline", "double negation unsupported"): EARLY,
    ("combined", "and with a broken regex"): EARLY,
    ("combined", "or: passes with score .5"): PASSING,
    ("combined", "nested combined rejected by the schema"): NESTING,
}

HEAD = ["name: rows", "provider: replies", "providerConfig: { file: rows.jsonl }", "cases:"]


def write(folder, rows):
    """Writes the rows as one scenario with a case on each line, and their answers."""
    lines, replies = list(HEAD), []
    for number, row in rows:
        case = {"id": f"row-{number}", "prompt": "p", "expected": row["expected"]}
        lines.append("- " + json.dumps(case))
        replies.append(json.dumps({"id": f"row-{number}", "reply": row["response"]}))
    (folder / "rows.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "rows.jsonl").write_text("\n".join(replies) + "\n", encoding="utf-8")


def akit(program, folder, *arguments):
    command = [program, *arguments, "rows.yaml", "--json", "out.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    try:
        return done, json.loads((folder / "out.json").read_text(encoding="utf-8"))
    except OSError:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")


def refused(program, folder, rows):
    """The numbers of rows that are refused before anything is sent."""
    write(folder, rows)
    _, report = akit(program, folder, "validate")
    errors = [one for one in report["diagnostics"] if one["severity"] == "error"]
    return {rows[one["location"]["line"] - len(HEAD) - 1][0] for one in errors}


def judged(program, folder, rows):
    """(passed, score) of each row by its number."""
    write(folder, rows)
    done, report = akit(program, folder, "run")
    if done.returncode not in (0, 1):
        sys.exit(f"the run ended with {done.returncode}\n{done.stderr}")
    return {
        int(case["id"].removeprefix("row-")): (case["outcome"] == "passed", case.get("score"))
        for case in report["cases"]
    }


def same(found, row):
    passed, score = found
    if passed != row["passed"]:
        return False
    if score is None or row["score"] is None:
        return score == row["score"]
    return abs(score - row["score"]) < 1e-9


def main():
    program, path = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    lines = path.read_text(encoding="utf-8").split("\n")
    rows = [(number, json.loads(line)) for number, line in enumerate(lines, 1) if line.strip()]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        out = refused(program, folder, rows)
        found = judged(program, folder, [row for row in rows if row[0] not in out])
    agree, covered, wrong, used = 0, 0, [], set()
    for number, row in rows:
        name = (row["expected"]["type"], row["note"])
        got = found.get(number, (None, None))
        if same(got, row):
            agree += 1
        elif name in DIFFERS:
            covered += 1
            used.add(name)
        else:
            wrong.append(f"row {number}, {name[0]}, {name[1]}: {row['passed']} {row['score']}, akit has {got}")
    wrong += [f"{name[0]}, {name[1]}: listed as a difference, and there is none" for name in DIFFERS.keys() - used]
    print(f"{len(rows)} rows: {agree} agree, {covered} differ for a listed reason, {len(wrong)} are wrong")
    for line in wrong:
        print("  " + line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
