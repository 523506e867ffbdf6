#!/usr/bin/env python3
"""Writes the cases of vectors/ into the corpora of the targets, a file each."""

import base64
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def member(inputs, name):
    return inputs[name].encode() if name in inputs else base64.b64decode(inputs[name + "Base64"])


def seed(target, folder, wire):
    corpus = HERE / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    for path in (HERE.parent / "vectors" / folder).glob("*.json"):
        inputs = json.loads(path.read_text())["inputs"]
        (corpus / path.stem).write_bytes(wire(inputs))


seed("envelope_decode", "envelope", lambda inputs: member(inputs, "envelope"))
seed("payload_signature", "header", lambda inputs: member(inputs, "header") + b"\n" + member(inputs, "body"))



def chain(inputs):
    """The certificates of an envelope, with no list between them."""
    try:
        certificates = [base64.b64decode(text) for text in json.loads(member(inputs, "envelope"))["certificates"]]
    except (KeyError, TypeError, ValueError):
        return b""
    parts = certificates[:1] + [part for certificate in certificates for part in (certificate, b"")]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


seed("certificate_path", "envelope", chain)

import seed_message  # noqa: E402, F401: writes its own corpora
