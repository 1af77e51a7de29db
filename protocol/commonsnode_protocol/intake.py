"""The door: what is checked of a changeset before anything else is done with it.  SPEC.md, "Intake" (rules 4 to 6).

Whether it stands is decided behind this door, by the authority function; here only form, community, lane and signature.
"""

from dataclasses import dataclass

from commonsnode_protocol import changeset as changesets
from commonsnode_protocol.changeset import Changeset, Signed
from commonsnode_protocol.errors import NotCanonical, NotWellFormed, PeerError, Reason
from commonsnode_protocol.limits import CHANGESET_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Checked:
    """A changeset of version 1 that is well-formed, of the expected community and lane, and signed by its author."""

    changeset: Changeset
    signed: Signed

    @property
    def id(self) -> bytes:
        return self.changeset.id


@dataclass(frozen=True, slots=True)
class OfUnknownVersion:
    """A signed changeset whose version we do not know: it does not stand, and blames nobody (rule 5).

    stops_community: it is the charter itself, so that this node cannot value the community at all.
    """

    id: bytes
    version: int
    stops_community: bool


def check(community: bytes, lane: str, signed: Signed) -> Checked | OfUnknownVersion:
    """Check one changeset that came for `lane` of `community`.

    Raises PeerError with `bad-changeset`, `bad-signature` or `wrong-community`; nothing of it may then be kept.
    """
    if len(signed.body) > CHANGESET_BYTES_MAX or len(signed.signature) != changesets.SIGNATURE_BYTES:
        raise PeerError(
            Reason.BAD_CHANGESET, f"{len(signed.body)} bytes, signature {len(signed.signature)} bytes"
        )
    try:
        header = changesets.header(signed.body)
    except NotWellFormed as error:
        raise PeerError(Reason.BAD_CHANGESET, str(error)) from error
    changeset_id = signed.id
    of = header.community or changeset_id
    if of != community or header.lane != lane:
        raise PeerError(
            Reason.WRONG_COMMUNITY, f"{of.hex()[:8]}/{header.lane} in {community.hex()[:8]}/{lane}"
        )
    if not changesets.verify(header.author, changeset_id, signed.signature):
        raise PeerError(Reason.BAD_SIGNATURE, f"changeset {changeset_id.hex()[:8]}")
    if header.version != changesets.VERSION:
        return OfUnknownVersion(changeset_id, header.version, not header.community)
    try:
        return Checked(changesets.decode(signed.body), signed)
    except (NotCanonical, NotWellFormed) as error:
        raise PeerError(Reason.BAD_CHANGESET, f"changeset {changeset_id.hex()[:8]}: {error}") from error
