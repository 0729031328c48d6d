"""A plain line chart as SVG: both axes logarithmic, a line a series, with a legend."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 100, 190, 40, 50
_COLOURS = ("#1b5e9c", "#b3541e", "#3a7d34", "#6a3d9a")


def line_chart(
    title: str, x_label: str, y_label: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """The chart's text; points are (x, y), both above 0."""
    xs = [x for line in series.values() for x, _ in line]
    ys = [y for line in series.values() for _, y in line]
    x_from, x_to = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    y_from, y_to = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(x: float) -> float:
        return round(_LEFT + wide * (math.log10(x) - x_from) / max(1, x_to - x_from), 1)

    def down(y: float) -> float:
        return round(_HEIGHT - _BOTTOM - tall * (math.log10(y) - y_from) / max(1, y_to - y_from), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>',
        f'<text x="{_LEFT + wide / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(x_label)}</text>',
        f'<g transform="translate(16 {_TOP + tall / 2}) rotate(-90)">',
        f'<text text-anchor="middle">{escape(y_label)}</text></g>',
    ]
    for power in range(x_from, x_to + 1):
        x = across(10.0**power)
        parts.append(f'<path d="M{x} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y_from, y_to + 1):
        y = down(10.0**power)
        parts.append(f'<path d="M{_LEFT} {y}H{_LEFT + wide}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{10**power:,}</text>')
    for number, ((name, line), colour) in enumerate(zip(series.items(), _COLOURS, strict=False)):
        spots = " ".join(f"{across(x)},{down(y)}" for x, y in line)
        parts.append(f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = _LEFT + wide + 16, _TOP + 16 + 20 * number
        parts.append(f'<path d="M{x} {y}h16" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{x + 22}" y="{y + 4}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
