"""Writes vectors/message: HTTP message signatures (RFC 9421) under Margo 1.0's policy and under none.

Called from generate.py, whose keys and helpers it is given. It shares no code with gangplank: bases
are put together here from the text of RFC 9421, query parameters by urllib.
"""

import base64
import hashlib
import re
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

CREATED = 1767225600
URI = "https://wfm.example/api/v1/clients/c-1/deployments/d-1/status"
BODY = b'{"a":1}'
MUST = ['"@method"', '"@target-uri"', '"content-digest"']
# Margo's worked example.
WORKED = ec.derive_private_key(0xFF111C603BDB7CF789701EA34425D7008ECD71787ADC2DCADD8F40E3339740F9, ec.SECP256R1())
P384 = ec.derive_private_key(0x6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5, ec.SECP384R1())
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data):
    return base64.b64encode(data).decode()


def prime(seed, bits):
    """The same probable prime of this many bits for the same seed, its two highest bits set."""
    number = int.from_bytes(b"".join(hashlib.sha256(f"{seed} {n}".encode()).digest() for n in range(bits // 256)), "big")
    number |= 3 << (bits - 2) | 1
    while any(number % small == 0 for small in (3, 5, 7, 11, 13)) or any(
            pow(base, number - 1, number) != 1 for base in (2, 3, 5)) or number % 65537 == 1:
        number += 2
    return number


def rsa_key():
    p, q = prime("gangplank vectors p", 1024), prime("gangplank vectors q", 1024)
    e, d = 65537, pow(65537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(max(p, q), min(p, q), d, d % (max(p, q) - 1), d % (min(p, q) - 1),
                                    rsa.rsa_crt_iqmp(max(p, q), min(p, q)), rsa.RSAPublicNumbers(e, p * q))
    return numbers.private_key()


RSA = rsa_key()


def pss(key, message, name="sha256", salt_length=32):
    """RFC 8017 §9.1.1 with a salt that is always the same, so that the bytes are, too."""
    digest = lambda data: hashlib.new(name, data).digest()
    length = len(digest(b""))
    numbers = key.private_numbers()
    modulus, size = numbers.public_numbers.n, key.key_size // 8
    salt = hashlib.sha512(b"gangplank vectors salt").digest()[:salt_length]
    hashed = digest(bytes(8) + digest(message) + salt)
    block = bytes(size - salt_length - length - 2) + b"\x01" + salt
    mask = b"".join(digest(hashed + n.to_bytes(4, "big")) for n in range(size // length + 1))[:len(block)]
    masked = bytes(a ^ b for a, b in zip(block, mask))
    encoded = bytes([masked[0] & 0x7F]) + masked[1:] + hashed + b"\xbc"
    return pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes(size, "big")


def fixed(der, size):
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def sign(key, message, algorithm=None):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        if algorithm == "rsa-v1_5-sha256":
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return pss(key, message)
    if isinstance(key.curve, ec.SECP384R1):
        return fixed(key.sign(message, ec.ECDSA(hashes.SHA384(), deterministic_signing=True)), 48)
    return fixed(key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)), 32)


def spki(key):
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def key_id(key):
    return hashlib.sha256(spki(key)).hexdigest()


def content_digest(body, name="sha256", label="sha-256"):
    return f"{label}=:{b64(hashlib.new(name, body).digest())}:"


def derive(component, method, uri, fields, status=None, trailers=(), request_fields=(), written=None):
    """The value of a component, for the components that the vectors use (RFC 9421 §2).

    `written` has the values that no short rule gives: those of structured fields."""
    if component in (written or {}):
        return written[component]
    parts = urllib.parse.urlsplit(uri)
    name, *parameters = component.split(";")
    fields = trailers if "tr" in parameters else request_fields if "req" in parameters else fields
    name = name.strip('"')
    port = {"https": 443, "http": 80}[parts.scheme.lower()]
    values = {
        "@method": method,
        "@target-uri": uri,
        "@authority": parts.hostname + (f":{parts.port}" if parts.port not in (None, port) else ""),
        "@scheme": parts.scheme.lower(),
        "@request-target": (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        "@path": parts.path or "/",
        "@query": "?" + parts.query,
        "@status": str(status),
    }
    if name == "@query-param":
        wanted = parameters[0].split("=", 1)[1].strip('"')
        encode = lambda text: urllib.parse.quote(text, safe="*-._").replace("~", "%7E")
        return dict((encode(k), encode(v)) for k, v in urllib.parse.parse_qsl(parts.query, keep_blank_values=True))[wanted]
    if name in values:
        return values[name]
    unfolded = lambda value: re.sub("[ \t]*\r?\n[ \t]+", " ", value).strip(" \t")
    lines = [unfolded(value) for field, value in fields if field.lower() == name.lower()]
    if "bs" in parameters:
        return ", ".join(f":{b64(line.encode())}:" for line in lines)
    return ", ".join(lines)


def params(covered, **parameters):
    written = {"created": CREATED, **parameters}
    text = "(" + " ".join(covered) + ")"
    for name, value in written.items():
        if value is not None:
            text += f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
    return text


def base_of(covered, text, method, uri, fields, status=None, **parts):
    lines = [f"{component}: {derive(component, method, uri, fields, status, **parts)}" for component in covered]
    return "\n".join([*lines, f'"@signature-params": {text}'])


def messages(write, p256, p256_other, ed):
    made = []

    def case(name, comment, spec, expect, policy="margo", key=WORKED, signer=None, algorithm=None, method="POST", uri=URI,
             body=BODY, digest=..., more=(), covered=MUST, label="sig1", keyid=..., text=None, signed=None, received=None,
             input_field=None, signature_field=None, value=None, base=None, drop=(), trailers=(), request_fields=None, written=None, **extra):
        """`signed` and `received` change what is signed and what arrives; the rest of it is good."""
        fields = list(more)
        if digest is ... and body:
            digest = content_digest(body)
        if digest not in (..., None):
            fields.append(("Content-Digest", digest))
        parameters = {k: extra.pop(k) for k in ("created", "expires", "nonce", "alg", "tag") if k in extra}
        if keyid is not None:
            parameters["keyid"] = key_id(key) if keyid is ... else keyid
        text = text or params(covered, **parameters)
        status = extra.get("status")
        base = base or base_of(covered, text, method, uri, fields, status, trailers=trailers, request_fields=request_fields or (),
                               written=written)
        value = value(base.encode()) if value else sign(signer or key, base.encode(), algorithm)
        fields += [("Signature-Input", input_field or f"{label}={text}"),
                   ("Signature", signature_field or f"{label}=:{b64(value)}:")]
        fields = [(k, v) for k, v in fields if k not in drop]
        inputs = {"policy": policy, "method": method, "target": uri, "fields": [list(pair) for pair in fields],
                  "body": b64(body), "spki": b64(spki(key)), "label": label, "now": CREATED, "maxAge": 300, "maxLead": 60}
        if trailers:
            inputs["trailers"] = [list(pair) for pair in trailers]
        if request_fields is not None:
            inputs["requestFields"] = [list(pair) for pair in request_fields]
        if expect == "accept":
            inputs["base"] = base
        inputs.update(extra)
        inputs.update(received or {})
        write("message", name, comment, spec, expect, inputs)
        made.append(name)

    margo(case, p256, p256_other, ed)
    general(case, p256, ed)
    return made


def margo(case, p256, p256_other, ed):
    section = "Margo 1.0, docs/message.md §"
    all_four = ['"@method"', '"@target-uri"', '"@authority"', '"content-digest"']
    get = {"method": "GET", "body": b"", "covered": MUST[:2], "uri": "https://wfm.example/api/v1/clients/c-1/deployments"}

    # What must be accepted.
    case("margo-worked-example", "the worked example of gangplank's facts, its s above n/2", section + "Margo", "accept", covered=all_four)
    case("margo-least", "no more than Margo asks for", section + "Margo", "accept", keyid="my-rsa-key")
    case("margo-get", "a request without a body", section + "Margo", "accept", nonce="AAECAwQFBgcICQoLDA0ODw", **get)
    case("margo-p384", "P-384", "RFC 9421 §3.3.5", "accept", key=P384)
    case("margo-rsa-pkcs1", "RSA, PKCS#1 v1.5, without alg", section + "Margo", "accept", key=RSA, algorithm="rsa-v1_5-sha256")
    case("margo-rsa-pkcs1-alg", "RSA, PKCS#1 v1.5, with alg", "RFC 9421 §3.3.2", "accept", key=RSA, algorithm="rsa-v1_5-sha256", alg="rsa-v1_5-sha256")
    case("margo-rsa-pss", "RSA-PSS with SHA-256, without alg", section + "Margo", "accept", key=RSA)
    case("margo-rsa-pss-alg", "RSA-PSS with SHA-256, with alg", section + "Margo", "accept", key=RSA, alg="rsa-pss-sha256")
    case("margo-ed25519", "Ed25519, where the profile accepts it", "RFC 9421 §3.3.6", "accept", key=ed, ed25519="accepted")
    case("margo-alg", "alg that agrees with the key", "RFC 9421 §3.2", "accept", alg="ecdsa-p256-sha256")
    case("margo-oldest", "created exactly max_age ago", section + "Margo", "accept", created=CREATED - 300)
    case("margo-newest", "created exactly max_lead ahead", section + "Margo", "accept", created=CREATED + 60)
    case("margo-other-signature", "another label that is not understood beside it", "RFC 9421 §3.2", "accept",
         more=[("Signature-Input", 'proxy=("@unknown")'), ("Signature", "proxy=:AA==:")])
    case("margo-more-digests", "unknown digests beside sha-256", "RFC 9530 §2", "accept",
         digest="md5=:AAAA:, " + content_digest(BODY))
    case("margo-content-digest-capitals", "the field name as Margo prints it, by option", section + "Margo", "accept",
         covered=['"@method"', '"@target-uri"', '"Content-Digest"'], names="content-digest-with-capitals")
    case("margo-authority-required", "the reference server's habit", section + "Margo", "accept", covered=all_four, authority="required")

    # 400: body and digest.
    wrong = "refuse: content-digest"
    case("margo-body-changed", "another body arrives", "RFC 9530 §2", wrong, received={"body": b64(b'{"a":2}')})
    case("margo-body-dropped", "the body is cut off", "RFC 9530 §2", wrong, received={"body": ""})
    case("margo-digest-missing", "a body without Content-Digest", section + "Margo", wrong, digest=None, covered=MUST[:2])
    case("margo-digest-no-dictionary", "Content-Digest is malformed", "RFC 9530 §2", wrong, digest="sha-256=:")
    case("margo-digest-hex", "hex instead of base64", "RFC 9530 §2", wrong, digest='sha-256="' + hashlib.sha256(BODY).hexdigest() + '"')
    case("margo-digest-short", "31 bytes", "RFC 9530 §2", wrong, digest=f"sha-256=:{b64(hashlib.sha256(BODY).digest()[:31])}:")
    case("margo-digest-md5", "only a weak algorithm", "RFC 9530 §5", wrong, digest=content_digest(BODY, "md5", "md5"))
    case("margo-digest-sha512", "sha-512 instead of sha-256", section + "Margo", wrong, digest=content_digest(BODY, "sha512", "sha-512"))
    case("margo-digest-of-decoded", "of other bytes than those sent", "RFC 9530 §2", wrong, digest=content_digest(BODY + b"\n"))

    # 401: what is covered.
    bad = "refuse: not-covered"
    for name in ("method", "target-uri", "content-digest"):
        case(f"margo-{name}-not-covered", f"without {name}", section + "Margo", bad, covered=[c for c in MUST if name not in c])
    case("margo-authority-not-covered", "where the profile wants it", section + "Margo", bad, authority="required")
    case("margo-digest-in-part", "a member of Content-Digest is not Content-Digest", section + "Margo", bad,
         covered=MUST[:2] + ['"content-digest";key="sha-256"'],
         base="\n".join(['"@method": POST', f'"@target-uri": {URI}', f'"content-digest";key="sha-256": {content_digest(BODY)[8:]}',
                         '"@signature-params": ' + params(MUST[:2] + ['"content-digest";key="sha-256"'], keyid=key_id(WORKED))]))

    # 401: time.
    late = "refuse: stale"
    case("margo-too-old", "created max_age + 1 s ago", section + "Margo", late, created=CREATED - 301)
    case("margo-too-new", "created max_lead + 1 s ahead", section + "Margo", late, created=CREATED + 61)
    case("margo-no-created", "no created", section + "Margo", late, created=None)
    case("margo-expired", "expires has passed", "RFC 9421 §2.3", late, expires=CREATED - 1)

    # 401: key and algorithm.
    case("margo-key-id-of-another", "64 hexadecimal digits of another key", section + "Margo", "refuse: key-id", keyid=key_id(p256))
    case("margo-alg-of-another", "alg names another algorithm than the key's", "RFC 9421 §3.2", "refuse: algorithm", alg="ed25519")
    case("margo-alg-hmac", "HMAC with the public key as secret", section + "Margo", "refuse: algorithm", alg="hmac-sha256",
         value=lambda base: __import__("hmac").digest(spki(WORKED), base, "sha256"))
    case("margo-alg-unknown", "alg is made up", "RFC 9421 §3.2", "refuse: algorithm", alg="none")
    case("margo-alg-pss-sha512", "PSS with SHA-512, which Margo does not name", section + "Margo", "refuse: algorithm", key=RSA, alg="rsa-pss-sha512",
         value=lambda base: pss(RSA, base, "sha512", 64))
    case("margo-ed25519-refused", "Ed25519, which Margo does not name", section + "Margo", "refuse: algorithm", key=ed)
    case("margo-rsa-pss-refused", "PSS where the profile has PKCS#1 only", section + "Margo", "refuse: signature", key=RSA, rsa="pkcs1")
    case("margo-rsa-alg-lies", "alg says PSS, the signature is PKCS#1", "RFC 9421 §3.2", "refuse: signature", key=RSA,
         alg="rsa-pss-sha256", algorithm="rsa-v1_5-sha256")
    case("margo-rsa-pss-salt", "PSS with 20 bytes of salt", section + "Margo", "refuse: signature", key=RSA, value=lambda base: pss(RSA, base, salt_length=20))

    # 401: the signature.
    no = "refuse: signature"
    case("margo-other-key", "signed by another key", "RFC 9421 §3.2", no, signer=p256_other)
    case("margo-der", "DER instead of r and s side by side", "RFC 9421 §3.3.4", no,
         value=lambda base: WORKED.sign(base, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    case("margo-short", "63 bytes", "RFC 9421 §3.3.4", no, value=lambda base: sign(WORKED, base)[:63])
    case("margo-long", "65 bytes", "RFC 9421 §3.3.4", no, value=lambda base: sign(WORKED, base) + b"\0")
    case("margo-empty", "no bytes", "RFC 9421 §3.3.4", no, value=lambda base: b"")
    case("margo-r-zero", "r is 0", "FIPS 186-5 §6.4.2", no, value=lambda base: bytes(32) + sign(WORKED, base)[32:])
    case("margo-s-plus-n", "s beyond n", "FIPS 186-5 §6.4.2", no,
         value=lambda base: sign(WORKED, base)[:32] + (2**256 - 1).to_bytes(32, "big"))
    case("margo-method-changed", "another method arrives", "RFC 9421 §2.2.1", no, received={"method": "PUT"})
    case("margo-target-changed", "another path arrives", "RFC 9421 §2.2.2", no, received={"target": URI.replace("c-1", "c-2")})
    case("margo-host-changed", "another host", "RFC 9421 §2.2.2", no, received={"target": URI.replace("wfm", "wfn")})
    case("margo-scheme-changed", "http instead of https", "RFC 9421 §2.2.2", no, received={"target": URI.replace("https", "http")})
    case("margo-query-added", "a query is added", "RFC 9421 §2.2.2", no, received={"target": URI + "?x"})
    case("margo-base-trailing-newline", "a line end after the last line", "RFC 9421 §2.5", no,
         value=lambda base: sign(WORKED, base + b"\n"))
    case("margo-base-crlf", "lines end with CR LF", "RFC 9421 §2.5", no, value=lambda base: sign(WORKED, base.replace(b"\n", b"\r\n")))

    # 401: the fields.
    fields = "refuse: signature-fields"
    case("margo-unsigned", "neither field", section + "Margo", fields, drop=("Signature", "Signature-Input"))
    case("margo-no-signature", "no Signature", "RFC 9421 §4", fields, drop=("Signature",))
    case("margo-no-input", "no Signature-Input", "RFC 9421 §4", fields, drop=("Signature-Input",))
    case("margo-other-labels", "a label in one field only", "RFC 9421 §4", fields, signature_field="sig2=:AA==:")
    case("margo-label-twice", "a label twice", "RFC 9421 §4.1", fields, more=[("Signature-Input", "sig1=()")])
    case("margo-signature-twice", "a label twice in Signature", "RFC 9421 §4.2", fields, more=[("Signature", "sig1=:AA==:")])
    case("margo-signature-string", "Signature is a string", "RFC 9421 §4.2", fields, signature_field='sig1="AA=="')
    case("margo-input-item", "Signature-Input is a string", "RFC 9421 §4.1", fields, input_field='sig1="@method"')
    case("margo-input-comma", "a comma at the end", "RFC 9651 §4.2.2", fields, input_field=f"sig1={params(MUST)},")
    case("margo-other-label", "not the label of Margo", section + "Margo", "refuse: label", label="sig2")

    # 401: what is claimed.
    claim = "refuse: parameters"
    case("margo-created-string", "created is a string", "RFC 9421 §2.3", claim, created="1767225600")
    case("margo-created-decimal", "created has a fraction", "RFC 9421 §2.3", claim, text="(" + " ".join(MUST) + ");created=1767225600.0")
    case("margo-created-negative", "created is negative", "docs/message.md", claim, created=-1)
    case("margo-component-twice", "a component twice", "RFC 9421 §2", claim, covered=MUST + MUST[:1])
    case("margo-component-capitals", "a field name with capitals, without the option", "RFC 9421 §2.1", claim,
         covered=MUST[:2] + ['"Content-Digest"'])
    case("margo-component-token", "a component that is a token", "RFC 9421 §2", claim, text="(method)", base="x")
    case("margo-component-unknown", "a derived component that does not exist", "RFC 9421 §2.5", claim, text='("@made-up")', base="x")
    case("margo-signature-params-covered", "the parameters among what they cover", "RFC 9421 §2.3", claim,
         text='("@signature-params")', base="x")
    case("margo-unknown-parameter", "a component parameter that is not understood", "RFC 9421 §2.5", claim,
         covered=MUST + ['"content-digest";x'])
    case("margo-bs-and-sf", "bs beside sf", "RFC 9421 §2.5", claim, covered=MUST + ['"content-digest";sf;bs'])
    case("margo-field-missing", "a covered field is not there", "RFC 9421 §2.5", "refuse: base", covered=MUST + ['"x-missing"'])
    case("margo-status", "@status of a request", "RFC 9421 §2.2.9", "refuse: base", covered=MUST + ['"@status"'])
    case("margo-req", "req in a request", "RFC 9421 §2.4", "refuse: base", covered=MUST + ['"@method";req'])


def general(case, p256, ed):
    url = "https://Example.COM:443/p%20q?b=2&a=%C3%A9+x&e="
    everything = ['"@method"', '"@authority"', '"@scheme"', '"@request-target"', '"@path"', '"@query"', '"x-list"', '"x-list";bs']
    plain = {"policy": "rfc9421", "body": b"", "key": p256, "keyid": None, "uri": url,
             "more": [("X-List", " a "), ("x-list", "b,c")]}
    case("general-components", "derived components and a field of two lines", "RFC 9421 §2", "accept", covered=everything, **plain)
    case("general-query-params", "query parameters, encoded anew", "RFC 9421 §2.2.8", "accept",
         covered=['"@query-param";name="a"', '"@query-param";name="e"'], **plain)
    case("general-nothing", "nothing is covered", "RFC 9421 §2.3", "accept", covered=[], **plain)
    case("general-ed25519", "Ed25519", "RFC 9421 §3.3.6", "accept", covered=everything, **{**plain, "key": ed})
    case("general-tag", "parameters that are not known are signed, too", "RFC 9421 §2.3", "accept",
         covered=['"@method"'], text='("@method");x=?0;created=1767225600;tag="app";y=:AA==:', **plain)
    case("general-response", "a response", "RFC 9421 §2.2.9", "accept", covered=['"@status"', '"x-list"'], status=200, **plain)
    bad = "refuse: base"
    case("general-query-param-twice", "a query parameter that is there twice", "RFC 9421 §2.2.8", bad,
         covered=['"@query-param";name="a"'], **{**plain, "uri": url + "&a=1"})
    case("general-query-param-missing", "a query parameter that is not there", "RFC 9421 §2.2.8", bad,
         covered=[], received={"fields": [["Signature-Input", 'sig1=("@query-param";name="z")'], ["Signature", "sig1=:AA==:"]]}, **plain)
    case("general-line-end-in-field", "a line end in a field that is no folding", "RFC 9421 §2.5", bad,
         covered=['"x-list"'], **{**plain, "more": [("X-List", "a\nb")]})
    case("general-not-ascii", "a field that is not ASCII", "RFC 9421 §2.5", bad,
         covered=['"x-list"'], **{**plain, "more": [("X-List", "é")]})
    case("general-field-order", "lines of one field in another order", "RFC 9421 §2.1", "refuse: signature", covered=everything,
         received={"swap": "x-list"}, **plain)
    case("general-other-status", "another status", "RFC 9421 §2.2.9", "refuse: signature", covered=['"@status"'], status=200,
         received={"status": 201}, **plain)
    case("general-method-of-response", "@method of a response without req", "RFC 9421 §2.4", bad, covered=['"@method"'], status=200, **plain)

    # Parts of fields, trailers, line foldings.
    dictionary = [("Example-Dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c)"), ("Example-Dict", "d, a=3"), ("Priority", "u=5 ,\t i=?1;x=1")]
    members = {f'"example-dict";key="{key}"': value for key, value in [("a", "3"), ("b", "2;x=1;y=2"), ("c", "(a b c)"), ("d", "?1")]}
    case("general-members", "members of a dictionary of two lines, one of them there twice", "RFC 9421 §2.1.2", "accept",
         covered=list(members), written=members, **{**plain, "more": dictionary})
    case("general-member-missing", "a member that the dictionary does not have", "RFC 9421 §2.1.2", bad,
         covered=['"example-dict";key="e"'], written={'"example-dict";key="e"': ""}, **{**plain, "more": dictionary})
    case("general-structured", "a field that is written anew", "RFC 9421 §2.1.1", "accept",
         covered=['"priority";sf'], written={'"priority";sf': "u=5, i;x=1"}, **{**plain, "more": dictionary})
    trailers = {"trailers": [("X-List", "d"), ("X-Sum", "1")]}
    case("general-trailers", "a field of the head and its namesake in the trailers", "RFC 9421 §2.1.4", "accept",
         covered=['"x-list";tr', '"x-sum";tr', '"x-list"'], **trailers, **plain)
    case("general-trailer-in-head", "a field of the trailers arrives in the head", "RFC 9421 §2.1.4", bad,
         covered=['"x-sum";tr'], received={"trailers": []}, **trailers, **{**plain, "more": [("X-Sum", "1")]})
    folded = [("X-List", " a \r\n\t b"), ("X-List", "c\n d")]
    covered = ['"@method"', '"x-list"']
    case("general-folded", "line foldings in a field and in Signature-Input", "RFC 9421 §2.1, RFC 9112 §5.2", "accept",
         covered=covered, input_field="sig1=" + params(covered).replace(' "', '\r\n\t "'), **{**plain, "more": folded})

    # A response and its request, which `method`, `uri` and `request_fields` are of.
    of_request = ['"@status"', '"@method";req', '"@request-target";req', '"content-digest";req', '"content-digest"']
    answer = {"status": 503, "request_fields": [("Content-Digest", content_digest(BODY))], "digest": content_digest(b"busy"), **plain, "body": b"busy"}
    case("general-answer", "a response with parts of its request", "RFC 9421 §2.4", "accept", covered=of_request, **answer)
    case("general-answer-to-another", "the same response to another request", "RFC 9421 §2.4", "refuse: signature", covered=of_request,
         received={"requestFields": [["Content-Digest", content_digest(b"other")]]}, **answer)
    case("general-answer-alone", "parts of a request that is not known", "RFC 9421 §2.4", bad, covered=of_request,
         **{**answer, "request_fields": None}, base="x")
