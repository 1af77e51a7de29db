"""Rules of lending: the thing's before the charter's, key by key; and which terms apply to whom."""

from commonsnode_protocol.canonical import Value
from commonsnode_protocol.kinds import condition_of, rules_for, terms_for, unit_in, works


def test_a_thing_says_key_by_key_otherwise_than_the_charter() -> None:
    rules = rules_for({"confirm": "at-once"}, {"to": "members", "confirm": "keeper", "lead_minutes": 60})
    assert rules == {"confirm": "at-once", "to": "members", "lead_minutes": 60}


def test_what_is_not_of_its_form_says_nothing() -> None:
    assert rules_for({"to": "friends", "days": 14}, {"to": "members"}) == {
        "to": "members",
        "confirm": "keeper",
    }


def test_a_thing_that_says_nothing_is_lent_to_anyone_and_free() -> None:
    applying = terms_for(None, None, None, is_member=False)
    assert (applying.lent, applying.use) == (True, "free")


def test_who_is_no_member_does_not_get_what_is_for_members() -> None:
    assert not terms_for({"to": "members"}, None, "person", is_member=False).lent
    assert terms_for({"to": "members"}, None, "person", is_member=True).lent
    assert not terms_for({"to": "nobody"}, {"to": "anyone"}, "person", is_member=True).lent


def test_the_term_of_ones_type_applies_and_says_why() -> None:
    terms: dict[str, Value] = {
        "common-good": {"use": "free"},
        "for-profit": {"use": "fee", "fee": "20 a day"},
    }
    paying = terms_for({}, {"terms": terms}, "for-profit", is_member=True)
    assert (paying.use, paying.fee, paying.why) == ("fee", "20 a day", "terms for for-profit")
    assert terms_for({}, {"terms": terms}, "co-operative", is_member=True).use == "ask"
    assert "not known" in terms_for({}, {"terms": terms}, None, is_member=True).why


def test_a_condition_in_any_language_says_whether_the_thing_works() -> None:
    assert condition_of("Buen estado") == "good"
    assert condition_of("défekt") == "broken"
    assert not works("needs repair")
    assert works(None)
    assert works("handle is loose")


def code(text: str) -> str | None:
    unit = unit_in(text)
    return unit.code if unit is not None else None


def test_a_unit_is_known_by_code_symbol_and_usual_word() -> None:
    assert {code(text) for text in ("litre", "l", "Litros")} == {"litre"}
    assert code("Stk.") == "one"
    assert (code("a"), code("A")) == ("are", "ampere")
    assert code("bushels of love") is None
