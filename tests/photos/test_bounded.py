"""The process that decodes: what it may use, what becomes of a child that is stopped, and that it comes back."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from PIL import Image

from photos import bounded, decoder
from photos.decoder import MEGABYTE
from photos.pipeline import PhotoRefused, crop, read, suggest_box
from photos.refusals import TOO_COSTLY
from tests.measured import value
from tests.photos.pictures import HEIC, drawn_portrait, encoded, quarters


def test_it_gives_what_the_pipeline_gives():
    data = encoded(quarters(1000, 1400))
    copy = bounded.read(data)
    assert copy == read(data)
    box = suggest_box(copy.width, copy.height)
    assert bounded.crop(copy.data, box, turns=2) == crop(copy.data, box, turns=2)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", encoded(quarters(200, 280)), encoded(quarters())[:900]])
def test_it_refuses_with_the_sentence_of_the_pipeline(data):
    sentences = []
    for function in (read, bounded.read):
        with pytest.raises(PhotoRefused) as refused:
            function(data)
        sentences.append(str(refused.value))
    assert sentences[0] == sentences[1]


def test_each_is_counted_by_how_it_ended(monkeypatch):
    def counts():
        names = [("read", outcome) for outcome in ("done", "refused", "busy")] + [("crop", "done")]
        counted = [value("portal_photo_decodes_total", job=job, outcome=outcome) for job, outcome in names]
        return [*counted, value("portal_photo_decode_cpu_seconds_count", job="read")]

    before = counts()
    copy = bounded.read(encoded(quarters(1000, 1400)))
    bounded.crop(copy.data, suggest_box(copy.width, copy.height))
    for _ in range(2):
        with pytest.raises(PhotoRefused):
            bounded.read(b"")
    monkeypatch.setattr(bounded, "PATIENCE", 0.01)
    monkeypatch.setattr(bounded, "_turns", threading.BoundedSemaphore(1))
    with bounded._turns, pytest.raises(PhotoRefused):
        bounded.read(b"")
    assert [after - number for number, after in zip(before, counts(), strict=True)] == [1, 2, 1, 1, 3]
    assert value("portal_photo_children") == 0


def stopped(body: str) -> bounded.Answer:
    """What comes of a child that does this instead of its job."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            decoder.bind_hands()
            exec(body, {"os": os})
        except MemoryError:
            os.write(write_end, b"MemoryError")
            os._exit(0)
        finally:
            os._exit(3)
    os.close(write_end)
    _, status, usage = os.wait4(pid, 0)
    said = os.read(read_end, 100)
    os.close(read_end)
    return bounded.Answer(
        {"said": said.decode()}, [], os.waitstatus_to_exitcode(status), bounded.Cost(usage.ru_utime, 0)
    )


def test_a_child_that_computes_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr(decoder, "CPU_SECONDS", 1)
    answer = stopped("while True: pass")
    assert answer.outcome == "killed"
    assert (answer.ended in {-signal.SIGXCPU, -signal.SIGKILL}, answer.cost.cpu < 2) == (True, True)


def test_a_child_that_sleeps_for_ever_is_stopped(monkeypatch):
    monkeypatch.setattr(decoder, "WALL_SECONDS", 1)
    assert stopped("import time; time.sleep(60)").ended == -signal.SIGALRM


def test_a_child_gets_two_hundred_megabytes_and_no_more():
    assert stopped("x = bytearray(150 << 20); os._exit(0)").ended == 0
    assert stopped("x = bytearray(600 << 20); os._exit(0)").facts == {"said": "MemoryError"}


def test_a_child_that_was_killed_is_a_sentence_and_a_line(caplog):
    killed = bounded.Answer({}, [], -signal.SIGSEGV, bounded.Cost(1.5, 30 * MEGABYTE))
    with pytest.raises(PhotoRefused) as refused:
        killed.checked()
    assert str(refused.value) == TOO_COSTLY
    assert caplog.messages == ["A photo was refused: its decoder ended with -11 after 1.5 s of CPU, with 30 MB."]


def test_a_decoder_that_was_killed_is_started_again():
    data = encoded(drawn_portrait(600, 840))
    before = bounded.read(data)
    running = bounded.Decoder.of_this_process()
    running.process.kill()
    running.process.wait()
    assert bounded.read(data) == before
    assert bounded.Decoder.of_this_process() is not running


