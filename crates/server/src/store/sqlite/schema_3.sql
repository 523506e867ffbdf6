-- What is told of an event, as a JSON object.
ALTER TABLE outbox ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
-- Which event of each tenant is the oldest.
CREATE INDEX outbox_tenant ON outbox (tenant, seq);

-- Where a tenant's events go, as a JSON object.
CREATE TABLE notification (
    tenant TEXT PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    target TEXT NOT NULL
) STRICT, WITHOUT ROWID;
