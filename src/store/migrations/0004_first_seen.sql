-- Who has come for the first time is looked at at once, without reading everything.

CREATE INDEX certificate_first_seen ON certificate (first_seen) WHERE first_seen IS NOT NULL;
