"""Writes vectors/header: bodies signed by `X-Payload-Signature`. Run through generate.py.

It follows docs/payload-signature.md and shares no code with gangplank.
"""

import hashlib
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from generate import (
    ED25519, P256, P256_N, P256_OTHER, P384, PAYLOAD, RSA, b64, b64url, bound, certificate, pss, sign, signing_input, spki, write,
)

BODY = json.dumps({"apiVersion": "deployment.margo/v1", "kind": "DeploymentStatus",
                   "deploymentId": "a3e2f5dc-912e-494f-8395-52cf3769bc06",
                   "status": {"state": "installed"}, "components": []}).encode()


ED_KEY = spki(ED25519)
ED_SIGNATURE = sign(ED25519, BODY)


def headers():
    accepted()
    unreadable()
    unverified()


def pair(key, signature):
    """The inner text, from bytes (encoded here) or from text that is already base64 or wants to be."""
    return ";".join(part if isinstance(part, str) else b64(part) for part in (key, signature))


def wrapped(inner):
    return b64(inner if isinstance(inner, bytes) else inner.encode())


def value(key=P256, body=BODY, signature=None, signer=None):
    """A good value, or one with another signature, or one that another key signed."""
    if signature is None:
        signature = sign(signer or key, body)
    return wrapped(pair(spki(key), signature))


def header_case(name, comment, section, expect, header, body=BODY, key=P256, spelling="wrapped"):
    inputs = {"headerBase64": b64(header)} if isinstance(header, bytes) else {"header": header}
    try:
        inputs["body"] = body.decode()
    except UnicodeDecodeError:
        inputs["bodyBase64"] = b64(body)
    spec = f"docs/payload-signature.md §{section}"
    write("header", name, comment, spec, expect, {**inputs, "spki": b64(spki(key)), "spelling": spelling})


def by_p384(algorithm):
    return P384.sign(BODY, ec.ECDSA(algorithm, deterministic_signing=True))


def accepted():
    def accept(name, comment, section, header, body=BODY, **inputs):
        header_case(name, comment, section, "accept", header, body, **inputs)

    accept("p256", "what a Margo 2024 device sends", "2", value())
    accept("ed25519", "an Ed25519 key", "2", value(ED25519), key=ED25519)
    accept("p384", "a P-384 key, with SHA-384", "2", value(P384, signature=by_p384(hashes.SHA384())), key=P384)
    accept("rsa", "an RSA key of 2,048 bits, PKCS#1 v1.5 with SHA-256", "2", value(RSA, signature=RSA.sign(BODY, padding.PKCS1v15(), hashes.SHA256())), key=RSA)
    accept("bare", "the bare pair, where it is read", "1", pair(spki(P256), sign(P256, BODY)), spelling="wrapped-or-bare")
    accept("wrapped-where-bare", "where the bare pair is read, the other spelling is, too", "1", value(), spelling="wrapped-or-bare")
    for name, comment, body in (
        ("body-space", "one JSON object with white space around", b'\r\n {"a": [1, {"b": null}]}\n'),
        ("body-empty-object", "the smallest body", b"{}"),
        ("body-not-ascii", "UTF-8 beyond ASCII", '{"vendor":"Müller 機械"}'.encode()),
    ):
        accept(name, comment, "2", value(body=body), body)
    r, s = utils.decode_dss_signature(sign(P256, BODY))
    accept("other-s", "the same signature with s replaced by n - s still verifies", "2",
           value(signature=utils.encode_dss_signature(r, P256_N - s)))


def unreadable():
    def refuse(name, comment, header, **inputs):
        header_case(name, comment, "1", "refuse: unreadable", header, **inputs)

    key, signature = spki(P256), sign(P256, BODY)
    good, inner = value(), pair(key, signature)
    assert good.endswith("=") and b64url(ED_SIGNATURE) + "==" != b64(ED_SIGNATURE)
    refuse("empty", "nothing", "")
    refuse("bare-where-wrapped", "the bare pair, where it was not asked for", inner)
    refuse("wrapped-twice", "base64 once too often", wrapped(good))
    refuse("two-values", "two headers, joined as HTTP joins them", good + ", " + good)
    refuse("not-utf-8", "a byte that is no character", good.encode()[:-1] + b"\xff")
    refuse("outer-unpadded", "the outer base64 without its padding", good.rstrip("="))
    refuse("outer-url-alphabet", "a character of base64url, which this text never needs", good[:8] + "-" + good[9:])
    refuse("outer-space", "white space in the outer base64", good[:8] + " " + good[8:])
    refuse("no-semicolon", "one part only", wrapped(b64(key)))
    refuse("comma", "another character between the parts", wrapped(inner.replace(";", ",")))
    refuse("three-parts", "a second semicolon", wrapped(inner + ";"))
    refuse("three-parts-bare", "a second semicolon in the bare pair", inner + ";" + b64(b"more"), spelling="wrapped-or-bare")
    refuse("key-empty", "no key", wrapped(pair(b"", signature)))
    refuse("signature-empty", "no signature", wrapped(pair(key, b"")))
    refuse("raw-der", "the parts as bytes: DER may hold a semicolon", wrapped(key + b";" + signature))
    refuse("key-unpadded", "the key's base64 without its padding", wrapped(pair(b64(key).rstrip("="), signature)))
    refuse("key-line-break", "the key's base64 in lines, as in PEM", wrapped(pair(b64(key)[:64] + "\n" + b64(key)[64:], signature)))
    refuse("key-hexadecimal", "the key in hexadecimal digits", wrapped(pair(key.hex(), signature)))
    refuse("signature-url-alphabet", "the signature in base64url", wrapped(pair(ED_KEY, b64url(ED_SIGNATURE) + "==")), key=ED25519)
    loose = b64(ED_SIGNATURE)
    refuse("signature-trailing-bits", "the signature's base64 with loose bits in its last character",
           wrapped(pair(ED_KEY, loose[:-3] + chr(ord(loose[-3]) + 1) + "==")), key=ED25519)
    large = "refuse: too-large"
    header_case("key-too-large", "a key of 2,113 bytes", "1", large, wrapped(pair(key + bytes(2113 - len(key)), signature)))
    header_case("signature-too-large", "a signature of 1,025 bytes", "1", large, wrapped(pair(key, signature + bytes(1025 - len(signature)))))
    header_case("value-too-large", "a value of 5,584 characters", "1", large, "A" * 5584)


