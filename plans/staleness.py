"""What was on the screen of whoever saves a form, and what others have changed of it meanwhile.

A form shows what it is about as `Part`s and has a digest of each of their fields in its field `seen`. Saved, it is
compared with what stands now: what differs was changed by somebody else, and nobody overwrites it without being told.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model

from accounts.kept_forms import WITHOUT_FILES

LENGTH = 4  # characters of a digest: one change in sixteen million is missed, and a page of many rows stays small
MOST_BYTES = 1024 * 1024  # of what was seen, unpacked: a page of two thousand rows has a fourth of it
MOST_NAMED = 8
UNREADABLE = "这一页打开得太久，或者没有完整送到，查不出别人是不是改过"
DELETED = "别人删除的仍在下面，再次保存会重新添加。"
AND_THEN = "下面仍是您填写的内容，请在新的页面里看过现在的内容，改好后再次保存，就以您的为准。"


@dataclass(frozen=True)
class Part:
    """One thing on a page: how a sentence calls it ("" for what the page itself is about), and its values by label."""

    name: str
    values: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, row: Model, name: str = "") -> "Part":
        """With all that a form may write: what moves by itself (seats taken) is nobody's change."""
        shown = [field for field in row._meta.concrete_fields if field.editable and not field.primary_key]
        return cls(name, tuple((str(field.verbose_name), text_of(getattr(row, field.attname))) for field in shown))

    def digests(self) -> list[str]:
        """Nobody forges what only warns himself."""
        hashed = (hashlib.sha256(value.encode()).digest() for _, value in self.values)
        return [base64.urlsafe_b64encode(found).decode()[:LENGTH] for found in hashed]


def text_of(value: Any) -> str:
    """A form has no seconds: whoever saves one cuts them off, and has changed nothing that anybody sees."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


type Standing = Mapping[str, Part]  # by a key that a change leaves as it is


@dataclass(frozen=True)
class Words:
    """What becomes of what others have added, and of what they have deleted, when the form is saved once more.

    `without_files` begins the keys of what cannot come back by itself, and `files` says what to do about it.
    """

    added: str
    without_files: str = ""
    files: str = ""

    def of_deleted(self, keys: Sequence[str]) -> str:
        lost = self.without_files and any(key.startswith(self.without_files) for key in keys)
        return f"{DELETED}{self.files if lost else ''}"


class SeenField(forms.CharField):
    """It belongs to the page, not to what is edited: nothing was changed by it."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


def seen_of(standing: Standing) -> str:
    """What a page with this on it has in its `seen`; nothing where nothing stands yet.

    Packed: a form that is kept over a login has 64 KB for everything, and in an address's writing a character of a name
    takes nine bytes.
    """
    shown = {key: [part.name, "".join(part.digests())] for key, part in standing.items()}
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode() if shown else ""


def read(seen: str) -> dict[str, tuple[str, list[str]]] | None:
    """The parts that were on the screen, each with its name and its digests; None for what is no `seen` of ours."""
    try:
        found = {
            key: (str(name), [text[at : at + LENGTH] for at in range(0, len(text), LENGTH)])
            for key, (name, text) in json.loads(unpacked(seen)).items()
        }
    except (AttributeError, RecursionError, TypeError, ValueError):
        return None
    return found


def unpacked(seen: str) -> bytes:
    """Raises ValueError for what is not whole, or would become larger than any page of ours."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(base64.urlsafe_b64decode(seen), MOST_BYTES)
    except zlib.error as problem:
        raise ValueError from problem
    if not unpacker.eof:
        raise ValueError
    return text


def compare(form: forms.BaseForm, standing: Standing, words: Words) -> None:
    """Called by a form's `clean`. Raises ValidationError where others have changed something meanwhile, and shows the
    form with what stands now as seen, so that whoever saves once more knows. A browser sends no file twice."""
    said = refusal(form.cleaned_data.get("seen", ""), standing, words) if standing else ""
    if said:
        said += WITHOUT_FILES if form.files else ""
        shown: Any = form.data.copy()  # type: ignore[attr-defined]  # a QueryDict or a dict
        shown[form.add_prefix("seen")] = seen_of(standing)
        form.data = shown
        raise ValidationError(said)


def refusal(seen: str, standing: Standing, words: Words) -> str:
    """The sentences for whoever saves; empty where nothing was changed."""
    shown = read(seen)
    if shown is None:
        return f"没有保存：{UNREADABLE}。{AND_THEN}"
    changed = [change(*shown[key], part) for key, part in standing.items() if key in shown]
    new = [part.name for key, part in standing.items() if key not in shown]
    gone = {key: name for key, (name, _) in shown.items() if key not in standing}
    said = [
        *few([sentence for sentence in changed if sentence], "，"),
        *(f"添加了{names}" for names in few(new, "、")),
        *(f"删除了{names}" for names in few([*gone.values()], "、")),
    ]
    if not said:
        return ""
    then = f"{words.added if new else ''}{words.of_deleted([*gone]) if gone else ''}"
    return f"没有保存：您打开这一页以后，别人{'，'.join(said)}。{AND_THEN}{then}"


def few(said: list[str], mark: str) -> list[str]:
    """The first of them as one text; of none there is none."""
    more = f"等 {len(said)} 处" if len(said) > MOST_NAMED else ""
    return [mark.join(said[:MOST_NAMED]) + more] if said else []


def change(name: str, digests: list[str], part: Part) -> str:
    """Which of its fields are not as they were seen; empty where all are."""
    now = part.digests()
    if len(now) != len(digests):  # another release has drawn the page
        return f"可能改过{name or '这一页的内容'}"
    pairs = zip(part.values, digests, now, strict=True)
    labels = [f"“{label}”" for (label, _), before, after in pairs if before != after]
    return f"改过{name and f'{name}的'}{'、'.join(labels)}" if labels else ""
