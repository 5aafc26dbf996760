"""Walk the parts of a JPEG, PNG, WebP or HEIC file without decoding, and refuse what would cost too much. Pure.

Each function takes the whole file and raises PhotoRefused.
"""

import re
import struct
from collections.abc import Iterator
from mmap import mmap

from photos.refusals import (
    BROKEN,
    INCOMPLETE,
    KILOBYTE,
    MAX_PROFILE,
    MEGAPIXEL,
    TOO_COSTLY,
    PhotoRefused,
    animated,
    check_extra,
    check_pixels,
)

type File = bytes | mmap

# A baseline JPEG is decoded at reduced scale and in strips; everything else needs the whole picture in memory, some of
# it several times: with these many pixels a decode stays below its 200 MB (photos/decoder.py, bench/README.md).
JPEG_PIXELS = 120 * MEGAPIXEL
PNG_PIXELS = 30 * MEGAPIXEL
HEIC_PIXELS = 30 * MEGAPIXEL
WEBP_PIXELS = 30 * MEGAPIXEL
# A lossless WebP with transparency takes six and a half bytes a pixel; beside them the file is in memory, and up to 5 MB more.
TRANSPARENT_WEBP_BYTES, BYTES_OF_PIXEL = 195 * 1024 * KILOBYTE, 6.5
# Several scans need all coefficients in memory, two bytes each, and each scan walks over all of them.
MAX_COEFFICIENTS = 75 * MEGAPIXEL
# Ordinary progressive files have about ten scans; 500 repeated ones in 170 kB cost 12 s of CPU.
MAX_SCANS = 60
MAX_SCANNED_PIXELS = 500 * MEGAPIXEL
# A phone's file has some dozen segments, a PNG a chunk for each 8 kB: more is only there to cost time.
MAX_PARTS = 10_000
MAX_NOTES = 1024 * KILOBYTE  # of one text or EXIF block; what a compressed one unfolds to is bounded by Pillow


# --- JPEG (ITU-T T.81, annex B) ------------------------------------------------------------------------------------

MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
SOI, EOI, SOS, APP2 = 0xD8, 0xD9, 0xDA, 0xE2
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SEQUENTIAL = {0xC0, 0xC1}
STANDALONE = {0x01, SOI}


def inspect_jpeg(data: File) -> None:
    """Walk the markers up to the end of the first picture: what follows it (a second one, a clip) is not read.

    A first scan that holds the whole picture is the only one that is decoded: whether it is complete, the decoder finds.
    """
    frame, scans, profile, position, in_one = b"", 0, 0, 2, False
    for _part in range(MAX_PARTS):
        match = MARKER.search(data, position)
        if not match:
            raise PhotoRefused(INCOMPLETE)
        marker, position = data[match.start() + 1], match.end()
        if marker == EOI:
            return _check_jpeg(frame, scans)
        if marker in STANDALONE:
            continue
        if len(data) < position + 7:
            raise PhotoRefused(INCOMPLETE)
        length = max(int.from_bytes(data[position : position + 2]), 2)
        if marker in FRAMES:
            frame = _frame(frame, data[position : position + length])
            in_one = marker in SEQUENTIAL
        if marker == SOS and in_one and not scans and data[position + 2] == frame[7]:
            return _check_jpeg(frame, scans=1)
        if marker == APP2 and data[position + 2 : position + 14] == b"ICC_PROFILE\0":
            profile += length
            check_extra(profile, MAX_PROFILE, "颜色描述文件")
        scans += marker == SOS
        position += length
    raise PhotoRefused(TOO_COSTLY)


def _frame(before: bytes, segment: bytes) -> bytes:
    if before or len(segment) < 8:
        raise PhotoRefused(BROKEN)
    height, width = struct.unpack(">HH", segment[3:7])
    check_pixels(width, height, JPEG_PIXELS)
    return segment


def _check_jpeg(frame: bytes, scans: int) -> None:
    if not frame or not scans:
        raise PhotoRefused(BROKEN)
    if scans == 1:
        return
    height, width = struct.unpack(">HH", frame[3:7])
    pixels = width * height
    if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
        raise PhotoRefused(
            f"这张 JPEG 照片分 {scans} 次扫描存储，处理起来过于费时。请用看图软件另存为普通 JPEG 后再上传。"
        )
    if pixels * _samples(frame) > MAX_COEFFICIENTS:
        check_pixels(width, height, int(MAX_COEFFICIENTS / _samples(frame)))


def _samples(frame: bytes) -> float:
    """How many samples a pixel has on average: 1.5 where both colours are stored at half the size."""
    factors = [(factor >> 4, factor & 15) for factor in frame[9 : 8 + 3 * frame[7] : 3]]
    if not factors or 0 in {side for pair in factors for side in pair}:
        raise PhotoRefused(BROKEN)
    most = max(across for across, _ in factors) * max(down for _, down in factors)
    return sum(across * down for across, down in factors) / most


