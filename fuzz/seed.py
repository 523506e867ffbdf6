#!/usr/bin/env python3
"""Writes the envelopes of vectors/envelope into the corpus of envelope_decode, a file each."""

import base64
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus" / "envelope_decode"

CORPUS.mkdir(parents=True, exist_ok=True)
for path in (HERE.parent / "vectors" / "envelope").glob("*.json"):
    inputs = json.loads(path.read_text())["inputs"]
    wire = inputs["envelope"].encode() if "envelope" in inputs else base64.b64decode(inputs["envelopeBase64"])
    (CORPUS / path.stem).write_bytes(wire)

import seed_message  # noqa: E402, F401: writes its own corpora
