"""What the table of tasks keeps: the request that asked for it; of a failure where it was, never what was said."""

import re
from typing import Any

from django_tasks_db.models import DBTaskResult

from accounts import origin
from accounts.retention import Rows, remove_rows

REQUEST_ID = "request_id"
PLACE = re.compile(r'^ *File "[^"\n]+", line [0-9]+, in \S+$', re.MULTILINE)


def keep_places_alone(sender: type[DBTaskResult], instance: DBTaskResult, **kwargs: Any) -> None:
    """Before it is saved (pre_save). The whole of it, masked, is in the log."""
    if instance.traceback:
        instance.traceback = "\n".join(PLACE.findall(instance.traceback))


def keep_request_id(sender: type[DBTaskResult], instance: DBTaskResult, **kwargs: Any) -> None:
    """When it is enqueued (pre_save). Beside the arguments: django-tasks-db reads no more than those out of this field."""
    if instance._state.adding and (number := origin.current().request_id):
        instance.args_kwargs = {**instance.args_kwargs, REQUEST_ID: number}


def request_id_of(row: DBTaskResult) -> str:
    """Of the request that asked for it, or a new one; also for what somebody has written into the table by hand."""
    said = row.args_kwargs.get(REQUEST_ID) if isinstance(row.args_kwargs, dict) else None
    return said if isinstance(said, str) and origin.ACCEPTED_ID.fullmatch(said) else origin.new_request_id()


FINISHED = Rows(
    "tasks",
    "做完的后台任务",
    lambda before: DBTaskResult.objects.finished().filter(finished_at__lt=before),
    remove_rows,
)
