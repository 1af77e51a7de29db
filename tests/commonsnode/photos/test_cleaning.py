"""Pictures made safe: real files through the real process."""

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL", reason="needs the extra commonsnode[photos]")

from PIL import Image, ImageCms

from commonsnode.errors import Busy, TooLarge
from commonsnode.photos import cleaning
from commonsnode.photos.cleaning import BadPhoto, Cleaned, PhotosMissing, clean
from commonsnode.photos.limits import BYTES_MAX, PIXELS_MAX, SIDE_MAX, THUMBNAIL_SIDE_MAX
from commonsnode.photos.webp import bare_size
from made_photos import (
    BLUE,
    GREEN,
    RED,
    SECRETS,
    WHITE,
    chunk,
    corners,
    located,
    noise,
    png_bomb,
    png_header,
    saved,
)

Colour = tuple[int, ...]
TOLERANCE = 24  # of one channel: what the encoding may change


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def near(one: Any, other: Colour, tolerance: int = TOLERANCE) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def in_corners(data: bytes) -> list[Any]:
    """Above left, above right, below left, below right."""
    image = shown(data)
    width, height = image.size
    return [image.getpixel((width * x // 4, height * y // 4)) for y in (1, 3) for x in (1, 3)]


def bare(cleaned: Cleaned) -> bool:
    """Nothing but the picture is in it, by our own reading and by the library's."""
    for data in (cleaned.picture, cleaned.thumbnail):
        image = Image.open(io.BytesIO(data))
        image.load()
        if (
            bare_size(data) != image.size
            or dict(image.getexif())
            or image.info.keys() & {"exif", "icc_profile", "xmp"}
        ):
            return False
        if any(secret in data for secret in SECRETS):
            return False
    return True


def test_a_large_photo_becomes_a_picture_and_a_thumbnail() -> None:
    cleaned = clean(saved(corners(4000, 3000), "JPEG"))
    assert (cleaned.media_type, cleaned.width, cleaned.height) == ("image/webp", 1600, 1200)
    assert bare_size(cleaned.picture) == (1600, 1200)
    assert bare_size(cleaned.thumbnail) == (320, 240)
    assert all(map(near, in_corners(cleaned.picture), (RED, GREEN, BLUE, WHITE)))
    assert all(map(near, in_corners(cleaned.thumbnail), (RED, GREEN, BLUE, WHITE)))
    assert bare(cleaned)


def test_a_small_photo_is_not_made_larger() -> None:
    cleaned = clean(saved(corners(80, 40), "PNG"))
    assert (cleaned.width, cleaned.height) == (80, 40)
    assert bare_size(cleaned.thumbnail) == (80, 40)


@pytest.mark.parametrize(
    ("width", "height", "small"), [(5000, 1, (1600, 1)), (3, 4800, (1, 1600)), (1, 1, (1, 1))]
)
def test_no_side_vanishes(width: int, height: int, small: tuple[int, int]) -> None:
    cleaned = clean(saved(Image.new("RGB", (width, height), BLUE), "PNG"))
    assert (cleaned.width, cleaned.height) == small
    assert min(bare_size(cleaned.thumbnail) or (0, 0)) == 1


def test_the_same_file_gives_the_same_bytes_from_memory_and_from_disk(tmp_path: Path) -> None:
    data = saved(noise(700, 500), "JPEG", exif=located())
    (tmp_path / "photo.jpg").write_bytes(data)
    first = clean(data)
    assert clean(data) == first
    assert clean(tmp_path / "photo.jpg") == first


# What a camera says beside the picture


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {"comment": SECRETS[0], "xmp": b"<x:xmpmeta>" + SECRETS[1] + b"</x:xmpmeta>"}),
        ("PNG", {}),
        ("WEBP", {"xmp": b"<x:xmpmeta>" + SECRETS[1] + b"</x:xmpmeta>"}),
        ("MPO", {"save_all": True, "append_images": [corners()]}),
    ],
)
def test_nothing_is_left_of_where_and_with_what_it_was_taken(form: str, options: dict[str, Any]) -> None:
    data = saved(corners(), form, exif=located(), **options)
    assert all(secret in data for secret in SECRETS)
    assert dict(Image.open(io.BytesIO(data)).getexif().get_ifd(0x8825))[1] == "N"
    assert bare(clean(data))


def test_texts_in_a_png_are_gone() -> None:
    head, tail = saved(corners(), "PNG").split(b"\0\0\0\0IEND")
    texts = chunk(b"tEXt", b"Author\0" + SECRETS[0]) + chunk(b"zTXt", b"GPS\0\0" + zlib.compress(SECRETS[2]))
    assert bare(clean(head + texts + b"\0\0\0\0IEND" + tail))


