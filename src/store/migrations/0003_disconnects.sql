-- Sessions that have to go: what waits for an operator, what he has decided, what was let go, and what became of each. Times are seconds since 1970.

-- Sessions that have to go for one cause, and are so many that they wait for an operator.
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    authority TEXT,
    since INTEGER NOT NULL,
    -- NULL: nobody has decided; else released or discarded, when, by whom.
    decision TEXT,
    decided INTEGER,
    decided_by TEXT
) STRICT;

CREATE INDEX batch_since ON batch (since);

CREATE TABLE batch_session (
    batch INTEGER NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    session INTEGER NOT NULL,
    PRIMARY KEY (batch, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_session_session ON batch_session (session);

-- What was let go by itself, and whatever else its NAS has answered about: a restart must neither hold it nor tell its NAS again.
CREATE TABLE leaving (
    session INTEGER PRIMARY KEY,
    since INTEGER NOT NULL,
    -- It went by itself, and counts for what the guard allows.
    counted INTEGER NOT NULL,
    -- Its NAS has answered.
    told INTEGER NOT NULL
) STRICT;

CREATE INDEX leaving_since ON leaving (since);

-- What became of each, whoever wanted it.
CREATE TABLE disconnect (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    session INTEGER NOT NULL,
    user TEXT COLLATE NOCASE,
    fingerprint BLOB,
    service TEXT,
    nas TEXT NOT NULL,
    mac TEXT,
    -- Why it had to go, as a login would be refused, and the authority that says so; NULL: nothing stood against it.
    reason TEXT,
    authority TEXT,
    -- Who ordered it; NULL: it went by itself.
    ordered_by TEXT,
    -- ack, nak, no-answer, not-possible; Error-Cause; in words.
    result TEXT NOT NULL,
    error_cause INTEGER,
    detail TEXT,
    -- A JSON array of the sessions that ended by it.
    ended TEXT NOT NULL
) STRICT;

CREATE INDEX disconnect_at ON disconnect (at, id);
CREATE INDEX disconnect_session ON disconnect (session);
CREATE INDEX disconnect_user ON disconnect (user, at, id);
CREATE INDEX disconnect_fingerprint ON disconnect (fingerprint, at, id);
