#!/usr/bin/env python3
"""Writes vectors/envelope, vectors/hash-chain, vectors/header, vectors/key, vectors/message and vectors/trust. Needs `cryptography` 43 or later, on OpenSSL 3.2 or later.

It shares no code with gangplank: it follows docs/envelope.md and the RFCs. The keys are public and
the signatures deterministic, so that each run writes the same bytes (CI compares).
"""

import base64
import datetime
import hashlib
import json
import pathlib
import shutil
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils, x25519
from cryptography.x509.oid import NameOID

import generate_allowlist
import generate_hash_chain
import generate_indexed_list
import generate_message
import generate_signed_list
import generate_trust

HERE = pathlib.Path(__file__).resolve().parent

# RFC 6979 A.2.5 and A.2.6, RFC 8032 §7.1 test 1: everybody knows these keys, so never register them.
P256 = ec.derive_private_key(0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721, ec.SECP256R1())
P384 = ec.derive_private_key(0x6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5, ec.SECP384R1())
P256_OTHER = ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1())
ED25519_SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(ED25519_SEED)
ISSUER = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"gangplank vectors issuer").digest())

P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
P384_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
ED_P = 2**255 - 19
ED_L = 2**252 + 27742317777372353535851937790883648493
ED_D = -121665 * pow(121666, -1, ED_P) % ED_P

PAYLOAD = b'{"apiVersion":"onboarding.margo.org/v1alpha1","kind":"OnboardingRequest"}'
CREATED = 1767225600
NONCE = bytes(range(16))
AUDIENCE = "https://wfm.example/margo"


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def spki(private):
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(encoding, form)


