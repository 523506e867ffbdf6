"""Writes the messages of vectors/message into the corpora of message_base and message_verify."""

import base64
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent

for corpus in ("message_base", "message_verify"):
    folder = HERE / "corpus" / corpus
    folder.mkdir(parents=True, exist_ok=True)
    for path in (HERE.parent / "vectors" / "message").glob("*.json"):
        inputs = json.loads(path.read_text())["inputs"]
        start = str(inputs["status"]) if "status" in inputs else f"{inputs['method']} {inputs['target']}"
        fields = [f"{name}: {value}" for name, value in inputs["fields"]]
        fields += [f"{name}: {value}" for name, value in inputs.get("requestFields", []) + inputs.get("trailers", [])]
        text = "\n".join([start, *fields, "", ""]).encode() + base64.b64decode(inputs["body"])
        (folder / path.stem).write_bytes(text)
