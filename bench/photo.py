"""Measure what a photo costs, upload to portrait, beside libvips and libjpeg-turbo's own tools: python -m bench.photo

CPU seconds and memory are those of the child that decodes (its greatest resident size beyond that at its start), the
best of several runs; the portal's process also holds the uploaded bytes. libvips needs the group `bench`, the tools
djpeg and cjpeg the Debian package libjpeg-turbo-progs; what is missing is left out, and a line says so.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from photos import bounded, faces
from photos.decoder import MEGABYTE
from photos.frames import DEFAULT_SPEC, suggest_box

RUNS = 7
SIZES = {"12 MP": (4032, 3024), "48 MP": (8064, 6048)}
AIMS = {"12 MP": 130, "48 MP": 200}  # milliseconds of CPU


def photo(width: int, height: int, orientation: int = 1) -> bytes:
    """A JPEG with the detail of a phone's: noise of several sizes, about 0.3 bytes a pixel."""
    layers = [Image.effect_noise((width // step, height // step), 60).resize((width, height)) for step in (2, 16, 64)]
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    Image.merge("RGB", layers).save(buffer, "JPEG", quality=80, exif=exif)
    return buffer.getvalue()


def portal(data: bytes) -> tuple[float, float, float, int]:
    """CPU seconds and megabytes of reading, CPU seconds of cropping, bytes of the preview."""
    spec = DEFAULT_SPEC.as_dict()
    read = bounded.ask("read", data, spec=spec).checked()
    box = suggest_box(read.facts["width"], read.facts["height"])
    edges = (box.left, box.top, box.width, box.height)
    crop = bounded.ask("crop", read.blobs[0], spec=spec, box=edges, turns=0).checked()
    return read.cost.cpu, max(read.cost.memory, crop.cost.memory) / MEGABYTE, crop.cost.cpu, len(read.blobs[1])


def elsewhere(work: Callable[[], object]) -> float:
    """CPU seconds of work in a fork of this process and in what it starts."""
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError("the work failed")
    return usage.ru_utime + usage.ru_stime


def vips(path: str) -> None:
    import pyvips

    image = pyvips.Image.thumbnail(path, 295, height=413, crop="centre")
    image.write_to_buffer(".jpg[Q=90,strip]")


def turbo(path: str, scale: int) -> None:
    """The least that libjpeg-turbo does for a working copy: decode at the portal's scale, encode."""
    with open(os.devnull, "wb") as nowhere:
        command = ["djpeg", "-scale", f"1/{scale}", path]
        decoding = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: S603
        subprocess.run(["cjpeg", "-quality", "90"], stdin=decoding.stdout, stdout=nowhere, check=True)  # noqa: S607
    decoding.wait()


def peers() -> dict[str, Callable[[str, int], None]]:
    """What is measured beside the portal; a line for what is not there."""
    found: dict[str, Callable[[str, int], None]] = {}
    try:
        import pyvips

        found[f"libvips {pyvips.version(0)}.{pyvips.version(1)}"] = lambda path, _scale: vips(path)
    except (ImportError, OSError):
        print("libvips is left out: it is not installed (group bench)")
    if shutil.which("djpeg") and shutil.which("cjpeg"):
        found["djpeg + cjpeg"] = turbo
    else:
        print("djpeg and cjpeg are left out: they are not installed (libjpeg-turbo-progs)")
    return found


def limits(data: bytes, scale: int, found: dict[str, Callable[[str, int], None]]) -> dict[str, float]:
    """CPU milliseconds that each of the peers takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(data)
        return {
            name: 1000 * min(elsewhere(partial(work, str(path), scale)) for _ in range(RUNS))
            for name, work in found.items()
        }


def overhead() -> float:
    """Milliseconds from asking to answer when there is nothing to do."""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        bounded.ask("nothing", b"-")
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(f"face detector: {'installed' if faces.detector() else 'not installed (group faces)'}")
    found = peers()
    bounded.ask("nothing", b"-")
    print(f"a child for nothing: {overhead():.1f} ms")
    print(row("photo", "aim ms", "CPU ms", "read", "crop", "aim MB", "MB", "preview KB", *found))
    for name, size in SIZES.items():
        for orientation in (1, 6):
            data = photo(*size, orientation)
            runs = [portal(data) for _ in range(RUNS)]
            read, crop = (1000 * min(run[part] for run in runs) for part in (0, 2))
            figures = (f"{read + crop:.0f}", f"{read:.0f}", f"{crop:.0f}", 20, f"{runs[0][1]:.1f}")
            beside = [f"{taken:.0f}" for taken in limits(data, size[0] // 2000, found).values()]
            photographed = f"{name}, {'upright' if orientation == 1 else 'on its side'}, {len(data) / MEGABYTE:.1f} MB"
            print(row(photographed, AIMS[name], *figures, f"{runs[0][3] / 1024:.0f}", *beside))


if __name__ == "__main__":
    main()
