#!/usr/bin/env python3
"""Writes the cases of vectors/ into the corpora of the targets, a file each."""

import base64
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


def member(inputs, name):
    return inputs[name].encode() if name in inputs else base64.b64decode(inputs[name + "Base64"])


def seed(target, folder, wire):
    """A case whose bytes are None is left out."""
    corpus = HERE / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    for path in (HERE.parent / "vectors" / folder).glob("*.json"):
        written = wire(json.loads(path.read_text())["inputs"])
        if written is not None:
            (corpus / path.stem).write_bytes(written)


seed("envelope_decode", "envelope", lambda inputs: member(inputs, "envelope"))
seed("hash_chain", "hash-chain", lambda inputs: inputs["log"].encode())
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


def allowlist(target, kind, bytes_of):
    corpus = HERE / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    for path in (HERE.parent / "vectors" / "allowlist").glob(f"{kind}-*.json"):
        (corpus / path.stem).write_bytes(bytes_of(json.loads(path.read_text())["inputs"]))


allowlist("image_reference", "reference", lambda inputs: inputs["reference"].encode())
allowlist("image_digest", "pin", lambda inputs: inputs["image"].rpartition("@")[2].encode())
allowlist("list_text", "list", lambda inputs: member(inputs, "list"))
allowlist("launch_command", "launch", lambda inputs: "\n".join(inputs["arguments"]).encode())



def sparse(inputs):
    """A file of which the parts are given that are not zero; None of one that is given by its hash alone."""
    if "parts" not in inputs:
        return None
    file = bytearray(inputs["length"])
    for part in inputs["parts"]:
        data = bytes.fromhex(part["hex"])
        file[part["at"]:part["at"] + len(data)] = data
    return bytes(file)


seed("indexed_list", "indexed-list", sparse)



def signed_list(inputs):
    """What is remembered, a delta on a list, or else the manifest."""
    if "before" in inputs:
        return base64.b64decode(inputs["before"])
    if "base" in inputs:
        return base64.b64decode(inputs["base"]) + b"\xff" + base64.b64decode(inputs["delta"])
    return base64.b64decode(json.loads(inputs["envelope"])["payload"])


seed("signed_list", "signed-list", signed_list)

seed("tenant_json", "trust", lambda inputs: inputs["document"].encode())


def corpus(target, texts):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for at, text in enumerate(texts):
        (folder / f"seed-{at}").write_bytes(text)


NAMES = [
    b"CN=dev1,OU=IoT,O=ACME",
    b'cn = "a, b" ; DC=example+UID=\\C3\\A4\\20, 1.2.3=#0c0161',
    b"EMAILADDRESS=a@B.example,ST=x,STREET=y,L=z,C=DE",
    bytes.fromhex("302c310d300b060355040a0c0441434d45310c300a060355040b0c03496f54310d300b06035504030c0464657631"),
    bytes.fromhex("301a310c300a060355040b1303623a63310a3008060355040a1e020061"),
]
TEMPLATES = [b"{{subject-cn}}", b"d-{{subject-dn}}", b"{{{{subject-ou}}:{{subject-o}}}}", b"{{ {{subject-cn}} }}"]
corpus("distinguished_name", NAMES)
corpus("template", [template + b"\n" + name for template in TEMPLATES for name in NAMES])

REGISTRY = [
    b'{"enabled":true,"via":["gw1"],"viaGroups":"g","authorities":["auto-provisioning-enabled"],"ext":{"a":1}}',
    b'{"type":"x509-cert","auth-id":"cn=a, o=b","secrets":[{"not-before":"2020-01-01T00:00:00Z"}]}',
    b'[{"device-id":"a","device":{"memberOf":["g"]},"credentials":[{"type":"x509-cert","auth-id":"a","secrets":[{}]}]},{}]',
]
(HERE / "corpus" / "tenant_json").mkdir(parents=True, exist_ok=True)
for at, text in enumerate(REGISTRY):
    (HERE / "corpus" / "tenant_json" / f"registry-{at}").write_bytes(text)

import seed_message  # noqa: E402, F401: writes its own corpora