# --- PNG (ISO/IEC 15948) -------------------------------------------------------------------------------------------

PNG_NOTES = {b"iCCP": MAX_PROFILE, b"zTXt": MAX_NOTES, b"iTXt": MAX_NOTES, b"tEXt": MAX_NOTES, b"eXIf": MAX_NOTES}


def inspect_png(data: File) -> None:
    position, notes = 8, 0
    for _part in range(MAX_PARTS):
        if position + 12 > len(data):
            raise PhotoRefused(INCOMPLETE)
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if (position == 8) != (kind == b"IHDR" and length == 13):
            raise PhotoRefused(BROKEN)
        if position == 8:
            width, height = struct.unpack(">II", data[16:24])
            check_pixels(width, height, PNG_PIXELS)
        if kind in {b"acTL", b"fcTL"}:
            raise animated("PNG")
        if kind in PNG_NOTES:
            check_extra(length, PNG_NOTES[kind], "颜色描述文件" if kind == b"iCCP" else "文字和拍摄信息")
            notes += length
            check_extra(notes, 2 * MAX_PROFILE, "文字和拍摄信息")
        if kind == b"IEND":
            return
        position += 12 + length
    raise PhotoRefused(TOO_COSTLY)


# --- WebP (RFC 9649) -----------------------------------------------------------------------------------------------

ANIMATION, STILL = {b"ANIM", b"ANMF"}, {b"VP8 ", b"VP8L"}
ALPHA_BYTE = {b"VP8X": 0, b"VP8L": 4}  # the one of a chunk in which a bit stands for transparency


def inspect_webp(data: File) -> None:
    limit, pictures = _webp_limit(data), 0
    for kind, start, length in webp_chunks(data):
        head = data[start : start + 10]
        if kind in ANIMATION or (kind == b"VP8X" and head[:1] and head[0] & 2):
            raise animated("WebP")
        if kind in STILL or kind == b"VP8X":
            check_pixels(*_webp_size(kind, head), limit)
        if kind in {b"ICCP", b"EXIF", b"XMP "}:
            check_extra(length, MAX_PROFILE, "颜色描述文件" if kind == b"ICCP" else "文字和拍摄信息")
        pictures += kind in STILL
    if pictures != 1:
        raise PhotoRefused(BROKEN)


def webp_chunks(data: File) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and length in bytes of what each chunk holds; at the end it is known whether all of it is there."""
    position, end = 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise PhotoRefused(INCOMPLETE)
    for _part in range(MAX_PARTS):
        if position + 8 > end:
            break
        kind, length = struct.unpack("<4sI", data[position : position + 8])
        yield kind, position + 8, length
        position += 8 + length + length % 2
    else:
        raise PhotoRefused(TOO_COSTLY)
    if position > end + 1:
        raise PhotoRefused(INCOMPLETE)


def webp_is_transparent(data: File) -> bool:
    """Whether it says so; a picture that does may still be opaque all over."""
    return any(
        kind == b"ALPH" or (kind in ALPHA_BYTE and data[start + ALPHA_BYTE[kind]] & 0x10)
        for kind, start, _ in webp_chunks(data)
    )


def _webp_limit(data: File) -> int:
    """In pixels. Less than WEBP_PIXELS only of files above 9 MB, and 28 million at the least."""
    if b"VP8L" in (kind for kind, _, _ in webp_chunks(data)) and webp_is_transparent(data):
        return min(WEBP_PIXELS, int((TRANSPARENT_WEBP_BYTES - len(data)) / BYTES_OF_PIXEL))
    return WEBP_PIXELS


def _webp_size(kind: bytes, head: bytes) -> tuple[int, int]:
    """Width and height in pixels from the first ten bytes of a chunk."""
    if len(head) < 10:
        raise PhotoRefused(INCOMPLETE)
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[6:10])
    return width & 0x3FFF, height & 0x3FFF


# --- HEIC (ISO/IEC 23008-12) ---------------------------------------------------------------------------------------

SEQUENCES = {b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"}
SIZE_BOX = re.compile(rb"\0\0\0\x14ispe\0\0\0\0(.{8})", re.DOTALL)


def inspect_heic(data: File) -> None:
    """Its sizes stand in boxes of their own before the picture; the decoder checks once more what it found."""
    if data[8:12] in SEQUENCES:
        raise animated("HEIC")
    for parts, found in enumerate(SIZE_BOX.finditer(data)):
        if parts > MAX_PARTS:
            raise PhotoRefused(TOO_COSTLY)
        width, height = struct.unpack(">II", found[1])
        check_pixels(width, height, HEIC_PIXELS)
