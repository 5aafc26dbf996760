"""What the metrics say in a test, read from the registry or from the text of an answer."""

import re

from accounts.metrics import REGISTRY

LINE = re.compile(r"^(portal_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

type Sample = tuple[str, frozenset[tuple[str, str]]]


def value(name: str, **labels: str) -> float:
    """Of one series of this process; 0 while there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def samples(text: str) -> dict[Sample, float]:
    """Every series of an answer."""
    return {
        (name, frozenset(LABEL.findall(labels or ""))): float(number) for name, labels, number in LINE.findall(text)
    }


def told(text: str, name: str, **labels: str) -> float | None:
    return samples(text).get((name, frozenset(labels.items())))
