#!/usr/bin/env python3
"""Writes the files beside it, by the rules and with the well-known key of vectors/generate.py."""

import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "vectors"))
import generate as vectors
import generate_signed_list as lists
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

answer = {"apiVersion": "onboarding.margo.org/v1alpha1", "kind": "OnboardingResponse", "clientId": "press-7", "note": ""}
answer["note"] = "x" * (1024 - len(vectors.compact(answer)))
payload = vectors.compact(answer).encode()
wire = vectors.bound(payload=payload, type="OnboardingResponse")
key = vectors.P256.private_bytes(
    serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

# Margo 1.0's request, by RFC 9421 §2.5 and RFC 9530 §2.
digest = f"sha-256=:{vectors.b64(hashlib.sha256(payload).digest())}:"
covered = {
    "@method": "POST",
    "@target-uri": "https://wfm.example/api/v1/clients/press-7/deployment/7/status",
    "@authority": "wfm.example",
    "content-digest": digest,
}
params = "(" + " ".join(f'"{name}"' for name in covered) + f");created={vectors.CREATED}"
params += f';keyid="{hashlib.sha256(vectors.spki(vectors.P256)).hexdigest()}";nonce="{vectors.b64url(vectors.NONCE)}"'
base = "".join(f'"{name}": {value}\n' for name, value in covered.items()) + f'"@signature-params": {params}'
r, s = decode_dss_signature(vectors.sign(vectors.P256, base.encode()))
signature = vectors.b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

# A list of 100 images, and what is remembered of three versions of it.
images = lists.text(range(100))
said = {version: vectors.compact(lists.manifest(images, version)).encode() for version in (6, 7, 8)}
manifest = vectors.bound(payload=said[7], type="Allowlist")

for name, content in {
    "payload.json": payload,
    "envelope.json": vectors.compact(wire).encode(),
    "content-digest.txt": digest.encode(),
    "signature-input.txt": f"sig1={params}".encode(),
    "signature.txt": f"sig1=:{signature}:".encode(),
    "manifest.json": vectors.compact(manifest).encode(),
    "list.txt": images,
    **{f"kept-{version}.bin": lists.kept(payload) for version, payload in said.items()},
    "key.spki.der": vectors.spki(vectors.P256),
    "key.pkcs8.der": key,
}.items():
    (HERE / name).write_bytes(content)
    print(f"{len(content):5} bytes  {name}")
