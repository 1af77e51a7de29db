"""Pictures for tests, as cameras, phones and hostile people write them."""

import io
import random
import struct
import zlib
from typing import Any

from PIL import Image

SECRETS = (b"Cotacachi-secret", b"Maker-secret", b"0.3017")  # what must be in no clean picture
RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255)


def corners(width: int = 80, height: int = 40) -> Image.Image:
    """Red above left, green above right, blue below left, white below right: so a turn shows."""
    image = Image.new("RGB", (width, height), WHITE)
    half = (width // 2, height // 2)
    image.paste(RED, (0, 0, *half))
    image.paste(GREEN, (half[0], 0, width, half[1]))
    image.paste(BLUE, (0, half[1], half[0], height))
    return image


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(seed).randbytes(width * height * 3))


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def located(orientation: int = 1) -> bytes:
    """EXIF as a phone writes it: maker, position, and a text of the person."""
    exif = Image.Exif()
    exif[0x010F] = SECRETS[1].decode()
    exif[0x0112] = orientation
    exif[0x010E] = SECRETS[0].decode()
    exif.get_ifd(0x8825).update(
        {
            1: "N",
            2: (0.0, 18.0, 6.12),
            3: "W",
            4: (78.0, 15.0, 51.34),
            29: "2026:11:29",
            18: SECRETS[2].decode(),
        }
    )
    return bytes(exif.tobytes())


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width: int, height: int, *, depth: int = 8, colour: int = 2) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    )


def png_bomb(side: int) -> bytes:
    """Bits of one grey, side times side, that pack to a thousandth."""
    row = b"\0" * (1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png_header(side, side, depth=1, colour=0) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
