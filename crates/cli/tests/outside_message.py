"""RFC 9421 with Python's `cryptography`: no line of gangplank's own code.

outside_message.py verify PUBLIC.der MESSAGE        exit 0 yes, 1 no
outside_message.py sign KEY MESSAGE                 prints the signed message
Exit 3: `cryptography` is not there. Anything else: this script failed.
"""
import base64, hashlib, re, sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
except ImportError:
    sys.exit(3)


def parts(message):
    head, body = message.split(b"\r\n\r\n", 1)
    first, *lines = head.decode("ascii").split("\r\n")
    fields = {}
    for line in lines:
        name, value = line.split(":", 1)
        fields.setdefault(name.lower(), []).append(value.strip())
    return first.split(" "), {name: ", ".join(values) for name, values in fields.items()}, body


def base(first, fields, params):
    method, target, _ = first
    path, _, query = target.partition("?")
    derived = {
        "@method": method,
        "@target-uri": "https://" + fields["host"] + target,
        "@authority": fields["host"].lower(),
        "@scheme": "https",
        "@request-target": target,
        "@path": path,
        "@query": "?" + query,
    }
    names = re.findall(r'"([^"]*)"', params[: params.index(")")])
    lines = [f'"{name}": {derived.get(name) or fields[name]}' for name in names]
    return "\n".join(lines + [f'"@signature-params": {params}']).encode("ascii")


def verify(spki, message):
    key = serialization.load_der_public_key(spki)
    first, fields, body = parts(message)
    digest = fields.get("content-digest")
    if digest and digest != "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":":
        return False
    label, params = fields["signature-input"].split("=", 1)
    value = base64.b64decode(re.fullmatch(label + r"=:(.*):", fields["signature"])[1], validate=True)
    signed = base(first, fields, params)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(value, signed)
        else:
            half = {"secp256r1": 32, "secp384r1": 48}[key.curve.name]
            algorithm = {32: hashes.SHA256, 48: hashes.SHA384}[half]()
            r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
            if len(value) != 2 * half:
                return False
            key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def sign(pem, message):
    key = serialization.load_pem_private_key(pem, None)
    first, fields, body = parts(message)
    digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
    params = '("@method" "@path" "@query" "content-digest");created=1767225600;tag="t";x'
    signed = base(first, {**fields, "content-digest": digest}, params)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        value = key.sign(signed)
    else:
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        value = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    added = f"Content-Digest: {digest}\r\nSignature-Input: py={params}\r\nSignature: py=:{base64.b64encode(value).decode()}:"
    return message.replace(b"\r\n\r\n", ("\r\n" + added + "\r\n\r\n").encode(), 1)


def main():
    what, key, message = sys.argv[1], open(sys.argv[2], "rb").read(), open(sys.argv[3], "rb").read()
    if what == "verify":
        sys.exit(0 if verify(key, message) else 1)
    sys.stdout.buffer.write(sign(key, message))


try:
    main()
except Exception as error:
    print(repr(error), file=sys.stderr)
    sys.exit(4)
