"""Measure what a photo costs, upload to portrait, beside libvips and libjpeg-turbo's own tools: python -m bench.photo

CPU seconds and memory are those of the child that decodes (its greatest resident size beyond that at its start), the
best of several runs; the portal's process also holds the uploaded bytes. libvips needs the group `bench`, the tools
djpeg and cjpeg the Debian package libjpeg-turbo-progs; what is missing is left out.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from photos import bounded
from photos.decoder import MEGABYTE
from photos.frames import DEFAULT_SPEC, suggest_box

RUNS = 7
SIZES = {"12 MP": (4032, 3024), "48 MP": (8064, 6048)}


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


def elsewhere(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and megabytes of work in a fork of this process, or in what it starts."""
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError("the work failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def vips(path: str) -> None:
    import pyvips

    image = pyvips.Image.thumbnail(path, 295, height=413, crop="centre")
    image.write_to_buffer(".jpg[Q=90,strip]")


def turbo(path: str) -> None:
    """The least that libjpeg-turbo does for a working copy: decode at a half, encode."""
    with open(os.devnull, "wb") as nowhere:
        decoding = subprocess.Popen(["djpeg", "-scale", "1/2", path], stdout=subprocess.PIPE)  # noqa: S603, S607
        subprocess.run(["cjpeg", "-quality", "90"], stdin=decoding.stdout, stdout=nowhere, check=True)  # noqa: S607
    decoding.wait()


def others(path: str) -> dict[str, float]:
    """CPU milliseconds of each that is installed."""
    found = {}
    try:
        import pyvips

        pyvips.concurrency_get()
        found["libvips"] = min(elsewhere(lambda: vips(path))[0] for _ in range(RUNS))
    except (ImportError, OSError):
        print("libvips is not installed (group bench)", file=sys.stderr)
    if shutil.which("djpeg") and shutil.which("cjpeg"):
        found["djpeg | cjpeg"] = min(elsewhere(lambda: turbo(path))[0] for _ in range(RUNS))
    return {name: seconds * 1000 for name, seconds in found.items()}


def overhead() -> float:
    """Milliseconds from asking to answer when there is nothing to do."""
    times = []
    for _ in range(100):
        began = time.perf_counter()
        bounded.ask("nothing", b"-")
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    bounded.ask("nothing", b"-")
    print(f"a child for nothing: {overhead():.1f} ms")
    for name, (width, height) in SIZES.items():
        for orientation in (1, 6):
            data = photo(width, height, orientation)
            runs = [portal(data) for _ in range(RUNS)]
            read, crop = min(run[0] for run in runs), min(run[2] for run in runs)
            print(
                f"{name}, orientation {orientation}, {len(data) / MEGABYTE:.1f} MB: {1000 * (read + crop):.0f} ms CPU "
                f"(read {1000 * read:.0f}, crop {1000 * crop:.0f}), +{runs[0][1]:.1f} MB, preview {runs[0][3] / 1024:.0f} KB"
            )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.jpg"
            path.write_bytes(data)
            for other, milliseconds in others(str(path)).items():
                print(f"    {other}: {milliseconds:.0f} ms CPU")


if __name__ == "__main__":
    main()
