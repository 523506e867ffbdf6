-- Made anew, since a column cannot be made to allow NULL: a device that only protocol adapters speak for
-- has no certificate id.
CREATE TABLE device_5 (
    number          INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    tenant          TEXT NOT NULL REFERENCES tenant (id),
    certificate_id  TEXT,
    state           TEXT NOT NULL CHECK (state IN ('registered', 'pending', 'aboard', 'rejected')),
    disabled        INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    voucher         TEXT NOT NULL CHECK (voucher IN ('nobody', 'operator', 'anchor')),
    revision        INTEGER NOT NULL,
    client_id       TEXT UNIQUE,
    vendor          TEXT,
    model_number    TEXT,
    serial_number   TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    aboard_at       INTEGER,
    -- The values that a template put into the id, as a JSON array; an empty one if no template made it.
    id_values       TEXT NOT NULL DEFAULT '[]',
    -- What protocol adapters know of it, as a JSON object.
    registration    TEXT NOT NULL DEFAULT '{}',
    -- How it came by an anchor: all of them are there, or none. One that came before the fourth schema
    -- has the first two.
    anchor_id                 TEXT,
    policy_revision           INTEGER,
    origin_anchor_spki_sha256 BLOB,
    origin_certificate_sha256 BLOB,
    origin_spki_sha256        BLOB,
    origin_serial_number      BLOB,
    origin_issuer             TEXT,
    -- In this order it also serves the question which tenants know a certificate id.
    UNIQUE (certificate_id, tenant)
) STRICT;

INSERT INTO device_5 (number, id, tenant, certificate_id, state, disabled, revision, client_id, vendor,
    model_number, serial_number, created_at, updated_at, aboard_at, anchor_id, policy_revision,
    origin_anchor_spki_sha256, origin_certificate_sha256, origin_spki_sha256, origin_serial_number,
    origin_issuer, registration, voucher)
SELECT number, id, tenant, certificate_id, state, disabled, revision, client_id, vendor,
    model_number, serial_number, created_at, updated_at, aboard_at, anchor_id, policy_revision,
    origin_anchor_spki_sha256, origin_certificate_sha256, origin_spki_sha256, origin_serial_number,
    origin_issuer, iif(anchor_id IS NULL, '{}', '{"status":{"auto-provisioned":true}}'),
    CASE WHEN anchor_id IS NOT NULL THEN 'anchor'
         WHEN aboard_at IS NULL AND state IN ('pending', 'rejected') THEN 'nobody'
         ELSE 'operator' END
FROM device;

-- What a device is recognised by, whatever certificate it comes with.
CREATE TABLE credential (
    number          INTEGER PRIMARY KEY,
    device          INTEGER NOT NULL REFERENCES device (number) ON DELETE CASCADE,
    tenant          TEXT NOT NULL,
    auth_id         TEXT NOT NULL,
    -- The name that the authentication id is, prepared for comparison; null of one that is none.
    name            BLOB,
    -- The values that a template put into it, as a JSON array; null if no template made it.
    template_values TEXT,
    document        TEXT NOT NULL,
    UNIQUE (tenant, auth_id)
) STRICT;
CREATE UNIQUE INDEX credential_name ON credential (tenant, name) WHERE name IS NOT NULL;
CREATE INDEX credential_device ON credential (device);

-- Of devices that came to have one authentication id, when nothing forbade it, the first keeps it.
INSERT INTO credential (device, tenant, auth_id, name, template_values, document)
SELECT number, tenant, auth_id,
    CASE auth_id_values WHEN '[]' THEN prepared_name(auth_id) END,
    nullif(auth_id_values, '[]'),
    -- As CredentialDocument::to_stored writes it.
    json_patch(
        json_object('credential', json_object(
            'type', 'x509-cert', 'auth-id', auth_id, 'enabled', json('true'), 'secrets', json('[{}]'))),
        json_object('template-values', json(nullif(auth_id_values, '[]'))))
FROM device WHERE auth_id IS NOT NULL ORDER BY number
ON CONFLICT DO NOTHING;

DROP TABLE device;
ALTER TABLE device_5 RENAME TO device;

-- The one state that is listed often and is rare.
CREATE INDEX device_pending ON device (id) WHERE state = 'pending';
-- Also for counting what an anchor provisioned.
CREATE INDEX device_tenant ON device (tenant, anchor_id);

-- Certificate revocation lists, as the operator gave them.
CREATE TABLE revocation_list (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    der    BLOB NOT NULL
) STRICT;
CREATE INDEX revocation_list_tenant ON revocation_list (tenant);

-- What may not come aboard or queue until it is registered anew or readmitted.
CREATE TABLE tombstone_5 (
    tenant     TEXT NOT NULL REFERENCES tenant (id),
    kind       TEXT NOT NULL
               CHECK (kind IN ('certificate_id', 'key', 'auth_id', 'name', 'device_id')),
    subject    BLOB NOT NULL,
    device     TEXT NOT NULL,
    removed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, subject)
) STRICT, WITHOUT ROWID;
INSERT INTO tombstone_5 (tenant, kind, subject, device, removed_at)
SELECT tenant, kind, subject, device, removed_at FROM tombstone;
DROP TABLE tombstone;
ALTER TABLE tombstone_5 RENAME TO tombstone;
CREATE INDEX tombstone_device ON tombstone (tenant, device);
