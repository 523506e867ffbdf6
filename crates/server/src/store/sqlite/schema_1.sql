-- Times are Unix seconds. Devices are referred to by a short number that never leaves the database.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The greatest `until` of a once key that was ever purged: such a key may have been seen.
INSERT INTO meta (name, value) VALUES ('once_horizon', -1);

CREATE TABLE tenant (
    id              TEXT PRIMARY KEY,
    enabled         INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    policy_revision INTEGER NOT NULL,
    document        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO tenant (id, enabled, policy_revision, document) VALUES ('default', 1, 0, '{}');

CREATE TABLE device (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    tenant          TEXT NOT NULL REFERENCES tenant (id),
    certificate_id  TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('registered', 'pending', 'aboard', 'rejected')),
    disabled        INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    revision        INTEGER NOT NULL,
    client_id       TEXT UNIQUE,
    anchor_id       TEXT,
    policy_revision INTEGER,
    vendor          TEXT,
    model_number    TEXT,
    serial_number   TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    aboard_at       INTEGER,
    -- In this order it also serves the question which tenants know a certificate id.
    UNIQUE (certificate_id, tenant)
) STRICT;

-- The one state that is listed often and is rare.
CREATE INDEX device_pending ON device (id) WHERE state = 'pending';

CREATE TABLE device_key (
    spki_sha256 BLOB PRIMARY KEY CHECK (length(spki_sha256) = 32),
    device      INTEGER NOT NULL REFERENCES device (number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX device_key_device ON device_key (device);

CREATE TABLE certificate (
    number      INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    spki_sha256 BLOB NOT NULL CHECK (length(spki_sha256) = 32),
    device      INTEGER NOT NULL REFERENCES device (number) ON DELETE CASCADE,
    der         BLOB NOT NULL,
    added_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX certificate_device ON certificate (device);

CREATE TABLE client_secret (
    number       INTEGER PRIMARY KEY,
    device       INTEGER NOT NULL REFERENCES device (number) ON DELETE CASCADE,
    hash         BLOB NOT NULL CHECK (length(hash) = 32),
    created_at   INTEGER NOT NULL,
    -- The first use. At most one of a device's secrets has been used: using the newest deletes
    -- the others.
    used_at      INTEGER
) STRICT;
CREATE INDEX client_secret_device ON client_secret (device);

CREATE TABLE token (
    number     INTEGER PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('access', 'git')),
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    device     INTEGER NOT NULL REFERENCES device (number) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (hash, kind)
) STRICT;
CREATE INDEX token_device ON token (device, kind);
CREATE INDEX token_expires_at ON token (expires_at);

CREATE TABLE once (
    key   BLOB PRIMARY KEY CHECK (length(key) = 32),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX once_until ON once (until);

CREATE TABLE capabilities (
    device      INTEGER PRIMARY KEY REFERENCES device (number) ON DELETE CASCADE,
    body        BLOB NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE deployment_status (
    number        INTEGER PRIMARY KEY,
    device        INTEGER NOT NULL REFERENCES device (number) ON DELETE CASCADE,
    deployment_id TEXT NOT NULL,
    body          BLOB NOT NULL,
    received_at   INTEGER NOT NULL,
    UNIQUE (device, deployment_id)
) STRICT;

-- What may not come aboard or queue until it is registered anew.
CREATE TABLE tombstone (
    tenant     TEXT NOT NULL REFERENCES tenant (id),
    kind       TEXT NOT NULL CHECK (kind IN ('certificate_id', 'key')),
    subject    BLOB NOT NULL,
    device     TEXT NOT NULL,
    removed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, subject)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: a number is never given twice, so the order of numbers is the order of commits.
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    tenant TEXT,
    device TEXT,
    detail TEXT NOT NULL
) STRICT;

CREATE TABLE outbox (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    event  TEXT NOT NULL,
    tenant TEXT NOT NULL,
    device TEXT NOT NULL
) STRICT;
