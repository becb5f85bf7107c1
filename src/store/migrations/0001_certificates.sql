-- Certificates, what is asked about them, people, devices, and what was changed by whom. Times are seconds since 1970.

CREATE TABLE certificate (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of the DER, and the DER. NULL: it is known by name only.
    fingerprint BLOB UNIQUE,
    der BLOB,
    -- What a verified chain says of it, in the compact form of tickets.
    facts BLOB,
    -- Name of the authority in the configuration, and the serial in lower-case hex without leading zeros.
    authority TEXT,
    serial TEXT,
    -- By which of the authority's CAs it was issued; NULL: not known.
    issuer BLOB,
    -- Number of the application at the CA.
    application TEXT UNIQUE,
    subject TEXT NOT NULL DEFAULT '',
    cn TEXT,
    mail TEXT,
    user TEXT COLLATE NOCASE,
    not_before INTEGER,
    not_after INTEGER,
    -- What a list of the CA's says of it: a status of the contract.
    listed TEXT,
    registered INTEGER NOT NULL,
    registered_by TEXT NOT NULL,
    -- Ours: a revocation is asked for; with block = 1 it is refused here.
    requested INTEGER,
    requested_by TEXT,
    requested_reason TEXT,
    requested_note TEXT,
    block INTEGER NOT NULL DEFAULT 0,
    -- The authority's own, as CRLs and OCSP answers have told.
    revoked INTEGER,
    revoked_reason TEXT,
    revoked_source TEXT,
    first_seen INTEGER,
    last_seen INTEGER,
    -- Of what doesn't change with time alone: 0 revoked, 1 a revocation is asked for, 2 issued, 3 not issued yet.
    state INTEGER GENERATED ALWAYS AS (
        CASE
            WHEN revoked IS NOT NULL OR listed = 'revoked' THEN 0
            WHEN requested IS NOT NULL OR listed = 'revocation-requested' THEN 1
            WHEN serial IS NOT NULL OR fingerprint IS NOT NULL THEN 2
            ELSE 3
        END) VIRTUAL
) STRICT;

CREATE INDEX certificate_name ON certificate (authority, serial);
CREATE INDEX certificate_serial ON certificate (serial);
CREATE INDEX certificate_state ON certificate (state, id, not_after, not_before, authority, last_seen);
CREATE INDEX certificate_authority ON certificate (authority, id);
CREATE INDEX certificate_end ON certificate (state, not_after, id);
CREATE INDEX certificate_user ON certificate (user, id);
CREATE INDEX certificate_blocked ON certificate (id) WHERE block = 1;
CREATE INDEX certificate_requested ON certificate (requested) WHERE requested IS NOT NULL;

-- What a certificate is found by: mail, CN and serial in lower case.
CREATE TABLE search (
    key TEXT NOT NULL,
    certificate INTEGER NOT NULL REFERENCES certificate (id) ON DELETE CASCADE,
    PRIMARY KEY (key, certificate)
) STRICT, WITHOUT ROWID;

CREATE INDEX search_certificate ON search (certificate, key);

CREATE TABLE device (
    certificate INTEGER NOT NULL REFERENCES certificate (id) ON DELETE CASCADE,
    mac TEXT NOT NULL,
    service TEXT NOT NULL,
    nas TEXT NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (certificate, mac, service, nas)
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    -- In ASCII lower case, as people are compared.
    name TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    -- NULL: without an end.
    until INTEGER,
    reason TEXT NOT NULL,
    by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE authentication (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    user TEXT COLLATE NOCASE,
    outer_identity TEXT,
    fingerprint BLOB,
    authority TEXT,
    serial TEXT,
    service TEXT,
    method TEXT NOT NULL,
    nas TEXT,
    peer TEXT NOT NULL,
    mac TEXT,
    ssid TEXT,
    tls TEXT,
    resumed INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    -- A JSON array.
    evidence TEXT NOT NULL
) STRICT;

CREATE INDEX authentication_at ON authentication (at);
CREATE INDEX authentication_user ON authentication (user, at);
CREATE INDEX authentication_mac ON authentication (mac, at);
CREATE INDEX authentication_fingerprint ON authentication (fingerprint, at);
CREATE INDEX authentication_outcome ON authentication (outcome, at);
CREATE INDEX authentication_reason ON authentication (reason, at);

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    -- Name of the token or certificate, and its role.
    caller TEXT NOT NULL,
    role TEXT NOT NULL,
    -- What was done, to what: `certificate.block`, `ca16:4a`.
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX audit_at ON audit (at);

-- Written to see whether the file can be.
CREATE TABLE probe (written INTEGER NOT NULL) STRICT;
INSERT INTO probe VALUES (0);
