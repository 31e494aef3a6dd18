"""Opens a page of 100,000 cases in headless Chromium and filters it, to measure how long a reader waits.

Usage: page.py AKIT WORK [CASES]     WORK contains regressed.json, a stored run; CHROMIUM=… sets another browser.

A copy of the page gets a script that measures times as a reader sees them, up to the next frame. Opening may take 3 s
and a filter 0.2 s, as docs/page.md promises. Run it by hand: `.ci/run` measures no times, because a busy machine would
fail it.
"""

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

OPEN_MS, FILTER_MS = 3000, 200
# What is typed or clicked, in order, and how many cases remain.
STEPS = """
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const frame = () => new Promise((done) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = done;
  port2.postMessage(0);
}));
addEventListener("load", async () => {
  await frame();
  const times = [["open", performance.now(), ""]];
  const count = document.getElementById("count");
  const step = async (name, act) => {
    await sleep(WAIT);
    // So that the same number of cases is a change, too.
    count.value = "";
    await frame();
    const start = performance.now();
    const changed = new Promise((done) => new MutationObserver(done).observe(count, { childList: true, characterData: true, subtree: true }));
    act();
    await changed;
    await frame();
    times.push([name, performance.now() - start, count.value]);
  };
  const type = (text) => () => {
    const search = document.querySelector("input[type=search]");
    search.value = text;
    search.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const click = (selector) => () => document.querySelector(selector).click();
  await step("search: card", type("card"));
  await step("search: card 00", type("card 00"));
  await step("search cleared", type(""));
  await step("failed", click("button[value=failed]"));
  await step("failed or passed", click("button[value=passed]"));
  await step("passed", click("button[value=failed]"));
  await step("search: 0999", type("0999"));
  await step("search cleared", type(""));
  await fetch("/times", { method: "POST", body: JSON.stringify(times) });
});
"""


def many(run: dict, cases: int) -> dict:
    """The run with this many cases: every 20th fails; all have one trial."""
    failed, passed = ([case for case in run["cases"] if case["outcome"] == word] for word in ("failed", "passed"))
    found = []
    for index in range(cases):
        sort = passed if index % 20 else failed
        case = dict(sort[index % len(sort)])
        case.update(id=f"case-{index:06}", trials=case["trials"][:1], scenario=f"suite-{index % 20:02}")
        case.update(score=case["trials"][0].get("score"), tags=["release-gate", f"team-{index % 7}"])
        found.append(case)
    one = run["scenarios"][0]
    scenarios = [one | {"name": f"suite-{n:02}", "file": f"suite-{n:02}.yaml"} for n in range(20)]
    bad = sum(case["outcome"] == "failed" for case in found)
    counts = {"passed": cases - bad, "failed": bad, "errored": 0, "skipped": 0}
    return {key: value for key, value in run.items() if key != "decision"} | {
        "cases": found,
        "scenarios": scenarios,
        "counts": counts,
    }


def times(page: str, wait_ms: int) -> list:
    """The measurements of the page's script in a browser."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        sys.exit("no Chromium: set CHROMIUM")
    # The page's policy allows no script but akit's.
    page = re.sub(r"<meta http-equiv=[^>]*>", "", page, count=1)
    script = STEPS.replace("WAIT", str(wait_ms))
    body = page.replace("</head>", f"<script>{script}</script></head>", 1).encode()
    found, done = [], threading.Event()

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body) if known else 0))
            self.end_headers()
            self.wfile.write(body if known else b"")

        def do_POST(self) -> None:
            found.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            done.set()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        address = f"http://127.0.0.1:{server.server_port}/"
        command = [browser, *options, "--remote-debugging-port=0", f"--user-data-dir={profile}", address]
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        done.wait(120)
        running.terminate()
        running.wait(20)
    server.shutdown()
    if not found:
        sys.exit("the browser measured nothing within 120 s")
    return found


def main() -> None:
    akit, work = sys.argv[1], Path(sys.argv[2])
    cases = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000
    run, page = work / "many.json", work / "many.html"
    run.write_text(json.dumps(many(json.loads((work / "regressed.json").read_text()), cases)))
    subprocess.run([akit, "report", run, "--html", page], stdout=subprocess.DEVNULL, check=False)
    text = page.read_text()
    size = f"{len(text.encode()) / 1e6:.1f} MB"
    # Once at the speed of a program and once at a reader's. A busy machine may spoil one of them.
    best = {}
    for wait_ms in (0, 300):
        print(f"{cases:,} cases, {size}, {wait_ms} ms between steps")
        for step, (name, took_ms, shown) in enumerate(times(text, wait_ms)):
            print(f"  {name:<18} {took_ms:7.0f} ms  {shown}")
            best[step, name] = min(took_ms, best.get((step, name), took_ms))
    limits = {(step, name): OPEN_MS if name == "open" else FILTER_MS for step, name in best}
    slow = [f"{key[1]}: {best[key]:.0f} ms, at most {limit} ms" for key, limit in limits.items() if best[key] > limit]
    if slow:
        sys.exit("\n".join(slow))


main()
