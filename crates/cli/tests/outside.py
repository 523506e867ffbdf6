"""docs/envelope.md in Python's standard library and openssl: no line of gangplank's own code.

outside.py verify CERT PAYLOAD ENVELOPE                      exit 0 yes, 1 no
outside.py sign KEY CERT FORM PAYLOAD ENVELOPE               FORM: plain, bound, bound-with-certificate
Exit 3: this script failed.
"""
import base64, hashlib, json, os, ssl, subprocess, sys, tempfile


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True)


def field(data):
    return len(data).to_bytes(8, "big") + data


def signed_bytes(payload, envelope):
    if "type" not in envelope:
        return payload
    text = lambda member: str(envelope.get(member, "")).encode()
    certificates = [base64.b64decode(one, validate=True) for one in envelope.get("certificates", [])]
    chain = hashlib.sha256(b"".join(certificates)).digest() if certificates else b""
    parts = [text("type"), text("certificateId"), text("created"), text("nonce"), text("audience"), chain]
    return b"\xffgangplank-envelope/1" + b"".join(map(field, parts)) + field(hashlib.sha256(payload).digest())


def is_ed25519(public):
    return b"ED25519" in openssl("pkey", "-pubin", "-in", public, "-noout", "-text").stdout


def public_key(cert, folder):
    path = os.path.join(folder, "public.pem")
    open(path, "wb").write(openssl("x509", "-in", cert, "-noout", "-pubkey").stdout)
    return path


def verify(cert, payload_file, envelope_file):
    payload, envelope = open(payload_file, "rb").read(), json.load(open(envelope_file))
    order = ["payload", "digest", "signature", "certificateId", "type", "created", "nonce", "audience", "certificates"]
    assert list(envelope) == [member for member in order if member in envelope]
    assert base64.b64decode(envelope["payload"], validate=True) == payload
    assert envelope["digest"] == "sha256:" + hashlib.sha256(payload).hexdigest()
    with tempfile.TemporaryDirectory() as folder:
        message, signature = os.path.join(folder, "message"), os.path.join(folder, "signature")
        open(message, "wb").write(signed_bytes(payload, envelope))
        open(signature, "wb").write(base64.b64decode(envelope["signature"], validate=True))
        public = public_key(cert, folder)
        how = ["-rawin"] if is_ed25519(public) else ["-rawin", "-digest", "sha256"]
        run = openssl("pkeyutl", "-verify", "-pubin", "-inkey", public, *how, "-in", message, "-sigfile", signature)
        return run.returncode == 0


def sign(key, cert, form, payload_file, envelope_file):
    payload = open(payload_file, "rb").read()
    envelope = {"certificateId": "SN-0001"}
    if form != "plain":
        envelope.update(type="T", created=1767225600, nonce="AAECAwQFBgcICQoLDA0ODw", audience="https://wfm.example/margo")
    if form == "bound-with-certificate":
        der = ssl.PEM_cert_to_DER_cert(open(cert).read())
        envelope["certificates"] = [base64.b64encode(der).decode()]
    with tempfile.TemporaryDirectory() as folder:
        message, signature = os.path.join(folder, "message"), os.path.join(folder, "signature")
        open(message, "wb").write(signed_bytes(payload, envelope))
        how = ["-rawin"] if is_ed25519(public_key(cert, folder)) else ["-rawin", "-digest", "sha256"]
        run = openssl("pkeyutl", "-sign", "-inkey", key, *how, "-in", message, "-out", signature)
        assert run.returncode == 0, run.stderr
        envelope["signature"] = base64.b64encode(open(signature, "rb").read()).decode()
    envelope["payload"] = base64.b64encode(payload).decode()
    envelope["digest"] = "sha256:" + hashlib.sha256(payload).hexdigest()
    # White space and another order of the members: both are free on input.
    json.dump(envelope, open(envelope_file, "w"), indent=1)
    return True


try:
    sys.exit(0 if {"verify": verify, "sign": sign}[sys.argv[1]](*sys.argv[2:]) else 1)
except Exception as error:
    print(repr(error), file=sys.stderr)
    sys.exit(3)
