"""The vectors of authority say what this code says, in any order of arrival."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from commonsnode_protocol.authority import Evaluator, standing
from commonsnode_protocol.authority.achieving import outcomes
from commonsnode_protocol.changeset import Changeset, decode

FILE = Path(__file__).parents[2] / "protocol/vectors/authority_acts.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["authorities"]


def test_the_file_is_what_its_script_makes() -> None:
    text: Callable[[], str] = runpy.run_path(str(FILE.with_name("make_authority_acts.py")))["text"]
    assert FILE.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_authority_of_a_vector_is_what_it_says(vector: dict[str, Any]) -> None:
    held = [decode(bytes.fromhex(body)) for body in vector["held"]]
    for seed in range(3):
        Random(seed).shuffle(held)
        evaluator = Evaluator(bytes.fromhex(vector["community"]))
        for each in held if seed else ():
            evaluator.add([each])
        evaluator.add(held)
        authority = evaluator.authority
        assert [table.id.hex() for table in authority.tables] == vector["tables"]
        assert [key.hex() for key in authority.stewards] == vector["stewards"]
        assert {key.hex(): member.role for key, member in authority.members.items()} == vector["members"]
        assert sorted(id_.hex() for id_ in evaluator.standing) == vector["standing"]
        void = {
            each.id.hex(): [[o.record.hex(), o.kind, o.void] for o in outcomes(evaluator, each.id) if o.void is not None]
            for each in held
        }  # fmt: skip
        assert {id_: found for id_, found in void.items() if found} == vector["void"]
        assert _stands(evaluator, vector["data"])


def _stands(evaluator: Evaluator, data: list[list[Any]]) -> bool:
    by_author: dict[bytes, list[Changeset]] = {}
    for body, _ in data:
        changeset = decode(bytes.fromhex(body))
        by_author.setdefault(changeset.author, []).append(changeset)
    found: set[bytes] = set()
    for author, every in by_author.items():
        found |= standing(evaluator.verdict(author, every[0].lane), *every)
    return all((decode(bytes.fromhex(body)).id in found) is stands for body, stands in data)
