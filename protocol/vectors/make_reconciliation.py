"""Write negentropy.json and lthash.json, the vectors of SPEC.md, "Reconciliation" and "Set digests".

    python protocol/vectors/make_reconciliation.py

Deterministic: every item is made from its number, so the same bytes come out each time.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from commonsnode_protocol import negentropy
from commonsnode_protocol.limits import TIME_MS_MAX
from commonsnode_protocol.lthash import LtHash, authority_digest
from commonsnode_protocol.negentropy import Item, VectorStorage
from commonsnode_protocol.negentropy_wire import (
    FRAME_MAX,
    INFINITY,
    RANGES_MAX,
    Bound,
    Mode,
    Range,
    Writer,
    decode,
    encode_varint,
)

FILES = {"negentropy": "negentropy.json", "lthash": "lthash.json"}
FOLDER = Path(__file__).parent
Json = dict[str, Any]

ABOUT_NEGENTROPY = """\
Vectors of SPEC.md, "Reconciliation". All byte strings are in hexadecimal. A long one is written {prefix,
run, count}: the prefix, then the run repeated count times.

Items are made from numbers. Item k has the time 1700000000000 + 1000 * (k // 2), so items 2n and 2n + 1
have the same, and as id the BLAKE2b-256 of the ASCII text "commonsnode/vector/item/<k in decimal>".
`items` is a list of runs [from, to], which are the items from number `from` to before number `to`, and of
items written out as {time, id}.

varints: value (decimal) and form.

fingerprints: of these items.

messages: what a message is taken apart into; a bound's time is decimal or "infinity". Where `expect` is a
reason, both initiator and responder end the session with it, whatever they hold.

answers: the responder holds `items` and gets `message`. These are cases in which it has no choice:
`answer` is the only one there is.

steps: the initiator holds `items` and gets `message`: it learns `have` (what the responder lacks) and
`need` (what it lacks itself), and `finished` says whether it has nothing left to ask. `expect` is there
where it ends the session.

exchanges: whole conversations of the reference, initiator first. Where it cuts is its own choice, and
nobody need cut alike. But whoever holds the initiator's items and takes in the responder's messages must
learn the same at each of them: `learnt` has `have` and `need` after each.
"""

ABOUT_LTHASH = """\
Vectors of SPEC.md, "Set digests". All byte strings are in hexadecimal. Ids are made from numbers: id k is
the BLAKE2b-256 of the ASCII text "commonsnode/vector/item/<k in decimal>". `ids` is a list of runs [from,
to], which are ids from number `from` to before number `to`, and of ids written out.

lthash: the state after these steps in order, beginning with the empty set, and its digest.

equal_sums: two sets whose ids have equal sums and so equal Negentropy fingerprints, but other digests.

authority: the digest of lane `authority`.
"""


def id_of(number: int) -> bytes:
    return hashlib.blake2b(b"commonsnode/vector/item/%d" % number, digest_size=32).digest()


def item(number: int) -> Item:
    return 1_700_000_000_000 + 1_000 * (number // 2), id_of(number)


Shown = Sequence[tuple[int, int] | Item]  # runs of numbers, and items


def items(shown: Shown) -> list[Item]:
    found: list[Item] = []
    for first, second in shown:
        if isinstance(second, bytes):
            found.append((first, second))
        else:
            found += [item(number) for number in range(first, second)]
    return sorted(found)


def show(shown: Shown) -> list[Any]:
    return [{"time": a, "id": b.hex()} if isinstance(b, bytes) else [a, b] for a, b in shown]


def show_ids(ids: Iterable[bytes]) -> list[str]:
    return sorted(id_.hex() for id_ in ids)


SAME_TIME: Shown = [(5, bytes([1]) * 31 + bytes([last])) for last in (1, 2, 3)]
EDGES: Shown = [
    (0, bytes(32)),
    (0, bytes([255]) * 32),
    (TIME_MS_MAX, bytes(31) + b"\1"),
    (TIME_MS_MAX, bytes([254]) * 32),
]


def varints() -> list[Json]:
    values = (0, 1, 127, 128, 255, 16_383, 16_384, 2**32, TIME_MS_MAX, 2**63, 2**64 - 1)
    return [{"value": str(value), "form": encode_varint(value).hex()} for value in values]


def fingerprint(of: Sequence[Item]) -> bytes:
    storage = VectorStorage(of)
    return negentropy.fingerprint(storage.id_sum(0, storage.size()), storage.size())


def fingerprints() -> list[Json]:
    sets: dict[str, Shown] = {
        "none": [],
        "one": [(0, 1)],
        "two": [(0, 2)],
        "two_hundred": [(0, 200)],
        "id_of_zero_bytes": [(0, bytes(32))],
        "sum_over_2_256": [(0, bytes([last]) * 32) for last in (253, 254, 255)],
    }
    return [
        {"name": name, "items": show(shown), "fingerprint": fingerprint(items(shown)).hex()}
        for name, shown in sets.items()
    ]


def said(*ranges: Range) -> bytes:
    """The message of these ranges."""
    writer = Writer(FRAME_MAX)
    for range_ in ranges:
        if range_.mode == Mode.SKIP:
            writer.skip_to(range_.bound)
        elif range_.mode == Mode.FINGERPRINT:
            writer.fingerprint(range_.bound, range_.fingerprint)
        else:
            writer.ids(range_.bound, range_.ids)
    return writer.message()


def skip(bound: Bound) -> Range:
    return Range(bound, Mode.SKIP)


def summed(bound: Bound, of: Shown) -> Range:
    return Range(bound, Mode.FINGERPRINT, fingerprint=fingerprint(items(of)))


def listed(bound: Bound, of: Shown) -> Range:
    return Range(bound, Mode.IDS, ids=tuple(id_ for _, id_ in items(of)))


def before(number: int) -> Bound:
    """The bound right before the first item of the time of this one."""
    return item(number)[0], b""


def show_range(range_: Range) -> Json:
    time, prefix = range_.bound
    shown: Json = {
        "time": "infinity" if range_.bound == INFINITY else str(time),
        "prefix": prefix.hex(),
        "mode": range_.mode.name.lower(),
    }
    if range_.mode == Mode.FINGERPRINT:
        shown["fingerprint"] = range_.fingerprint.hex()
    if range_.mode == Mode.IDS:
        shown["ids"] = [id_.hex() for id_ in range_.ids]
    return shown


def messages() -> list[Json]:
    good = {
        "nothing": "61",
        "skip_to_infinity": "61000000",
        "skip_written_out_at_the_end": "61050000" + "000000",
        "bound_at_time_0_with_prefix": "61" + "010201ff" + "00",
        "prefix_of_32_bytes": "61" + "0120" + "11" * 32 + "00",
        "prefix_with_trailing_zero": "61" + "01021100" + "00",
        "times_from_the_bound_before": "61" + "050000" + "0101aa00" + "030000",
        "greatest_time": "61" + encode_varint(2**64 - 1).hex() + "0000",
    }
    vectors: list[Json] = [
        {
            "name": name,
            "message": form,
            "expect": "ok",
            "ranges": [show_range(range_) for range_ in decode(bytes.fromhex(form))],
        }
        for name, form in good.items()
    ]
    some = said(summed(before(4), [(0, 4)]), skip(before(8)), listed(INFINITY, [(8, 10)]))
    vectors.append(
        {
            "name": "all_three_modes",
            "message": some.hex(),
            "expect": "ok",
            "ranges": [show_range(range_) for range_ in decode(some)],
        }
    )
    id_, zeros = "ab" * 32, "00" * 16
    bad: dict[str, str | Json] = {
        "empty": "",
        "no_version_byte_5f": "5f",
        "no_version_byte_70": "70",
        "bound_cut": "61" + "05",
        "prefix_cut": "61" + "0102aa",
        "prefix_of_33_bytes": "61" + "0121" + "11" * 33 + "00",
        "prefix_at_infinity": "61" + "0001aa00",
        "mode_missing": "61" + "0500",
        "mode_3": "61" + "0000" + "03",
        "mode_of_two_bytes": "61" + "0000" + "8102" + zeros,
        "fingerprint_cut": "61" + "0000" + "01" + zeros[2:],
        "count_missing": "61" + "0000" + "02",
        "list_shorter_than_its_count": "61" + "0000" + "0202" + id_,
        "count_of_2_64_less_1": "61" + "0000" + "02" + encode_varint(2**64 - 1).hex() + id_,
        "id_twice_in_a_list": "61" + "0000" + "0202" + id_ * 2,
        "id_in_two_lists": "61" + "0500" + "0201" + id_ + "0000" + "0201" + id_,
        "varint_without_end": "61" + "81",
        "varint_with_leading_zero": "61" + "8005" + "0000",
        "varint_of_65_bits": "61" + "82808080808080808000" + "0000",
        "varint_of_11_bytes": "61" + "8180808080808080808000" + "0000",
        "time_2_64_less_1": "61" + "020000" + encode_varint(2**64 - 1).hex() + "0000",
        "bounds_equal": "61" + "050000" + "010000",
        "bounds_equal_but_for_a_zero": "61" + "0501aa00" + "0102aa0000",
        "bounds_descend_by_prefix": "61" + "0501bb00" + "0101aa00",
        "first_bound_at_zero": "61" + "010000",
        "range_after_infinity": "61" + "000000" + "000000",
        "bytes_after_the_last_range": "61" + "000000" + "ff",
    }
    vectors += [{"name": name, "message": message, "expect": "bad-frame"} for name, message in bad.items()]
    ranges: Json = {"prefix": "61", "run": "020000", "count": RANGES_MAX + 1}
    vectors.append({"name": "ranges_16385", "message": ranges, "expect": "too-large"})
    long = {"prefix": "61000002" + encode_varint(8_192).hex(), "run": "ab", "count": 262_144}
    vectors.append({"name": "longer_than_262144_bytes", "message": long, "expect": "too-large"})
    return vectors


def answers() -> list[Json]:
    held: Shown = [(0, 40)]
    middle = [skip(before(10)), listed(before(20), [(10, 15)])]
    asked: dict[str, tuple[Shown, bytes]] = {
        "other_version": (held, bytes.fromhex("62ffff")),
        "nothing_asked": (held, said()),
        "equal": (held, said(summed(INFINITY, held))),
        "equal_in_parts": (held, said(summed(before(6), [(0, 6)]), summed(INFINITY, [(6, 40)]))),
        "empty_list": (held, said(skip(before(36)), listed(INFINITY, []))),
        "list_in_the_middle": (held, said(*middle)),
        "list_where_nothing_is_held": ([(0, 10)], said(*middle)),
        "list_between_equal_ranges": (
            held,
            said(summed(before(10), [(0, 10)]), listed(before(12), []), summed(INFINITY, [(12, 40)])),
        ),
        "list_bounded_by_prefixes": (
            SAME_TIME,
            said(skip((5, bytes([1]) * 31 + b"\2")), listed((5, bytes([1]) * 31 + b"\3"), [])),
        ),
        "list_up_to_the_greatest_time": (EDGES, said(listed((TIME_MS_MAX, b""), []))),
        "list_from_the_greatest_time": (EDGES, said(skip((TIME_MS_MAX, b"")), listed(INFINITY, []))),
        "list_past_the_greatest_time": (EDGES, said(skip((2**64 - 2, b"")), listed(INFINITY, [(0, 1)]))),
    }
    return [
        {
            "name": name,
            "items": show(shown),
            "message": message.hex(),
            "answer": negentropy.respond(VectorStorage(items(shown)), message).hex(),
        }
        for name, (shown, message) in asked.items()
    ]


def steps() -> list[Json]:
    held: Shown = [(0, 40)]
    got: dict[str, tuple[Shown, bytes]] = {
        "nothing_said": (held, said()),
        "equal": (held, said(summed(INFINITY, held))),
        "all_missing_there": (held, said(listed(INFINITY, []))),
        "all_missing_here": ([], said(listed(INFINITY, held))),
        "some_of_both": (held, said(skip(before(10)), listed(before(20), [(12, 20), (100, 102)]))),
        "two_lists": (
            held,
            said(listed(before(2), [(0, 1)]), skip(before(30)), listed(before(32), [(30, 33)])),
        ),
        "list_of_same_time": (SAME_TIME, said(listed((5, bytes([1]) * 31 + b"\3"), SAME_TIME[1:2]))),
        "fingerprint_of_others": (held, said(summed(before(20), [(0, 19)]), listed(INFINITY, [(20, 39)]))),
    }
    vectors: list[Json] = []
    for name, (shown, message) in got.items():
        step = negentropy.reconcile(VectorStorage(items(shown)), message)
        vectors.append(
            {
                "name": name,
                "items": show(shown),
                "message": message.hex(),
                "have": show_ids(step.have),
                "need": show_ids(step.need),
                "finished": step.reply is None,
            }
        )
    vectors.append({"name": "other_version", "items": show(held), "message": "62", "expect": "bad-version"})
    return vectors


def exchange(name: str, initiator: Shown, responder: Shown, frame_max: int = FRAME_MAX) -> Json:
    ours, theirs = VectorStorage(items(initiator)), VectorStorage(items(responder))
    said_: list[str] = []
    learnt: list[Json] = []
    message: bytes | None = negentropy.initiate(ours, frame_max)
    while message is not None:
        answer = negentropy.respond(theirs, message, frame_max)
        step = negentropy.reconcile(ours, answer, frame_max)
        said_ += [message.hex(), answer.hex()]
        learnt.append({"have": show_ids(step.have), "need": show_ids(step.need)})
        message = step.reply
    return {
        "name": name,
        "initiator": show(initiator),
        "responder": show(responder),
        "messages": said_,
        "learnt": learnt,
    }


def exchanges() -> list[Json]:
    return [
        exchange("both_empty", [], []),
        exchange("initiator_empty", [], [(0, 3)]),
        exchange("responder_empty", [(0, 40)], []),
        exchange("equal", [(0, 40)], [(0, 40)]),
        exchange("newest_missing_here", [(0, 95)], [(0, 100)]),
        exchange("newest_missing_there", [(0, 100)], [(0, 95)]),
        exchange("newest_differ", [(0, 95), (100, 104)], [(0, 100)]),
        exchange("scattered", [(0, 100), (101, 400)], [(0, 5), (6, 250), (251, 400)]),
        exchange("same_time", SAME_TIME[:2], SAME_TIME[1:]),
        exchange("edges", EDGES[:3], EDGES[1:]),
        exchange("in_messages_of_300_bytes", [(0, 30), (40, 60)], [(10, 50)], 300),
    ]


def lthash_ids(runs: Sequence[tuple[int, int]]) -> list[bytes]:
    return [id_of(number) for run in runs for number in range(*run)]


def lthash() -> list[Json]:
    vectors: list[Json] = []
    for name, steps_ in (
        ("empty", []),
        ("one", [("add", [(0, 1)])]),
        ("two", [("add", [(0, 2)])]),
        ("two_in_the_other_order", [("add", [(1, 2)]), ("add", [(0, 1)])]),
        ("a_thousand", [("add", [(0, 1000)])]),
        ("removed_again", [("add", [(0, 10)]), ("remove", [(0, 10)])]),
        ("one_left", [("add", [(0, 10)]), ("remove", [(1, 10)])]),
        ("removed_before_it_is_added", [("remove", [(0, 1)]), ("add", [(0, 2)])]),
    ):
        sums = LtHash()
        for act, runs in steps_:
            (sums.add if act == "add" else sums.remove)(lthash_ids(runs))
        vectors.append(
            {
                "name": name,
                "steps": [{act: [list(run) for run in runs]} for act, runs in steps_],
                "state": sums.state().hex(),
                "digest": sums.digest().hex(),
            }
        )
    return vectors


def equal_sums() -> Json:
    """Two pairs of ids: the first id one more, the second one less."""
    pair = [id_of(0), id_of(1)]
    moved = [
        (int.from_bytes(id_, "little") + by).to_bytes(32, "little")
        for id_, by in zip(pair, (1, -1), strict=True)
    ]
    digests: list[str] = []
    for ids in (pair, moved):
        sums = LtHash()
        sums.add(ids)
        digests.append(sums.digest().hex())
    prints = {fingerprint([(0, id_) for id_ in ids]) for ids in (pair, moved)}
    return {
        "sets": [[id_.hex() for id_ in ids] for ids in (pair, moved)],
        "fingerprints": [print_.hex() for print_ in prints],
        "digests": digests,
    }


def authority() -> list[Json]:
    sets: dict[str, list[tuple[int, int]]] = {
        "empty": [],
        "one": [(0, 1)],
        "three": [(0, 3)],
        "three_in_another_order": [(2, 3), (0, 2)],
    }
    return [
        {"name": name, "ids": [list(run) for run in runs], "digest": authority_digest(lthash_ids(runs)).hex()}
        for name, runs in sets.items()
    ]


def make() -> dict[str, Json]:
    return {
        "negentropy": {
            "about": ABOUT_NEGENTROPY.splitlines(),
            "varints": varints(),
            "fingerprints": fingerprints(),
            "messages": messages(),
            "answers": answers(),
            "steps": steps(),
            "exchanges": exchanges(),
        },
        "lthash": {
            "about": ABOUT_LTHASH.splitlines(),
            "lthash": lthash(),
            "equal_sums": equal_sums(),
            "authority": authority(),
        },
    }


def texts() -> dict[str, str]:
    """File name and content of each."""
    return {
        FILES[name]: json.dumps(made, indent=1, ensure_ascii=False) + "\n" for name, made in make().items()
    }


if __name__ == "__main__":
    for name_, text in texts().items():
        (FOLDER / name_).write_text(text, encoding="utf-8")