def test_one_that_did_not_answer_takes_no_later_one_with_it():
    """Two jobs lose the same decoder; the second one notices when there is another, with jobs of its own."""
    lost = bounded.Decoder.of_this_process()
    lost.end()
    later = bounded.Decoder.of_this_process()
    lost.end()
    assert bounded.Decoder.of_this_process() is later
    assert bounded.read(encoded(quarters())).width == 600


@pytest.mark.parametrize("missing", ["process", "file"])
def test_a_machine_that_has_nothing_left_asks_to_come_again(monkeypatch, caplog, missing):
    def exhausted(*args, **options):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    bounded.end()
    monkeypatch.setattr(*(subprocess, "Popen") if missing == "process" else (os, "memfd_create"), exhausted)
    with pytest.raises(PhotoRefused) as refused:
        bounded.read(encoded(quarters()))
    assert str(refused.value) == "现在上传的人较多，请过一会儿再试。"
    assert "no process, descriptor or memory left" in caplog.text
    monkeypatch.undo()
    assert bounded.read(encoded(quarters())).width == 600


def test_the_decoder_knows_no_secrets():
    process = bounded.Decoder.of_this_process().process
    with open(f"/proc/{process.pid}/environ", "rb") as file:
        names = {entry.split(b"=")[0].decode() for entry in file.read().split(b"\0") if entry}
    assert names <= {*bounded.INHERITED, *bounded.OWN}


def test_it_ends_with_the_process_that_started_it():
    decoder_of_its_own = bounded.Decoder()
    decoder_of_its_own.control.close()
    assert decoder_of_its_own.process.wait(10) == 0


def test_a_fork_starts_a_decoder_of_its_own():
    mine = bounded.Decoder.of_this_process().process.pid
    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            bounded.read(encoded(quarters()))
            theirs = bounded.Decoder.of_this_process()
            os.write(write_end, str(theirs.process.pid).encode())
            theirs.close()
        finally:
            os._exit(0)
    os.close(write_end)  # or the read below waits for ever, where the child says nothing
    os.waitpid(pid, 0)
    assert int(os.read(read_end, 20)) != mine
    os.close(read_end)
    assert bounded.read(encoded(quarters())).width == 600


IMPORTED_BY_A_CHILD = """
import sys
from photos import decoder, pipeline
decoder.warm_up()
known = set(sys.modules)
copy = pipeline.read(sys.stdin.buffer.read())
pipeline.crop(copy.data, pipeline.suggest_box(copy.width, copy.height))
print(sorted(set(sys.modules) - known))
"""


def phones_picture() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a phone's maker"
    return encoded(quarters(), exif=exif)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(phones_picture(), id="JPEG with EXIF"),
        pytest.param(encoded(quarters().convert("CMYK")), id="CMYK JPEG"),
        pytest.param(encoded(quarters().quantize(8), "PNG"), id="PNG"),
        pytest.param(encoded(quarters(), "WEBP"), id="WebP"),
        pytest.param(HEIC, id="HEIC"),
    ],
)
def test_what_a_child_needs_is_loaded_before_it_is_forked(data):
    """Or each child imports it anew, for some milliseconds of each photo."""
    command = [sys.executable, "-c", IMPORTED_BY_A_CHILD]
    done = subprocess.run(command, input=data, capture_output=True, cwd=bounded.ROOT, check=True)  # noqa: S603
    assert done.stdout.decode().strip() == "[]"


def test_who_gets_no_turn_is_asked_to_come_again(monkeypatch):
    monkeypatch.setattr(bounded, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(bounded, "PATIENCE", 0.05)
    with bounded._turns, pytest.raises(PhotoRefused) as refused:
        bounded.read(encoded(quarters()))
    assert str(refused.value) == "现在上传的人较多，请过一会儿再试。"


def test_two_at_once_answer_each_their_own():
    pictures = [encoded(quarters(600 + 10 * number, 900)) for number in range(6)]
    widths: dict[int, int] = {}

    def decode(number: int) -> None:
        widths[number] = bounded.read(pictures[number]).width

    threads = [threading.Thread(target=decode, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert widths == {number: 600 + 10 * number for number in range(6)}


def test_a_decoder_that_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(decoder, "WALL_SECONDS", 0)
    monkeypatch.setattr(bounded, "SPARE", 0.3)
    process = bounded.Decoder.of_this_process().process
    os.kill(process.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(PhotoRefused):
        bounded.read(encoded(quarters()))
    assert (time.monotonic() - began < 5, process.poll()) == (True, -signal.SIGKILL)
