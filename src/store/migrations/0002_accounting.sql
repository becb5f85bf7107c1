-- Accounting records, and the sessions that they and Accepts make. Times are seconds since 1970.

CREATE TABLE accounting (
    id INTEGER PRIMARY KEY,
    -- What it is known by again: the device, Acct-Session-Id ('': none), Acct-Status-Type, when, and of an Interim-Update its counters.
    nas TEXT NOT NULL,
    peer TEXT NOT NULL,
    -- NAS-Identifier and NAS-IP-Address or NAS-IPv6-Address; '': none.
    identifier TEXT NOT NULL,
    address TEXT NOT NULL,
    acct_session TEXT NOT NULL,
    status INTEGER NOT NULL,
    at INTEGER NOT NULL,
    counted_in INTEGER NOT NULL,
    counted_out INTEGER NOT NULL,
    counted_time INTEGER NOT NULL,
    -- By our clock, and by the NAS's.
    happened INTEGER NOT NULL,
    stamp INTEGER,
    multi_session TEXT,
    fingerprint BLOB,
    user_name TEXT,
    mac TEXT,
    called TEXT,
    nas_port INTEGER,
    framed_ip TEXT,
    framed_ipv6 TEXT,
    octets_in INTEGER,
    octets_out INTEGER,
    session_time INTEGER,
    terminate_cause INTEGER
) STRICT;

CREATE INDEX accounting_key ON accounting (acct_session, nas, status, at);
CREATE INDEX accounting_happened ON accounting (happened);

CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    nas TEXT NOT NULL,
    peer TEXT NOT NULL,
    identifier TEXT,
    address TEXT,
    -- No NAS accounts for it yet.
    provisional INTEGER NOT NULL,
    service TEXT,
    user TEXT COLLATE NOCASE,
    -- What the certificate is judged by, in a form of ours; else its fingerprint alone.
    imprint BLOB,
    fingerprint BLOB,
    user_name TEXT,
    acct_session TEXT,
    multi_session TEXT,
    mac TEXT,
    called TEXT,
    nas_port INTEGER,
    framed_ip TEXT,
    framed_ipv6 TEXT,
    started INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    octets_in INTEGER NOT NULL,
    octets_out INTEGER NOT NULL,
    timeout INTEGER,
    interval INTEGER,
    interims INTEGER NOT NULL,
    -- When it is thought to have ended if nothing is heard of it.
    until INTEGER NOT NULL,
    -- NULL: it is live. Why: stop, restart, replaced, silent, overflow.
    ended INTEGER,
    end TEXT
) STRICT;

CREATE INDEX session_live ON session (id) WHERE ended IS NULL;
CREATE INDEX session_user ON session (user, id) WHERE ended IS NULL;
CREATE INDEX session_fingerprint ON session (fingerprint, id) WHERE ended IS NULL;
CREATE INDEX session_ended ON session (ended) WHERE ended IS NOT NULL;
