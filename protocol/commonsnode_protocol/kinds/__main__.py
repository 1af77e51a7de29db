"""`python -m commonsnode_protocol.kinds`: the page docs/KINDS.md on stdout."""

from commonsnode_protocol.kinds.describing import page

print(page(), end="")
