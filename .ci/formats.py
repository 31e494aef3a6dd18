"""Checks reports against the requirements of their readers: code quality, OpenMetrics, annotations, variables.

    formats.py FOLDER NAME…
"""

import json
import re
import sys
from pathlib import Path

SEVERITIES = {"info", "minor", "major", "critical", "blocker"}
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{{{LABEL}(?:,{LABEL})*\}})? (\S+)")


def code_quality(path):
    issues = json.loads(path.read_text())
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints), "duplicate fingerprint"
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}, issue
        assert issue["description"] and issue["severity"] in SEVERITIES, issue
        assert re.fullmatch("[0-9a-f]{64}", issue["fingerprint"]), issue
        location = issue["location"]
        assert not location["path"].startswith(("/", "./")) and location["lines"]["begin"] >= 1, issue


def open_metrics(path):
    text = path.read_text()
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1, "no single `# EOF` at the end"
    families, family, samples = set(), None, set()
    for line in text.splitlines()[:-1]:
        if line.startswith("# "):
            _, keyword, name, rest = line.split(" ", 3)
            if keyword == "TYPE":
                assert name not in families, line
                families.add(name)
                family = name
            assert name == family and keyword in ("TYPE", "UNIT", "HELP"), line
            assert keyword != "UNIT" or name.endswith("_" + rest), line
            continue
        match = SAMPLE.fullmatch(line)
        assert match and match[1].startswith(family), line
        float(match[3])
        assert (match[1], match[2]) not in samples, line
        samples.add((match[1], match[2]))


def annotations(path):
    for links in json.loads(path.read_text()).values():
        for link in links:
            assert set(link) == {"external_link"} and set(link["external_link"]) == {"label", "url"}, link


def dotenv(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 20 and path.stat().st_size <= 5 * 1024
    for line in lines:
        assert re.fullmatch(r"AKIT_[A-Z_]+=[A-Za-z0-9._-]*", line), line


def main():
    folder = Path(sys.argv[1])
    for name in sys.argv[2:]:
        for check, ending in [
            (code_quality, "gl.json"), (open_metrics, "txt"), (annotations, "links.json"), (dotenv, "env"),
        ]:
            try:
                check(folder / f"{name}.{ending}")
            except (AssertionError, ValueError, KeyError) as error:
                sys.exit(f"{name}.{ending}: {error}")


main()
