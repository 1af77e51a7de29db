"""What a node does by itself for what its people keep: the keeper's word where rules confirm at once, and no other."""

from typing import Any

from commonsnode.authoring import Author, Writes
from commonsnode_protocol.canonical import Value
from commonsnode_protocol.record import typed_id
from running_node import Api

LOOKS_MAX = 500  # until something must be there that the node does by itself
AT_ONCE = {"confirm": "at-once"}


async def member(api: Api, community: str, name: str) -> tuple[str, str]:
    key, token = await api.person(name)
    assert (await api("POST", f"/communities/{community}/members", {"id": key})).status == 200
    return key, token


async def thing(api: Api, community: str, token: str | None, **fields: Any) -> str:
    added = await api("POST", f"/communities/{community}/records", {"fields": fields}, token=token)
    return str(added["id"])


async def becomes(api: Api, reservation: str, **said: Any) -> None:
    """Look until a reservation says so."""
    for _ in range(LOOKS_MAX):
        row = (await api("GET", f"/reservations/{reservation}")).body
        if all(row[name] == value for name, value in said.items()):
            return
    raise AssertionError(row)


async def test_a_keeper_who_is_signed_in_gives_their_word_by_the_node(api: Api) -> None:
    valley = await api.community()
    _, rosa = await member(api, valley, "Rosa")
    ines_key, ines = await member(api, valley, "Ines")
    loom = await thing(api, valley, ines, title="Loom", lending=AT_ONCE)
    body = {"resource": loom, "from": "2090-05-01"}
    asked = await api("POST", "/reservations", body, token=rosa)
    assert (asked["state"], asked["rank"], asked["keeper"]) == ("confirmed", "at-once", ines_key)
    await becomes(api, asked["id"], rank="confirmed")
    history = (await api("GET", f"/records/{asked['id']}/history"))["history"]
    assert history[-1]["author"] == ines_key


async def test_a_keeper_who_signs_in_later_gives_it_then(api: Api) -> None:
    valley = await api.community()
    _, rosa = await member(api, valley, "Rosa")
    _, ines = await member(api, valley, "Ines")
    loom = await thing(api, valley, ines, title="Loom", lending=AT_ONCE)
    assert (await api("DELETE", "/session", token=ines)).status == 200
    asked = await api("POST", "/reservations", {"resource": loom, "from": "2090-05-01"}, token=rosa)
    signed = {"name": "Ines", "passphrase": "four words of hers"}
    assert (await api("GET", f"/reservations/{asked['id']}"))["rank"] == "at-once"
    assert (await api("POST", "/session", signed)).status == 201
    await becomes(api, asked["id"], rank="confirmed")


async def test_what_another_program_asked_for_without_its_own_word_is_confirmed_where_the_rules_would(
    api: Api,
) -> None:
    valley = await api.community()
    community = bytes.fromhex(valley)
    ines_key, _ = await member(api, valley, "Ines")
    rules = {
        **AT_ONCE,
        "longest_minutes": 2 * 24 * 60,
        "terms": {"person": {"use": "free"}, "group": {"use": "ask"}},
    }
    drill = await thing(api, valley, None, title="Drill", lending=rules)
    (seed,) = {s.seed for s in api.node.people.sessions if s.person.hex() == ines_key}

    def ask(author: Author, nonce: bytes, begin: int, days: int, **more: Value) -> str:
        begin_ms = 3_800_000_000_000 + begin * 86_400_000
        span = {"from": begin_ms, "until": begin_ms + days * 86_400_000}
        said: dict[str, Value] = {
            "action": "use",
            "resource": bytes.fromhex(drill),
            "nonce": nonce,
            **span,
            **more,
        }
        fields: Writes = {name: (value, ()) for name, value in said.items()}
        record = typed_id(community, author.key, nonce)
        author.write(community, "public", [(record, "commitment", fields)])
        return record.hex()

    def write(author: Author) -> list[str]:
        too_long = ask(author, b"\x01" * 16, 0, 3)
        not_free = ask(author, b"\x02" * 16, 1, 1)
        to_agree = ask(author, b"\x03" * 16, 10, 1, type="group")
        return [too_long, not_free, to_agree, ask(author, b"\x04" * 16, 20, 1)]

    *others, good = await api.node.sign_as(seed, write)
    await becomes(api, good, state="confirmed", rank="confirmed")
    rows = [(await api("GET", f"/reservations/{each}")).body for each in others]
    assert [row["state"] for row in rows] == ["asked", "displaced", "asked"]
