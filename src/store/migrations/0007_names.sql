-- Certificates that were written before they were found by their alternative names, too: those after `done`, up to `last`.

CREATE TABLE unnamed (
    done INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT;

INSERT INTO unnamed (done, last) SELECT 0, coalesce(max(id), 0) FROM certificate;
