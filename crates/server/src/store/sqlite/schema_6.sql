-- How the allowlist of a tenant stands; a tenant without a row has an empty one that nobody ever changed.
CREATE TABLE allowlist (
    tenant   TEXT PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    -- The number of its images: to count ten million takes seconds.
    images   INTEGER NOT NULL CHECK (images >= 0)
) STRICT, WITHOUT ROWID;

-- The images that may run.
CREATE TABLE allowed_image (
    tenant     TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    not_before INTEGER,
    expires    INTEGER,
    repository TEXT,
    owner      TEXT,
    reason     TEXT,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;
