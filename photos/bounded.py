"""Have photos decoded in a process of its own, so that no file costs more than its share or takes others down with it.

`read` and `crop` are those of photos/pipeline.py. What a child answers is data, never code: JSON, numbers and bytes.
"""

import atexit
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from photos import decoder, metrics
from photos.findings import Finding
from photos.frames import DEFAULT_SPEC, Box
from photos.pipeline import Cropped, WorkingCopy
from photos.refusals import TOO_COSTLY, PhotoRefused
from photos.spec import PhotoSpec

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 2  # decodes of this process; each may take 200 MB
PATIENCE = 8  # seconds that a request waits for its turn
SPARE = 5  # seconds beyond a child's own time after which its decoder is given up
MAX_ANSWER = 64 * decoder.MEGABYTE
BUSY = "现在上传的人较多，请过一会儿再试。"
# Of our environment the decoder gets what Python needs to run, and no more: it has no use for keys and passwords. One
# arena for all threads, or their reserves would count as memory. What a closed picture leaves is kept for the next one: to
# touch a megabyte of new memory costs as much as to turn one of pixels. For the same reason it is asked for by the 32 MB, and
# touched by the 2 MB where the system has such pages (glibc; others leave these names alone).
INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "PHOTO_FACES",
)
OWN = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * decoder.MEGABYTE),
    "MALLOC_TRIM_THRESHOLD_": str(64 * decoder.MEGABYTE),
    "MALLOC_TOP_PAD_": str(32 * decoder.MEGABYTE),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Cost:
    """What one decode cost: CPU seconds, and bytes of memory beyond those with which it began."""

    cpu: float
    memory: int


