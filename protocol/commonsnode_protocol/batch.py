"""Changesets in bulk: how several travel in one frame.  SPEC.md, "Batches".

batch  = canonical MessagePack array of [signature, body]
packed = one Zstandard frame (RFC 8878) of it, with its content size
"""

from collections.abc import Sequence

import zstandard

from commonsnode_protocol import canonical
from commonsnode_protocol.changeset import SIGNATURE_BYTES, Signed
from commonsnode_protocol.errors import NotCanonical, PeerError, Reason
from commonsnode_protocol.limits import BATCH_COUNT_MAX, BATCH_WINDOW_BYTES_MAX, CHANGESET_BYTES_MAX

LEVEL = 3


def cost(signed: Signed) -> int:
    """What one changeset adds to a batch, in bytes, at most: it is what credit is counted in."""
    return len(signed.body) + SIGNATURE_BYTES + 8


def pack(batch: Sequence[Signed]) -> tuple[int, bytes]:
    """The size before compression, and the packed bytes."""
    plain = canonical.pack([[signed.signature, signed.body] for signed in batch])
    return len(plain), zstandard.ZstdCompressor(level=LEVEL).compress(plain)


def unpack(size: int, packed: bytes, *, size_max: int) -> list[Signed]:
    """The changesets of a frame, unchecked. Raises PeerError where it is not exactly what was said."""
    if size > size_max:
        raise PeerError(Reason.TOO_LARGE, f"a batch of {size} bytes; {size_max} at most")
    try:
        # Before anything is allocated: the header decides how much the library would take.
        if zstandard.frame_content_size(packed) != size:
            raise PeerError(Reason.BAD_FRAME, "the batch's size is not the one in its Zstandard header")
        parameters = zstandard.get_frame_parameters(packed)
        if parameters.window_size > BATCH_WINDOW_BYTES_MAX or parameters.dict_id:
            raise PeerError(Reason.BAD_FRAME, "a Zstandard window too large, or a dictionary")
        plain = zstandard.ZstdDecompressor().decompress(packed, allow_extra_data=False)
        value = canonical.unpack(plain)
    except (zstandard.ZstdError, NotCanonical) as error:
        raise PeerError(Reason.BAD_FRAME, f"a batch that cannot be read: {error}") from error
    if not isinstance(value, list) or not value:
        raise PeerError(Reason.BAD_FRAME, "a batch that is no list, or empty")
    if len(value) > BATCH_COUNT_MAX:
        raise PeerError(Reason.TOO_LARGE, f"{len(value)} changesets in a batch; {BATCH_COUNT_MAX} at most")
    return [_signed(item) for item in value]


def _signed(item: object) -> Signed:
    if isinstance(item, list) and len(item) == 2:
        signature, body = item
        if type(signature) is bytes and type(body) is bytes and len(signature) == SIGNATURE_BYTES:
            if len(body) > CHANGESET_BYTES_MAX:
                raise PeerError(Reason.BAD_CHANGESET, f"a body of {len(body)} bytes")
            return Signed(signature, body)
    raise PeerError(Reason.BAD_FRAME, "an entry of a batch that is not [signature, body]")
