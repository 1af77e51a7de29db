"""The tables of the file, and how older files become as these are.

Formats are numbered by `PRAGMA user_version`; `application_id` tells our files from others. A migration is one script
that does its work in one transaction. sqlite-utils, which runs them, is imported only where one is pending: it costs
more time at start than everything else here.
"""

import sqlite3

from commonsnode_store.errors import NewerFormat

APPLICATION_ID = 0x434F4D4E  # "COMN"
FORMAT = 12
SEALED_FROM = 4  # the format from which on communities are followed with lanes `members` and `keys`

STANDS, WAITS, VOID = 1, 0, 2  # changesets.standing
PLAIN, BENEATH, OVERLAY = 0, 1, 2  # records.status

_TABLES_1 = """
create table meta (
    name text primary key,
    value                           -- saved_time_ms: the last plausible time, for a machine without a clock
) without rowid;

create table communities (
    no integer primary key,
    id blob not null unique,        -- 32 bytes: the id of its charter
    name text,                      -- as its charter has it
    stopped text                    -- why nothing more of it is taken
);

create table lanes (                -- one for each lane of each community that is followed
    no integer primary key,
    community integer not null references communities(no),
    name text not null,             -- authority, public, knowledge, members or keys
    changesets integer not null,    -- how many stand
    records integer not null,       -- how many are shown and not deleted
    deleted integer not null,       -- how many are shown as deleted
    digest blob not null,           -- of the ids that stand: 2,048 bytes LtHash; in lane authority 32 bytes BLAKE2b
    unique (community, name)
);

create table authors (
    no integer primary key,
    key blob not null unique        -- 32 bytes: Ed25519
);

create table kinds (
    no integer primary key,
    name text not null unique
);

create table changesets (           -- the truth: all other tables down to `search` can be computed from these
    no integer primary key,
    id blob not null unique,        -- 32 bytes: BLAKE2b-256 of the body
    lane integer not null references lanes(no),
    author integer not null references authors(no),
    time integer not null,          -- ms since 1970, as the author had it
    seen_ms integer not null,       -- when this node first held it
    standing integer not null,      -- 1 stands; 0 waits for its author to be admitted, and is offered to nobody
    codec integer not null,         -- how the body is kept: 0 plain, 1 zstd, n zstd with dictionary n
    signature blob not null,
    body blob not null
);
create index changesets_in_order on changesets (lane, time, id) where standing = 1;
create index changesets_waiting on changesets (lane, author) where standing = 0;

create table dictionaries (         -- what small bodies of a lane are packed with
    no integer primary key autoincrement,  -- changesets.codec
    lane integer not null references lanes(no),
    trained_at integer not null,    -- how many changesets the lane had then
    crc integer not null,           -- CRC-32 of the content
    content blob not null,
    copy blob not null              -- the same once more: thousands of bodies need it
);
insert into sqlite_sequence values ('dictionaries', 15);  -- numbers below 16 are codecs without a dictionary

create table heads (                -- an author's changesets that no other of the same author and lane refs
    lane integer not null references lanes(no),
    author integer not null references authors(no),
    changeset integer not null references changesets(no),
    primary key (lane, author, changeset)
) without rowid;

create table missing_refs (         -- refs of what is held to what does not stand here
    ref blob not null,              -- 32 bytes: id of a changeset
    changeset integer not null references changesets(no),
    primary key (ref, changeset)
) without rowid;

create table records (
    no integer primary key,
    id blob not null,               -- 16 bytes
    lane integer not null references lanes(no),
    kind integer not null references kinds(no),
    status integer not null,        -- 0 what stands; 2 what stands with what waits over it; 1 what stands beneath a 2
    title text,
    lat integer,                    -- 1e-7 degrees
    lon integer,
    deleted integer not null,
    changed_ms integer not null,    -- when it was last written to, or first seen here if that was earlier
    registers blob not null         -- its fields: MessagePack and CRC-32, see registers.py
);
create index records_by_id on records (lane, id, kind);
create index records_waiting on records (lane) where status = 2;

create table touches (              -- which changesets wrote to which record
    record integer not null references records(no),
    changeset integer not null references changesets(no),
    primary key (record, changeset)
) without rowid;

create table listing (              -- an index of what is shown, by title without case and accents
    lane integer not null references lanes(no),
    deleted integer not null,
    key text not null,
    record integer not null,        -- records.no; no foreign key: each deleted record would be sought in all of this
    kind integer not null,          -- kinds.no
    primary key (lane, deleted, key, record)
) without rowid;

create table buckets (              -- the changesets that stand, in order of (time, id), summed up
    lane integer not null references lanes(no),
    time integer not null,          -- of (time, id) from which on changesets are in this bucket
    id blob not null,
    count integer not null,
    sum blob not null,              -- 32 bytes, low byte first: sum of the ids mod 2^256
    primary key (lane, time, id)
) without rowid;

create virtual table search using fts5 (
    text, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 2'
);

create table peers (
    address text primary key,
    node blob,                      -- 32 bytes: its key, once it was met
    source text not null,           -- who named it
    seen_ms integer                 -- when it last answered
) without rowid;
"""