UPRIGHT: dict[int, tuple[Colour, ...]] = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_it_stands_upright_however_the_camera_was_held(orientation: int) -> None:
    cleaned = clean(saved(corners(80, 40), "JPEG", exif=located(orientation), quality=95))
    assert (cleaned.width, cleaned.height) == ((40, 80) if orientation >= 5 else (80, 40))
    assert all(map(near, in_corners(cleaned.picture), UPRIGHT[orientation]))
    assert bare_size(cleaned.thumbnail) == (cleaned.width, cleaned.height)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", located(99)]
)
def test_exif_that_cannot_be_read_hinders_nobody(exif: bytes) -> None:
    cleaned = clean(saved(corners(), "JPEG", exif=exif, quality=95))
    assert all(map(near, in_corners(cleaned.picture), UPRIGHT[1]))


# Colours


def swapped_profile() -> bytes:
    """sRGB with the primaries of red and green exchanged: whoever ignores it shows the wrong one."""
    data: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_colours_are_those_that_the_profile_means(form: str) -> None:
    data = saved(Image.new("RGB", (64, 64), (230, 0, 0)), form, icc_profile=swapped_profile())
    cleaned = clean(data)
    assert near(shown(cleaned.picture).getpixel((32, 32)), (0, 230, 0), 40)
    assert bare(cleaned)


@pytest.mark.parametrize("profile", [b"no profile at all", swapped_profile()[:200], swapped_profile()])
def test_a_profile_that_does_not_fit_is_none(profile: bytes) -> None:
    cleaned = clean(saved(Image.new("L", (64, 64), 90), "JPEG", icc_profile=profile))
    assert near(shown(cleaned.picture).getpixel((32, 32)), (90, 90, 90))


def test_cmyk_as_printers_use_it() -> None:
    cleaned = clean(saved(Image.new("CMYK", (2000, 64), (0, 255, 255, 0)), "JPEG"))
    assert near(shown(cleaned.picture).getpixel((32, 32)), (255, 0, 0), 40)


def test_sixteen_bits_of_grey_are_not_cut_off() -> None:
    image = Image.new("I;16", (64, 64), 0x8080)
    assert near(shown(clean(saved(image, "PNG")).picture).getpixel((32, 32)), (0x80,) * 3, 6)


def test_sixteen_bits_of_colour() -> None:
    rows = (b"\0" + struct.pack(">HHH", 0xDC00, 0x1400, 0x1400) * 32) * 32
    data = png_header(32, 32, depth=16) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert near(shown(clean(data).picture).getpixel((16, 16)), RED)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA"])
def test_all_modes_of_png(mode: str) -> None:
    grey = mode in ("1", "L", "LA")
    image = Image.new("RGB", (2000, 90), WHITE if grey else GREEN).convert(mode)
    assert near(shown(clean(saved(image, "PNG")).picture).getpixel((900, 32)), WHITE if grey else GREEN)


def transparent(form: str) -> bytes:
    """Blue that is wholly transparent on the left, and solid on the right."""
    if form == "palette":
        image = Image.new("P", (200, 80), 0)
        image.putpalette([*BLUE, *BLUE])
        image.paste(1, (100, 0, 200, 80))
        return saved(image, "PNG", transparency=0)
    image = Image.new("RGBA", (200, 80), (*BLUE, 0))
    image.paste((*BLUE, 255), (100, 0, 200, 80))
    return saved(image, form, **({"exact": True, "lossless": True} if form == "WEBP" else {}))


@pytest.mark.parametrize("form", ["palette", "PNG", "WEBP"])
def test_what_is_transparent_is_white_and_what_was_under_it_is_gone(form: str) -> None:
    picture = shown(clean(transparent(form)).picture)
    assert near(picture.getpixel((20, 40)), WHITE)
    assert near(picture.getpixel((180, 40)), BLUE, 40)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_of_what_moves_the_first_picture_is_kept(form: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, GREEN, BLUE)]
    cleaned = clean(saved(frames[0], form, save_all=True, append_images=frames[1:], duration=40))
    assert near(shown(cleaned.picture).getpixel((32, 32)), RED)
    assert bare(cleaned)


def test_heic_where_its_library_is_installed() -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra commonsnode[heic]")
    heif.register_heif_opener()
    cleaned = clean(saved(corners(1800, 900), "HEIF", exif=located(6)))
    assert bare(cleaned)
    assert (cleaned.width, cleaned.height) == (800, 1600)
    assert all(map(near, in_corners(cleaned.picture), UPRIGHT[6]))


def test_heic_where_it_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pillow_heif.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadPhoto, match=r"HEIC.*commonsnode\[heic\]"):
        clean(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


# Files of hostile people, and of slow links


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"hello", b"%PDF-1.7", b"GIF89a" + bytes(40), b"<svg xmlns=''/>", b"\xff\xd8\xff"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadPhoto, match=r"not a picture|damaged"):
        clean(data)


@pytest.mark.parametrize("form", ["GIF", "BMP", "TIFF", "ICO", "PPM", "AVIF"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(BadPhoto, match="allowed: JPEG, PNG, WebP, HEIC"):
        clean(saved(corners(), form))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.95])
def test_a_file_that_was_cut_off_is_refused(form: str, part: float) -> None:
    data = saved(noise(300, 200), form)
    with pytest.raises(BadPhoto):
        clean(data[: int(len(data) * part)])


def test_a_picture_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(TooLarge, match="65 million pixels"):
        clean(
            png_header(50_000, 50_000) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")
        )


