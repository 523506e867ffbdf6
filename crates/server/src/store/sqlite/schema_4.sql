-- How a device came by an anchor: all of them are there, or none. One that came before this schema has
-- none.
ALTER TABLE device ADD COLUMN origin_anchor_spki_sha256 BLOB;
ALTER TABLE device ADD COLUMN origin_certificate_sha256 BLOB;
ALTER TABLE device ADD COLUMN origin_spki_sha256 BLOB;
ALTER TABLE device ADD COLUMN origin_serial_number BLOB;
ALTER TABLE device ADD COLUMN origin_issuer TEXT;

-- The authentication id under which it joined, and the values that a template put into it, as a JSON
-- array; an empty one for a whole subject.
ALTER TABLE device ADD COLUMN auth_id TEXT;
ALTER TABLE device ADD COLUMN auth_id_values TEXT;
