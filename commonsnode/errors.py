"""What can go wrong in the daemon, and whose move it is.

NodeError          the operator's: says what happened, and what to do
  · ConfigError    a setting: which file or variable, which key, what is allowed
  · HomeError      the node's folder: missing, in use, readable by others, not usable
  · ListenError    the addresses to listen on
Refusal            the caller's: this one command cannot be done as it was asked
  · Unknown        nothing here has that id or name
  · Ambiguous      several things here have that beginning or name
  · Conflict       what is here does not allow it
  · WrongField     one field of what was asked is wrong
  · TooLarge       over a limit
  · Busy           as many of these are under way as this node does at once
  · NotSignedIn    nobody is signed in, or not with this passphrase or token
  · NotAllowed     not for this person, or not while the account is locked
  · TooOften       too many wrong passphrases lately
Stopping           nobody's: the daemon is going down, and has not begun with this
"""

from collections.abc import Sequence


class NodeError(Exception):
    """What happened, and below it what to do about it."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what}\n  {hint}" if hint else what)
        self.what = what
        self.hint = hint


class ConfigError(NodeError):
    """A setting that cannot be used. where: the file, or `environment`, or `arguments`."""

    def __init__(self, where: str, key: str, problem: str, allowed: str) -> None:
        super().__init__(f"{where}: {key}: {problem}", f"Allowed: {allowed}")
        self.where = where
        self.key = key


class HomeError(NodeError):
    """The folder of a node is not as it must be."""


class AlreadyANode(HomeError):
    """`init` on a folder that holds a node; it was left as it is."""


class Locked(HomeError):
    """Another daemon serves this folder."""

    def __init__(self, home: object, pid: int | None) -> None:
        by = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"the node in {home} is running already ({by})", "Stop that one first, or use another --home."
        )
        self.pid = pid


class ListenError(NodeError):
    """No way to listen where the configuration says."""


class Refusal(Exception):
    """A command that cannot be done as it was asked; nothing was changed by it."""

    status = 409
    title = "Refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unknown(Refusal):
    """Nothing here has that id or name."""

    status = 404
    title = "Not here"


class Ambiguous(Refusal):
    """Several things here have that beginning or name. candidates: what would tell them apart."""

    title = "Ambiguous"

    def __init__(self, detail: str, candidates: Sequence[str]) -> None:
        super().__init__(detail)
        self.candidates = list(candidates)


class Conflict(Refusal):
    """What is here does not allow it."""


class WrongField(Refusal):
    """One field of what was asked is wrong. candidates: what it may mean, where it means several things."""

    status = 422
    title = "A field is wrong"

    def __init__(self, field: str, problem: str, candidates: Sequence[str] = ()) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.candidates = list(candidates)


class TooLarge(Refusal):
    """Over a limit."""

    status = 413
    title = "Too large"


class Busy(Refusal):
    """As many of these are under way as this node does at once."""

    status = 503
    title = "Busy"


class NotSignedIn(Refusal):
    """Nobody is signed in here, or not with this passphrase or token."""

    status = 401
    title = "Not signed in"


class NotAllowed(Refusal):
    """Who is signed in may not do this."""

    status = 403
    title = "Not allowed"


class TooOften(Refusal):
    """Too many wrong passphrases lately. retry_s: when it may be tried again."""

    status = 429
    title = "Too many attempts"

    def __init__(self, detail: str, retry_s: int) -> None:
        super().__init__(detail)
        self.retry_s = retry_s


class Stopping(Exception):
    """The daemon is going down and has not begun with what was asked."""