def sign(private, message):
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(message)
    return private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def certificate(private, name, serial=1):
    """A certificate for this key. The issuer signs with Ed25519, so the bytes are always the same."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gangplank vectors")])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).serial_number(serial)
        .not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2045, 1, 1))
        .public_key(private.public_key())
    )
    return builder.sign(ISSUER, None).public_bytes(serialization.Encoding.DER)


# envelopes (docs/envelope.md)


def field(value):
    return len(value).to_bytes(8, "big") + value


def signing_input(payload, members):
    ders = b"".join(base64.b64decode(text) for text in members.get("certificates", []))
    chain = hashlib.sha256(ders).digest() if ders else b""
    texts = [str(members.get(name, "")) for name in ("type", "certificateId", "created", "nonce", "audience")]
    fields = [text.encode() for text in texts] + [chain, hashlib.sha256(payload).digest()]
    return b"\xffgangplank-envelope/1" + b"".join(field(value) for value in fields)


def members(payload=PAYLOAD, key=P256, id="SN-0001", message=None, **bound):
    """The members of a good envelope; `message` signs something else than the rules say."""
    out = {"payload": b64(payload), "digest": "sha256:" + hashlib.sha256(payload).hexdigest(),
           "signature": "", "certificateId": id, **bound}
    if message is None:
        message = signing_input(payload, out) if "type" in out else payload
    out["signature"] = b64(sign(key, message))
    return out


def bound(**more):
    full = {"type": "OnboardingRequest", "created": CREATED, "nonce": b64url(NONCE), "audience": AUDIENCE}
    return members(**{**full, **more})


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def changed(value, **changes):
    return {**value, **changes}


def envelope_case(name, comment, spec, expect, text, key=P256, id="SN-0001", **inputs):
    if isinstance(text, dict):
        text = compact(text)
    envelope = {"envelopeBase64": b64(text)} if isinstance(text, bytes) else {"envelope": text}
    if key is not None:
        envelope["spki"] = b64(spki(key))
    write("envelope", name, comment, spec, expect, {**envelope, "certificateId": id, **inputs})


def envelopes():
    case = envelope_case
    section = "docs/envelope.md §"
    boundly = {"form": "bound", "type": "OnboardingRequest", "audience": AUDIENCE}
    plainly = {"form": "plain"}
    good, plain = bound(), members()
    leaf, other_leaf = certificate(P256, "SN-0001"), certificate(P256_OTHER, "SN-0001", 2)

    # What must be accepted.
    case("bound", "every optional member but certificates; the worked example", section + "5", "accept", good, **boundly)
    case("bound-minimal", "only the type", section + "4", "accept", members(type="DeploymentStatus"),
         form="bound", type="DeploymentStatus")
    case("bound-certificate", "the signer's certificate comes along", section + "4", "accept",
         bound(certificates=[b64(leaf)]), key=None, certificate=b64(leaf), **boundly)
    case("bound-chain", "two certificates, the signer's first", section + "4", "accept",
         bound(certificates=[b64(leaf), b64(other_leaf)]), **boundly)
    case("bound-ed25519", "an Ed25519 key", section + "6", "accept", bound(key=ED25519), key=ED25519, **boundly)
    case("bound-empty-payload", "the one member that may be empty", section + "2", "accept", bound(payload=b""), **boundly)
    case("bound-binary-payload", "a bound payload is any bytes", section + "4", "accept",
         bound(payload=bytes(range(256))), **boundly)
    case("bound-order-and-space", "members in another order, white space between and after", section + "1", "accept",
         "\t{ " + ",\r\n ".join(f"{json.dumps(k)} : {json.dumps(v)}" for k, v in reversed(good.items())) + " } \n", **boundly)
    case("bound-created-zero", "the smallest created", section + "2", "accept", bound(created=0), **boundly)
    case("bound-created-largest", "the largest created, 2^53 - 1", section + "2", "accept", bound(created=2**53 - 1), **boundly)
    case("bound-nonce-64-bytes", "the longest nonce", section + "2", "accept", bound(nonce=b64url(bytes(64))), **boundly)
    case("bound-nonce-echoed", "the nonce that the request had", section + "8", "accept", good, nonce=b64url(NONCE), **boundly)
    case("bound-oldest", "created exactly max_age ago", section + "8", "accept", good,
         now=CREATED + 300, maxAge=300, maxLead=60, **boundly)
    case("bound-newest", "created exactly max_lead ahead", section + "8", "accept", good,
         now=CREATED - 60, maxAge=300, maxLead=60, **boundly)
    longest = "a" + "Z9._~:-" * 18 + "x"
    case("bound-longest-id", "128 characters, every allowed kind", section + "2", "accept", bound(id=longest), id=longest, **boundly)
    high = bound()
    r, s = utils.decode_dss_signature(base64.b64decode(high["signature"]))
    case("bound-other-s", "the same signature with s replaced by n - s still verifies", section + "5", "accept",
         changed(high, signature=b64(utils.encode_dss_signature(r, P256_N - s))), **boundly)
    case("plain", "what a Margo 2024 device sends", section + "3", "accept", plain, **plainly)
    case("plain-space", "the payload is one JSON object with white space around", section + "3", "accept",
         members(payload=b' {"a": [1, {"b": null}]}\n'), **plainly)

    # Not an envelope.
    def unreadable(name, comment, text, section_number="1", **inputs):
        case(name, comment, section + section_number, "refuse: unreadable", text, **(inputs or boundly))

    text = compact(good)
    unreadable("no-object", "an array of the values instead of an object", compact(list(good.values())))
    unreadable("truncated", "the closing brace is missing", text[:-1])
    unreadable("second-value", "something after the object", text + "{}")
    unreadable("byte-order-mark", "a byte order mark before the object", b"\xef\xbb\xbf" + text.encode())
    unreadable("not-utf-8", "a byte that is no UTF-8, in an unsigned place", text.encode().replace(b"SN-0001", b"SN-\xff001"))
    unreadable("member-unknown", "an `alg`: nothing in an envelope chooses an algorithm", changed(good, alg="ES256"), "6")
    unreadable("member-twice", "the same payload twice", text.replace("{", '{"payload":"%s",' % good["payload"], 1))
    unreadable("member-missing", "no digest", {k: v for k, v in good.items() if k != "digest"})
    unreadable("member-null", "null instead of being left out", changed(good, nonce=None))
    unreadable("member-type", "created as a string", changed(good, created=str(CREATED)))
    unreadable("signature-empty", "an empty signature", changed(good, signature=""))
    unreadable("certificates-empty", "an empty array instead of being left out", changed(good, certificates=[]))
    unreadable("escape", "an escaped character, though JSON allows it", text.replace("SN-0001", "SN-000\\u0031"))
    unreadable("type-missing", "created, but no type: neither form", {k: v for k, v in good.items() if k != "type"}, "3")
    unreadable("payload-trailing-bits", "base64 with loose bits in its last character",
               changed(bound(payload=b"{}"), payload="e31="), "2")
    unreadable("payload-unpadded", "base64 without its padding", changed(good, payload=good["payload"].rstrip("=")), "2")
    unreadable("payload-url-alphabet", "base64url where base64 is asked for",
               changed(bound(payload=b"\xff\xff\xff"), payload="____"), "2")
    unreadable("payload-line-break", "white space in base64", text.replace("eyJh", "eyJh ", 1), "2")
    unreadable("digest-upper-case", "the digest in capitals", changed(good, digest="sha256:" + good["digest"][7:].upper()), "2")
    unreadable("digest-other-hash", "a digest of another kind",
               changed(good, digest="sha512:" + hashlib.sha512(PAYLOAD).hexdigest()), "2")
    unreadable("id-slash", "a certificate id with a character that is not allowed", bound(id="SN/0001"), "2")
    unreadable("id-first-character", "a certificate id that begins with a point", bound(id=".SN-0001"), "2")
    unreadable("id-too-long", "129 characters", bound(id=longest + "x"), "2")
    unreadable("type-character", "a type with an underscore", bound(type="Onboarding_Request"), "2")
    unreadable("created-too-large", "2^53: JSON readers disagree from here on", bound(created=2**53), "2")
    unreadable("created-negative", "a time before 1970", changed(good, created=-1), "2")
    unreadable("created-fraction", "1767225600.0 is the same number, but another spelling",
               text.replace(str(CREATED), f"{CREATED}.0"), "2")
    unreadable("created-exponent", "an exponent", text.replace(str(CREATED), "1e9"), "2")
    unreadable("created-leading-zero", "a leading zero", text.replace(str(CREATED), f"0{CREATED}"), "2")
    unreadable("nonce-too-short", "15 bytes", bound(nonce=b64url(bytes(15))), "2")
    unreadable("nonce-too-long", "65 bytes", bound(nonce=b64url(bytes(65))), "2")
    unreadable("nonce-padded", "base64url with padding", changed(good, nonce=good["nonce"] + "=="), "2")
    unreadable("audience-capitals", "a host in capitals is not canonical", bound(audience="https://WFM.example"), "2")
    unreadable("audience-default-port", "the default port is not canonical", bound(audience="https://wfm.example:443"), "2")
    unreadable("audience-final-slash", "a final slash is not canonical", bound(audience="https://wfm.example/"), "2")
    unreadable("audience-ipv4-leading-zero", "some read 010.0.0.1 as 8.0.0.1: an address has one spelling",
               bound(audience="https://010.0.0.1"), "2")
    unreadable("audience-ipv4-short", "many read 127.1 as 127.0.0.1: an address has one spelling",
               bound(audience="https://127.1"), "2")
    unreadable("audience-ipv4-beyond", "256 is no part of an address, and no name ends in a number",
               bound(audience="https://256.0.0.1"), "2")
    unreadable("certificates-no-der", "an element that is no DER SEQUENCE", bound(certificates=[b64(b"no certificate")]), "2")
    unreadable("certificates-joined", "two certificates in one element: the signature covers the same bytes",
               changed(bound(certificates=[b64(leaf), b64(other_leaf)]), certificates=[b64(leaf + other_leaf)]), "2")
    unreadable("certificates-cut", "one certificate in two elements: the signature covers the same bytes",
               changed(bound(certificates=[b64(leaf), b64(other_leaf)]),
                       certificates=[b64(leaf), b64(other_leaf[:7]), b64(other_leaf[7:])]), "2")
    unreadable("certificates-nine", "nine certificates", bound(certificates=[b64(leaf)] * 9), "2")
    case("certificate-too-large", "a certificate of 16 KiB and one byte", section + "10", "refuse: too-large",
         bound(certificates=[b64(leaf), b64(bytes(16385))]), **boundly)

    # An envelope, but not to be believed.
    def unverified(name, comment, code, text, section_number="7", **inputs):
        case(name, comment, section + section_number, "refuse: " + code, text, **(inputs or boundly))

    unverified("other-signer", "the id of another device's key", "signer", bound(id="SN-0002"))
    unverified("id-other-case", "ids are compared byte by byte", "signer", bound(id="sn-0001"))
    unverified("plain-where-bound", "the plain form where it is not accepted", "form", plain)
    unverified("bound-where-plain", "the bound form where it is not accepted", "form", good, **plainly)
    unverified("payload-changed", "another payload, the digest left alone", "digest",
               changed(good, payload=b64(PAYLOAD.replace(b"Onb", b"onb"))))
    unverified("digest-changed", "another digest, the payload left alone", "digest",
               changed(good, digest="sha256:" + "0" * 64))
    forged = b'{"kind":"OnboardingRequest"}'
    unverified("payload-and-digest-changed", "both changed, so they fit each other", "signature",
               changed(good, payload=b64(forged), digest="sha256:" + hashlib.sha256(forged).hexdigest()))
    unverified("created-changed", "made to look fresh", "signature", changed(good, created=CREATED + 1), "4")
    unverified("nonce-changed", "made to look like the answer", "signature",
               changed(good, nonce=b64url(bytes(16))), "4", nonce=b64url(bytes(16)), **boundly)
    unverified("audience-changed", "made to look as if meant for somebody else", "signature",
               changed(good, audience="https://other.example"), "4", form="bound", type="OnboardingRequest",
               audience="https://other.example")
    unverified("type-changed", "made to look like something else", "signature",
               changed(good, type="GitCredential"), "4", form="bound", type="GitCredential", audience=AUDIENCE)
    unverified("nonce-removed", "an absent nonce is another text than a present one", "signature",
               {k: v for k, v in good.items() if k != "nonce"}, "4")
    unverified("certificates-added", "certificates are signed, too", "signature", changed(good, certificates=[b64(leaf)]), "4")
    chained = bound(certificates=[b64(leaf), b64(other_leaf)])
    unverified("certificate-dropped", "an intermediate removed on the way", "signature",
               changed(chained, certificates=[b64(leaf)]), "4")
    unverified("fields-shifted", "a character moved from the type into the id", "signer",
               changed(good, type="OnboardingReques", certificateId="tSN-0001"), "4", form="any")
    unverified("other-key", "signed by another key", "signature", bound(key=P256_OTHER))
    unverified("other-algorithm", "signed with an Ed25519 key where a P-256 key is registered", "signature", bound(key=ED25519), "6")
    unverified("plain-signature-in-bound", "the signature over the payload alone", "signature", bound(message=PAYLOAD), "4")
    unverified("bound-signature-in-plain", "the signature over a signing input", "signature",
               members(message=signing_input(PAYLOAD, good)), "3", **plainly)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    unverified("signature-r-s", "r and s side by side, as in a JWT", "signature", changed(good, signature=b64(raw)), "6")
    unverified("signature-trailing-byte", "a byte after the DER", "signature",
               changed(good, signature=b64(base64.b64decode(good["signature"]) + b"\0")), "6")
    unverified("certificate-of-another-key", "the first certificate carries another key", "certificate",
               bound(certificates=[b64(other_leaf)]))
    unverified("certificate-no-certificate", "the first certificate is a DER SEQUENCE, and none", "certificate",
               bound(certificates=[b64(b"\x30\x02\x05\x00")]))
    unverified("plain-array", "a plain payload that is a JSON array", "payload", members(payload=b"[]"), "3", **plainly)
    unverified("plain-two-values", "a plain payload of two objects", "payload", members(payload=b"{}{}"), "3", **plainly)
    unverified("plain-is-signing-input", "a bound form's signing input passed off as a plain payload", "payload",
               members(payload=signing_input(PAYLOAD, good)), "3", **plainly)
    unverified("other-type", "another type than expected", "type", bound(type="DeviceCapabilities"))
    unverified("other-audience", "meant for somebody else", "audience", bound(audience="https://wfm.example"))
    unverified("no-audience", "meant for nobody in particular", "audience", members(type="OnboardingRequest"))
    window = {"maxAge": 300, "maxLead": 60, **boundly}
    unverified("too-old", "one second too old", "freshness", good, "8", now=CREATED + 301, **window)
    unverified("too-new", "one second too far ahead", "freshness", good, "8", now=CREATED - 61, **window)
    unverified("no-created", "created is asked for", "freshness",
               members(type="OnboardingRequest", audience=AUDIENCE), "8", now=CREATED, **window)
    unverified("not-echoed", "the nonce of another request", "freshness", good, "8", nonce=b64url(bytes(16)), **boundly)


# keys and signatures


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    length = size if len(body) < 128 else bytes([0x80 | len(size)]) + size
    return bytes([tag]) + length + body


OID_EC = bytes.fromhex("06072a8648ce3d0201")
OID_P256 = bytes.fromhex("06082a8648ce3d030107")
OID_P384 = bytes.fromhex("06052b81040022")
OID_RSA = bytes.fromhex("06092a864886f70d010101")
OID_ED25519 = bytes.fromhex("06032b6570")
NULL = b"\x05\x00"


def ec_spki(point, parameters=OID_P256, unused_bits=0):
    return der(0x30, der(0x30, OID_EC, parameters), der(0x03, bytes([unused_bits]), point))


def ed_spki(point, parameters=b""):
    return der(0x30, der(0x30, OID_ED25519, parameters), der(0x03, b"\0", point))


def p256_point(private, form):
    return private.public_key().public_bytes(serialization.Encoding.X962, form)


def p256_with_small_x():
    """A point whose x can also be written as x + p in 32 bytes."""
    x = 1
    while True:
        square = (x**3 - 3 * x + P256_B) % P256_P
        y = pow(square, (P256_P + 1) // 4, P256_P)
        if y * y % P256_P == square:
            return x, y
        x += 1


def ed_has_x(y):
    """Whether a point of edwards25519 has this y (RFC 8032 §5.1.3)."""
    u, v = (y * y - 1) % ED_P, (ED_D * y * y + 1) % ED_P
    square = u * pow(v, -1, ED_P) % ED_P
    return square == 0 or pow(square, (ED_P - 1) // 2, ED_P) == 1


def key_case(name, comment, spec, expect, key, **inputs):
    write("key", name, comment, spec, expect, {"spki": b64(key), **inputs})


def keys():
    case, malformed, off = key_case, "refuse: malformed", "refuse: point"
    p256, ed = spki(P256), spki(ED25519)
    uncompressed = p256_point(P256, serialization.PublicFormat.UncompressedPoint)
    compressed = p256_point(P256, serialization.PublicFormat.CompressedPoint)

    case("p256", "RFC 6979 A.2.5", "RFC 5480 §2", "accept", p256)
    case("p256-compressed", "one key has one spelling, so compressed points are refused", "RFC 5480 §2.2", off, ec_spki(compressed))
    hybrid = bytes([6 + uncompressed[-1] % 2]) + uncompressed[1:]
    case("p256-hybrid", "the hybrid form of X9.62", "RFC 5480 §2.2", off, ec_spki(hybrid))
    case("p256-off-curve", "the last bit of y changed", "SEC 1 §3.2.2.1", off,
         ec_spki(uncompressed[:-1] + bytes([uncompressed[-1] ^ 1])))
    case("p256-infinity", "the point at infinity", "SEC 1 §3.2.2.1", off, ec_spki(b"\0"))
    case("p256-zero", "x and y are 0", "SEC 1 §3.2.2.1", off, ec_spki(b"\4" + bytes(64)))
    x, y = p256_with_small_x()
    case("p256-small-x", "a point with a small x", "SEC 1 §2.3.4", "accept", ec_spki(b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")))
    case("p256-x-plus-p", "the same point, its x written as x + p", "SEC 1 §2.3.6", off,
         ec_spki(b"\4" + (x + P256_P).to_bytes(32, "big") + y.to_bytes(32, "big")))
    case("p256-short", "a point that lacks its last byte", "SEC 1 §2.3.4", off, ec_spki(uncompressed[:-1]))
    case("p256-unused-bits", "a bit string with unused bits", "RFC 5480 §2.2", malformed, ec_spki(uncompressed[:-1] + b"\0", unused_bits=1))
    case("p256-no-parameters", "no curve", "RFC 5480 §2.1.1", malformed, ec_spki(uncompressed, b""))
    case("p256-null-parameters", "the implicit curve", "RFC 5480 §2.1.1", malformed, ec_spki(uncompressed, NULL))
    case("p256-trailing-byte", "a byte after the SubjectPublicKeyInfo", "X.690 §10.1", malformed, p256 + b"\0")
    case("p256-long-length", "a length written longer than needed", "X.690 §10.1", malformed, b"\x30\x81" + p256[1:])
    case("p256-indefinite-length", "BER's indefinite length", "X.690 §10.1", malformed, b"\x30\x80" + p256[2:] + b"\0\0")
    case("p256-truncated", "the last byte is missing", "X.690 §10.1", malformed, p256[:-1])
    case("empty", "no bytes at all", "X.690 §10.1", malformed, b"")
    case("p384", "a good key", "RFC 5480 §2.1.1.1", "accept", spki(P384))
    p521 = ec.derive_private_key(7, ec.SECP521R1())
    case("p521", "a curve that is not supported", "docs/envelope.md §6", "refuse: curve", spki(p521))
    k256 = ec.derive_private_key(7, ec.SECP256K1())
    case("secp256k1", "a curve of the same size", "docs/envelope.md §6", "refuse: curve", spki(k256))
    p384_points(off)
    rsa_keys(malformed)
    exchange = x25519.X25519PrivateKey.from_private_bytes(bytes(range(32)))
    case("x25519", "a key that cannot sign", "RFC 8410 §3", "refuse: algorithm", spki(exchange))

    case("ed25519", "RFC 8032 §7.1 test 1", "RFC 8410 §4", "accept", ed)
    case("ed25519-null-parameters", "the parameters must be absent", "RFC 8410 §3", malformed, ed_spki(ed[-32:], NULL))
    case("ed25519-short", "31 bytes", "RFC 8032 §5.1.3", off, ed_spki(ed[-31:]))
    identity = (1).to_bytes(32, "little")
    case("ed25519-identity", "the identity: it verifies signatures that nobody made", "docs/envelope.md §6", off, ed_spki(identity))
    eight = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    case("ed25519-order-8", "a point of order 8", "docs/envelope.md §6", off, ed_spki(bytes.fromhex(eight)))
    case("ed25519-identity-plus-p", "the identity, its y written as y + p", "RFC 8032 §5.1.3", off, ed_spki((ED_P + 1).to_bytes(32, "little")))
    y = next(y for y in range(2, 19) if ed_has_x(y))
    case("ed25519-small-y", f"a point of large order with y = {y}", "RFC 8032 §5.1.3", "accept", ed_spki(y.to_bytes(32, "little")))
    case("ed25519-y-plus-p", "the same point, its y written as y + p", "RFC 8032 §5.1.3", off, ed_spki((ED_P + y).to_bytes(32, "little")))
    y = next(y for y in range(2, 99) if not ed_has_x(y))
    case("ed25519-off-curve", f"no point has y = {y}", "RFC 8032 §5.1.3", off, ed_spki(y.to_bytes(32, "little")))

    message = b"sample"
    signatures(message, p256, ed)
    p384_signatures(message)
    rsa_signatures(message)

    leaf = certificate(P256, "SN-0001")
    write("key", "certificate", "the key out of a certificate", "RFC 5280 §4.1", "accept", {"certificate": b64(leaf)})
    write("key", "certificate-trailing-byte", "a byte after the certificate", "X.690 §10.1", "refuse: certificate",
          {"certificate": b64(leaf + b"\0")})
    write("key", "certificate-is-spki", "a bare key where a certificate is asked for", "RFC 5280 §4.1", "refuse: certificate",
          {"certificate": b64(p256)})


def signatures(message, p256, ed):
    """Signatures under good keys: those on which implementations differ."""
    bad = "refuse: signature"

    def case(name, comment, spec, expect, key, signature):
        key_case(name, comment, spec, expect, key, message=b64(message), signature=b64(signature))

    signature = sign(P256, message)
    r, s = utils.decode_dss_signature(signature)
    case("p256-signature", "RFC 6979 A.2.5, SHA-256, `sample`", "RFC 3279 §2.2.3", "accept", p256, signature)
    case("p256-signature-n-minus-s", "the other of the two valid s", "RFC 3279 §2.2.3", "accept", p256,
         utils.encode_dss_signature(r, P256_N - s))
    integer = lambda value: der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))
    case("p256-signature-s-plus-n", "s beyond n", "FIPS 186-5 §6.4.2", bad, p256, der(0x30, integer(r), integer(s + P256_N)))
    case("p256-signature-r-zero", "r is 0", "FIPS 186-5 §6.4.2", bad, p256, der(0x30, integer(0), integer(s)))
    case("p256-signature-padded", "r with a needless zero byte", "X.690 §8.3.2", bad, p256,
         der(0x30, der(0x02, b"\0\0" + r.to_bytes(32, "big")), integer(s)))
    case("p256-signature-long-length", "a length written longer than needed", "X.690 §10.1", bad, p256, b"\x30\x81" + signature[1:])
    case("p256-signature-trailing-byte", "a byte after the signature", "X.690 §10.1", bad, p256, signature + b"\0")
    case("p256-signature-r-s", "r and s side by side", "RFC 3279 §2.2.3", bad, p256, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    case("p256-signature-other-message", "over other bytes", "FIPS 186-5 §6.4.2", bad, p256, sign(P256, message + b"."))

    signature = sign(ED25519, message)
    point, number = signature[:32], int.from_bytes(signature[32:], "little")
    case("ed25519-signature", "an ordinary one", "RFC 8032 §5.1.7", "accept", ed, signature)
    case("ed25519-signature-s-plus-l", "S beyond L", "RFC 8032 §5.1.7", bad, ed, point + (number + ED_L).to_bytes(32, "little"))
    case("ed25519-signature-trailing-byte", "65 bytes", "RFC 8032 §5.1.6", bad, ed, signature + b"\0")
    case("ed25519-signature-other-message", "over other bytes", "RFC 8032 §5.1.7", bad, ed, sign(ED25519, message + b"."))
    secret = bytearray(hashlib.sha512(ED25519_SEED).digest()[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    secret = int.from_bytes(secret, "little")
    for name, comment, r in (
        ("identity", "R is the identity, and the equation holds: only the strict rule refuses it", (1).to_bytes(32, "little")),
        ("identity-plus-p", "R is the identity, its y written as y + p", (ED_P + 1).to_bytes(32, "little")),
    ):
        challenge = int.from_bytes(hashlib.sha512(r + ed[-32:] + message).digest(), "little") % ED_L
        case(f"ed25519-signature-r-{name}", comment, "docs/envelope.md §6", bad, ed, r + (challenge * secret % ED_L).to_bytes(32, "little"))


def p384_points(off):
    point = p256_point(P384, serialization.PublicFormat.UncompressedPoint)
    compressed = p256_point(P384, serialization.PublicFormat.CompressedPoint)
    key = lambda point: ec_spki(point, OID_P384)
    key_case("p384-compressed", "one key has one spelling", "RFC 5480 §2.2", off, key(compressed))
    key_case("p384-off-curve", "the last bit of y changed", "SEC 1 §3.2.2.1", off, key(point[:-1] + bytes([point[-1] ^ 1])))
    key_case("p384-infinity", "the point at infinity", "SEC 1 §3.2.2.1", off, key(b"\0"))
    key_case("p384-short", "a point that lacks its last byte", "SEC 1 §2.3.4", off, key(point[:-1]))
    p256 = p256_point(P256, serialization.PublicFormat.UncompressedPoint)
    key_case("p384-point-of-p256", "a point of the other curve", "RFC 5480 §2.2", off, key(p256))


def p384_signatures(message):
    bad = "refuse: signature"
    signature = P384.sign(message, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    r, s = utils.decode_dss_signature(signature)

    def case(name, comment, spec, expect, signature):
        key_case(name, comment, spec, expect, spki(P384), message=b64(message), signature=b64(signature))

    case("p384-signature", "an ordinary one", "FIPS 186-5 §6.4.2", "accept", signature)
    case("p384-signature-n-minus-s", "the other of the two valid s", "RFC 3279 §2.2.3", "accept",
         utils.encode_dss_signature(r, P384_N - s))
    case("p384-signature-sha256", "the key's algorithm hashes with SHA-384", "docs/envelope.md §6", bad,
         P384.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    case("p384-signature-s-zero", "s is 0", "FIPS 186-5 §6.4.2", bad, utils.encode_dss_signature(r, 0))
    case("p384-signature-r-s", "r and s side by side", "RFC 3279 §2.2.3", bad, r.to_bytes(48, "big") + s.to_bytes(48, "big"))
    case("p384-signature-trailing-byte", "a byte after the signature", "X.690 §10.1", bad, signature + b"\0")


def der_integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_spki(modulus, exponent=65537, parameters=NULL, oid=None, key=None):
    key = der(0x30, der_integer(modulus), der_integer(exponent)) if key is None else key
    return der(0x30, der(0x30, oid or OID_RSA, parameters), der(0x03, b"\0", key))


def rsa_keys(malformed):
    case = key_case
    bits, exponent = "refuse: modulus bits", "refuse: exponent"
    odd = lambda bits: int.from_bytes(hashlib.shake_256(b"modulus").digest(1100), "big") >> (8800 - bits) | 1 << bits - 1 | 1
    modulus = odd(2048)
    case("rsa-2048", "the smallest modulus", "docs/envelope.md §6", "accept", rsa_spki(modulus))
    case("rsa-2047", "one bit too few", "docs/envelope.md §6", bits, rsa_spki(odd(2047)))
    case("rsa-1024", "a modulus that can be factored", "docs/envelope.md §6", bits, rsa_spki(odd(1024)))
    case("rsa-2049", "a modulus that is no whole number of bytes", "docs/envelope.md §6", "accept", rsa_spki(odd(2049)))
    case("rsa-3072", "a common size", "docs/envelope.md §6", "accept", rsa_spki(odd(3072)))
    case("rsa-8192", "the largest modulus", "docs/envelope.md §6", "accept", rsa_spki(odd(8192)))
    case("rsa-8193", "one bit too many", "docs/envelope.md §6", bits, rsa_spki(odd(8193)))
    case("rsa-even-modulus", "an even modulus", "RFC 8017 §3.1", "refuse: even modulus", rsa_spki(modulus - 1))
    for e, comment in ((1, "a signature is the message"), (3, "the exponent of many attacks"), (65535, "below 65537"),
                       (65536, "even"), (65538, "even, above 65537"), (2**33 + 1, "34 bits, which backends refuse"),
                       (2**64 + 1, "very long"), (0, "none")):
        case(f"rsa-exponent-{e}", comment, "docs/envelope.md §6", exponent, rsa_spki(modulus, e))
    case("rsa-exponent-65539", "odd, above 65537", "docs/envelope.md §6", "accept", rsa_spki(modulus, 65539))
    case("rsa-exponent-8589934591", "the largest of 33 bits", "docs/envelope.md §6", "accept", rsa_spki(modulus, 2**33 - 1))
    case("rsa-no-parameters", "the parameters must be NULL", "RFC 3279 §2.3.1", malformed, rsa_spki(modulus, parameters=b""))
    case("rsa-pss-key", "id-RSASSA-PSS, a kind of its own", "RFC 4055 §1.2", "refuse: algorithm",
         rsa_spki(modulus, parameters=b"", oid=bytes.fromhex("06092a864886f70d01010a")))
    number = modulus.to_bytes(256, "big")
    key = lambda modulus: der(0x30, der(0x02, modulus), der_integer(65537))
    case("rsa-negative-modulus", "no zero byte before a set first bit", "X.690 §8.3.3", malformed, rsa_spki(0, key=key(number)))
    case("rsa-padded-modulus", "a needless zero byte", "X.690 §8.3.2", malformed, rsa_spki(0, key=key(b"\0\0" + number)))
    three = der(0x30, der_integer(modulus), der_integer(65537), der_integer(1))
    case("rsa-three-numbers", "a third number", "RFC 8017 §A.1.1", malformed, rsa_spki(0, key=three))
    case("rsa-key-trailing-byte", "a byte after the RSAPublicKey", "X.690 §10.1", malformed,
         rsa_spki(0, key=der(0x30, der_integer(modulus), der_integer(65537)) + b"\0"))


def rsa_signatures(message):
    """Signatures of the three paddings; the PSS ones are made by hand, since their salt must be the same each time."""
    bad = "refuse: signature"
    size = RSA.key_size // 8
    modulus = RSA.public_key().public_numbers().n
    pkcs1 = RSA.sign(message, padding.PKCS1v15(), hashes.SHA256())
    number = int.from_bytes(pkcs1, "big")

    def case(name, comment, spec, expect, algorithm, signature, key=RSA, message=message):
        key_case(name, comment, spec, expect, spki(key), message=b64(message), signature=b64(signature), algorithm=algorithm)

    v15, pss256, pss512 = "rsa-v1_5-sha256", "rsa-pss-sha256", "rsa-pss-sha512"
    case("rsa-signature", "an ordinary one", "RFC 8017 §8.2", "accept", v15, pkcs1)
    case("rsa-signature-other-message", "over other bytes", "RFC 8017 §8.2.2", bad, v15,
         RSA.sign(message + b".", padding.PKCS1v15(), hashes.SHA256()))
    case("rsa-signature-sha512", "the key's algorithm hashes with SHA-256", "docs/envelope.md §6", bad, v15,
         RSA.sign(message, padding.PKCS1v15(), hashes.SHA512()))
    case("rsa-signature-sha1", "a hash that is broken", "docs/envelope.md §6", bad, v15,
         RSA.sign(message, padding.PKCS1v15(), hashes.SHA1()))
    case("rsa-signature-plus-n", "s beyond n, one byte longer", "RFC 8017 §8.2.2", bad, v15, (number + modulus).to_bytes(size + 1, "big"))
    case("rsa-signature-long", "a zero byte in front", "RFC 8017 §8.2.2", bad, v15, b"\0" + pkcs1)
    case("rsa-signature-short", "the last byte is missing", "RFC 8017 §8.2.2", bad, v15, pkcs1[:-1])
    case("rsa-signature-zero", "s is 0", "RFC 8017 §5.2.2", bad, v15, bytes(size))
    digest_info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
    for name, comment, block in (
        ("no-null", "a DigestInfo whose parameters are absent", b"\x30\x2f\x30\x0b" + digest_info[4:15] + digest_info[17:]),
        ("garbage", "bytes after the DigestInfo (Bleichenbacher 2006)", digest_info + b"garbage"),
        ("type-2", "a block of the type for encryption", None),
    ):
        kind, block = (b"\0\2", digest_info) if block is None else (b"\0\1", block)
        encoded = kind + b"\xff" * (size - 3 - len(block)) + b"\0" + block
        case(f"rsa-signature-{name}", comment, "RFC 8017 §9.2", bad, v15, rsa_private(encoded))
    case("rsa-pss-signature", "Margo's padding", "facts: Margo 1.0 §3.2", "accept", pss256, pss(message, "sha256", 32))
    case("rsa-pss-signature-sha512", "RFC 9421's padding", "RFC 9421 §3.3.1", "accept", pss512, pss(message, "sha512", 64))
    case("rsa-pss-signature-no-salt", "a salt of 0 bytes", "RFC 8017 §9.1.2", bad, pss256, pss(message, "sha256", 0))
    case("rsa-pss-signature-short-salt", "a salt of 20 bytes", "RFC 8017 §9.1.2", bad, pss256, pss(message, "sha256", 20))
    case("rsa-pss-signature-other-hash", "SHA-512 where SHA-256 is asked for", "RFC 8017 §9.1.2", bad, pss256, pss(message, "sha512", 64))
    case("rsa-pss-signature-as-pkcs1", "the other padding", "docs/envelope.md §6", bad, v15, pss(message, "sha256", 32))
    case("rsa-pkcs1-signature-as-pss", "the other padding", "docs/envelope.md §6", bad, pss256, pkcs1)
    case("rsa-pss-signature-other-message", "over other bytes", "RFC 8017 §8.1.2", bad, pss256, pss(message + b".", "sha256", 32))
    case("p256-used-as-rsa", "an RSA padding for a key that is none", "docs/envelope.md §6", "refuse: use", v15, pkcs1, key=P256)


def rsa_private(block):
    numbers = RSA.private_numbers()
    power = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return power.to_bytes(RSA.key_size // 8, "big")


def pss(message, name, salt_length):
    """EMSA-PSS (RFC 8017 §9.1.1) with a salt of 01 bytes, MGF1 with the same hash."""
    digest = lambda data: hashlib.new(name, data).digest()
    length, salt = RSA.key_size // 8, b"\1" * salt_length
    hashed = digest(bytes(8) + digest(message) + salt)
    plain = b"\1".rjust(length - len(hashed) - 1 - salt_length, b"\0") + salt
    mask = b"".join(digest(hashed + i.to_bytes(4, "big")) for i in range(length // len(hashed) + 1))
    masked = bytes(a ^ b for a, b in zip(plain, mask))
    return rsa_private(bytes([masked[0] & 0x7F]) + masked[1:] + hashed + b"\xbc")


def rsa_from_seed(seed, bits=2048):
    """An RSA key that is the same each time."""
    def prime(label):
        number = int.from_bytes(hashlib.shake_256(seed + label).digest(bits // 16), "big") | 3 << bits // 2 - 2 | 1
        while pow(2, number - 1, number) != 1 or pow(3, number - 1, number) != 1 or (number - 1) % 65537 == 0:
            number += 2
        return number

    p, q = prime(b"p"), prime(b"q")
    d = pow(65537, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(65537, p * q)
    parts = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, d, *parts, public).private_key()


def write(folder, name, comment, spec, expect, inputs):
    path = HERE / folder / f"{name}.json"
    assert not path.exists(), f"two cases are named {path}"
    case = {"comment": comment, "spec": spec, "expect": expect, "inputs": inputs}
    path.write_text(json.dumps(case, indent=2) + "\n")


RSA = rsa_from_seed(b"gangplank vectors rsa")
FOLDERS = ("allowlist", "envelope", "hash-chain", "header", "indexed-list", "key", "message", "signed-list", "trust")


def main():
    from generate_header import headers  # which needs what is above

    for folder in FOLDERS:
        shutil.rmtree(HERE / folder, ignore_errors=True)
        (HERE / folder).mkdir()
    generate_allowlist.cases(write)
    envelopes()
    headers()
    keys()
    generate_hash_chain.logs(write)
    generate_message.messages(write, P256, P256_OTHER, ED25519)
    generate_trust.documents(write, P256)
    generate_indexed_list.files(write)
    generate_signed_list.lists(write, members, spki, P256, P256_OTHER, ED25519)
    for folder in FOLDERS:
        found = [json.loads(path.read_text())["expect"] for path in (HERE / folder).iterdir()]
        print(f"{folder}: {len(found)} cases, {sum(e != 'accept' for e in found)} refused", file=sys.stderr)


if __name__ == "__main__":
    main()
