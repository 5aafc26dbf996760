"""A bar plot as numbers for a template to draw: no script, no style, no library. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 960, 260  # of the viewBox
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 20, 36
MOST_LABELS = 10


@dataclass(frozen=True)
class Bar:
    label: str
    value: int
    x: float
    y: float
    width: float
    height: float
    named: bool  # whether the axis has room for its label

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Line:
    value: int
    y: float


@dataclass(frozen=True)
class Plot:
    bars: list[Bar]
    lines: list[Line]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def floor(self) -> int:
        return self.height - BOTTOM

    @property
    def label_y(self) -> int:
        return self.height - BOTTOM + 20


def ceiling(most: int) -> tuple[int, int]:
    """The axis' end and its step, both whole: 1, 2 or 5 times a power of ten, at most five steps above `most`."""
    step, factors = 1, (2, 2.5, 2)
    for turn in range(60):
        if step * 5 >= most:
            break
        step = int(step * factors[turn % 3])
    return step * max(1, -(-most // step)), step


def bars(rows: Sequence[tuple[str, int]]) -> Plot:
    """A bar for each (label, value); values are not negative."""
    top, step = ceiling(max((value for _, value in rows), default=0))
    room, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    place = room / max(1, len(rows))
    wide = min(place * 0.8, 48)
    every = -(-len(rows) // MOST_LABELS) if rows else 1

    def up(value: int) -> float:
        return round(tall * value / top, 1)

    drawn = [
        Bar(
            label,
            value,
            x=round(LEFT + place * (number + 0.5) - wide / 2, 1),
            y=round(TOP + tall - up(value), 1),
            width=round(wide, 1),
            height=up(value),
            named=number % every == 0,
        )
        for number, (label, value) in enumerate(rows)
    ]
    lines = [Line(value, round(TOP + tall - up(value), 1)) for value in range(0, top + 1, step)]
    return Plot(drawn, lines)
