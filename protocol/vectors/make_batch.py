"""Write batch.json, the vectors of SPEC.md, "Batches":  python protocol/vectors/make_batch.py"""

from commonsnode_protocol import canonical
from commonsnode_protocol.changeset import Signed
from commonsnode_protocol.limits import BATCH_BYTES_MAX, BATCH_COUNT_MAX, CHANGESET_BYTES_MAX
from vectors.packed import BLOCK_MAX, MAGIC, RAW, RUN, block, header, pack, raw_frame
from vectors.shown import Json, show, text_of, write
from vectors.world import ANA, FOUNDER, grant_body, signed, thing_body

ABOUT = """\
Vectors of SPEC.md, "Batches". How bytes are shown says SPEC.md, "Vectors".

batches: a frame says `size` and `packed`, and the limit of its size is 1,048,576. `expect` is `unpacked`, where
`changesets` are the [signature, body] in it (nothing of them has been checked but their lengths), or the reason with
which it is refused: `bad-frame`, `too-large`, `bad-changeset`. What is unpacked need not be packed to the same bytes.
"""

# What zstd 1.5.7 made of the batch `two_changesets` at level 3, and with a checksum at level 19.
ZSTD_3 = (
    "28b52ffd603d016d0d00f4189292c440f7ef1af4d534202e2bb9b4071c6ab99c32b68e08f4e8d2e58b58aa27061adc8c"
    "06f16c3ac8bc9ef959eeea04000ee509879f089ef46fd1fe251419af3cab3303c49d9701c420e715eae98b17784284e9"
    "af0ef8702b8fa3e89979a0d34edbb1e255bdaac24338a67075626c6963c4208139770ea87d175f56a35466c34c7ecccb"
    "8d8a91b4ee37a25df60f5b8fc9b394cf0000019ab697e800909193c410f5a1d78b901660c58e305604fb030c2fa87265"
    "736f7572636582a56e6f6e636592c410000102030405060708090a0b0c0d0e0f90a57469746c6592a54472696c6c9092"
    "c440c999114ce98fe16fd4be5ffcf001f070e7ec3e643ff6c3944245ea6fb9fe708fe034f08c80251056afd71e3c6884"
    "23f828f9aebfafcdc8e413d4fb77e29a2204c50114a9617574686f72697479c4208a88e3dd7409f195fd52db2d3cba5d"
    "72ca6709bf1d94121bf3748801b40f6f5c01917300c5b22a84024a2b95bad743800984a56772616e74840190a6706572"
    "736f6e9290a4726f6c6592a66d656d62657290a57461626c659290090034e634ba75045a17f00222ecf6c25a600b8799"
    "36a24c6926cd14"
)
ZSTD_19 = (
    "28b52ffd643d015d0d0024189292c440f7ef1af4d534202e2bb9b4071c6ab99c32b68e08f4e8d2e58b58aa27061adc8c"
    "06f16c3ac8bc9ef959eeea04000ee509879f089ef46fd1fe251419af3cab3303c49d9701c420e715eae98b17784284e9"
    "af0ef8702b8fa3e89979a0d34edbb1e255bdaac24338a67075626c6963c4208139770ea87d175f56a35466c34c7ecccb"
    "8d8a91b4ee37a25df60f5b8fc9b394cf0000019ab697e800909193c410f5a1d78b901660c58e305604fb030c2fa87265"
    "736f7572636582a56e6f6e636592c410000102030405060708090a0b0c0d0e0f90a57469746c6592a54472696c6c90c9"
    "99114ce98fe16fd4be5ffcf001f070e7ec3e643ff6c3944245ea6fb9fe708fe034f08c80251056afd71e3c688423f828"
    "f9aebfafcdc8e413d4fb77e29a2204c50114a9617574686f72697479c4208a88e3dd7409f195fd52db2d3cba5d72ca67"
    "09bf1d94121bf3748801b40f6f5c01917300c5b22a84024a2b95bad743800984a56772616e748490a6706572736f6e92"
    "90a4726fa66d656d6265726162900d001ae3000070d00246660142b7eeb44000cf20c26e2fac05b670986923cad06c64"
    "1c970123058e37eeda"
)

TWO = [signed(thing_body(ANA), ANA), signed(grant_body(ANA), FOUNDER)]
ONE = Signed(bytes(64), b"body")
PLAIN = canonical.pack([[ONE.signature, ONE.body]])


def window(descriptor: int, plain: bytes) -> bytes:
    """A frame with a window descriptor and a content size of 4 bytes."""
    size = len(plain).to_bytes(4, "little")
    return MAGIC + b"\x80" + bytes([descriptor]) + size + block(RAW, len(plain), last=True) + plain