@dataclass(frozen=True)
class Answer:
    """What came back: the facts and the bytes, or nothing but the `ended` of a child that was stopped."""

    facts: dict[str, Any]
    blobs: list[bytes]
    ended: int
    cost: Cost

    @property
    def outcome(self) -> str:
        """In a word: killed is a child that was stopped, or that fell."""
        if self.ended or not self.facts:
            return "killed"
        return "refused" if "refused" in self.facts else "done"

    def checked(self) -> "Answer":
        """Itself, or PhotoRefused with the sentence of the refusal, and a line in the log."""
        if self.outcome == "killed":
            logger.warning(
                "A photo was refused: its decoder ended with %d after %.1f s of CPU, with %d MB.",
                *(self.ended, self.cost.cpu, self.cost.memory // decoder.MEGABYTE),
            )
            raise PhotoRefused(TOO_COSTLY)
        if "refused" in self.facts:
            if cause := self.facts.get("cause"):
                logger.info("A photo could not be decoded: %s", cause)
            raise PhotoRefused(str(self.facts["refused"]))
        return self


def read(data: bytes, spec: PhotoSpec = DEFAULT_SPEC) -> WorkingCopy:
    """pipeline.read() in a bounded process. Raises PhotoRefused."""
    answer = ask("read", data, spec=spec.as_dict()).checked()
    copy, preview = answer.blobs
    face = Box(*map(int, answer.facts["face"])) if answer.facts["face"] else None
    return WorkingCopy(copy, int(answer.facts["width"]), int(answer.facts["height"]), preview, face)


def crop(data: bytes, box: Box, spec: PhotoSpec = DEFAULT_SPEC, turns: int = 0) -> Cropped:
    """pipeline.crop() in a bounded process. Raises PhotoRefused."""
    answer = ask("crop", data, spec=spec.as_dict(), box=astuple(box), turns=turns).checked()
    measured = {str(name): float(value) for name, value in answer.facts["measured"].items()}
    return Cropped(answer.blobs[0], measured, [Finding.from_dict(found) for found in answer.facts["findings"]])


def ask(job: str, data: bytes, **order: Any) -> Answer:
    """The decoder's answer to one job. Raises PhotoRefused when there is no turn to be had within some seconds, and when
    the system gives nothing to decode with."""
    turns = _turns
    if not turns.acquire(timeout=PATIENCE):
        logger.warning("A photo was refused: %d others were being decoded for %d s.", AT_ONCE, PATIENCE)
        metrics.DECODES.labels(job, "busy").inc()
        raise PhotoRefused(BUSY)
    try:
        with _in_file(data) as file, metrics.CHILDREN.track_inprogress():
            answer = _exchange(json.dumps({"job": job, **order}).encode(), file)
    except OSError as problem:
        logger.exception("A photo was refused: this machine has no process, descriptor or memory left for its decoder.")
        metrics.DECODES.labels(job, "busy").inc()
        raise PhotoRefused(BUSY) from problem
    finally:
        turns.release()
    metrics.DECODES.labels(job, answer.outcome).inc()
    metrics.CPU_SECONDS.labels(job).observe(answer.cost.cpu)
    return answer


@contextmanager
def _in_file(data: bytes) -> Iterator[BinaryIO]:
    """A nameless file in memory: the child reads it piece by piece and need not hold it whole."""
    with (
        os.fdopen(os.memfd_create("photo"), "w+b") if hasattr(os, "memfd_create") else tempfile.TemporaryFile() as file
    ):
        file.write(data)
        file.flush()
        file.seek(0)
        yield file


def _exchange(order: bytes, file: BinaryIO) -> Answer:
    mine = Decoder.of_this_process()
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            mine.hand_over(theirs.fileno(), file.fileno())
        try:
            ours.sendall(order)
            ours.shutdown(socket.SHUT_WR)
            received = _received(ours, time.monotonic() + decoder.WALL_SECONDS + SPARE)
        except OSError:
            received = b""
    answer = _parsed(received)
    if answer is None:
        logger.warning("The decoder of photos did not answer and is ended.")
        mine.end()
        return Answer({}, [], 1, Cost(0, 0))
    return answer


def _received(connection: socket.socket, deadline: float) -> bytes:
    """All that is sent, or OSError when it is too much or takes too long."""
    pieces: list[bytes] = []
    size = 0
    while True:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        piece = connection.recv(262_144)
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > MAX_ANSWER:
            raise OSError("too long an answer")
        pieces.append(piece)


def _parsed(received: bytes) -> Answer | None:
    """None where even the decoder's own last words are missing: then it is out of order."""
    if len(received) < decoder.TRAILER.size:
        return None
    ended, memory, cpu = decoder.TRAILER.unpack(received[-decoder.TRAILER.size :])
    said = received[: -decoder.TRAILER.size]
    base = decoder.BASE.unpack_from(said)[0] if len(said) >= decoder.BASE.size else memory
    cost = Cost(cpu, max(0, memory - base))
    try:
        facts, blobs = _unpacked(said[decoder.BASE.size :])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Answer({}, [], ended, cost)
    return Answer(facts, blobs, ended, cost)


def _unpacked(said: bytes) -> tuple[dict[str, Any], list[bytes]]:
    if len(said) < decoder.HEADER.size:
        return {}, []
    start = decoder.HEADER.size + decoder.HEADER.unpack_from(said)[0]
    facts = json.loads(said[decoder.HEADER.size : start])
    blobs = []
    for size in facts["blobs"]:
        blobs.append(said[start : start + size])
        start += size
    if start != len(said):
        raise ValueError("cut short")
    return facts, blobs


class Decoder:
    """A running photos/decoder.py. Each process of the portal starts its own at the first photo, and again when it is gone."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        with ExitStack() as failed, theirs:
            failed.callback(self.control.close)
            self.process = subprocess.Popen(  # noqa: S603  our own Python and our own module
                [sys.executable, "-m", "photos.decoder", str(theirs.fileno())],
                cwd=ROOT,
                env={name: os.environ[name] for name in INHERITED if name in os.environ} | OWN,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl+C is for the portal, which then closes the socket
            )
            failed.pop_all()

    @staticmethod
    def of_this_process() -> "Decoder":
        global _decoder
        with _lock:
            if _decoder and _decoder.process.poll() is not None:
                logger.warning(
                    "The decoder of photos had ended with %s; another is started.", _decoder.process.returncode
                )
                _decoder.close()
                _decoder = None
            _decoder = _decoder or Decoder()
            return _decoder

    def end(self) -> None:
        """End this one, and none that has taken its place meanwhile; the next photo starts another."""
        global _decoder
        with _lock:
            if _decoder is self:
                _decoder = None
            self.close()

    def hand_over(self, job: int, file: int) -> None:
        with _lock, suppress(OSError):  # a decoder that has just ended: no answer comes
            socket.send_fds(self.control, [b"j"], [job, file])

    def close(self) -> None:
        self.control.close()
        self.process.kill()
        self.process.wait()


_decoder: Decoder | None = None
_lock = threading.Lock()
_turns = threading.BoundedSemaphore(AT_ONCE)


def end() -> None:
    """End the decoder of this process, where there is one."""
    if _decoder:
        _decoder.end()


def _forget() -> None:
    """In a fork, gunicorn's workers for one: the decoder is the parent's, and a lock may be held by nobody who is left."""
    global _decoder, _lock, _turns
    if _decoder:
        _decoder.control.close()
        _decoder.process.returncode = 0  # not ours to wait for
    _decoder, _lock, _turns = None, threading.Lock(), threading.BoundedSemaphore(AT_ONCE)


os.register_at_fork(after_in_child=_forget)
atexit.register(end)
