"""The database's tables and how an older database becomes a current one. No record is ever dropped or rewritten."""

import sqlite3

from gateway.core.errors import LedgerUnavailable

# "ADUA": says in the file's header whose database this is, so that somebody else's is never written to.
APPLICATION_ID = 0x41445541

# STRICT: SQLite itself refuses text in a number. Money is integer micro-dollars. `seq` is the order in which receipts
# were written: it keeps the order when the clock jumps.
_VERSION_1 = """
CREATE TABLE receipts (
    seq INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL UNIQUE,
    received_at REAL NOT NULL,
    dialect TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key TEXT NOT NULL,
    user TEXT,
    model TEXT NOT NULL,
    stream INTEGER NOT NULL CHECK (stream IN (0, 1)),
    label INTEGER NOT NULL CHECK (label BETWEEN 0 AND 2),
    label_source TEXT NOT NULL,
    tags TEXT NOT NULL,
    categories TEXT NOT NULL,
    doubts TEXT NOT NULL,
    rule TEXT NOT NULL,
    permitted TEXT NOT NULL,
    refusal TEXT,
    prompt_tokens INTEGER CHECK (prompt_tokens >= 0),
    policy_digest TEXT NOT NULL,
    facts BLOB NOT NULL
) STRICT;
CREATE INDEX receipts_received_at ON receipts (received_at);

CREATE TABLE reservations (
    seq INTEGER NOT NULL REFERENCES receipts (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    zone TEXT NOT NULL,
    micros INTEGER NOT NULL CHECK (micros >= 0),
    PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE settlements (
    seq INTEGER PRIMARY KEY REFERENCES receipts (seq) ON DELETE CASCADE,
    settled_at REAL NOT NULL,
    outcome TEXT NOT NULL,
    target TEXT,
    zone TEXT,
    error TEXT,
    input INTEGER NOT NULL CHECK (input >= 0),
    input_cached INTEGER NOT NULL CHECK (input_cached >= 0),
    output INTEGER NOT NULL CHECK (output >= 0),
    reasoning INTEGER NOT NULL CHECK (reasoning >= 0),
    estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),
    cost_micros INTEGER CHECK (cost_micros >= 0),
    avoided_micros INTEGER CHECK (avoided_micros >= 0),
    first_token_seconds REAL CHECK (first_token_seconds >= 0),
    duration_seconds REAL NOT NULL CHECK (duration_seconds >= 0)
) STRICT;
CREATE INDEX settlements_settled_at ON settlements (settled_at);

CREATE TABLE attempts (
    seq INTEGER NOT NULL REFERENCES receipts (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (seq, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE taint (
    hash BLOB PRIMARY KEY,
    label INTEGER NOT NULL CHECK (label BETWEEN 0 AND 2),
    seen_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX taint_seen_day ON taint (seen_day);

CREATE TABLE energy (
    hour INTEGER NOT NULL,
    device TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    microjoules INTEGER NOT NULL CHECK (microjoules >= 0),
    electricity_micros INTEGER NOT NULL,
    hardware_micros INTEGER NOT NULL CHECK (hardware_micros >= 0),
    PRIMARY KEY (hour, device, state, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at REAL NOT NULL
) STRICT;
"""

# Requests that are asked for comparison only are in no count and save nothing.
_VERSION_2 = """
ALTER TABLE receipts ADD COLUMN shadow INTEGER NOT NULL DEFAULT 0 CHECK (shadow IN (0, 1));
"""

# What a request's tokens drew, beside its settlement: the sampler knows it a tick later, and parts of it earlier.
# Money in billionths of a dollar: one request's electricity is often less than a millionth.
_VERSION_3 = """
CREATE TABLE request_energy (
    seq INTEGER PRIMARY KEY REFERENCES receipts (seq) ON DELETE CASCADE,
    microjoules INTEGER NOT NULL CHECK (microjoules >= 0),
    electricity_nanos INTEGER NOT NULL CHECK (electricity_nanos >= 0)
) STRICT;
ALTER TABLE receipts ADD COLUMN budget TEXT;
"""

# Masking: how many findings of each category went out under a pseudonym; what alone made a turn sensitive (NULL: not
# known, or not only findings); the sealed mappings of conversations and the hashes of beginnings that lead to them.
_VERSION_4 = """
ALTER TABLE receipts ADD COLUMN masked TEXT NOT NULL DEFAULT '[]';
ALTER TABLE taint ADD COLUMN causes TEXT;
CREATE TABLE masks (
    name BLOB PRIMARY KEY,
    sealed BLOB NOT NULL,
    seen_day INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX masks_seen_day ON masks (seen_day);
CREATE TABLE mask_links (
    hash BLOB PRIMARY KEY,
    mask BLOB NOT NULL REFERENCES masks (name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX mask_links_mask ON mask_links (mask);
"""

# Whose state this is: the id and the key's fingerprint stand in the state directory as well, and the number of starts
# shows an older copy.
_VERSION_5 = """
CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    key TEXT NOT NULL,
    starts INTEGER NOT NULL
) STRICT;
"""

