"""This node and its peers as a graph, in the language of Graphviz."""

from collections.abc import Iterable, Mapping
from typing import Any

from commonsnode_cli.output import plain
from commonsnode_cli.wording import step

ID_CHARS = 12


def graph(node: str, name: str, peers: Iterable[Mapping[str, Any]]) -> str:
    """A digraph: an arrow goes from who dialled to who was; dashed where there is no link now."""
    label = f"{name}\n{node[:ID_CHARS]}"
    lines = ["digraph commonsnode {", "  rankdir=LR;", "  node [shape=box];"]
    lines.append(f"  {_quoted(node)} [label={_quoted(label)}, style=bold];")
    for peer in peers:
        who = str(peer.get("id") or peer.get("address") or "")
        address = str(peer.get("address") or "")
        label = "\n".join(filter(None, (who[:ID_CHARS] if peer.get("id") else "", address)))
        lines.append(f"  {_quoted(who)} [label={_quoted(label)}];")
        ends = (node, who) if peer.get("dialled", True) else (who, node)
        arrow = " -> ".join(map(_quoted, ends))
        if peer["state"] != "connected":
            lines.append(f"  {arrow} [style=dashed, label={_quoted(str(peer['state']))}];")
        else:
            lines.append(f"  {arrow} [label={_quoted(step(peer))}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    """A text in quotes; what an address brings cannot end it, and only our own line breaks are such."""
    parts = (plain(part).replace("\\", "\\\\").replace('"', '\\"') for part in text.split("\n"))
    return '"' + "\\n".join(parts) + '"'
