"""What a picture may be and take, and the words between the node and the process that opens it."""

from enum import IntEnum

BYTES_MAX = 32 * 1024 * 1024  # of the file that comes in
PIXELS_MAX = 65_000_000  # of the picture in it: the phones of 64 megapixels, and no more
SIDE_MAX = 1600  # of the picture that is kept, pixels on its longest side
THUMBNAIL_SIDE_MAX = 320

# WebP: at the same likeness (SSIM) some fifth smaller than JPEG, and every photo goes over slow links to many small disks.
# Browsers have it since 2020 (Safari, the last), Android since 2012.
MEDIA_TYPE = "image/webp"
QUALITY = 80
THUMBNAIL_QUALITY = 70
EFFORT = 4  # of 0 to 6; 6 takes longer for some 4 % fewer bytes

# Of the process that opens it. A picture of PIXELS_MAX with transparency is held twice, 4 bytes a pixel.
MEMORY_BYTES_MAX = 768 * 1024 * 1024
PROCESSOR_S_MAX = 20
SECONDS_MAX = 40  # by the clock, also where others use the processor
TURN_S_MAX = 60  # that a picture waits for the ones before it
FILES_MAX = 16
ANSWER_BYTES_MAX = 8 * 1024 * 1024  # both pictures: noise of SIDE_MAX squared has some 2 MiB
LENGTHS = ">II"  # what its answer begins with: the bytes of the picture, and of the thumbnail


class Outcome(IntEnum):
    """How the process ended, by its exit status."""

    CLEAN = 0
    NO_PICTURE = 10
    NO_HEIC = 11
    TOO_MANY_PIXELS = 12
    BROKEN = 13
    TOO_MUCH_MEMORY = 14
