#!/usr/bin/env python3
"""Simulates the gate end to end: suites of 20, 50 and 100 cases on a local server, with baselines of 1, 3 and 10 trials.

One case in twenty always fails, one in five passes with probability 0.8, the rest with 0.99. Each cell has RUNS runs and
counts FAIL for an unchanged suite, FAIL or exit code 5 for one broken case, and FAIL if every case loses ten points.
Takes minutes; the figures are in docs/regressions.md.

    .ci/gate.py AKIT [RUNS]

Prints the table; exits with 1 if a bound is missed: 5% of unchanged runs, 97% of broken ones.
"""

import http.server
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading


class Application(http.server.BaseHTTPRequestHandler):
    """Answers each prompt correctly with its probability."""

    protocol_version = "HTTP/1.1"
    rates = {}
    draw = random.Random(20261129)
    lock = threading.Lock()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.lock:
            right = self.draw.random() < self.rates[asked["messages"][-1]["content"]]
        message = {"role": "assistant", "content": "yes" if right else "no"}
        body = json.dumps({"model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def rates(n):
    return {f"c{i:03d}": 0.0 if i < n // 20 else 0.8 if i < n // 4 else 0.99 for i in range(n)}


def main():
    akit, runs = str(pathlib.Path(sys.argv[1]).resolve()), int(sys.argv[2]) if sys.argv[2:] else 60
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    random_ = random.Random(7)
    wrong = []
    print("| trials per case in the baseline | cases | unchanged: FAIL | one broken case: FAIL or 5 | 10-point drop: FAIL |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def run(*arguments):
            return subprocess.run([akit, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)

        for n in (20, 50, 100):
            old = rates(n)
            cases = [{"id": id, "prompt": id, "expected": {"type": "exact", "value": "yes"}} for id in old]
            (folder / "s.yaml").write_text(json.dumps({"name": "s", "cases": cases}), encoding="utf-8")
            lines = [json.dumps({"id": id, "reply": "yes"}) for id in old]
            (folder / "r.jsonl").write_text("\n".join(lines), encoding="utf-8")
            (folder / "b.json").unlink(missing_ok=True)
            run("run", "s.yaml", "--replies", "r.jsonl", "--json", "then.json")
            run("baseline", "update", "then.json", "--baseline", "b.json")
            stored = json.loads((folder / "b.json").read_text(encoding="utf-8"))
            for before in (1, 3, 10):
                ended = {"same": [], "broken": [], "drop": []}
                for _ in range(runs):
                    for case in stored["cases"]:
                        hits = sum(random_.random() < old[case["id"]] for _ in range(before))
                        case["results"] = f"{hits}/{before}" if before > 1 else str(hits)
                    (folder / "b.json").write_text(json.dumps(stored), encoding="utf-8")
                    for effect in ended:
                        now = dict(old)
                        if effect == "broken":
                            now[f"c{n - 1:03d}"] = 0.0
                        if effect == "drop":
                            now = {id: max(0.0, rate - 0.1) for id, rate in old.items()}
                        Application.rates = now
                        ran = run("run", "s.yaml", "-m", "m", "--base-url", url, "--cache", "off", "-c", "8",
                                  "--baseline", "b.json", "-q")
                        if ran.returncode not in (0, 1, 5):
                            sys.exit(f"exit code {ran.returncode}: {ran.stderr}")
                        ended[effect].append(ran.returncode)
                share = lambda effect, codes: 100 * sum(code in codes for code in ended[effect]) / runs
                same, broken, drop = share("same", (1,)), share("broken", (1, 5)), share("drop", (1,))
                print(f"| {before} | {n} | {same:.0f}% | {broken:.0f}% | {drop:.0f}% |", flush=True)
                # Plus two standard errors, because there are few runs.
                if same > 5 + 200 * (0.05 * 0.95 / runs) ** 0.5 or broken < 97 - 200 * (0.03 * 0.97 / runs) ** 0.5:
                    wrong.append((before, n))
    sys.exit(f"out of bounds: {wrong}" if wrong else 0)


if __name__ == "__main__":
    main()
