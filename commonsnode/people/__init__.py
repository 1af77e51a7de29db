"""People who have no computer of their own: their accounts on this node, and how they sign in."""

from commonsnode.people.accounts import Account, Accounts
from commonsnode.people.people import People
from commonsnode.people.sessions import Session

__all__ = ["Account", "Accounts", "People", "Session"]
