"""What the portal holds about one person, told group by group by the rooms that hold it.

Each room registers its holdings when the apps are ready (AppConfig.ready), so that this floor knows none of them.
Every model with a relation to an account is named by one of them: tests/accounts/test_personal_data.py asks them all.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from accounts.models import User


@dataclass(frozen=True)
class Fact:
    """One thing that is known: how it is called, what the page shows of it, and what the download says in full.

    `full` may be a function, asked for the download alone: for what is large. It raises OSError where a storage is away.
    None is what is shown.
    """

    label: str
    shown: str
    full: Any = None
    link: str = ""

    def in_full(self) -> Any:
        value = self.full() if callable(self.full) else self.full
        return self.shown if value is None else value


@dataclass(frozen=True)
class Entry:
    """One thing of a group, a registration or a portrait: its facts, under a title where there are several."""

    facts: Sequence[Fact]
    title: str = ""

    def in_full(self) -> dict[str, Any]:
        return {fact.label: fact.in_full() for fact in self.facts}


@dataclass(frozen=True)
class Holding:
    """One group of what is held: what, why, for how long, and how it ends.

    `covers` names the models, as `app.Model`. `count` says by name how much an erasure would remove, `erase` removes it
    inside the erasure's transaction; `stays` says, by model, why something of it remains. `refuses` gives the sentences
    that stand in the way of an erasure, `warns` those that say what will become of what is there. `place` orders the page.
    """

    place: int
    title: str
    why: str
    how_long: Callable[[], str]
    covers: Sequence[str]
    tell: Callable[[User], Iterable[Entry]]
    erase: Callable[[User], None]
    count: Callable[[User], dict[str, int]]
    stays: dict[str, str] = field(default_factory=dict)
    refuses: Callable[[User], list[str]] = lambda user: []
    warns: Callable[[User], list[str]] = lambda user: []


REGISTERED: list[Holding] = []


def register(*holdings: Holding) -> None:
    """Called once by each room; what is built on another is registered after it, and erased before it."""
    REGISTERED.extend(holding for holding in holdings if holding not in REGISTERED)


def for_pages() -> list[Holding]:
    return sorted(REGISTERED, key=lambda holding: holding.place)


def days(kind: str) -> int:
    """How long a kind of data is kept: the retention table of the settings."""
    return settings.RETENTION[kind]


def in_full(user: User, head: Mapping[str, str]) -> Iterator[str]:
    """All that is held about this person as one JSON object, behind the facts of `head`: each group with its reason, its
    time and its entries. Piece by piece, an entry each, so that of what is large one is held at a time."""
    comma = "{"
    for name, value in head.items():
        yield f"{comma}\n  {as_json(name)}: {as_json(value)}"
        comma = ","
    for holding in for_pages():
        about = {"用途": holding.why, "保存多久": holding.how_long()}
        facts = "".join(f"\n    {as_json(name)}: {as_json(value)}," for name, value in about.items())
        yield f'{comma}\n  {as_json(holding.title)}: {{{facts}\n    "内容": ['
        comma, between, end = ",", "", ""
        for entry in holding.tell(user):
            yield f"{between}\n      "
            yield as_json(entry.in_full()).replace("\n", "\n      ")  # a break within a text is escaped
            between, end = ",", "\n    "
        yield f"{end}]\n  }}"
    yield "\n}"


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, cls=DjangoJSONEncoder)


def facts_of(row: models.Model, names: Iterable[str]) -> list[Fact]:
    """These fields of a row as facts, in words as the pages say them; what is empty is left out."""
    found = []
    for name in names:
        value = getattr(row, name)
        if value in ("", None):
            continue
        chosen = getattr(row, f"get_{name}_display", None)
        label = str(row._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        found.append(Fact(label, in_words(chosen() if chosen else value)))
    return found


def in_words(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    return str(value)
