"""What is declared of an environment variable: how its text is read, and all that operators are told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUIRED = object()  # it must be set
FOLLOWS = object()  # what it is without being set follows from other variables: competition_portal/settings.py says how


@dataclass(frozen=True)
class Variable:
    """`parse` gives the value of a text, or raises what competition_portal/environment.py catches.

    `cure` is the sentence for whoever has set it wrongly. The rest is Markdown, one line each, for the table in
    docs/operations/configuration.md; `usual` is the default in words, where `default` itself cannot be shown.
    """

    parse: Callable[[str], Any]
    cure: str
    meaning: str
    example: str
    default: Any = REQUIRED
    usual: str = ""
