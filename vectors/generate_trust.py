"""Writes vectors/trust: tenants as JSON documents, in Eclipse Hono's two views.

Called from generate.py, whose keys and helpers it is given. It shares no code with gangplank: what an
accepted document is written as, is written here by hand.
"""

import base64
import json

from cryptography.hazmat.primitives import serialization

# Eclipse Hono's design discussion of auto-provisioning (eclipse/hono, 2020), as it stands there.
DISCUSSION = """{
  "tenant-id" : "TEST_TENANT",
  "enabled" : true,
  "trusted-ca": [{
    "subject-dn": "CN=ca,OU=Hono,O=Eclipse",
    "public-key": "PublicKey==",
    "algorithm":  "RSA",
    "allow-auto-provision": false
  }, {
    "subject-dn": "CN=ca,OU=Hono,O=ACME Inc.",
    "public-key": "ECKey==",
    "algorithm":  "EC",
    "allow-auto-provision": true
  }]
}"""
MANAGEMENT = "Eclipse Hono, device registry management API, Tenant"
ADAPTER = "Eclipse Hono, Tenant API, response payload"
OURS = "docs/trust.md, provisioning-policy"


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def anchor(key, **more):
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    members = {
        "id": "a",
        "subject-dn": "CN=Root,O=ACME",
        "public-key": base64.b64encode(spki).decode(),
        "algorithm": "EC",
        "not-before": "2020-01-01T00:00:00Z",
        "not-after": "2040-01-01T00:00:00Z",
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return {name: value for name, value in members.items() if value is not None}


def shown(given):
    """The order and the defaults that gangplank writes an anchor with."""
    ends = {name: given[name] for name in ("provisioning-policy",) if name in given}
    flags = {"auto-provisioning-enabled": False, "auto-provision-as-gateway": False}
    begins = {name: value for name, value in given.items() if name not in ends and name not in flags}
    return begins | {name: given.get(name, value) for name, value in flags.items()} | ends


def documents(write, p256):
    def accept(name, comment, spec, view, document, written):
        write("trust", name, comment, spec, "accept", {"view": view, "document": document, "written": written})

    def refuse(name, comment, spec, document, code, pointer, view="management"):
        inputs = {"view": view, "document": document, "pointer": pointer}
        write("trust", name, comment, spec, f"refuse: {code}", inputs)

    def tenant(**more):
        return compact({"trusted-ca": [anchor(p256, **more)]})

    accept("management-empty", "a tenant of which nothing is said", MANAGEMENT, "management", "{}", "{}")
    given = anchor(p256)
    accept("management-bare-anchor", "an anchor without a certificate", MANAGEMENT, "management",
           compact({"trusted-ca": [given]}), compact({"trusted-ca": [shown(given)]}))
    given = anchor(p256, auto_provisioning_enabled=True)
    accept("management-auto-provisioning", "devices may join", MANAGEMENT, "management",
           compact({"trusted-ca": [given]}), compact({"trusted-ca": [shown(given)]}))
    policy = {"approval": "queue", "max-devices": 3, "source-cidrs": ["192.0.2.0/24"]}
    given = anchor(p256, provisioning_policy=policy)
    accept("management-provisioning-policy", "what gangplank adds", OURS, "management",
           compact({"trusted-ca": [given]}), compact({"trusted-ca": [shown(given)]}))
    given = anchor(p256, provisioning_policy={"approval": "refuse", "leaf": {}})
    accept("management-policy-of-defaults", "additions that say nothing are not written", OURS, "management",
           compact({"trusted-ca": [given]}), compact({"trusted-ca": [shown(anchor(p256))]}))
    given = anchor(p256, subject_dn="cn = Root ; o=ACME", not_after="2039-12-31T23:30:00.25-00:30")
    accept("management-name-and-time-reprinted", "a name and a time in other spellings", MANAGEMENT, "management",
           compact({"trusted-ca": [given]}), compact({"trusted-ca": [shown(anchor(p256))]}))
    accept("adapter-design-discussion", "the example of the design discussion, its keys not yet looked at", ADAPTER,
           "adapter", DISCUSSION, compact({"tenant-id": "TEST_TENANT", "enabled": True, "trusted-ca": [
               {"subject-dn": "CN=ca,OU=Hono,O=Eclipse", "public-key": "PublicKey==", "algorithm": "RSA",
                "auto-provisioning-enabled": False},
               {"subject-dn": "CN=ca,OU=Hono,O=ACME Inc.", "public-key": "ECKey==", "algorithm": "EC",
                "auto-provisioning-enabled": False}]}))
    accept("adapter-null-flag", "a flag that is null is off, and no algorithm is RSA", ADAPTER, "adapter",
           compact({"tenant-id": "t", "enabled": False, "more": 1, "trusted-ca": [
               {"subject-dn": "CN=a", "public-key": "AA==", "auto-provisioning-enabled": None}]}),
           compact({"tenant-id": "t", "enabled": False, "trusted-ca": [
               {"subject-dn": "CN=a", "public-key": "AA==", "algorithm": "RSA", "auto-provisioning-enabled": False}]}))

    refuse("management-unknown-member", "a closed object", MANAGEMENT, tenant(unexpected=1), "unknown",
           "/trusted-ca/0/unexpected")
    refuse("management-first-name-of-the-flag", "allow-auto-provision became auto-provisioning-enabled", MANAGEMENT,
           tenant(allow_auto_provision=True), "unknown", "/trusted-ca/0/allow-auto-provision")
    refuse("management-unknown-in-policy", "a closed object", OURS, tenant(provisioning_policy={"quota": 1}), "unknown",
           "/trusted-ca/0/provisioning-policy/quota")
    refuse("management-repeated-member", "a member twice", "RFC 8259 section 4", '{"ext":{"a":1,"\\u0061":1}}', "repeated",
           "/ext/a")
    refuse("management-inverted-window", "a window that ends before it begins", OURS,
           tenant(not_after="2019-12-31T23:59:59Z"), "unexpected", "/trusted-ca/0/not-after")
    refuse("management-no-window", "no end of the window", MANAGEMENT, tenant(not_after=None), "missing",
           "/trusted-ca/0/not-after")
    refuse("management-key-of-no-algorithm", "no algorithm is RSA, and the key is EC", MANAGEMENT, tenant(algorithm=None),
           "unexpected", "/trusted-ca/0/public-key")
    refuse("management-null-template", "a template that is null", MANAGEMENT,
           compact({"trusted-ca": [anchor(p256) | {"auth-id-template": None}]}), "unexpected",
           "/trusted-ca/0/auth-id-template")
    refuse("management-not-json", "nothing after the document", "RFC 8259 section 2", "{} {}", "unreadable", "")
    refuse("adapter-no-tenant-id", "a mandatory member", ADAPTER, '{"enabled":true}', "missing", "/tenant-id", "adapter")
    refuse("adapter-no-enabled", "a mandatory member", ADAPTER, '{"tenant-id":"t"}', "missing", "/enabled", "adapter")