# The clock's day when old records were last removed, and the day that counted as today for it: they may differ.
_VERSION_6 = """
CREATE TABLE pruning (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    clock INTEGER NOT NULL,
    today INTEGER NOT NULL
) STRICT;
"""

# Which server answered, of targets that have several: a table of its own, so that other requests take no room in it.
_VERSION_7 = """
CREATE TABLE answering_servers (
    seq INTEGER PRIMARY KEY REFERENCES receipts (seq) ON DELETE CASCADE,
    server TEXT NOT NULL
) STRICT;
"""

# API keys that commands make. Of a secret there is a keyed digest; a revoked key stays, so that its name does.
_VERSION_8 = """
CREATE TABLE api_keys (
    name TEXT PRIMARY KEY,
    person TEXT,
    tags TEXT NOT NULL,
    models TEXT,
    admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
    metrics INTEGER NOT NULL CHECK (metrics IN (0, 1)),
    front_end INTEGER NOT NULL CHECK (front_end IN (0, 1)),
    limits TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    revoked_at REAL
) STRICT, WITHOUT ROWID;
CREATE TABLE api_key_secrets (
    digest BLOB PRIMARY KEY,
    name TEXT NOT NULL REFERENCES api_keys (name) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    ends_at REAL
) STRICT, WITHOUT ROWID;
CREATE TABLE api_key_changes (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL
) STRICT;
"""

# The chain: one link for each receipt and each settlement, which stays when their rows go. What a link commits to can
# be checked with the salt, which goes with the receipt. Checkpoints are lines of JSON, signed.
_VERSION_9 = """
CREATE TABLE chain_head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    head BLOB NOT NULL
) STRICT;
CREATE TABLE chain_links (
    number INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    through INTEGER,
    at INTEGER NOT NULL,
    label INTEGER,
    zones TEXT,
    commitment BLOB NOT NULL
) STRICT;
CREATE TABLE chain_salts (
    seq INTEGER PRIMARY KEY REFERENCES receipts (seq) ON DELETE CASCADE,
    salt BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoints (
    place INTEGER PRIMARY KEY,
    line TEXT NOT NULL
) STRICT;
"""

# Used where several gateways share a ledger (sharing.py): who is alive, whose requests have no settlement yet, what is
# set aside for them and what was spent. Money in micro-dollars; a period is a day as 2026-11-29 or a month as 2026-11.
_VERSION_10 = """
CREATE TABLE gateways (
    number INTEGER PRIMARY KEY,
    seen REAL NOT NULL
) STRICT;
CREATE TABLE open_requests (
    seq INTEGER PRIMARY KEY REFERENCES receipts (seq) ON DELETE CASCADE,
    gateway INTEGER NOT NULL
) STRICT;
CREATE TABLE holds (
    seq INTEGER NOT NULL REFERENCES open_requests (seq) ON DELETE CASCADE,
    budget TEXT NOT NULL,
    micros INTEGER NOT NULL CHECK (micros >= 0),
    PRIMARY KEY (seq, budget)
) STRICT, WITHOUT ROWID;
CREATE TABLE spent (
    budget TEXT NOT NULL,
    period TEXT NOT NULL,
    micros INTEGER NOT NULL CHECK (micros >= 0),
    PRIMARY KEY (budget, period)
) STRICT, WITHOUT ROWID;
"""

# What facts of many requests have in common (packing/facts.py), so that each takes less; whose receipt and mapping are,
# so that they can be erased; money and tokens of requests that were removed: limits of this month and day count on.
_VERSION_11 = """
CREATE TABLE fact_patterns (
    number INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;
ALTER TABLE receipts ADD COLUMN pattern INTEGER REFERENCES fact_patterns (number);
ALTER TABLE receipts ADD COLUMN conversation BLOB;
ALTER TABLE masks ADD COLUMN key TEXT;
ALTER TABLE masks ADD COLUMN "user" TEXT;
ALTER TABLE masks ADD COLUMN conversation BLOB;
CREATE TABLE removed_spending (
    quarter INTEGER NOT NULL,
    key TEXT NOT NULL,
    "user" TEXT NOT NULL,
    tags TEXT NOT NULL,
    target TEXT NOT NULL,
    micros INTEGER NOT NULL CHECK (micros >= 0),
    tokens INTEGER NOT NULL CHECK (tokens >= 0),
    PRIMARY KEY (quarter, key, "user", tags, target)
) STRICT, WITHOUT ROWID;
CREATE TABLE removed_last (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
CREATE TABLE erasures (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    what TEXT NOT NULL,
    requests INTEGER NOT NULL CHECK (requests >= 0)
) STRICT;
"""

