"""The seal: whatever is done to the bytes of a backup, it is noticed and told in a sentence."""

import base64
import io
import random

import pytest

from competition_portal.backups.problems import BackupProblem
from competition_portal.backups.sealed import CHUNK, MAGIC, TAG_BYTES, SealedReader, SealedWriter
from competition_portal.variables.parsers import keyring
from tests.backups.portal import KEYS, OTHER_KEYS

SEALED = CHUNK + TAG_BYTES
HEAD = len(MAGIC) + len("b1\n") + 32
CHANGED = "备份文件被改动过、已经损坏或没有传完（第 {} 段）。请重新取一份，或换一份备份。"
NOT_OPEN = (
    "备份打不开：BACKUP_KEYS 中的 b1 不是当时的那一把密钥，或者文件被改动过或没有传完。请核对密钥，或换一份备份。"
)
CUT_OFF = "备份文件不完整，后面的部分没有了，可能没有传完。请重新取一份，再执行一次。"
NO_BACKUP = "这不是本系统的备份文件，或者文件的开头已经损坏。请换一份备份。"
BAD_HEAD = "备份文件的开头已经损坏或不完整。请换一份备份。"


def plain(size):
    return random.Random(size).randbytes(size)


def sealed(data, keys=KEYS, step=100_000):
    out = io.BytesIO()
    writer = SealedWriter(out, keys)
    for start in range(0, len(data), step):
        writer.write(data[start : start + step])
    writer.finish()
    assert writer.written == len(out.getvalue())
    return out.getvalue()


def opened(data, keys=KEYS, step=100_000):
    """As it is read from a pipe, which gives less than it was asked for."""

    class Pipe(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 70_001))

    reader, found = SealedReader(Pipe(data), keys), []
    while piece := reader.read(step):
        found.append(piece)
    return b"".join(found)


def refusal(data, keys=KEYS):
    with pytest.raises(BackupProblem) as caught:
        opened(data, keys)
    return str(caught.value)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17])
def test_what_was_sealed_is_opened(size):
    data = plain(size)
    whole = sealed(data)
    assert opened(whole) == data
    assert len(whole) == HEAD + size + TAG_BYTES * max(-(-size // CHUNK), 1)


def test_the_same_is_sealed_in_another_way_each_time():
    assert sealed(b"the same")[HEAD:] != sealed(b"the same")[HEAD:]


def test_old_keys_open_and_the_first_one_seals():
    old = sealed(b"old")
    both = {**OTHER_KEYS, **KEYS}
    assert (opened(old, both), sealed(b"new", both)[len(MAGIC) :][:3]) == (b"old", b"b2\n")


@pytest.mark.parametrize("name", ["b1", "备份1", "密" * 16])
def test_every_name_that_a_key_may_have(name):
    keys = keyring(f"{name}:{base64.b64encode(KEYS['b1']).decode()}")
    assert opened(sealed(b"x", keys), keys) == b"x"


def test_a_key_that_is_not_there_is_named():
    said = "备份所用的密钥 b1 不在 BACKUP_KEYS 中。请把这把密钥加进 BACKUP_KEYS，再执行一次。"
    assert refusal(sealed(b"x"), OTHER_KEYS) == said


def test_another_key_under_the_same_name():
    assert refusal(sealed(plain(3 * CHUNK)), {"b1": OTHER_KEYS["b2"]}) == NOT_OPEN


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (3, NO_BACKUP),
        (len(MAGIC), "备份所用的密钥 c1 不在 BACKUP_KEYS 中。请把这把密钥加进 BACKUP_KEYS，再执行一次。"),
        (len(MAGIC) + 2, BAD_HEAD),
        (HEAD - 1, NOT_OPEN),
        (HEAD, NOT_OPEN),
        (HEAD + SEALED + 5, CHANGED.format(2)),
        (HEAD + 2 * SEALED - 1, CHANGED.format(2)),
        (-1, CHANGED.format(4)),
    ],
)
def test_one_bit(place, said):
    data = bytearray(sealed(plain(3 * CHUNK + 9)))
    data[place] ^= 1
    assert refusal(bytes(data)) == said


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (0, NO_BACKUP),
        (len(MAGIC) + 1, BAD_HEAD),
        (HEAD, NOT_OPEN),
        (HEAD + 100, NOT_OPEN),
        (HEAD + SEALED, CUT_OFF),
        (HEAD + 2 * SEALED, CUT_OFF),
        (HEAD + 2 * SEALED + 1, CHANGED.format(3)),
        (HEAD + 3 * SEALED + 9 + TAG_BYTES - 1, CHANGED.format(4)),
    ],
)
def test_a_file_that_was_cut_off(left, said):
    assert refusal(sealed(plain(3 * CHUNK + 9))[:left]) == said


def chunks(data):
    body = data[HEAD:]
    return data[:HEAD], [body[start : start + SEALED] for start in range(0, len(body), SEALED)]


def test_chunks_that_changed_places_or_are_there_twice_or_not_at_all():
    head, (one, two, three, last) = chunks(sealed(plain(3 * CHUNK + 9)))
    assert refusal(head + two + one + three + last) == NOT_OPEN
    assert refusal(head + one + three + two + last) == CHANGED.format(2)
    assert refusal(head + one + two + two + three + last) == CHANGED.format(3)
    assert refusal(head + one + three + last) == CHANGED.format(2)
    assert refusal(head + one + two + three + last + last) == CHANGED.format(4)
    assert refusal(head + one + two + three + last + b"more") == CHANGED.format(4)


def test_a_chunk_of_another_backup_under_the_same_key():
    data = plain(3 * CHUNK + 9)
    head, ours = chunks(sealed(data))
    _, others = chunks(sealed(data))
    assert refusal(head + ours[0] + others[1] + ours[2] + ours[3]) == CHANGED.format(2)
    assert refusal(head + b"".join(others)) == NOT_OPEN


def test_what_was_never_finished():
    out = io.BytesIO()
    SealedWriter(out, KEYS).write(plain(2 * CHUNK + 9))
    assert refusal(out.getvalue()) == CUT_OFF
