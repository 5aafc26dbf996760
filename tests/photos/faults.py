"""A storage that goes wrong at the n-th question: refuses, tears, does it but is not heard, stays away, or all ends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from photos.storages import PrivateFolder, StoredFile


class Killed(BaseException):
    """The process is no more: nothing after this moment happens."""


@dataclass
class Plan:
    """What happens at which question. `questions` are those asked since the plan was made."""

    kind: str = ""
    at: int = 0
    questions: int = 0

    @property
    def came_true(self) -> bool:
        return 0 < self.at <= self.questions


KINDS = ["refused", "torn", "not heard", "away from then on", "killed before", "killed after"]
PLAN = Plan()


def problem() -> BaseException:
    return Killed() if PLAN.kind.startswith("killed") else OSError(28, "No space left on device")


def asked(do: Callable[[], Any], tear: Callable[[], Any] = lambda: None) -> Any:
    """Do it, or what the plan says of this question. The dead do not ask again, and who is away stays away."""
    PLAN.questions += 1
    if not PLAN.came_true:
        return do()
    if PLAN.questions > PLAN.at:
        if PLAN.kind in {"away from then on", "killed before", "killed after"}:
            raise problem()
        return do()
    if PLAN.kind == "torn":
        tear()
    if PLAN.kind in {"not heard", "killed after"} and hasattr(done := do(), "close"):
        done.close()
    raise problem()


class FaultyFolder(PrivateFolder):
    def _save(self, name: str, content: Any) -> str:
        def torso() -> None:
            FileSystemStorage._save(self, name, ContentFile(content.read(100)))

        return asked(lambda: super(FaultyFolder, self)._save(name, content), torso)

    def _open(self, name: str, mode: str = "rb") -> Any:
        return asked(lambda: super(FaultyFolder, self)._open(name, mode))

    def delete(self, name: str) -> None:
        asked(lambda: super(FaultyFolder, self).delete(name))

    def exists(self, name: str) -> bool:
        return asked(lambda: super(FaultyFolder, self).exists(name))

    def walk(self, folder: str) -> Iterator[StoredFile]:
        yield from asked(lambda: list(super(FaultyFolder, self).walk(folder)))