def test_a_whole_bomb_is_refused() -> None:
    data = png_bomb(9_000)
    assert len(data) < 100_000
    with pytest.raises(TooLarge, match="million pixels"):
        clean(data)


def test_the_largest_that_is_allowed_is_taken_and_one_row_more_is_not() -> None:
    width, height = 8_000, PIXELS_MAX // 8_000
    assert clean(saved(Image.new("L", (width, height), 200), "JPEG")).height == SIDE_MAX
    with pytest.raises(TooLarge):
        clean(saved(Image.new("L", (width, height + 1)), "JPEG"))


def test_a_text_that_unpacks_to_gigabytes_is_refused() -> None:
    packed = zlib.compress(bytes(200 << 20), 9)
    bomb = chunk(b"iCCP", b"p\0\0" + packed) + chunk(b"zTXt", b"a\0\0" + packed)
    head = png_header(32, 32)
    data = head + bomb + chunk(b"IDAT", zlib.compress((b"\0" + bytes(96)) * 32)) + chunk(b"IEND", b"")
    with pytest.raises(BadPhoto, match="damaged"):
        clean(data)


@pytest.mark.parametrize("tail", [b"PK\x03\x04 a zip behind it", b"<script>alert(1)</script>"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_what_was_something_else_as_well_is_a_picture_alone(form: str, tail: bytes) -> None:
    cleaned = clean(saved(corners(), form) + tail)
    assert bare(cleaned)
    assert tail not in cleaned.picture + cleaned.thumbnail


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_damaged_bytes_give_a_clean_picture_or_a_clear_refusal(form: str) -> None:
    whole = saved(noise(90, 60), form)
    for place in range(1, len(whole), len(whole) // 6):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        try:
            cleaned = clean(bytes(damaged))
        except (BadPhoto, TooLarge):
            continue
        assert bare(cleaned)


# Bounds


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(BYTES_MAX + 1)
    for photo in (large, bytes(BYTES_MAX + 1)):
        with pytest.raises(TooLarge, match="more than 32 MiB"):
            clean(photo)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(BadPhoto, match="is not a file"):
            clean(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        clean(tmp_path / "nothing")


def worker(program: str) -> Callable[..., "subprocess.Popen[bytes]"]:
    """The process that opens pictures, with another program in it."""
    begin = subprocess.Popen

    def started(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        return begin([sys.executable, "-c", program], **options)

    return started


@pytest.mark.parametrize(
    ("program", "error", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", BadPhoto, "damaged"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", TooLarge, "too long"),
        ("print('<script>')", BadPhoto, "could not be made safe"),
        (
            "import sys; sys.stdout.buffer.write(b'\\0\\0\\0\\1\\0\\0\\0\\1ab')",
            BadPhoto,
            "could not be made safe",
        ),
    ],
)
def test_whatever_becomes_of_the_process_nothing_unsafe_comes_out(
    monkeypatch: pytest.MonkeyPatch, program: str, error: type[Exception], words: str
) -> None:
    monkeypatch.setattr(subprocess, "Popen", worker(program))
    with pytest.raises(error, match=words):
        clean(b"any")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_a_picture_that_takes_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import commonsnode.photos.worker as worker, commonsnode.photos.limits as limits\n"
        "worker.pictures = lambda file: bytes(limits.MEMORY_BYTES_MAX)\n"
        "raise SystemExit(worker.main())"
    )
    monkeypatch.setattr(subprocess, "Popen", worker(program))
    with pytest.raises(TooLarge, match="768 MiB of memory"):
        clean(b"any")


def test_a_fault_of_the_node_is_not_blamed_on_the_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", worker("raise RuntimeError"))
    with pytest.raises(ChildProcessError, match="status 1"):
        clean(b"any")


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "SECONDS_MAX", 0.2)
    monkeypatch.setattr(subprocess, "Popen", worker("import signal; signal.pause()"))
    with pytest.raises(TooLarge, match="too long"):
        clean(b"any")


def test_the_process_sees_no_secrets_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONSNODE_SECRET", "x")
    program = "import os, sys; sys.exit(99 if 'COMMONSNODE_SECRET' in os.environ else 10)"
    monkeypatch.setattr(subprocess, "Popen", worker(program))
    with pytest.raises(BadPhoto, match="not a picture"):
        clean(b"any")


def test_one_is_opened_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "TURN_S_MAX", 0.01)
    with cleaning._turn, pytest.raises(Busy):
        clean(saved(corners(), "PNG"))
    assert clean(saved(corners(), "PNG")).width == 80


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "LIBRARY", "not_installed_here")
    with pytest.raises(PhotosMissing, match=r"commonsnode\[photos\]"):
        clean(b"any")


def test_noise_of_full_size_fits_the_answer() -> None:
    cleaned = clean(saved(noise(SIDE_MAX, SIDE_MAX), "JPEG", quality=95))
    assert (cleaned.width, bare_size(cleaned.thumbnail)) == (
        SIDE_MAX,
        (THUMBNAIL_SIDE_MAX, THUMBNAIL_SIDE_MAX),
    )
