"""YAML (1.1, as PyYAML reads it): an Open Know-How manifest as a design, a list of things as a table.

Every value is the text that stands in the file: `no` stays `no`, and `9:30` is no number. So nothing is made of a tag, and no
code can hide in one. What is small in the file and large when it is spelt out is refused before it is.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from commonsnode.tables import items, open_know
from commonsnode.tables.model import Grid, TableError

YAML_BYTES_MAX = 8 * 1024 * 1024
DEPTH_MAX = 32
VALUES_MAX = 1_000_000  # those that an alias stands for each time that it does

_EMPTY = frozenset(("", "~", "null", "Null", "NULL"))
_BEGINS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
# The loader of libyaml is twenty times faster, and not everywhere.
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_yaml(data: bytes) -> Grid:
    """The table of a YAML file. Raises TableError where it is none that can be imported."""
    if len(data) > YAML_BYTES_MAX:
        raise TableError(f"is larger than {YAML_BYTES_MAX} bytes, which is too much for YAML")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TableError("is YAML that is not in UTF-8") from None
    try:
        root = _root(text)
    except yaml.YAMLError as error:
        raise TableError(f"is not valid YAML: {' '.join(str(error).split())[:160]}") from None
    spelling = _Spelling()
    if isinstance(root, yaml.SequenceNode):
        return items.grid_of([(node.start_mark.line + 1, spelling.value(node)) for node in root.value])
    value = spelling.value(root)
    if isinstance(value, Mapping):
        return open_know.manifest_grid(value, "YAML")
    raise TableError("is YAML, but no list of things and no Open Know-How manifest")


def _root(text: str) -> yaml.Node:
    """The one document of a text, which is not nested too deeply: found out without nesting, before it is read."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, _BEGINS) - isinstance(event, _ENDS)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > DEPTH_MAX:
            raise TableError(f"is YAML with more than {DEPTH_MAX} lists and maps within one another")
        if documents > 1:
            raise TableError("is YAML with more than one document: save each as a file of its own")
    root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    if root is None:
        raise TableError("is empty")
    return root


class _Spelling:
    """Makes plain values of nodes, of so many at most."""

    def __init__(self) -> None:
        self._left = VALUES_MAX

    def value(self, node: yaml.Node, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > DEPTH_MAX:  # an alias can stand for what is around it
            raise TableError(f"is YAML that spells out to more than {VALUES_MAX} values")
        if isinstance(node, yaml.ScalarNode):
            plain = not node.style  # none, or empty by the other loader
            return None if plain and node.value in _EMPTY else node.value
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, depth + 1) for each in node.value]
        if not isinstance(node, yaml.MappingNode):
            raise TableError("is YAML with something that is neither text, list nor map")
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise TableError(f"is YAML with a name that is no text, in line {line}")
            if key.value in found:
                raise TableError(
                    f"is YAML in which {key.value[:40]!r} comes twice in one map, in line {line}"
                )
            found[key.value] = self.value(value, depth + 1)
        return found
