"""The growth as a picture: a line for each step, over the number of registrations, as SVG."""

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 860, 420
LEFT, RIGHT, TOP, BOTTOM = 50, 250, 30, 50  # margins in pixels; the names stand in the right one
# Okabe and Ito's colours, which people who see few colours tell apart too; the ninth is a grey.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8a6d3b", "#777777"]
LINE_HEIGHT = 17


def svg(sizes: Sequence[int], lines: Sequence[tuple[str, Sequence[float]]], limit: float) -> str:
    """Each line's values in parts of its first one; `limit` is where they ought to end at the latest."""
    growths = [(name, [value / values[0] for value in values]) for name, values in lines]
    highest = max(limit, *(max(values) for _, values in growths)) * 1.05
    lowest = min(0.8, *(min(values) for _, values in growths)) * 0.95

    def x(size: float) -> float:
        span = math.log10(sizes[-1] / sizes[0]) or 1
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(size / sizes[0]) / span

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - lowest) / (highest - lowest)

    parts = [text(LEFT, 18, f"CPU in bare pages, as a multiple of that with {sizes[0]:,} registrations")]
    for size in sizes:
        parts.append(rule(x(size), TOP, x(size), HEIGHT - BOTTOM))
        parts.append(text(x(size), HEIGHT - BOTTOM + 20, f"{size:,}", anchor="middle"))
    for value in (1.0, limit):
        parts.append(rule(LEFT, y(value), WIDTH - RIGHT, y(value), dashed=value == limit))
        parts.append(text(LEFT - 8, y(value) + 4, f"{value:g}", anchor="end"))
    for place, (name, values) in enumerate(growths):
        colour = COLOURS[place % len(COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in zip(sizes, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        label = TOP + 10 + place * LINE_HEIGHT
        parts.append(rule(WIDTH - RIGHT + 14, label - 4, WIDTH - RIGHT + 32, label - 4, colour=colour, width=3))
        parts.append(text(WIDTH - RIGHT + 38, label, f"{name} {values[-1]:.2f}"))
    title = f"<title>{escape(parts[0].split('>')[1].split('<')[0])}</title>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
    return "\n".join([head, title, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>", ""])


def text(x: float, y: float, words: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222">{escape(words)}</text>'


def rule(
    x: float, y: float, to_x: float, to_y: float, *, dashed: bool = False, colour: str = "#bbb", width: int = 1
) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{dashes}/>'
    )
