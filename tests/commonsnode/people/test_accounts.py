"""The file of accounts: what it keeps, who can read it, and that nothing in it opens a seed."""

import json
from pathlib import Path

import pytest

from commonsnode.errors import Conflict, HomeError, NotSignedIn, Unknown, WrongField
from commonsnode.people.accounts import Accounts, check_name, from_file, key_of_name, to_file
from commonsnode.people.people import People
from running_node import CHEAP, NOW

PASSPHRASE = "four words of hers"


def people(path: Path) -> People:
    return People(Accounts(path), lambda: NOW, cost=CHEAP)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def held(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def put(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.json"


async def test_what_was_added_is_there_after_a_restart_and_the_file_is_its_owners_alone(path: Path) -> None:
    account, seed = await people(path).add("Rosa", PASSPHRASE)
    assert mode(path) == 0o600
    again = people(path)
    assert list(again.accounts) == [account]
    assert await again.open("rosa", PASSPHRASE) == seed


async def test_the_file_holds_neither_seed_nor_passphrase(path: Path) -> None:
    _, seed = await people(path).add("Rosa", PASSPHRASE)
    for secret in (seed, seed.hex().encode(), PASSPHRASE.encode()):
        assert secret not in held(path)


async def test_two_accounts_have_two_keys_and_two_salts_though_the_passphrase_is_one(path: Path) -> None:
    one = people(path)
    first, _ = await one.add("Rosa", PASSPHRASE)
    second, _ = await one.add("Inés", PASSPHRASE)
    assert first.id != second.id
    assert first.sealed.salt != second.sealed.salt


async def test_a_box_does_not_open_in_another_account(path: Path) -> None:
    one = people(path)
    await one.add("Rosa", PASSPHRASE)
    await one.add("Inés", PASSPHRASE)
    said = json.loads(held(path))
    first, second = said["accounts"]
    for of in ("box", "salt", "nonce"):
        second[of] = first[of]
    put(path, json.dumps(said))
    with pytest.raises(NotSignedIn):
        await people(path).open("Inés", PASSPHRASE)


async def test_a_name_is_one_without_case_and_however_its_accent_was_typed(path: Path) -> None:
    one = people(path)
    await one.add("Inés", PASSPHRASE)
    for same in ("INÉS", "ine\u0301s", " inés "):
        with pytest.raises(Conflict):
            await one.add(same, PASSPHRASE)
    assert key_of_name("STRASSE") == key_of_name("straße")


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "..", "/", "x" * 65, "\u202eRosa"])
def test_a_name_is_printable_and_short_and_has_a_letter(name: str) -> None:
    with pytest.raises(WrongField):
        check_name(name)


@pytest.mark.parametrize("passphrase", ["", "too short", "x" * 1_025, "\ud800" * 12])
async def test_a_passphrase_has_some_length(path: Path, passphrase: str) -> None:
    with pytest.raises(WrongField) as refused:
        await people(path).add("Rosa", passphrase)
    assert passphrase == "" or passphrase not in str(refused.value)
    assert held(path) == b""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "accounts": [{"id": 1}]}'])
def test_a_damaged_file_stops_the_start_and_is_left_as_it_is(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(HomeError):
        Accounts(path)
    assert path.read_text() == text


def test_a_file_that_others_can_read_or_of_a_newer_version_is_refused(path: Path) -> None:
    path.write_text('{"format": 1, "accounts": []}')
    path.chmod(0o644)
    with pytest.raises(HomeError, match="chmod 600"):
        Accounts(path)
    path.write_text('{"format": 2, "accounts": []}')
    path.chmod(0o600)
    with pytest.raises(HomeError, match="newer version"):
        Accounts(path)


async def test_a_person_moves_by_a_file_that_says_no_secret(path: Path, tmp_path: Path) -> None:
    here, there = people(path), people(tmp_path / "there.json")
    account, seed = await here.add("Rosa", PASSPHRASE)
    said = to_file(account)
    assert seed.hex() not in json.dumps(said)
    with pytest.raises(NotSignedIn):
        await there.import_file(said, "another passphrase", None)
    moved = await there.import_file(said, PASSPHRASE, "Rosita")
    assert (moved.id, moved.name) == (account.id, "Rosita")
    assert moved.sealed.salt != account.sealed.salt
    assert await there.open("Rosita", PASSPHRASE) == seed
    with pytest.raises(Conflict):
        await there.import_file(said, PASSPHRASE, "Again")


@pytest.mark.parametrize(
    "wrong",
    [{"memory": 2**40}, {"passes": 1_000}, {"salt": "00"}, {"format": "x"}, {"id": None}, {"passes": True}],
)
async def test_a_file_that_was_changed_or_asks_for_too_much_work_is_none(path: Path, wrong: object) -> None:
    account, _ = await people(path).add("Rosa", PASSPHRASE)
    assert isinstance(wrong, dict)
    with pytest.raises(WrongField):
        from_file({**to_file(account), **wrong})


async def test_what_cannot_be_written_was_not_done(path: Path) -> None:
    one = people(path / "no" / "folder.json")
    with pytest.raises(OSError):
        await one.add("Rosa", PASSPHRASE)
    with pytest.raises(Unknown):
        one.accounts.named("Rosa")
