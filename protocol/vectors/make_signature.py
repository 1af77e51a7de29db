"""Write signature.json, the vectors of SPEC.md, "Keys and signatures":  python protocol/vectors/make_signature.py

The arithmetic of the curve is here in plain Python, so that keys and signatures can be made which no library would make.
"""

import hashlib
from collections.abc import Callable

from nacl.bindings import crypto_sign_seed_keypair

from commonsnode_protocol.changeset import CONTEXT, changeset_id, sign
from vectors.shown import Json, text_of, write

ABOUT = """\
Vectors of SPEC.md, "Keys and signatures". All byte strings are in hexadecimal.

signatures: `signature` is of the changeset id `id`, by the key `author`, over "commonsnode/changeset/1" and the id.
`expect` is `holds` or `bad-signature`. `why` says what is special about it. Those that a verifier with cofactor, without
the check of small order, or without the check of S would take are among them.
"""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
ZERO: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    k = D * a[0] * b[0] * a[1] * b[1] % P
    return (
        (a[0] * b[1] + b[0] * a[1]) * pow(1 + k, -1, P) % P,
        (a[1] * b[1] + a[0] * b[0]) * pow(1 - k, -1, P) % P,
    )


def times(n: int, point: Point) -> Point:
    result = ZERO
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point:
    """RFC 8032, section 5.1.3, for encodings that are on the curve."""
    y = int.from_bytes(data, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x & 1 != data[31] >> 7 else x, y % P)


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
ORDER_8 = decode(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
SMALL = {order: times(8 // order, ORDER_8) for order in (1, 2, 4, 8)}

SEED = bytes(range(32))
AUTHOR = crypto_sign_seed_keypair(SEED)[0]
SCALAR = int.from_bytes(hashlib.sha512(SEED).digest()[:32], "little") & (2**254 - 8) | 2**254
BODY = b"the id is of these bytes; a verifier does not look at them"
ID = changeset_id(BODY)


def whole_challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little")


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    """Reduced: where the key has a part of small order, it matters that k is reduced before it is multiplied with."""
    return whole_challenge(r, key, message) % L


def signature(r: int, r_more: Point = ZERO, key_more: Point = ZERO, id_: bytes = ID) -> tuple[bytes, bytes]:
    """A key and signature: R = r·B + r_more, A = SCALAR·B + key_more, S so that the equation holds on the large subgroup."""
    key, r_bytes = encode(add(times(SCALAR, BASE), key_more)), encode(add(times(r, BASE), r_more))
    s = (r + challenge(r_bytes, key, CONTEXT + id_) * SCALAR) % L
    return key, r_bytes + s.to_bytes(32, "little")


def first(holds: Callable[[int], bool], key_more: Point, whole: int = 1) -> tuple[bytes, bytes]:
    """The first r from 1000 where `holds(k)`, and k before it is reduced is a multiple of `whole`."""
    r = 1000
    while True:
        key, made = signature(r, key_more=key_more)
        parts = made[:32], key, CONTEXT + ID
        if holds(challenge(*parts)) and whole_challenge(*parts) % whole == 0:
            return key, made
        r += 1


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def of_small_key(key: bytes, order: int) -> bytes:
    """For a key of this order: R = r·B and S = r, with r so that k is a multiple of the order. The equation holds."""
    r = 1
    while challenge(encode(times(r, BASE)), key, CONTEXT + ID) % order:
        r += 1
    return encode(times(r, BASE)) + r.to_bytes(32, "little")


def text() -> str:
    """The content of signature.json."""
    vectors: list[Json] = []

    def case(
        name: str, author: bytes, signed: bytes, why: str, *, holds: bool = False, id_: bytes = ID
    ) -> None:
        shown = {"author": author.hex(), "id": id_.hex(), "signature": signed.hex()}
        vectors.append({"name": name, **shown, "expect": "holds" if holds else "bad-signature", "why": why})

    plain = sign(BODY, SEED).signature
    s = int.from_bytes(plain[32:], "little")
    case("plain", AUTHOR, plain, "by RFC 8032, from the seed 00…1f", holds=True)
    case("second_of_the_same_id", *signature(4711), "another nonce, as good as the first", holds=True)
    case("nonce_1", *signature(1), "R is the base point", holds=True)
    mixed = first(lambda k: k % 8 == 0, key_more=SMALL[8])
    case("key_with_part_of_order_8_and_equation_holds", *mixed, "k is a multiple of 8", holds=True)

    case("r_bit_flipped", AUTHOR, flipped(plain, 0), "R changed")
    case("s_bit_flipped", AUTHOR, flipped(plain, 32), "S changed")
    case("other_author", crypto_sign_seed_keypair(bytes(32))[0], plain, "by somebody else")
    case("other_id", AUTHOR, plain, "of another changeset", id_=flipped(ID, 31))
    for name, message in (
        ("without_context", ID),
        ("next_context", b"commonsnode/changeset/2" + ID),
        ("of_the_body", CONTEXT + BODY),
    ):
        r = encode(times(5, BASE))
        other = r + ((5 + challenge(r, AUTHOR, message) * SCALAR) % L).to_bytes(32, "little")
        case(name, AUTHOR, other, "of other bytes than the context and the id")
    case("zero", AUTHOR, bytes(64), "nothing")

    case("s_plus_group_order", AUTHOR, plain[:32] + (s + L).to_bytes(32, "little"), "S is not below L")
    greatest = s + L * ((2**256 - 1 - s) // L)
    case("s_greatest", AUTHOR, plain[:32] + greatest.to_bytes(32, "little"), "S is not below L")
    case("s_group_order", AUTHOR, plain[:32] + L.to_bytes(32, "little"), "S is L")

    odd = first(lambda k: k % 8 == 1, key_more=SMALL[8])
    case("key_with_part_of_order_8", *odd, "only the equation with cofactor holds")
    whole = first(lambda k: k % 8 != 0, key_more=SMALL[8], whole=8)
    case(
        "key_with_part_of_order_8_and_k_not_reduced",
        *whole,
        "the equation holds only where k is not reduced mod L",
    )
    case("key_with_part_of_order_2", *first(lambda k: k % 2 == 1, key_more=SMALL[2]), "the same")
    case("r_with_part_of_order_8", *signature(1000, SMALL[8]), "only the equation with cofactor holds")
    case("r_with_part_of_order_2", *signature(1000, SMALL[2]), "the same")
    case("r_of_order_1", *signature(0), "the equation holds, R is of small order")
    for order in (2, 4, 8):
        fit = challenge_fits(order)
        case(f"r_of_order_{order}", *fit, "the equation holds, R is of small order")

    for order, point in SMALL.items():
        key = encode(point)
        case(
            f"key_of_order_{order}", key, of_small_key(key, order), "the equation holds, A is of small order"
        )
        inverse = encode(times(order - 1, point)) if order > 2 else key[:31] + bytes([key[31] ^ 0x80])
        case(
            f"key_of_order_{order}_top_bit",
            inverse,
            of_small_key(inverse, order),
            "the same, with the other top bit",
        )
    other_8 = encode(times(3, ORDER_8))
    case("key_of_order_8_other_y", other_8, of_small_key(other_8, 8), "the same, with the other y")
    for name, y, order in (("p", P, 4), ("p_plus_1", P + 1, 1)):
        key = y.to_bytes(32, "little")
        case(f"key_encoded_as_{name}", key, of_small_key(key, order), "A is not canonically encoded")
    off_curve = next(n for n in range(2, 99) if pow((n * n - 1) * (D * n * n + 1), (P - 1) // 2, P) == P - 1)
    case("key_not_on_the_curve", off_curve.to_bytes(32, "little"), plain, "no point has this y")
    return text_of(ABOUT, {"signatures": vectors})


def challenge_fits(order: int) -> tuple[bytes, bytes]:
    """A key with a part of small order such that R, of that order alone, and k·A meet in S·B."""
    for add_ in range(1, 10_000):
        key_more = times(add_ % 8, ORDER_8)
        scalar = SCALAR + add_
        key, r = encode(add(times(scalar, BASE), key_more)), encode(SMALL[order])
        k = challenge(r, key, CONTEXT + ID)
        if add(SMALL[order], times(k % 8, key_more)) == ZERO:
            return key, r + (k * scalar % L).to_bytes(32, "little")
    raise AssertionError("no such key among the first")


if __name__ == "__main__":
    write(__file__, text())
