"""Files of attachments in the storage before their rows are written, and gone again where the rows are not."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import Error

from plans.models import Attachment

logger = logging.getLogger(__name__)


@contextmanager
def stored(sources: Iterable[tuple[str, Callable[[], IO[Any]]]]) -> Iterator[list[str]]:
    """The names under which copies of these files lie in the storage; removed should the body not end well.

    But not where a row names one, or the database does not say: who hears nothing of a commit does not know that it
    failed, and a file too many is found later (plans/personal_data.py), one too few never.

    `sources` are names and what opens each for reading. To be entered outside the transaction: a storage that is slow
    must not hold a row. Raises OSError where one cannot be read or stored.
    """
    names: list[str] = []
    try:
        for name, opened in sources:
            with opened() as content:
                names.append(default_storage.save(place_of(name), File(content, name)))
        yield names
    except BaseException:
        for name in unnamed(names):
            remove(name)
        raise


def unnamed(names: list[str]) -> list[str]:
    """Those that certainly no row names."""
    try:
        named = set(Attachment.objects.filter(file__in=names).values_list("file", flat=True))
    except Error:
        logger.exception("whether files of attachments are named is not known: they stay until the next purge")
        return []
    return [name for name in names if name not in named]


def place_of(name: str) -> str:
    """As the field itself would place a file of this name."""
    field: Any = Attachment._meta.get_field("file")
    return str(field.generate_filename(Attachment(), PurePath(name).name))


def remove(name: str) -> None:
    try:
        default_storage.delete(name)
    except OSError:
        logger.exception("the file of an attachment that is not offered could not be removed")
