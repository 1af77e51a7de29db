"""Who keeps a thing and on which terms it is lent, where a file says it."""

from pathlib import Path
from typing import Any

from commonsnode.tables import Row, open_table


def rows(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    path = tmp_path / "tools.csv"
    path.write_text(text)
    return [dict(row.fields) for sheet in open_table(path) for row in sheet.rows if isinstance(row, Row)]


def test_the_owner_is_kept_as_it_is_and_is_the_keepers_name(tmp_path: Path) -> None:
    first, second = rows(tmp_path, "Item,Owner\nDrill,Ana\nSaw,\n")
    assert first == {"title": "Drill", "x:Owner": "Ana", "keeper_name": "Ana"}
    assert second == {"title": "Saw"}


def test_a_number_or_an_address_of_mail_is_nobodys_name(tmp_path: Path) -> None:
    assert rows(tmp_path, "Item,Owner\nDrill,17\n") == [{"title": "Drill", "x:Owner": "17"}]
    assert "keeper_name" not in rows(tmp_path, "Item,Owner\nDrill,a@example.org\n")[0]


def test_a_fee_is_a_term_and_a_loan_period_the_longest_loan(tmp_path: Path) -> None:
    first, second, third = rows(
        tmp_path, "Item,Loan fee,Loan period\nDrill,2.50,7\nSaw,0.00,2 weeks\nPlane,,as you like\n"
    )
    assert first["lending"] == {
        "terms": {"person": {"use": "fee", "fee": "2.50"}},
        "longest_minutes": 7 * 24 * 60,
    }
    assert second["lending"] == {"terms": {"person": {"use": "free"}}, "longest_minutes": 14 * 24 * 60}
    assert third == {"title": "Plane", "x:Loan period": "as you like"}


def test_what_is_mapped_by_a_person_is_not_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "tools.csv"
    path.write_text("Item,Owner,Who\nDrill,Ana,Ben\n")
    (sheet,) = open_table(path, mapping={"Who": "keeper_name"})
    (row,) = sheet.rows
    assert isinstance(row, Row)
    assert row.fields == {"title": "Drill", "x:Owner": "Ana", "keeper_name": "Ben"}
    assert sheet.also == ()
