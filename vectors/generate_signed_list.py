"""Writes vectors/signed-list: allowlists that somebody signed. Run through generate.py.

It follows docs/allowlist.md and shares no code with gangplank.
"""

import base64
import hashlib
import json
import struct

NAME, SIGNER, SPEC = "plant-7", "SN-0001", "docs/allowlist.md, Signed lists"
EXPIRES = 1798761600


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digests(numbers):
    return sorted(hashlib.sha256(b"image %d" % number).hexdigest() for number in numbers)


def text(numbers):
    return "".join(digest + "\n" for digest in digests(numbers)).encode()


def delta_of(removed, added):
    lines = [(digest, "-") for digest in digests(removed)] + [(digest, "+") for digest in digests(added)]
    return "".join(sign + digest + "\n" for digest, sign in sorted(lines)).encode()


def manifest(listed, version=7, **more):
    full = {"apiVersion": "gangplank/v1", "kind": "Allowlist", "list": NAME, "version": version, "format": "text",
            "size": len(listed), "digest": sha256(listed), "count": len(listed) // 65, "expires": EXPIRES}
    for name, value in more.items():
        if name == "notBefore":  # which stands before expires
            full = {**{n: v for n, v in full.items() if n != "expires"}, name: value, "expires": full["expires"]}
        else:
            full[name] = value
    return full


def leads(base, delta, version=6):
    return {"from": version, "fromDigest": sha256(base), "size": len(delta), "digest": sha256(delta)}


def kept(manifest_bytes, signer=SIGNER):
    said = json.loads(manifest_bytes)
    fields = [said["version"], said.get("notBefore", 0), said["expires"], said["size"]]
    name, signer = said["list"].encode(), signer.encode()
    out = b"gangplank kept\n\x1a" + struct.pack("<I", 1)
    out += bytes([{"text": 1, "indexed": 2}[said["format"]], "notBefore" in said, len(name), len(signer)])
    out += struct.pack("<4Q", *fields) + bytes.fromhex(said["digest"][7:]) + hashlib.sha256(manifest_bytes).digest()
    out += name + signer
    return out + hashlib.sha256(out).digest()


def lists(write, members, spki, key, other_key, ed25519):
    def compact(value):
        return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()

    def case(name, comment, expect, said, listed=None, by=key, signer=SIGNER, trusted=key, bound=None, change=None, **more):
        payload = compact(said)
        bound = {"type": "Allowlist"} if bound is None else bound
        envelope = members(payload=payload, key=by, id=signer, **bound)
        if change:
            change(envelope)
        inputs = {"envelope": json.dumps(envelope, separators=(",", ":")), "spki": b64(spki(trusted)),
                  "certificateId": SIGNER, "list": NAME}
        if listed is not None:
            inputs["bytes"] = b64(listed)
        if expect == "accept":
            inputs["payload"] = payload.decode()
            inputs["kept"] = b64(kept(payload))
        inputs.update({member: b64(value) if isinstance(value, bytes) else value for member, value in more.items()})
        write("signed-list", name, comment, SPEC, expect, inputs)

    some = text(range(10))
    good = manifest(some)
    case("text", "ten digests, the first list", "accept", good, some)
    case("empty", "a list of no digests: permits nothing", "accept", manifest(b""), b"")
    case("not-before", "begins later", "accept", manifest(some, notBefore=EXPIRES - 1), some)
    case("indexed", "an indexed file; what is in it is not looked at here", "accept",
         manifest(b"any bytes", format="indexed", count=3), b"any bytes")
    case("largest", "the largest numbers", "accept", manifest(some, version=2**53 - 1, expires=2**53 - 1), some)
    case("audience", "for this audience", "accept", good, some,
         bound={"type": "Allowlist", "audience": "https://wfm.example/margo"}, audience="https://wfm.example/margo")
    case("created", "signed at a time; lists are fresh by their version", "accept", good, some,
         bound={"type": "Allowlist", "created": 1767225600})
    case("ed25519", "signed with Ed25519", "accept", good, some, by=ed25519, trusted=ed25519)
    envelopes(case, good, some, other_key)
    manifests(case, good, some, compact)
    followed(case, good, some, compact)
    contents(case, good, some)
    deltas(case, some)


def envelopes(case, good, some, other_key):
    refused = "refuse: envelope"
    case("other-key", "signed with another key", refused, good, by=other_key)
    case("other-signer-id", "signed by another", refused, good, signer="SN-0002")
    case("other-type", "a status report", refused, good, bound={"type": "DeploymentStatus"})
    case("plain", "the plain form", refused, good, bound={})
    case("no-audience", "for nobody in particular, where an audience is expected", refused, good,
         audience="https://wfm.example/margo")
    case("other-audience", "for another audience", refused, good,
         bound={"type": "Allowlist", "audience": "https://other.example"}, audience="https://wfm.example/margo")

    def later(envelope):
        payload = json.dumps({**good, "version": 8}, separators=(",", ":")).encode()
        envelope.update(payload=b64(payload), digest=sha256(payload))
    case("changed", "the version was changed, and the digest with it", refused, good, change=later)


def manifests(case, good, some, compact):
    def refused(name, comment, code, said):
        case("manifest-" + name, comment, "refuse: " + code, said)

    def without(member):
        return {name: value for name, value in good.items() if name != member}

    def raw(old, new):
        whole = compact(good)
        assert whole.count(old) == 1
        return whole.replace(old, new)

    case("manifest-order-and-space", "members in another order, and space", "accept",
         json.dumps(dict(reversed(good.items())), indent=1).encode(), some)
    for member in good:
        refused("no-" + member.lower(), f"{member} is missing", "missing", without(member))
    refused("version-0", "the version is 0", "value", {**good, "version": 0})
    refused("version-too-large", "2^53", "json", {**good, "version": 2**53})
    refused("version-huge", "2^64 + 7", "json", {**good, "version": 2**64 + 7})
    refused("version-longest", "a version of a thousand digits", "json", raw(b'"version":7', b'"version":' + b"7" * 1000))
    refused("version-fraction", "7.0", "json", {**good, "version": 7.0})
    refused("version-exponent", "7e0", "json", raw(b'"version":7', b'"version":7e0'))
    refused("version-negative", "-7", "json", {**good, "version": -7})
    refused("version-leading-zero", "07", "json", raw(b'"version":7', b'"version":07'))
    refused("version-text", "a string", "json", {**good, "version": "7"})
    refused("not-before-null", "notBefore is null", "json", {**good, "notBefore": None})
    refused("repeated", "two versions", "repeated", raw(b'"version":7', b'"version":7,"version":8'))
    refused("unknown", "a member that this version does not have", "unknown", {**good, "tags": "all"})
    refused("api-version", "another apiVersion", "value", {**good, "apiVersion": "gangplank/v2"})
    refused("kind", "another kind", "value", {**good, "kind": "Denylist"})
    refused("format", "another format", "value", {**good, "format": "bloom"})
    refused("name-slash", "a name that is a path", "value", {**good, "list": "../plant-7"})
    refused("digest-upper-case", "upper-case hex digits", "value", {**good, "digest": "sha256:" + good["digest"][7:].upper()})
    refused("digest-bare", "hex digits alone", "value", {**good, "digest": good["digest"][7:]})
    refused("count", "one digest more than its bytes have", "size", {**good, "count": 11})
    refused("window", "expires as it begins", "window", {**good, "notBefore": EXPIRES})
    refused("escape", "an escape in a string", "json", raw(b'"Allowlist"', b'"Allowl\\u0069st"'))
    refused("byte-order-mark", "begins with a byte order mark", "json", b"\xef\xbb\xbf" + compact(good))
    refused("second-value", "two objects", "json", compact(good) * 2)
    refused("array", "an array of the values", "json", list(good.values()))
    refused("cut", "the last brace is missing", "json", compact(good)[:-1])
    refused("empty", "no bytes", "json", b"")
    case("other-list", "the same signer's list for another place", "refuse: other-list", {**good, "list": "plant-8"})
    delta = {"from": 6, "fromDigest": sha256(b""), "size": 0, "digest": sha256(b"")}
    refused("delta-from-itself", "from its own version", "delta", {**good, "delta": {**delta, "from": 7}})
    refused("delta-from-0", "from version 0", "delta", {**good, "delta": {**delta, "from": 0}})
    refused("delta-indexed", "of an indexed file", "delta", {**good, "format": "indexed", "delta": delta})
    refused("delta-member", "an unknown member of the delta", "unknown", {**good, "delta": {**delta, "to": 7}})
    refused("delta-empty", "a delta of no members", "json", {**good, "delta": {}})


def followed(case, good, some, compact):
    def before(**changes):
        return kept(compact({**good, **changes}))

    case("follows", "a later version", "accept", good, some, before=before(version=6))
    case("follows-itself", "the same manifest again", "accept", good, some, before=before())
    case("older", "version 8 was there", "refuse: older", good, before=before(version=8))
    case("replaced", "version 7 was there, with another expiry", "refuse: replaced", good, before=before(expires=EXPIRES + 1))
    case("kept-other-list", "another list was there", "refuse: kept-other-list", good, before=before(version=6, list="plant-8"))
    case("kept-other-signer", "the list was signed by another", "refuse: kept-other-signer", good,
         before=kept(compact({**good, "version": 6}), "SN-0009"))
    old = before(version=8)
    case("kept-flipped", "one bit of what was kept", "refuse: kept", good, before=old[:24] + bytes([old[24] ^ 1]) + old[25:])
    case("kept-cut", "its last byte is missing", "refuse: kept", good, before=old[:-1])
    case("kept-longer", "a byte too many", "refuse: kept", good, before=old + b"\0")
    case("kept-empty", "no bytes", "refuse: kept", good, before=b"")
    later = old[:16] + struct.pack("<I", 2) + old[20:-32]
    case("kept-version", "of a version to come", "refuse: kept", good, before=later + hashlib.sha256(later).digest())


def contents(case, good, some):
    case("bytes-cut", "the last byte is missing", "refuse: size", good, some[:-1])
    case("bytes-longer", "one line more", "refuse: size", good, some + some[:65])
    case("bytes-changed", "one digit is another", "refuse: digest", good, some[:5] + bytes([some[5] ^ 1]) + some[6:])
    case("bytes-of-another", "as many bytes of another list", "refuse: digest", good, text(range(1, 11)))


def deltas(case, some):
    base = text(range(2, 12))
    delta = delta_of((10, 11), (0, 1))

    def told(name, comment, expect, base=base, delta=delta, result=some, signed=None, **more):
        said = {**manifest(some), "delta": {**leads(base, delta), **more}}
        case("delta-" + name, comment, expect, said, result if expect == "accept" else None,
             base=base if signed is None else signed, delta=delta)

    told("fits", "two digests more, two fewer", "accept")
    told("from-empty", "from a list of none", "accept", base=b"", delta=delta_of((), range(10)))
    told("nothing", "from the same list, without a line", "accept", base=some, delta=b"")
    told("other-base", "on another list", "refuse: delta-base", signed=text(range(3, 13)))
    told("other-bytes", "the delta is not the one that was signed", "refuse: delta-bytes", digest=sha256(b"another"))
    told("cut", "the delta is cut", "refuse: delta-bytes", size=len(delta) + 1)
    lines = [delta[at:at + 66] for at in range(0, len(delta), 66)]
    told("order", "lines in another order", "refuse: delta-line", delta=b"".join(reversed(lines)))
    told("twice", "a line twice", "refuse: delta-line", delta=lines[0] + delta)
    told("sign", "another sign", "refuse: delta-line", delta=b"*" + delta[1:])
    told("unfinished", "no last line feed", "refuse: delta-line", delta=delta[:-1])
    told("upper-case", "upper-case hex digits", "refuse: delta-line", delta=delta.upper())
    told("there", "adds what is there", "refuse: delta-line", delta=delta_of((), (5,)))
    told("not-there", "removes what is not there", "refuse: delta-line", delta=delta_of((99,), ()))
    told("leads-elsewhere", "leads to another list", "refuse: delta-result", delta=delta_of((10, 11), (0, 99)))
    told("leads-to-more", "leads to a longer list", "refuse: delta-result", delta=delta_of((10,), (0, 1)))
