#!/usr/bin/env python3
"""Writes the files beside it, by the rules and with the well-known key of vectors/generate.py."""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "vectors"))
import generate as vectors
from cryptography.hazmat.primitives import serialization

answer = {"apiVersion": "onboarding.margo.org/v1alpha1", "kind": "OnboardingResponse", "clientId": "press-7", "note": ""}
answer["note"] = "x" * (1024 - len(vectors.compact(answer)))
payload = vectors.compact(answer).encode()
wire = vectors.bound(payload=payload, type="OnboardingResponse")
key = vectors.P256.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

for name, content in {
    "payload.json": payload,
    "envelope.json": vectors.compact(wire).encode(),
    "key.spki.der": vectors.spki(vectors.P256),
    "key.pkcs8.der": key,
}.items():
    (HERE / name).write_bytes(content)
    print(f"{len(content):5} bytes  {name}")
