"""Names on the local network. What is heard there, with real nodes: tests/integration/test_lan.py."""

import pytest

from commonsnode.peers.lan import LABEL_CHARS_MAX, label


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("village hall", "village-hall"),
        ("Casa Comunal Íntag", "casa-comunal-intag"),
        ("  --x--  ", "x"),
        ("村", "commons"),
        ("a.b/c", "a-b-c"),
        ("n" * 64, "n" * LABEL_CHARS_MAX),
        ("n" * 39 + " m", "n" * 39),
    ],
)
def test_a_name_becomes_one_label_of_a_host_name(name: str, said: str) -> None:
    assert label(name) == said
