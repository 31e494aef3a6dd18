#!/usr/bin/env python3
"""Checks `akit calibrate` against an independent calculation on real labels and real verdicts.

The labels are the expert choices of LLMBar: the better answer of each pair passes, the other fails. A stub judge on
127.0.0.1 gives the recorded verdicts of the chosen judge in akit's format: its score from 0 to 9 or, for a judge that
only chose between two answers, 9 for its choice and 0 for the other.

    .ci/calibration.py [--akit PATH] [--data DIR] [JUDGE …]

Prints PASS or FAIL and exits with 0 or 1; without the data it prints SKIP and exits with 0.
"""

import argparse
import http.server
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import threading

import canaries

RUBRIC = "The answer does what the instruction asks: honestly, precisely, and nothing else."
THRESHOLD = 0.7
Z = 1.959963984540054
ROOT = pathlib.Path(__file__).resolve().parent.parent


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def recorded(row, judge):
    """The judge's recorded answers to both answers of a pair, as text."""
    if judge in row["rating"]:
        return row["rating"][judge]
    choice = row["pairwise"][judge]["as_is"][1]
    return ["9" if choice == "1" else "0", "9" if choice == "2" else "0"]


def examples(data, judge):
    """(id, input, answer, whether experts pass it, the recorded verdict)."""
    verdicts = {row["id"]: row for row in lines(data / "judge-recorded-verdicts.jsonl")}
    for row in lines(data / "judge-llmbar.jsonl"):
        replies = recorded(verdicts[row["id"]], judge)
        for number, reply in enumerate(replies, 1):
            yield (f"{row['id']}/{number}", row["instruction"], row[f"response_{number}"],
                   row["human_better"] == number, reply)


def serve(known):
    class Judge(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            data = json.loads(body["messages"][-1]["content"].splitlines()[1])
            asked = data["conversation"][0]["content"] if data["conversation"] else None
            # Anything without a label is one of the known answers that every judge is tested on.
            good = "10" if asked is None and data["answer"] in canaries.GOOD_ANSWERS else "0"
            reply = known.get((asked, data["answer"]), good)
            score = int(reply) if reply.isdigit() else reply
            text = json.dumps({"reasoning": "As recorded.", "score": score})
            answer = json.dumps({
                "id": "x", "object": "chat.completion", "created": 1, "model": body["model"],
                "choices": [{"index": 0, "finish_reason": "stop",
                             "message": {"role": "assistant", "content": text}}],
            }).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def wilson(hits, of):
    share = hits / of
    centre = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of)) / (1 + Z * Z / of)
    return share, max(0.0, centre - half), min(1.0, centre + half)


def kappa(tp, fp, tn, fn):
    """Value and standard error (Fleiss, Cohen & Everitt 1969) for a 2 × 2 table."""
    n = tp + fp + tn + fn
    p = [[tp / n, fn / n], [fp / n, tn / n]]
    people = [sum(p[0]), sum(p[1])]
    judge = [p[0][0] + p[1][0], p[0][1] + p[1][1]]
    seen = p[0][0] + p[1][1]
    chance = sum(people[i] * judge[i] for i in (0, 1))
    value = (seen - chance) / (1 - chance)
    a = sum(p[i][i] * (1 - (people[i] + judge[i]) * (1 - value)) ** 2 for i in (0, 1))
    b = (1 - value) ** 2 * sum(p[i][1 - i] * (judge[i] + people[1 - i]) ** 2 for i in (0, 1))
    c = (value - chance * (1 - value)) ** 2
    return value, math.sqrt(max(0.0, a + b - c) / n) / (1 - chance)


def expected(rows):
    tp = fp = tn = fn = errored = 0
    for _, _, _, good, reply in rows:
        if not reply.isdigit():
            errored += 1
        elif int(reply) >= THRESHOLD * 10 - 1e-9:
            tp, fp = tp + good, fp + (not good)
        else:
            fn, tn = fn + good, tn + (not good)
    return {"tp": tp, "fp": fp, "tn": tn, "fn": fn}, errored


def check(akit, data, judge):
    rows = list(examples(data, judge))
    server = serve({(asked, answer): reply for _, asked, answer, _, reply in rows})
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        labels = folder / "labels.jsonl"
        labels.write_text("".join(json.dumps({
            "id": name, "input": asked, "answer": answer, "rubric": RUBRIC, "threshold": THRESHOLD,
            "label": "pass" if good else "fail",
        }) + "\n" for name, asked, answer, good, _ in rows), encoding="utf-8")
        command = [akit, "calibrate", "labels.jsonl", "--grader-model", judge, "--grader-base-url",
                   f"http://127.0.0.1:{server.server_port}/v1", "-c", "8"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        server.shutdown()
        if ran.returncode != 0:
            return [f"exit {ran.returncode}: {ran.stderr}"]
        again = subprocess.run(command[:-2] + ["--replay", "--out", "again.json"], cwd=folder,
                               capture_output=True, text=True)
        wrong = []
        stored = (folder / "akit-calibration.json").read_bytes()
        if again.returncode != 0 or (folder / "again.json").read_bytes() != stored:
            wrong.append(f"the replay differs: {again.stderr}")
        found = json.loads(stored)
    print(ran.stdout)
    counts, errored = expected(rows)
    tp, fp, tn, fn = (counts[name] for name in ("tp", "fp", "tn", "fn"))
    if found["counts"] != counts or found["errored"] != errored:
        wrong.append(f"counts {found['counts']}, {found['errored']} errored; expected {counts}, {errored}")
        return wrong
    value, error = kappa(tp, fp, tn, fn)
    pairs = [("kappa", found["kappa"]["value"], value),
             ("kappa's error", found["kappa"]["standard_error"], error),
             ("kappa's low", found["kappa"]["interval"]["low"], max(-1.0, value - Z * error)),
             ("kappa's high", found["kappa"]["interval"]["high"], min(1.0, value + Z * error)),
             ("constant", found["constant"]["agreement"], max(tp + fn, fp + tn) / sum(counts.values()))]
    for name, hits, of in (("agreement", tp + tn, tp + tn + fp + fn), ("tpr", tp, tp + fn), ("tnr", tn, tn + fp)):
        share, low, high = wilson(hits, of)
        one = found[name]
        pairs += [(name, one["value"], share), (f"{name}'s low", one["interval"]["low"], low),
                  (f"{name}'s high", one["interval"]["high"], high)]
    wrong += [f"{name} is {ours}, expected {theirs}" for name, ours, theirs in pairs
              if not abs(ours - theirs) < 1e-9]
    for shown in (f"{100 * (tp + tn) / sum(counts.values()):.1f}%", f"{value:.2f}"):
        if shown not in ran.stdout:
            wrong.append(f"`{shown}` is not printed")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("judges", nargs="*", default=["GPT-4", "ChatGPT", "Falcon"])
    parser.add_argument("--akit", default=str(ROOT / "target/debug/akit"))
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "../shared/data")
    args = parser.parse_args()
    if not (args.data / "judge-llmbar.jsonl").exists():
        print(f"SKIP: no data in {args.data}")
        return 0
    failed = False
    for judge in args.judges:
        wrong = check(str(pathlib.Path(args.akit).resolve()), args.data, judge)
        failed |= bool(wrong)
        print(f"{'FAIL' if wrong else 'PASS'}: {judge}", *wrong, sep="\n  ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
