"""The process in which photos are decoded: it forks a child for each job, bounded in time and memory, and holds no secrets.

`python -m photos.decoder N` is started by photos/bounded.py, which has the other end of socket N, a stream. For each job it
sends one byte with two descriptors: a socket for the job, and the file with the picture. The job's socket first carries the
order (JSON, to its end), then back the answer of the child, and at the very end what it cost (TRAILER), from this process.
When that stream ends, the portal's process has ended, and this one does too. See docs/adr/0012-photos-are-decoded-in-a-child.md.
"""

import json
import os
import resource
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import asdict, astuple
from typing import Any

from PIL import Image

from photos import encoding, faces, pipeline
from photos.frames import Box
from photos.orientation import EXIF_ORIENTATION
from photos.refusals import PhotoRefused
from photos.spec import PhotoSpec

MEGABYTE = 1024 * 1024
MEMORY = 200 * MEGABYTE  # beyond what the child has at its start
CPU_SECONDS = 5  # the slowest ordinary photo takes about one and a half
WALL_SECONDS = 20
HEADER = struct.Struct("<I")  # bytes of the JSON at the head of an answer; its blobs follow
TRAILER = struct.Struct("<iqd")  # how the child ended as wait() says it, its greatest memory in bytes, its CPU seconds
BASE = struct.Struct("<q")  # the first bytes that a child sends: the memory it began with


# --- The child -----------------------------------------------------------------------------------------------------


def greatest_memory(usage: resource.struct_rusage) -> int:
    """In bytes: kilobytes to Linux, bytes to macOS."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def bind_hands() -> None:
    """Bounds that the system enforces, whatever runs here. macOS knows the ones on memory but does not enforce them."""
    signal.alarm(WALL_SECONDS)
    _limit(resource.RLIMIT_CPU, CPU_SECONDS)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    with suppress(OSError), open("/proc/self/statm") as pages:
        _limit(resource.RLIMIT_AS, int(pages.read().split()[0]) * resource.getpagesize() + MEMORY)


def _limit(what: int, most: int) -> None:
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (most, most))


def work(order: dict[str, Any], file: int) -> list[bytes]:
    """The answer to one job, piece by piece."""
    try:
        with os.fdopen(file, "rb") as picture:
            header, blobs = JOBS[order["job"]](picture, order)
    except PhotoRefused as refusal:
        cause = refusal.__cause__
        header, blobs = {"refused": str(refusal), "cause": f"{type(cause).__name__}" if cause else ""}, []
    head = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    return [HEADER.pack(len(head)), head, *blobs]


def _read(picture: Any, order: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    copy = pipeline.read(picture, PhotoSpec.from_dict(order["spec"]))
    face = list(astuple(copy.face)) if copy.face else None
    return {"width": copy.width, "height": copy.height, "face": face}, [copy.data, copy.preview]


def _crop(picture: Any, order: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    cropped = pipeline.crop(picture, Box(*order["box"]), PhotoSpec.from_dict(order["spec"]), order["turns"])
    findings = [asdict(finding) for finding in cropped.findings]
    return {"measured": cropped.measured, "findings": findings}, [cropped.data]


def _nothing(_picture: Any, _order: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    return {}, []


JOBS = {"read": _read, "crop": _crop, "nothing": _nothing}


def child(job: socket.socket, file: int) -> None:
    """Do one job and end. Only its own answer can be wrong, whatever the bytes made of this process."""
    job.sendall(BASE.pack(greatest_memory(resource.getrusage(resource.RUSAGE_SELF))))
    order = json.loads(b"".join(iter(lambda: job.recv(65536), b"")))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries complain there, about bytes of the picture
    bind_hands()
    for piece in work(order, file):
        job.sendall(piece)


# --- The decoder ---------------------------------------------------------------------------------------------------


def warm_up() -> None:
    """Load what children need once, before they are forked: Pillow imports much of itself only when it is first used."""
    faces.detector()
    side = max(pipeline.DEFAULT_SPEC.least_source)
    picture, exif = Image.new("RGB", (side, side), "grey"), Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # on its side, as most of a phone's pictures
    copy = pipeline.read(encoding.jpeg(picture, 90, exif=exif))
    pipeline.crop(copy.data, pipeline.suggest_box(copy.width, copy.height))


def serve(control: socket.socket) -> None:
    """Fork a child for each job until the portal's process has ended."""
    woken, waking = os.pipe()
    for end in (woken, waking):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    while True:
        ready: list[Any] = select.select([control.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            report(running)
        if control.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            if not message:
                break
            start(control, running, *descriptors)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def start(control: socket.socket, running: dict[int, socket.socket], job: int, file: int) -> None:
    connection = socket.socket(fileno=job)
    pid = os.fork()
    if not pid:
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.set_wakeup_fd(-1)
            control.close()
            for other in running.values():
                other.close()
            child(connection, file)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(file)
    running[pid] = connection


def report(running: dict[int, socket.socket]) -> None:
    """Say of each child that has ended how, and what it cost."""
    for pid in list(running):
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            with running.pop(pid) as connection, suppress(OSError):
                cost = greatest_memory(usage), usage.ru_utime + usage.ru_stime
                connection.sendall(TRAILER.pack(os.waitstatus_to_exitcode(status), *cost))


if __name__ == "__main__":
    warm_up()
    serve(socket.socket(fileno=int(sys.argv[1])))
