#!/usr/bin/env python3
"""Checks akit against the reference's results: rows of (expectation, answer) -> (passed, score).

    conformance.py AKIT ROWS.jsonl

Every row must agree in both, or be listed in DIFFERS with a reason. A listed row that agrees fails as well, so that the
list stays current.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

# (type, note) of a row -> why akit differs, as explained in docs/migrating.md.
VARIABLES = "akit fills variables in expectations too, so one without a value is an error"
STRICT = "a gate fails closed: under `mode: any` no value may appear either"
EMPTY = "an empty list of values forbids nothing"
HOLLOW = "an empty answer passes no negative expectation, pattern or expression"
FOLDED = "texts are normalized: a letter and its accent are one letter"
CASELESS = "case is ignored by Unicode's rules: STRASSE equals straße"
FENCED = "the JSON of an answer may be in a fenced block with any spelling of `json`"
EARLY = "an invalid pattern or expression is an error before anything is sent"
SCHEMA = "JSON Schema 2020-12 in full; the reference has ten keywords"
PRECEDENCE = "`&&` binds tighter than `||`, as in JavaScript"
LANGUAGE = "akit's expressions have `===` and negative numbers, and `||` inside a pattern belongs to it"
NESTING = "`combined` nests"
PASSING = "anything that passes scores 1, even if only one of two values was found"

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
    """Writes the rows as one scenario with one case per line, and their answers."""
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
    """The numbers of the rows that are refused before anything is sent."""
    write(folder, rows)
    _, report = akit(program, folder, "validate")
    errors = [one for one in report["diagnostics"] if one["severity"] == "error"]
    return {rows[one["location"]["line"] - len(HEAD) - 1][0] for one in errors}


def judged(program, folder, rows):
    """(passed, score) by row number."""
    write(folder, rows)
    done, report = akit(program, folder, "run")
    if done.returncode not in (0, 1):
        sys.exit(f"the run exited with {done.returncode}\n{done.stderr}")
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
            wrong.append(f"row {number}, {name[0]}, {name[1]}: {row['passed']} {row['score']}in the reference, {got} in akit")
    wrong += [f"{name[0]}, {name[1]}: listed as a difference, but agrees" for name in DIFFERS.keys() - used]
    print(f"{len(rows)} rows: {agree} agree, {covered} differ as listed, {len(wrong)} are wrong")
    for line in wrong:
        print("  " + line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
