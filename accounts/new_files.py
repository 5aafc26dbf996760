"""A file that a command writes: whole under the name that was asked for, or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from django.core.management.base import CommandError

# What a folder answers that knows no second name for a file: FAT, many network shares.
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def new_file(output: Path, prefix: str, suffix: str = "") -> Iterator[BinaryIO]:
    """Under a name of its own first, readable by us alone; when the body is done and all of it on the disk, under `output`.

    What is there already is never overwritten, nor what came in between. Raises CommandError, OSError.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=output.parent)
    except OSError as problem:
        raise CommandError(f"不能写到 {output.parent}：{problem.strerror}。请检查目录和权限。") from problem
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        give_name(name, output)
    except FileExistsError as problem:
        raise CommandError(f"文件 {output} 刚才已由别的程序写出，没有覆盖。请换一个文件名，再执行一次。") from problem
    finally:
        Path(name).unlink(missing_ok=True)


def give_name(name: str, output: Path) -> None:
    """Unlike a renaming, a link refuses to take a name that is taken; where there are none, the name is taken first."""
    try:
        os.link(name, output)
    except OSError as problem:
        if problem.errno not in NO_LINKS:
            raise
        os.close(os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            os.replace(name, output)
        except BaseException:
            output.unlink()
            raise
    with suppress(OSError):  # the name as well is on the disk, where a folder can be told so; the file is there
        folder = os.open(output.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