def unverified():
    def refuse(code, section, name, comment, header, body=BODY, **inputs):
        header_case(name, comment, section, "refuse: " + code, header, body, **inputs)

    key, signature = spki(P256), sign(P256, BODY)
    of_key = lambda other: wrapped(pair(other, signature))
    point = serialization.PublicFormat
    x962 = lambda form: P256.public_key().public_bytes(serialization.Encoding.X962, form)
    pem = P256.public_key().public_bytes(serialization.Encoding.PEM, point.SubjectPublicKeyInfo)
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    compressed = b"\x03\x22\x00" + x962(point.CompressedPoint)
    for name, comment, header in (
        ("other-key", "another key, which signed this very body", value(P256_OTHER)),
        ("other-algorithm", "an Ed25519 key, which signed this very body", value(ED25519)),
        ("key-compressed", "the registered key in another encoding", of_key(b"\x30" + bytes([len(algorithm + compressed)]) + algorithm + compressed)),
        ("key-point", "the registered key's point alone", of_key(x962(point.UncompressedPoint))),
        ("key-pem", "the registered key in PEM", of_key(pem)),
        ("key-trailing-byte", "the registered key and a byte", of_key(key + b"\0")),
        ("key-certificate", "a certificate of the registered key", of_key(certificate(P256, "SN-0001"))),
    ):
        refuse("key", "3", name, comment, header)

    r, s = utils.decode_dss_signature(signature)
    digest = hashlib.sha256(BODY)
    sha384 = P256.sign(BODY, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    for name, comment, made in (
        ("signature-of-another-key", "the registered key in front of another's signature", sign(P256_OTHER, BODY)),
        ("signature-r-s", "r and s side by side, as in a JWT", r.to_bytes(32, "big") + s.to_bytes(32, "big")),
        ("signature-trailing-byte", "a byte after the DER", signature + b"\0"),
        ("signature-cut", "the DER without its last byte", signature[:-1]),
        ("signature-over-digest", "the SHA-256 of the body hashed again", sign(P256, digest.digest())),
        ("signature-over-hexadecimal", "the SHA-256 of the body in hexadecimal digits", sign(P256, digest.hexdigest().encode())),
        ("signature-sha-384", "another hash than the key's", sha384),
        ("signature-of-bound-envelope", "a bound envelope's signature over the same payload",
         sign(P256, signing_input(BODY, bound(payload=BODY)))),
    ):
        refuse("signature", "3", name, comment, value(signature=made))
    refuse("signature", "2", "p384-sha-256", "the other curve's hash", value(P384, signature=by_p384(hashes.SHA256())), key=P384)
    salted = pss(BODY, "sha256", 32)
    refuse("signature", "2", "rsa-pss", "PSS, as Margo 1.0 has it", value(RSA, signature=salted), key=RSA)
    sha512 = RSA.sign(BODY, padding.PKCS1v15(), hashes.SHA512())
    refuse("signature", "2", "rsa-sha-512", "another hash than the key's", value(RSA, signature=sha512), key=RSA)
    for name, comment, body in (
        ("body-changed", "another state", BODY.replace(b"installed", b"pending")),
        ("body-compact", "the same JSON in other bytes", json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
        ("body-line-feed", "a line feed added at the end", BODY + b"\n"),
        ("body-missing", "the body taken away", b""),
    ):
        refuse("signature", "2", name, comment, value(), body)

    jwt = b64url(b'{"alg":"ES256"}') + "." + b64url(b'{"sub":"d-1"}')
    for name, comment, body in (
        ("body-array", "a JSON array", b"[]"),
        ("body-string", "a JSON string", b'"{}"'),
        ("body-two-objects", "two objects", b"{}{}"),
        ("body-truncated", "the closing brace is missing", b'{"a":{}'),
        ("body-nothing", "no bytes at all, and signed", b""),
        ("body-nan", "NaN is no JSON", b'{"memory":NaN}'),
        ("body-byte-order-mark", "a byte order mark before the object", b"\xef\xbb\xbf{}"),
        ("body-not-utf-8", "a byte that is no character", b'{"vendor":"\xff"}'),
        ("body-is-signing-input", "a bound envelope's signing input", signing_input(PAYLOAD, bound())),
        ("body-is-jwt", "what a JWT's signature covers", jwt.encode()),
        ("body-is-signature-base", "what an HTTP message signature covers", b'"@method": POST\n"@signature-params": ("@method")'),
    ):
        refuse("payload", "2", name, comment, value(body=body), body)
