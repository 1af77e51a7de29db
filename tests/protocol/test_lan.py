"""What a node says of itself on a local network: who knows a community recognises it, and nobody else learns of it."""

from hypothesis import given
from hypothesis import strategies as st

from commonsnode_protocol.lan import (
    SALT_BYTES,
    TAG_BYTES,
    TAGS_MAX,
    TAGS_STEP,
    Announcement,
    properties,
    read,
    tags_of,
)

STRING_MAX = 255  # RFC 6763, section 6.1

communities = st.sets(st.binary(min_size=32, max_size=32), max_size=2 * TAGS_MAX)
salts = st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES)
fills = st.binary(min_size=TAGS_STEP * TAG_BYTES, max_size=TAGS_STEP * TAG_BYTES)
nodes = st.binary(min_size=32, max_size=32)


@given(nodes, st.integers(1, 65_535), salts, communities, fills)
def test_what_is_said_is_read_and_fits_into_strings(
    node: bytes, port: int, salt: bytes, followed: set[bytes], fill: bytes
) -> None:
    said = Announcement(node, port, salt, tags_of(salt, followed, fill))
    strings = properties(said)
    assert all(len(key) + 1 + len(each) <= STRING_MAX for key, each in strings.items())
    assert read({**strings}) == said


@given(salts, communities, communities, fills)
def test_who_follows_one_of_them_is_called(
    salt: bytes, followed: set[bytes], others: set[bytes], fill: bytes
) -> None:
    said = Announcement(bytes(32), 1, salt, tags_of(salt, followed, fill))
    called = set(sorted(followed)[:TAGS_MAX])
    assert said.calls(others) == bool(called & others)


@given(salts, communities)
def test_how_many_there_are_is_not_told(salt: bytes, followed: set[bytes]) -> None:
    fill = bytes(range(TAGS_STEP * TAG_BYTES))
    found = tags_of(salt, followed, fill)
    assert len(found) % TAGS_STEP == 0
    assert TAGS_STEP <= len(found) <= TAGS_MAX
