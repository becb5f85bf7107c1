-- Keys of one-time passwords, and how whoever is online was let in. Times are seconds since 1970.

CREATE TABLE otp (
    -- In ASCII lower case, as people are compared.
    user TEXT PRIMARY KEY,
    -- The key, which nobody can read without `seal-key`.
    sealed BLOB NOT NULL,
    -- The last step of time whose code was used up; NULL: none was.
    last INTEGER,
    enrolled INTEGER NOT NULL,
    enrolled_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Whoever was let in before this was counted had shown a certificate himself.
ALTER TABLE session ADD COLUMN method TEXT NOT NULL DEFAULT 'eap-tls';