# Limits of requests and tokens that several gateways share (shared_limits.py). A place is a digest of what is limited,
# a slot a second of the server's clock; what is held goes with the open request that holds it.
_VERSION_12 = """
CREATE TABLE limit_minutes (
    place BLOB NOT NULL,
    slot INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (place, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE limit_days (
    place BLOB NOT NULL,
    day TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (place, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE limit_holds (
    seq INTEGER NOT NULL REFERENCES open_requests (seq) ON DELETE CASCADE,
    place BLOB NOT NULL,
    target INTEGER NOT NULL CHECK (target IN (0, 1)),
    slot INTEGER,
    tokens INTEGER NOT NULL,
    tokens_day INTEGER,
    PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_holds_place ON limit_holds (place);
"""

# Used where several gateways share a ledger: what clients asked them to keep (gateway/stored), sealed; how much that is
# of each owner; who works on what of it, until when by the server's clock; and a word under each store's seal, which
# shows whose key opens it.
_VERSION_13 = """
CREATE TABLE stored (
    number INTEGER PRIMARY KEY,
    store TEXT NOT NULL,
    id TEXT NOT NULL,
    part TEXT NOT NULL,
    owner TEXT NOT NULL,
    seen REAL NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    sealed BLOB NOT NULL,
    UNIQUE (store, id, part)
) STRICT;
CREATE INDEX stored_seen ON stored (store, seen);
CREATE INDEX stored_owner ON stored (store, owner, seen);
CREATE TABLE stored_sizes (
    store TEXT NOT NULL,
    owner TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (store, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE stored_leases (
    store TEXT NOT NULL,
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    ends REAL NOT NULL,
    PRIMARY KEY (store, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE stored_seals (
    store TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""

# Words that many receipts share (packing/phrases.py) are kept once; the receipts' own columns are then empty. Whoever
# writes into such a column is found out, because it goes before the phrase. Times of requests follow their numbers but
# for jumps of the clock, so that no index of them is worth its room.
_VERSION_14 = """
CREATE TABLE phrases (
    number INTEGER PRIMARY KEY,
    dialect TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    label_source TEXT NOT NULL,
    rule TEXT NOT NULL,
    permitted TEXT NOT NULL,
    policy_digest TEXT NOT NULL
) STRICT;
ALTER TABLE receipts ADD COLUMN phrase INTEGER REFERENCES phrases (number);
DROP INDEX receipts_received_at;
CREATE VIEW whole_receipts AS SELECT
    r.seq, r.request_id, r.received_at, coalesce(nullif(r.dialect, ''), p.dialect, '') AS dialect,
    coalesce(nullif(r.endpoint, ''), p.endpoint, '') AS endpoint, r.key, r."user", r.model, r.stream, r.label,
    coalesce(nullif(r.label_source, ''), p.label_source, '') AS label_source, r.tags, r.categories, r.doubts,
    coalesce(nullif(r.rule, ''), p.rule, '') AS rule, coalesce(nullif(r.permitted, ''), p.permitted, '') AS permitted,
    r.refusal, r.prompt_tokens, coalesce(nullif(r.policy_digest, ''), p.policy_digest, '') AS policy_digest, r.facts,
    r.shadow, r.budget, r.masked, r.pattern, r.conversation
FROM receipts r LEFT JOIN phrases p ON p.number = r.phrase;
"""

MIGRATIONS = (
    _VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7, _VERSION_8, _VERSION_9,
    _VERSION_10, _VERSION_11, _VERSION_12, _VERSION_13, _VERSION_14,
)  # fmt: skip
VERSION = len(MIGRATIONS)


def identify(connection: sqlite3.Connection, file: str) -> int:
    """Return the schema version of a database; 0 for an empty one.

    Raises:
        LedgerUnavailable: The database is another program's, or was written by a newer version.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and tables:
        raise LedgerUnavailable(
            f"{file} is a database of another program. It was left as it is; set 'state_dir' to another directory."
        )
    if version > VERSION:
        raise LedgerUnavailable(
            f"{file} was written by a newer Aduana (schema {version}, this one knows {VERSION}). "
            "It was left as it is; install the newer version."
        )
    return version


def check_current(connection: sqlite3.Connection, file: str) -> None:
    """Check that a database is ours and has the current schema, for whoever only reads it, or changes it beside us.

    Raises:
        LedgerUnavailable: It is not, or it has not; the message says what to do.
    """
    version = identify(connection, file)
    if version == 0:
        raise LedgerUnavailable(f"The ledger {file} is empty.")
    if version < VERSION:
        raise LedgerUnavailable(
            f"The ledger {file} was written by an older Aduana. "
            "Start the gateway once ('aduana serve'): it brings the ledger up to date."
        )


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the database to the current schema, each step in one transaction of its own.

    Raises:
        sqlite3.Error: A step failed; it was rolled back.
    """
    for number in range(version, VERSION):
        steps = (
            "BEGIN IMMEDIATE;"
            f"PRAGMA application_id = {APPLICATION_ID};{MIGRATIONS[number]}PRAGMA user_version = {number + 1};COMMIT;"
        )
        try:
            connection.executescript(steps)
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            raise
