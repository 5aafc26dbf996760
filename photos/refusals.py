"""The one exception by which a photo or a frame is refused, and the sentences that several places share. Pure."""

MEGAPIXEL = 1_000_000
KILOBYTE = 1024
MAX_SIDE = 30_000  # pixels
# A profile is a few kilobytes, a printer's some hundred.
MAX_PROFILE = 4096 * KILOBYTE

ADVICE = "请选择 JPEG、PNG、WebP 或 HEIC 格式的照片。"
BROKEN = "这张照片的文件已损坏，无法打开。请重新拍摄或换一张照片。"
INCOMPLETE = "这张照片的文件不完整，可能没有传完或保存完。请重新选择原来的照片再上传。"
TOO_COSTLY = "这张照片处理起来过于费时，或者占用的内存过多。请用手机或看图软件另存为普通 JPEG 照片后再上传。"


class PhotoRefused(ValueError):
    """The file or the frame cannot become a portrait. `str()` is the sentence for the person at the screen."""


def animated(name: str) -> PhotoRefused:
    return PhotoRefused(f"这是一张 {name} 动图，不能用作证件照。请换一张普通照片。")


def check_pixels(width: int, height: int, limit: int) -> None:
    """Refuse a picture whose sides or area (in pixels) are beyond what this server decodes."""
    if width < 1 or height < 1:
        raise PhotoRefused(BROKEN)
    if width * height > limit or max(width, height) > MAX_SIDE:
        raise PhotoRefused(
            f"您的照片为 {width}×{height} 像素（约 {width * height / MEGAPIXEL:.0f} 百万像素），"
            f"最多 {limit // MEGAPIXEL} 百万像素、每边 {MAX_SIDE} 像素。请缩小后再上传，或换一张照片。"
        )


def check_extra(size: int, most: int, what: str) -> None:
    """Refuse a file whose profile or notes of `size` bytes are beyond `most`."""
    if size > most:
        raise PhotoRefused(
            f"这张照片附带的{what}有 {size // KILOBYTE} KB，最多 {most // KILOBYTE} KB。"
            "请用手机或看图软件另存为普通 JPEG 照片后再上传。"
        )
