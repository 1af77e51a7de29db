"""Peers: links to other nodes, and what travels over them.  `Peers` is the whole of it to the rest of the daemon."""

from commonsnode.peers.peers import Peers, SyncResult

__all__ = ["Peers", "SyncResult"]
