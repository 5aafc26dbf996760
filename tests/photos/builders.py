"""Put JPEG, PNG and WebP files together part by part, as no camera would: the bricks of hostile and odd pictures."""

import struct
import zlib
from io import BytesIO

from PIL import Image

# What a camera that was held so does to a picture; EXIF says by this number how to undo it.
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def with_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    return data[:33] + chunk(kind, body) + data[33:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_segments(data: bytes, *segments: bytes) -> bytes:
    return data[:2] + b"".join(segments) + data[2:]


def scans_of(data: bytes, number: int) -> bytes:
    """The same progressive JPEG with its last scan repeated until there are `number` of them."""
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (number - data.count(b"\xff\xda")) + data[-2:]


def scan_for_each_colour(image: Image.Image) -> bytes:
    """A baseline JPEG whose three colours stand in scans of their own, as no camera writes it."""
    greys = []
    for plane in image.convert("YCbCr").split():
        buffer = BytesIO()
        plane.save(buffer, "JPEG", quality=90)
        greys.append(buffer.getvalue())
    frame, tables = greys[0].index(b"\xff\xc0"), greys[0].index(b"\xff\xc4")
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    head = greys[0][:frame] + segment(0xC0, struct.pack(">BHHB", 8, image.height, image.width, 3) + components)
    scans = [
        segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + grey[grey.index(b"\xff\xda") + 10 : -2]
        for number, grey in enumerate(greys, start=1)
    ]
    return head + greys[0][tables : greys[0].index(b"\xff\xda")] + b"".join(scans) + b"\xff\xd9"


def resized_frame(data: bytes, width: int, height: int, marker: bytes = b"\xff\xc0") -> bytes:
    frame = data.index(marker)
    return data[: frame + 5] + struct.pack(">HH", height, width) + data[frame + 9 :]
