"""Hostile and odd pictures, made from a seed, each with the verdict it deserves."""

import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from PIL import Image

from tests.photos.builders import TURNED, chunk, png, resized_frame, riff, scans_of, segment, with_chunk, with_segments
from tests.photos.pictures import HEIC, encoded, quarters

UPRIGHT = ("red", "green", "blue", "white")
DAMAGED = "已损坏|不完整"
COSTLY = "过于费时|最多"


@dataclass(frozen=True)
class Case:
    """`verdict`: the quarters that are to be seen, or what the sentence of the refusal matches; `either` allows both."""

    name: str
    data: bytes
    verdict: tuple[str, ...] | str
    either: bool = False


WHOLE: dict[str, bytes] = {
    "jpeg": encoded(quarters(), quality=85),
    "progressive": encoded(quarters(), quality=85, progressive=True),
    "png": encoded(quarters(), "PNG"),
    "webp": encoded(quarters(), "WEBP"),
    "lossless webp": encoded(quarters(), "WEBP", lossless=True),
    "heic": HEIC,
}


def orientations() -> Iterator[Case]:
    for format in ("JPEG", "PNG", "WEBP"):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            exif.get_ifd(0x8825)[1] = "N"
            stored = quarters().transpose(TURNED[orientation]) if orientation in TURNED else quarters()
            yield Case(f"{format} orientation {orientation}", encoded(stored, format, exif=exif), UPRIGHT)
    for odd in (0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = odd
        yield Case(f"orientation {odd}", encoded(quarters(), exif=exif), UPRIGHT)


def modes() -> Iterator[Case]:
    for mode in ("RGB", "CMYK", "L"):
        for progressive in (False, True):
            seen = UPRIGHT if mode != "L" else "grey"
            yield Case(f"JPEG {mode} {progressive}", encoded(quarters().convert(mode), progressive=progressive), seen)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield Case(f"JPEG {subsampling}", encoded(quarters(), subsampling=subsampling), UPRIGHT)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        image = quarters().convert("L") if mode == "I;16" else quarters()
        image = quarters().quantize(8) if mode == "P" else image.convert(mode)
        yield Case(f"PNG {mode}", encoded(image, "PNG"), UPRIGHT if mode in {"P", "RGB", "RGBA"} else "grey")
    for mode in ("RGB", "RGBA", "L"):
        yield Case(f"WebP {mode}", encoded(quarters().convert(mode), "WEBP"), UPRIGHT if mode != "L" else "grey")


def truncations() -> Iterator[Case]:
    for name, data in WHOLE.items():
        for share in (0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99):
            yield Case(f"{name} cut at {share}", data[: int(len(data) * share)], DAMAGED + "|不是照片")


def short() -> Iterator[Case]:
    """A file that ends in the middle of a figure of its head."""
    for name, data in WHOLE.items():
        for size in range(12, 44):
            yield Case(f"{name}, {size} bytes", data[:size], DAMAGED + "|不是照片")


def flips() -> Iterator[Case]:
    chance = random.Random(20261126)
    for name, data in WHOLE.items():
        for number in range(15):
            bent = bytearray(data)
            for _ in range(chance.choice([1, 4, 30])):
                bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
            yield Case(f"{name} flipped {number}", bytes(bent), "。$", either=True)


def bombs() -> Iterator[Case]:
    jpeg, progressive = WHOLE["jpeg"], WHOLE["progressive"]
    zeros = zlib.compress(b"\0" * 50_000_000, 9)
    for width, height in ((12000, 12000), (40000, 500), (65535, 65535), (30000, 30000)):
        yield Case(f"PNG bomb {width}", png(width, height, chunk(b"IDAT", zeros)), COSTLY)
        yield Case(f"JPEG bomb {width}", resized_frame(jpeg, width, height), COSTLY)
        yield Case(f"progressive bomb {width}", resized_frame(progressive, width, height, b"\xff\xc2"), COSTLY)
    for side in (6000, 8000, 16383):
        body = struct.pack("<I", (side - 1) | (side - 1) << 14)
        yield Case(f"WebP bomb {side}", riff((b"VP8L", b"\x2f" + body + b"\0" * 60)), COSTLY)
        vp8x = b"\0\0\0\0" + (side - 1).to_bytes(3, "little") * 2
        yield Case(f"WebP canvas bomb {side}", riff((b"VP8X", vp8x), (b"VP8L", b"\x2f" + body + b"\0" * 60)), COSTLY)
        ispe = struct.pack(">II", side * 2, side * 2)
        at = HEIC.index(b"ispe") + 8
        yield Case(f"HEIC bomb {side}", HEIC[:at] + ispe + HEIC[at + 8 :], COSTLY)
    for number in (61, 200, 500):
        yield Case(f"{number} scans", scans_of(progressive, number), "过于费时")
    for kind in (b"zTXt", b"iTXt", b"tEXt", b"eXIf"):
        yield Case(f"large {kind!r}", with_chunk(WHOLE["png"], kind, b"a" * 1_100_000), "最多 1024 KB")
    yield Case("large iCCP", with_chunk(WHOLE["png"], b"iCCP", b"a\0\0" + b"z" * 4_300_000), "最多 4096 KB")
    for kind, head in ((b"zTXt", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0"), (b"iCCP", b"a\0\0")):
        yield Case(f"{kind!r} bomb", with_chunk(WHOLE["png"], kind, head + zeros), "。$", either=True)
    app2 = segment(0xE2, b"ICC_PROFILE\0\1\1" + b"p" * 65_000)
    yield Case("ICC in 70 segments", with_segments(jpeg, *[app2] * 70), "最多 4096 KB")
    yield Case("20,000 segments", with_segments(jpeg, *[segment(0xFE, b"")] * 20_000), "过于费时")
    yield Case("20,000 chunks", png(600, 800, *[chunk(b"tIME", b"")] * 20_000), "过于费时")
    yield Case("IDAT beyond need", with_chunk(WHOLE["png"], b"IDAT", zeros), "。$", either=True)
    yield Case("WebP of 20,000 chunks", riff(*[(b"ABCD", b"")] * 20_000), "过于费时")


def animations() -> Iterator[Case]:
    more: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (600, 800))]}
    yield Case("APNG", encoded(quarters(), "PNG", **more), "PNG 动图")
    yield Case("animated WebP", encoded(quarters(), "WEBP", **more), "WebP 动图")
    yield Case("GIF", encoded(quarters(), "GIF", **more), "GIF 动图")
    yield Case("animated WebP by a chunk", riff((b"ANIM", b"\0" * 6), (b"VP8L", b"\x2f" + b"\0" * 20)), "WebP 动图")
    for brand in (b"hevc", b"hevx", b"msf1"):
        yield Case(f"HEIC {brand!r}", HEIC[:8] + brand + HEIC[12:], "HEIC 动图")


