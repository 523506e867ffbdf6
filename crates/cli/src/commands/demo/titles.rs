//! The steps' names, which scripts may rely on, and their titles.

/// A name and a title.
pub(super) type Title = (&'static str, &'static str);

pub(super) const SERVE: Title = (
    "serve",
    "the orchestrator starts in a folder and a process of its own",
);
pub(super) const DEVICE_KEY: Title = (
    "device-key",
    "a device gets a key, and a certificate that it signs itself",
);
pub(super) const STRANGER: Title = ("stranger", "nobody has registered it yet, so it is refused");
pub(super) const REGISTER: Title = (
    "register",
    "the operator uploads its certificate under its GUID",
);
pub(super) const ONBOARD: Title = (
    "onboard",
    "the device pins the root, proves its key and comes aboard",
);
pub(super) const AGAIN: Title = (
    "again",
    "it forgets everything and asks again: it is the same device",
);
pub(super) const CAPABILITIES: Title = (
    "capabilities",
    "it reports what it is made of, with bearer token and envelope",
);
pub(super) const PUSH: Title = ("push", "the operator pushes a desired state with git");
pub(super) const DESIRED_STATE: Title = (
    "desired-state",
    "the device clones exactly that commit with git",
);
pub(super) const ALLOWLIST: Title = (
    "allowlist",
    "the image that it names is on the device's allowlist, so it may run",
);
pub(super) const DEPLOYMENT_STATUS: Title = (
    "deployment-status",
    "it reports that the deployment is installed",
);
pub(super) const MESSAGE_SIGNATURE: Title = (
    "message-signature",
    "it reports the same again, as a signed HTTP message instead of an envelope",
);
pub(super) const AUTO_PROVISIONING: Title = (
    "auto-provisioning",
    "a device that nobody registered comes aboard, because of its manufacturer's certificate",
);
pub(super) const RENEWAL: Title = (
    "renewal",
    "the same device comes with another key and a new certificate: it is the same device",
);
pub(super) const TAMPER: Title = (
    "attack-tamper",
    "ATTACK: a signed request is changed on its way",
);
pub(super) const REPLAY: Title = (
    "attack-replay",
    "ATTACK: a request that was accepted is sent again",
);
pub(super) const OTHER_CERTIFICATE: Title = (
    "attack-other-certificate",
    "ATTACK: another device poses as this one",
);
pub(super) const OTHER_TOKEN: Title = (
    "attack-other-token",
    "ATTACK: another device's token goes with this one's envelope",
);
pub(super) const REWRITE: Title = (
    "attack-rewrite",
    "ATTACK: a box that ends TLS rewrites the orchestrator's answer",
);
pub(super) const HONEST_BOX: Title = (
    "honest-box",
    "the same box, changing nothing, is no obstacle",
);
pub(super) const MESSAGE: Title = (
    "attack-message",
    "ATTACK: a box changes the path or the body of a signed message, or sends it twice",
);
pub(super) const UNINVITED: Title = (
    "attack-uninvited",
    "ATTACK: a device comes with a certificate of an anchor whose auto-provisioning is off",
);
pub(super) const UNLISTED: Title = (
    "attack-unlisted",
    "ATTACK: the desired state names another image, under the same name, and one by its tag",
);
pub(super) const REVOKED: Title = (
    "attack-revoked",
    "ATTACK: a thief comes with the device's old key, whose certificate the operator knows to be revoked",
);
pub(super) const STOP: Title = ("stop", "the orchestrator is asked to stop, and does");
