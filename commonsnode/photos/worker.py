"""The process that opens one picture: a file on its standard input, the clean pictures on its standard output.

What decodes the bytes of strangers is where the holes are. So it is done here, with bounds on memory and time and with nothing of
the node in its memory or environment; `cleaning.py` starts it and checks what it answers. It is not kept from the files and the
network that the node's user has.
"""

import contextlib
import io
import os
import resource
import struct
import sys
import warnings
from typing import BinaryIO

from PIL import (
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from commonsnode.photos.limits import (
    ANSWER_BYTES_MAX,
    EFFORT,
    FILES_MAX,
    LENGTHS,
    MEMORY_BYTES_MAX,
    PIXELS_MAX,
    PROCESSOR_S_MAX,
    QUALITY,
    SIDE_MAX,
    THUMBNAIL_QUALITY,
    THUMBNAIL_SIDE_MAX,
    Outcome,
)

try:
    from pillow_heif import register_heif_opener
except ImportError:
    HEIC = False
else:
    register_heif_opener(thumbnails=False)
    HEIC = True

# Named, so that they are loaded before the bounds hold. MPO: a JPEG with further pictures, as many phones write it.
DECODERS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
FORMATS = ["JPEG", "PNG", "WEBP", *(["HEIF"] if HEIC else [])]
ORIENTATION = 0x0112  # the field of EXIF
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WHITE = 255
NICENESS = 10  # the node answers people first
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class Refused(Exception):
    """This file becomes no picture. outcome: why."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def bind() -> None:
    """Takes from this process what it does not need. For Linux; other systems keep no bound on memory."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S_MAX, PROCESSOR_S_MAX + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (ANSWER_BYTES_MAX, ANSWER_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_MAX, FILES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


def pictures(file: BinaryIO) -> tuple[bytes, bytes]:
    """The picture and its thumbnail. Raises Refused, MemoryError, and for broken files whatever their decoder raises."""
    with opened(file) as image:
        orientation = turned(image)
        profile = image.info.get("icc_profile")
        image.draft(None, (SIDE_MAX, SIDE_MAX))  # of a large JPEG, only as much as is wanted
        image.load()
        small = fitted(plain(image), SIDE_MAX)
    if orientation in UPRIGHT:
        small = small.transpose(UPRIGHT[orientation])
    picture = in_srgb(on_white(small), profile)
    return encoded(picture, QUALITY), encoded(fitted(picture, THUMBNAIL_SIDE_MAX), THUMBNAIL_QUALITY)


def opened(file: BinaryIO) -> Image.Image:
    """Its header is read, and its pixels are counted, before any of them takes memory."""
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    head = file.read(12)
    file.seek(0)
    if not HEIC and head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        raise Refused(Outcome.NO_HEIC)
    try:
        return Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(Outcome.TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise Refused(Outcome.NO_PICTURE) from None


def turned(image: Image.Image) -> int:
    """How the camera was held, as EXIF says; a picture whose EXIF cannot be read is taken as it lies."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a parser raises over bytes of strangers
        return 1
    return orientation if isinstance(orientation, int) else 1


def plain(image: Image.Image) -> Image.Image:
    """The same in a mode of 8 bits that can be made smaller: grey, RGB or CMYK, and with transparency where there is some."""
    if image.mode.startswith("I"):  # 16 bits of grey, which a plain conversion would cut off at 255
        return image.convert("I").point(lambda value: value / 257 + 0.5).convert("L")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") else image.convert("RGB")


def fitted(image: Image.Image, side: int) -> Image.Image:
    """In a square of that side, as large as it can be there, and never larger than it was."""
    longest = max(image.size)
    if longest <= side:
        return image
    size = tuple(max(1, (each * side + longest // 2) // longest) for each in image.size)
    return image.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3.0)


def on_white(image: Image.Image) -> Image.Image:
    """Without transparency: what lies hidden under it, and often was cut out for a reason, must not travel along."""
    if image.mode not in ("LA", "RGBA"):
        return image
    ground = Image.new(image.mode[:-1], image.size, WHITE if image.mode == "LA" else (WHITE, WHITE, WHITE))
    ground.paste(image.convert(ground.mode), mask=image.getchannel("A"))
    return ground


def in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The colours that its profile means, as sRGB. A profile that does not fit the picture is none, as in browsers."""
    if isinstance(profile, bytes) and profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            meant = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if meant is not None:
                return meant
    return image.convert("RGB")


def encoded(image: Image.Image, quality: int) -> bytes:
    """As WebP. The pixels are copied to a new picture, which has no fields that could be written with them."""
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    data = io.BytesIO()
    bare.save(data, "WEBP", quality=quality, method=EFFORT)
    return data.getvalue()


def main() -> Outcome:
    bind()
    try:
        picture, thumbnail = pictures(sys.stdin.buffer)
    except Refused as refused:
        return refused.outcome
    except MemoryError:
        return Outcome.TOO_MUCH_MEMORY
    except Exception:  # noqa: BLE001 - decoders raise nearly everything: OSError, SyntaxError, struct.error ...
        return Outcome.BROKEN
    sys.stdout.buffer.write(struct.pack(LENGTHS, len(picture), len(thumbnail)) + picture + thumbnail)
    sys.stdout.buffer.flush()
    return Outcome.CLEAN


if __name__ == "__main__":
    sys.exit(main())
