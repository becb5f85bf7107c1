-- What lists walk along at a million certificates and ten million decisions. Nothing that a login changes stands in an index that lists all certificates.

-- As lists have it: where the end isn't known it comes last of all, or is past if a list of the CA's says so.
ALTER TABLE certificate ADD COLUMN ends INTEGER GENERATED ALWAYS AS (
    coalesce(not_after, CASE WHEN listed = 'expired' THEN -9223372036854775807 ELSE 9223372036854775807 END)) VIRTUAL;

DROP INDEX certificate_serial;
DROP INDEX certificate_state;
DROP INDEX certificate_authority;
DROP INDEX certificate_end;
DROP INDEX certificate_user;
DROP INDEX certificate_blocked;
DROP INDEX certificate_requested;

CREATE INDEX certificate_ends ON certificate (ends);
CREATE INDEX certificate_authority ON certificate (authority, ends);
CREATE INDEX certificate_user ON certificate (user, state, not_after);
-- Authority by authority, since one that is distrusted is left out whole. The row stands before what is not sorted by: many end at once.
CREATE INDEX certificate_state ON certificate (state, authority, ends, id, not_before);
CREATE INDEX certificate_unseen ON certificate (state, authority, ends, id, not_before) WHERE last_seen IS NULL;
-- All others.
CREATE INDEX certificate_other ON certificate (state, ends) WHERE state <> 2;
CREATE INDEX certificate_blocked ON certificate (block, state, requested) WHERE block = 1;

DROP INDEX authentication_outcome;
DROP INDEX authentication_reason;

-- Nearly all are accepted: those are found along the time.
CREATE INDEX authentication_outcome ON authentication (outcome, at, id, reason) WHERE outcome <> 'accept';
CREATE INDEX authentication_reason ON authentication (reason, at, id, outcome) WHERE reason <> 'ok';
