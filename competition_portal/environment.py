"""Read variables from the environment: a wrong value is refused with its cure, and never repeated."""

import os
from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError

from competition_portal.variables import VARIABLES
from competition_portal.variables.variable import REQUIRED

AS_DECLARED = object()


def read(name: str, *, default: Any = AS_DECLARED) -> Any:
    """The parsed value of a variable, or its default when it is unset or empty; `default` is for one that FOLLOWS.

    Raises ImproperlyConfigured, with the variable's cure as the way out, when it must be set and is not, or does not parse.
    The value itself is never repeated: it may be a secret.
    """
    variable = VARIABLES[name]
    text = os.environ.get(name, "").strip()
    if not text:
        value = variable.default if default is AS_DECLARED else default
        if value is REQUIRED:
            raise ImproperlyConfigured(f"缺少环境变量 {name}。{variable.cure}")
        return value
    try:
        return variable.parse(text)
    except (ValueError, LookupError, TypeError, AttributeError, OSError, ImproperlyConfigured, ValidationError):
        # Not "from" the problem: a traceback would repeat the value.
        raise ImproperlyConfigured(f"环境变量 {name} 的值不正确。{variable.cure}") from None


def together(**values: str) -> None:
    """All of these variables or none of them. Raises ImproperlyConfigured."""
    missing = [name for name, value in values.items() if not value]
    given = [name for name, value in values.items() if value]
    if given and missing:
        raise ImproperlyConfigured(
            f"设了 {'、'.join(given)}，就还要设 {'、'.join(missing)}。{VARIABLES[missing[0]].cure}"
        )


def needs(name: str, **needed: str) -> None:
    """What a variable cannot do without: nothing of the kind when it is empty. Raises ImproperlyConfigured."""
    missing = [other for other, value in needed.items() if not value]
    if os.environ.get(name, "").strip() and missing:
        raise ImproperlyConfigured(f"设了 {name}，就还要设 {'、'.join(missing)}。{VARIABLES[missing[0]].cure}")
