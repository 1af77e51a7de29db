"""docs/KINDS.md says what the code declares."""

from pathlib import Path

from commonsnode_protocol.kinds.describing import page

KINDS_PAGE = Path(__file__).parents[3] / "docs" / "KINDS.md"


def test_the_page_of_kinds_is_current() -> None:
    assert KINDS_PAGE.read_text() == page(), "python -m commonsnode_protocol.kinds > docs/KINDS.md"