_VIEWS_1 = """
create view things as
    select lower(hex(records.id)) as id, kinds.name as kind, title, lat / 1e7 as latitude, lon / 1e7 as longitude,
        records.deleted, records.status = 2 as waiting, datetime(changed_ms / 1000.0, 'unixepoch') as changed,
        communities.name as community, lanes.name as lane, records.no as record
    from records join kinds on kinds.no = records.kind join lanes on lanes.no = records.lane
        join communities on communities.no = lanes.community
    where records.status <> 1;

create view history as
    select touches.record, lower(hex(records.id)) as id, title, lower(hex(changesets.id)) as changeset,
        lower(hex(authors.key)) as author, datetime(time / 1000.0, 'unixepoch') as time,
        datetime(seen_ms / 1000.0, 'unixepoch') as seen, standing
    from touches join records on records.no = touches.record join changesets on changesets.no = touches.changeset
        join authors on authors.no = changesets.author;
"""

_TO_1 = f"""
begin immediate;
{_TABLES_1}
{_VIEWS_1}
pragma application_id = {APPLICATION_ID};
pragma user_version = 1;
commit;
"""
_TO_2 = """
begin immediate;
create table imports (              -- what this node imported from which table, to say later which rows are gone
    no integer primary key,
    community blob not null,        -- its id
    lane text not null,
    kind text not null,
    source text not null,
    records blob not null,          -- ids, 16 bytes each, ascending
    unique (community, lane, kind, source)
);
pragma user_version = 2;
commit;
"""
_TO_3 = """
begin immediate;
create table void_touches (         -- touches of changesets that stood and do no more, in history (standing 2)
    lane integer not null references lanes(no),
    id blob not null,               -- records.id; a record of which nothing else is held has no row
    kind integer not null references kinds(no),
    changeset integer not null references changesets(no),
    primary key (lane, id, kind, changeset)
) without rowid;
create index changesets_void on changesets (lane, author) where standing = 2;
create index changesets_by_author on changesets (author, lane);
drop view history;
create view history as
    with touched as (
        select touches.record, records.id, title, changeset from touches join records on records.no = touches.record
        union all
        select records.no, touched.id, title, changeset from void_touches touched
            left join records on records.lane = touched.lane and records.id = touched.id
                and records.kind = touched.kind and records.status <> 1
    )
    select touched.record, lower(hex(touched.id)) as id, title, lower(hex(changesets.id)) as changeset,
        lower(hex(authors.key)) as author, datetime(time / 1000.0, 'unixepoch') as time,
        datetime(seen_ms / 1000.0, 'unixepoch') as seen, standing
    from touched join changesets on changesets.no = touched.changeset
        join authors on authors.no = changesets.author;
pragma user_version = 3;
commit;
"""
_TO_4 = """
begin immediate;
create table epoch_keys (           -- keys of lane `members` that this node could open; see said.py
    community blob not null,        -- its id
    commitment blob not null,       -- 32 bytes: names the key without showing it
    key blob not null,
    primary key (community, commitment)
) without rowid;
create table unopened (             -- boxes of lane `members` whose key is not here
    commitment blob not null,
    changeset integer not null references changesets(no),
    primary key (commitment, changeset)
) without rowid;
insert or ignore into lanes (community, name, changesets, records, deleted, digest)
    select community, added.name, 0, 0, 0, zeroblob(2048)
    from lanes join (select 'members' as name union all select 'keys') as added
    where lanes.name = 'knowledge' and community in (select community from lanes where name = 'public');
pragma user_version = 4;
commit;
"""  # who followed all lanes that there were, follows the two new ones, too
_TO_5 = """
begin immediate;
create table held_writes (          -- own writes for lane `members` that could not be sealed yet
    community blob not null,        -- its id
    author blob not null,           -- the key that seals them, and no other
    record blob not null,
    kind text not null,
    writes blob not null,           -- MessagePack of {field: [value, [ids of what it supersedes]]}
    primary key (community, author, record, kind)
) without rowid;
pragma user_version = 5;
commit;
"""
_TO_6 = """
begin immediate;
create table commitments (          -- which records ask for a thing, or did once; see commitments.py
    lane integer not null references lanes(no),
    resource blob not null,         -- 16 bytes: the record id of the thing
    record blob not null,           -- 16 bytes: that of the commitment
    asker integer not null references authors(no),
    primary key (lane, resource, record)
) without rowid;
create index commitments_by_record on commitments (lane, record);
create index commitments_by_asker on commitments (asker, lane);
pragma user_version = 6;
commit;
"""
_TO_7 = """
begin immediate;
create table hours (                -- rules that say when things are open, and how they are lent: each once
    no integer primary key,         -- places.hours; 0 there: nothing is said, so always
    rule blob not null unique       -- see indexed.py
);
create table places (               -- what is shown and not deleted, by where it is
    key integer primary key,        -- cell and record number, see cells.py
    lat integer,                    -- 1e-7 degrees
    lon integer,
    lane integer not null,          -- lanes.no
    kind integer not null,          -- kinds.no
    category integer not null,      -- its number in the tree, or 0
    condition integer not null,     -- which of the known ones, or 0
    hours integer not null
);
create table busy (                 -- when things are lent or promised, by reservations that stand
    community integer not null references communities(no),
    resource blob not null,         -- records.id
    begin_ms integer not null,
    end_ms integer not null,
    amount text not null,           -- a decimal
    primary key (community, resource, end_ms, begin_ms, amount)
) without rowid;
create virtual table words using fts5vocab (search, row);
pragma user_version = 7;
commit;
"""  # `search` says from here on where things are: `indexed.remake` makes both anew
_TO_8 = """
begin immediate;
create table chain_times (          -- of changesets before which their author wrote something later: see chains.py
    changeset integer primary key references changesets(no),
    at_ms integer not null
);
create table booked (               -- things that were ever asked for, and who keeps them
    community integer not null references communities(no),
    resource blob not null,
    keeper blob,                    -- a key, or null: nobody
    primary key (community, resource)
) without rowid;
create index booked_by_keeper on booked (keeper, community);
create table deciders (             -- whose words about a thing count by who they are: to be heard again when that changes
    community integer not null references communities(no),
    resource blob not null,
    author integer not null references authors(no),
    primary key (community, resource, author)
) without rowid;
create index deciders_by_author on deciders (author, community);
pragma user_version = 8;
commit;
"""  # `busy` is filled from here on, too: `reservations.remake` makes all of it anew
_TO_9 = """
begin immediate;
create table events (               -- which events name a thing; and the thing itself, where it has rules of care
    lane integer not null references lanes(no),
    resource blob not null,         -- 16 bytes: the record id of the thing
    record blob not null,           -- 16 bytes: that of the event, or once more the thing's
    primary key (lane, resource, record)
) without rowid;
create index events_cared_for on events (lane, resource) where record = resource;
pragma user_version = 9;
commit;
"""  # `events.fill` says what was there before
_TO_10 = """
begin immediate;
create index places_by_number on places (key & 268435455);  -- the record number, cells.NO_MAX
pragma user_version = 10;
commit;
"""
_TO_11 = """
begin immediate;
create table imported_tags (        -- which tags each table set that this node imported, to say later which are gone
    community blob not null,        -- its id
    lane text not null,
    kind text not null,
    source text not null,
    tags blob not null,             -- MessagePack of {record id: [names of fields]}
    primary key (community, lane, kind, source)
) without rowid;
pragma user_version = 11;
commit;
"""
_TO_12 = """
begin immediate;
drop table commitments;
create table commitments (          -- which records ask for a thing and when, or did once; see commitments.py
    lane integer not null references lanes(no),
    resource blob not null,         -- 16 bytes: the record id of the thing
    begin_ms integer not null,
    end_ms integer not null,
    record blob not null,           -- 16 bytes: that of the commitment
    asker integer not null references authors(no),
    primary key (lane, resource, begin_ms, end_ms, record)
) without rowid;
create index commitments_by_record on commitments (lane, record);
create index commitments_by_asker on commitments (asker, lane);
pragma user_version = 12;
commit;
"""  # `reservations.remake` fills it
_MIGRATIONS = (_TO_1, _TO_2, _TO_3, _TO_4, _TO_5, _TO_6, _TO_7, _TO_8, _TO_9, _TO_10, _TO_11, _TO_12)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to FORMAT, step by step. Raises NewerFormat where a later version wrote it."""
    found: int = connection.execute("pragma user_version").fetchone()[0]
    if found > FORMAT:
        raise NewerFormat(found, FORMAT)
    if found == FORMAT:
        return
    from sqlite_utils import Database

    database = Database(connection, recursive_triggers=False, execute_plugins=False)
    for script in _MIGRATIONS[found:]:
        database.executescript(script)
