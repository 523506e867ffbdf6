-- Each change of a tenant, and each removal, takes the next number.
INSERT INTO meta (name, value) SELECT 'tenant_revision', max(policy_revision) FROM tenant;

ALTER TABLE tenant ADD COLUMN alias TEXT;
CREATE UNIQUE INDEX tenant_alias ON tenant (alias) WHERE alias IS NOT NULL;

-- The names of each tenant's anchors, prepared for comparison. All tenants that have one name are of
-- one group, or there is one tenant only: writing keeps it so.
CREATE TABLE tenant_issuer (
    name               BLOB NOT NULL,
    tenant             TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    trust_anchor_group TEXT,
    PRIMARY KEY (name, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_issuer_tenant ON tenant_issuer (tenant);

-- Also for counting what an anchor provisioned.
CREATE INDEX device_tenant ON device (tenant, anchor_id);
