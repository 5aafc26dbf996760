"""Say what a file is by its content alone, and refuse what would be too costly to decode before it is decoded."""

import re
import struct
from collections.abc import Callable
from enum import StrEnum

from photos.containers import File, inspect_heic, inspect_jpeg, inspect_png, inspect_webp
from photos.refusals import ADVICE, INCOMPLETE, PhotoRefused


class Format(StrEnum):
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    HEIC = "HEIC"


INSPECTORS: dict[Format, Callable[[File], None]] = {
    Format.JPEG: inspect_jpeg,
    Format.PNG: inspect_png,
    Format.WEBP: inspect_webp,
    Format.HEIC: inspect_heic,
}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
PICTURES = [
    (rb"GIF8", "GIF 动图"),
    (rb"....ftyp(?:avif|avis)", "AVIF 图片"),
    (rb"BM", "BMP 图片"),
    (rb"II\*\0|MM\0\*", "TIFF 图片"),
    (rb"8BPS", "Photoshop 文件"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000 图片"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL 图片"),
    (rb"\0\0\x01\0", "图标文件"),
]
OTHERS = [
    (rb".{0,1000}?%PDF-", "PDF 文件"),
    (rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", "视频文件"),
    (rb"PK\x03\x04", "压缩包或 Office 文档"),
    (rb"\xd0\xcf\x11\xe0", "Office 文档"),
    (rb"Rar!|7z\xbc\xaf|\x1f\x8b", "压缩包"),
    (rb"MZ|\x7fELF", "程序文件"),
    (rb"(?is)(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,1000}?|<!--.{0,1000}?)?(?:<!doctype\s+)?<?svg", "SVG 矢量图"),
    (rb"(?is)(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|script)", "网页文件"),
]


def inspect(data: File) -> Format:
    """What the file is, once its own figures (pixels, scans, frames, profiles) are known to be affordable.

    Names and declared types play no part. Raises PhotoRefused with a sentence that names what the file looks like.
    """
    if not data:
        raise PhotoRefused("这个文件是空的（0 字节）。" + ADVICE)
    format = _format(data)
    if format:
        try:
            INSPECTORS[format](data)
        except (struct.error, IndexError) as problem:  # it ends in the middle of a figure
            raise PhotoRefused(INCOMPLETE) from problem
        return format
    raise PhotoRefused(_what_it_looks_like(data))


def _format(data: File) -> Format | None:
    if data[:3] == b"\xff\xd8\xff":
        return Format.JPEG
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return Format.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Format.WEBP
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and b"avif" not in data[16:64]:
        return Format.HEIC
    return None


def _what_it_looks_like(data: File) -> str:
    head = data[:2048]
    for pattern, name in PICTURES:
        if re.match(pattern, head, re.DOTALL):
            return f"不支持这种格式的图片（看起来是{_spaced(name)}）。{ADVICE}"
    for pattern, name in OTHERS:
        if re.match(pattern, head, re.DOTALL):
            return f"这个文件不是照片（看起来是{_spaced(name)}）。{ADVICE}"
    if b"\0" not in head and _is_text(head):
        return f"这个文件不是照片（看起来是文本文件）。{ADVICE}"
    return f"这个文件不是照片，或者已经损坏。{ADVICE}"


def _spaced(name: str) -> str:
    return f" {name}" if name[0].isascii() else name


def _is_text(head: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            head[:1000].decode(encoding)
        except UnicodeDecodeError as problem:
            if problem.start < min(len(head), 1000) - 4:
                continue
        return True
    return False
