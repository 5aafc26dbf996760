"""Fuzz the reading of photos, guided by coverage: python -m scripts.fuzz_photos [-max_total_time=600] [CORPUS]

Needs atheris (group bench). Anything but a working copy or PhotoRefused is a finding; so is a file that takes long.
The bytes reach the pipeline in this process, not in a bounded child: what the child would hide must show here.
"""

import sys

import atheris

with atheris.instrument_imports(include=["photos", "PIL", "pi_heif"]):
    from photos import opening
    from photos.pipeline import PhotoRefused, read

LAYERED = opening.LAYERED_WEBP_PIXELS


def try_one(data: bytes) -> None:
    """Twice: transparent WebP pictures of more pixels than a fuzzer makes are read in another way."""
    for pixels in (LAYERED, 0):
        opening.LAYERED_WEBP_PIXELS = pixels
        try:
            read(data)
        except PhotoRefused:
            continue


def main() -> None:
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
