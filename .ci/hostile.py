"""Runs a suite with hostile answers and leaves its reports behind: hostile.xml, .sarif, .md, …

    hostile.py AKIT FOLDER
"""

import json
import subprocess
import sys
import xml.parsers.expat
from pathlib import Path

ANSWERS = {
    "nul": "a\0b",
    "escape": "\x1b[31mred\x1b]8;;http://evil.example\x07",
    "noncharacter": "\ufffe\uffff\ufdd0",
    "c1": "\x85\x9b31m",
    "cdata": "]]> <![CDATA[ x ]]> ]]&gt;",
    "entity": "&lt;&#0;&bogus;<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>",
    "long-line": "x" * 1_000_000,
    "right-to-left": "\u202eabc\u2066 \u05d0\u05d1",
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f4",
    "github": "::error file=x::owned\n##[error]x\n::endgroup::\n%0A::add-mask::x",
    "gitlab": "\x1b[0Ksection_end:0:akit_case_0\r\x1b[0K",
    "azure": "##vso[task.complete result=Succeeded]",
    "markdown": "```\n~~~~\n</details></pre> @octocat fixes #1 ![i](http://evil.example/a.png) <img src=x>",
    "comment": "<!-- akit:v1 key=x -->",
    "type-symbol": "type=\"symbol\"",
    "symbol": "symbol",
    "yaml": "yaml",
    "integer": "type=\"integer\">7<",
    "cdata-nested": "<![CDATA[]]]]><![CDATA[>]]>]]>" * 3,
    "fffe": "a\ufffeb\uffffc\U0001fffed",
    "replaced": "half of a character: \ufffd",
    "long-cdata": "]]>" * 350_000,
    "lines": "a\rb\r\nc\td\x0be\x0cf\u2028g",
    "metrics": '"} 1\n# EOF\n',
    "empty": "",
}

# Lines of recorded answers that are not valid text.
NO_TEXT = {
    "surrogate as an escape": rb'{"id":"nul","reply":"x \ud800 y"}',
    "surrogates the wrong way round": rb'{"id":"nul","reply":"\udc00\ud800"}',
    "surrogate in CESU-8": b'{"id":"nul","reply":"\xed\xa0\x80"}',
    "pair in CESU-8": b'{"id":"nul","reply":"\xed\xa0\xbd\xed\xb8\x80"}',
    "Latin-1": b'{"id":"nul","reply":"gr\xfcn"}',
    "overlong": b'{"id":"nul","reply":"\xc0\xaf"}',
    "UTF-16": '{"id":"nul","reply":"x"}'.encode("utf-16"),
    "a NUL": b'{"id":"nul","reply":"\x00"}',
}


def main():
    akit, folder = sys.argv[1], Path(sys.argv[2])
    names = list(ANSWERS)
    cases = [
        {"id": name, "name": ANSWERS[name][:300] or "-", "prompt": name, "expected": {"type": "exact", "value": "no such answer"}}
        for name in names
    ]
    # JSON is YAML; non-ASCII is escaped, so the file itself is plain.
    (folder / "hostile.yaml").write_text(json.dumps({"name": "hostile", "cases": cases}))
    lines = [json.dumps({"id": name, "reply": ANSWERS[name]}) + "\n" for name in names]
    (folder / "hostile.jsonl").write_text("".join(lines))
    forms = {
        "json": "json", "junit": "xml", "sarif": "sarif", "markdown": "md", "code-quality": "gl.json",
        "open-metrics": "txt", "annotations": "links.json", "dotenv": "env",
    }
    arguments = [akit, "run", "hostile.yaml", "--replies", "hostile.jsonl"]
    for form, ending in forms.items():
        arguments += [f"--{form}", f"hostile.{ending}"]
    ran = subprocess.run(arguments, cwd=folder, capture_output=True, text=True)
    if ran.returncode != 1:
        sys.exit(f"exit {ran.returncode} (expected 1):\n{ran.stdout}{ran.stderr}")
    failures = 0

    def start(name, _):
        nonlocal failures
        failures += name == "failure"

    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = start
    parser.Parse((folder / "hostile.xml").read_bytes(), True)
    if failures != len(names):
        sys.exit(f"{failures} failures, expected {len(names)}")
    for name, line in NO_TEXT.items():
        (folder / "no-text.jsonl").write_bytes(line + b"\n")
        ran = subprocess.run([akit, "run", "hostile.yaml", "--replies", "no-text.jsonl"], cwd=folder, capture_output=True)
        if ran.returncode != 2 or b"no-text.jsonl" not in ran.stderr or b"panicked" in ran.stderr:
            sys.exit(f"{name}: exit {ran.returncode} (expected 2 and the name of the file):\n{ran.stderr!r}")


main()