def text() -> str:
    """The content of batch.json."""
    vectors: list[Json] = []

    def case(
        name: str, size: int, packed: bytes, expect: str, changesets: list[Signed] | None = None
    ) -> None:
        shown: Json = {"name": name, "size": size, "packed": show(packed), "expect": expect}
        if changesets is not None:
            shown["changesets"] = [[show(each.signature), show(each.body)] for each in changesets]
        vectors.append(shown)

    def plain(name: str, content: bytes, expect: str = "bad-frame") -> None:
        case(name, len(content), raw_frame(content), expect)

    size, packed = pack(TWO)
    case("two_changesets", size, packed, "unpacked", TWO)
    case("two_changesets_compressed", size, bytes.fromhex(ZSTD_3), "unpacked", TWO)
    case("two_changesets_compressed_with_checksum", size, bytes.fromhex(ZSTD_19), "unpacked", TWO)
    case("one_changeset", *pack([ONE]), "unpacked", [ONE])
    case("a_changeset_twice", *pack([ONE, ONE]), "unpacked", [ONE, ONE])
    case("body_empty", *pack([Signed(bytes(64), b"")]), "unpacked", [Signed(bytes(64), b"")])
    largest = Signed(bytes(64), bytes(CHANGESET_BYTES_MAX))
    case("body_65536_bytes", *pack([largest]), "unpacked", [largest])
    case("window_8_mebibytes", len(PLAIN), window((23 - 10) << 3, PLAIN), "unpacked", [ONE])
    halves = block(RAW, 40, last=False) + PLAIN[:40] + block(RAW, len(PLAIN) - 40, last=True) + PLAIN[40:]
    case("two_blocks", len(PLAIN), header(len(PLAIN)) + halves, "unpacked", [ONE])

    case("size_1048577", BATCH_BYTES_MAX + 1, packed, "too-large")
    case("size_too_small", len(PLAIN) - 1, raw_frame(PLAIN), "bad-frame")
    case("size_too_great", len(PLAIN) + 1, raw_frame(PLAIN), "bad-frame")
    case("size_0", 0, raw_frame(PLAIN), "bad-frame")
    unsized = MAGIC + b"\x00" + bytes([(20 - 10) << 3]) + block(RAW, len(PLAIN), last=True) + PLAIN
    case("header_without_size", len(PLAIN), unsized, "bad-frame")
    bomb = header(len(PLAIN)) + block(RUN, BLOCK_MAX - 1, last=True) + b"\x90"
    case("more_than_the_header_says", len(PLAIN), bomb, "bad-frame")
    short = header(len(PLAIN)) + block(RAW, len(PLAIN) - 1, last=True) + PLAIN[:-1]
    case("less_than_the_header_says", len(PLAIN), short, "bad-frame")
    case("window_over_8_mebibytes", len(PLAIN), window(((23 - 10) << 3) + 1, PLAIN), "bad-frame")
    wanting = raw_frame(PLAIN)
    case("dictionary", len(PLAIN), MAGIC + b"\x21\x07" + wanting[5:], "bad-frame")
    case("checksum_wrong", size, bytes.fromhex(ZSTD_19)[:-1] + b"\x00", "bad-frame")
    case("packed_empty", len(PLAIN), b"", "bad-frame")
    case("packed_cut", len(PLAIN), wanting[:-1], "bad-frame")
    case("packed_trailing_byte", len(PLAIN), wanting + b"\x00", "bad-frame")
    case("packed_two_frames", len(PLAIN), wanting + wanting, "bad-frame")
    case("packed_not_zstandard", len(PLAIN), PLAIN, "bad-frame")
    skippable = bytes.fromhex("502a4d18") + (4).to_bytes(4, "little") + b"skip"
    case("packed_skippable_frame_before", len(PLAIN), skippable + wanting, "bad-frame")

    plain("empty_batch", b"\x90")
    plain("nil", b"\xc0")
    plain("a_map", b"\x80")
    plain("trailing_byte", PLAIN + b"\xc0")
    plain("cut", PLAIN[:-1])
    plain("longer_form", b"\xdc\x00\x01" + PLAIN[1:])
    plain("entry_nil", b"\x91\xc0")
    plain("entry_of_one", canonical.pack([[bytes(64)]]))
    plain("entry_of_three", canonical.pack([[bytes(64), b"body", b""]]))
    plain("signature_63_bytes", canonical.pack([[bytes(63), b"body"]]))
    plain("signature_65_bytes", canonical.pack([[bytes(65), b"body"]]))
    plain("signature_text", canonical.pack([["s" * 64, b"body"]]))
    plain("body_text", canonical.pack([[bytes(64), "body"]]))
    plain("body_65537_bytes", canonical.pack([[bytes(64), bytes(CHANGESET_BYTES_MAX + 1)]]), "bad-changeset")

    entry = b"\x92\xc4\x40" + bytes(64) + b"\xc4\x00"
    for name, count, expect in (
        ("4096_changesets", BATCH_COUNT_MAX, "unpacked"),
        ("4097_changesets", BATCH_COUNT_MAX + 1, "too-large"),
    ):
        content = b"\xdc" + count.to_bytes(2, "big") + entry * count
        case(name, len(content), bytes.fromhex(LARGE[count]), expect)
    return text_of(ABOUT, {"batches": vectors})


# What zstd 1.5.7 made of so many changesets with zeros for a signature and an empty body.
LARGE = {
    BATCH_COUNT_MAX: (
        "28b52ffda0035004009c000040dc100092c44000c40200b6ff48c8052560044c000008000100fcff3910024500000800"
        "0100ffcf0e84"
    ),
    BATCH_COUNT_MAX + 1: (
        "28b52ffda048500400a4000048dc100192c44000c4000200b5ff48c8312560044c000008000100fcff39100245000008"
        "00010044d00e84"
    ),
}


if __name__ == "__main__":
    write(__file__, text())