def polyglots() -> Iterator[Case]:
    archive = BytesIO()
    with ZipFile(archive, "w") as file:
        file.writestr("evil.html", "<script>alert(1)</script>")
    tails = {
        "ZIP": archive.getvalue(),
        "PDF": b"%PDF-1.7\n1 0 obj<<>>endobj",
        "HTML": b"<script>alert(1)</script>",
        "PHP": b"<?php system($_GET[0]); ?>",
        "ELF": b"\x7fELF" + b"\0" * 200,
    }
    for name, tail in tails.items():
        for format in ("jpeg", "png", "webp", "heic"):
            yield Case(f"{format} with {name} behind", WHOLE[format] + tail, UPRIGHT)
        yield Case(f"JPEG with {name} in a comment", with_segments(WHOLE["jpeg"], segment(0xFE, tail)), UPRIGHT)
        yield Case(f"{name} before a JPEG", tail + WHOLE["jpeg"], "不是照片")
    yield Case("GIFAR", encoded(quarters(), "GIF") + archive.getvalue(), "GIF 动图")


def others() -> Iterator[Case]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield Case("SVG", svg, "SVG")
    yield Case("SVG with entities", b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "a">]>' + svg, "SVG|不是照片")
    yield Case("empty", b"", "0 字节")
    for format in ("BMP", "TIFF", "AVIF", "ICO", "PPM", "TGA", "PCX", "JPEG2000", "DIB"):
        yield Case(
            format, encoded(quarters().resize((200, 200)) if format == "ICO" else quarters(), format), "不支持|不是照片"
        )
    chance = random.Random(7)
    starts = {
        "JPEG": b"\xff\xd8\xff",
        "PNG": b"\x89PNG\r\n\x1a\n",
        "WebP": b"RIFF\x40\0\0\0WEBP",
        "HEIC": b"\0\0\0\x18ftypheic",
    }
    for name, start in starts.items():
        for size in (0, 10, 100, 5000):
            yield Case(f"noise as {name} {size}", start + chance.randbytes(size), ".*。$")
    for width, height in ((2, 2), (294, 413), (295, 412), (6000, 500)):
        yield Case(f"{width}×{height}", encoded(quarters(width, height)), "至少需要|过于狭长")
    yield Case("broken profile", encoded(quarters(), icc_profile=b"not a profile" * 99), UPRIGHT)
    yield Case("broken EXIF", with_segments(WHOLE["jpeg"], segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff")), UPRIGHT)
    yield Case("two frames", WHOLE["jpeg"][:-2] + WHOLE["jpeg"][2:], DAMAGED)


def cases() -> list[Case]:
    makers = (orientations, modes, truncations, short, flips, bombs, animations, polyglots, others)
    return [case for make in makers for case in make()]
