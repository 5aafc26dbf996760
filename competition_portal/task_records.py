"""What the table of tasks keeps of a failure: where it was, never what was said, which may name people."""

import re
from typing import Any

from django_tasks_db.models import DBTaskResult

PLACE = re.compile(r'^ *File "[^"\n]+", line [0-9]+, in \S+$', re.MULTILINE)


def keep_places_alone(sender: type[DBTaskResult], instance: DBTaskResult, **kwargs: Any) -> None:
    """Before it is saved (pre_save). The whole of it, masked, is in the log."""
    if instance.traceback:
        instance.traceback = "\n".join(PLACE.findall(instance.traceback))
