"""Say what a file is by its content alone, and refuse what would be too costly to decode before it is decoded."""

import re
import struct
from enum import StrEnum

MEGAPIXEL = 1_000_000
# A baseline JPEG is decoded at reduced scale and in strips; everything else needs the whole picture in memory.
MAX_PIXELS_IN_STRIPS = 120 * MEGAPIXEL
MAX_PIXELS_AT_ONCE = 30 * MEGAPIXEL
MAX_SIDE = 30_000
# Ordinary progressive files have about ten scans; 500 repeated ones in 170 kB cost 12 s of CPU.
MAX_SCANS = 60
MAX_SCANNED_PIXELS = 500 * MEGAPIXEL

ADVICE = "请选择 JPEG、PNG 或 HEIC 格式的照片。"
BROKEN = "这张照片的文件已损坏，无法打开。请重新拍摄或换一张照片。"
INCOMPLETE = "这张照片的文件不完整，可能没有传完或保存完。请重新选择原来的照片再上传。"


class PhotoRefused(ValueError):
    """The file or the frame cannot become a portrait. `str()` is the sentence for the person at the screen."""


class Format(StrEnum):
    JPEG = "JPEG"
    PNG = "PNG"
    HEIC = "HEIC"


HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
PICTURES = [
    (rb"GIF8", "GIF 动图"),
    (rb"RIFF....WEBP", "WebP 图片"),
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


def inspect(data: bytes) -> Format:
    """What the file is, once its own figures (pixels, scans, frames) are known to be affordable.

    Names and declared types play no part. Raises PhotoRefused with a sentence that names what the file looks like.
    """
    if not data:
        raise PhotoRefused("这个文件是空的（0 字节）。" + ADVICE)
    if data.startswith(b"\xff\xd8\xff"):
        _inspect_jpeg(data)
        return Format.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        _inspect_png(data)
        return Format.PNG
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and b"avif" not in data[16:64]:
        return Format.HEIC
    raise PhotoRefused(_what_it_looks_like(data))


def check_pixels(width: int, height: int, *, limit: int = MAX_PIXELS_AT_ONCE) -> None:
    """Refuse a picture whose sides or area (in pixels) are beyond what this server decodes."""
    if width < 1 or height < 1:
        raise PhotoRefused(BROKEN)
    if width * height > limit or max(width, height) > MAX_SIDE:
        raise PhotoRefused(
            f"您的照片为 {width}×{height} 像素（约 {width * height / MEGAPIXEL:.0f} 百万像素），"
            f"最多 {limit // MEGAPIXEL} 百万像素、每边 {MAX_SIDE} 像素。请缩小后再上传，或换一张照片。"
        )


def _what_it_looks_like(data: bytes) -> str:
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


# --- JPEG (ITU-T T.81, annex B) ------------------------------------------------------------------------------------

MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE = {0x01, SOI}


def _inspect_jpeg(data: bytes) -> None:
    """Walk the markers up to the end of the first picture: what follows it (a second one, a clip) is not read."""
    size, scans, position = None, 0, 2
    while match := MARKER.search(data, position):
        marker, position = data[match.start() + 1], match.end()
        if marker == EOI:
            return _check_jpeg(size, scans)
        if marker in STANDALONE:
            continue
        segment = data[position : position + 7]
        if len(segment) < 7:
            break
        length, _precision, height, width = struct.unpack(">HBHH", segment)
        if marker in FRAMES:
            if size:
                raise PhotoRefused(BROKEN)
            size = width, height
            check_pixels(width, height, limit=MAX_PIXELS_IN_STRIPS)
        scans += marker == SOS
        position += max(length, 2)
    raise PhotoRefused(INCOMPLETE)


def _check_jpeg(size: tuple[int, int] | None, scans: int) -> None:
    if not size or not scans:
        raise PhotoRefused(BROKEN)
    if scans > 1:
        # Several scans need all coefficients in memory, and each scan walks over all of them.
        check_pixels(*size, limit=MAX_PIXELS_AT_ONCE)
        if scans > MAX_SCANS or scans * size[0] * size[1] > MAX_SCANNED_PIXELS:
            raise PhotoRefused(
                f"这张 JPEG 照片分 {scans} 次扫描存储，处理起来过于费时。请用看图软件另存为普通 JPEG 后再上传。"
            )


# --- PNG (ISO/IEC 15948) -------------------------------------------------------------------------------------------


def _inspect_png(data: bytes) -> None:
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if position == 8:
            if kind != b"IHDR" or length != 13:
                raise PhotoRefused(BROKEN)
            check_pixels(*struct.unpack(">II", data[16:24]))
        if kind == b"acTL":
            raise PhotoRefused("这是一张 PNG 动图，不能用作证件照。请换一张普通照片。")
        if kind == b"IEND":
            return
        position += 12 + length
    raise PhotoRefused(INCOMPLETE)
