"""The chart: refunds a second, one bar for each contender, as an SVG without any library."""

from __future__ import annotations

from html import escape

from bench.report import contenders
from bench.results import Run

WIDTH, LEFT, RIGHT, BAR, STEP, TOP = 860, 190, 110, 22, 34, 64
COLOURS = {"caisse-pg": "#0b7285", "caisse-sqlite": "#0b7285", "ceiling": "#adb5bd"}
OTHERS = "#868e96"
STYLE = "font-family='system-ui, sans-serif' font-size='14'"


def svg(run: Run) -> str:
    """A complete document."""
    bars = [(name, rate) for name in contenders(run) if (rate := run.rate(name, "spread"))]
    bars.sort(key=lambda bar: -bar[1])
    most = max((rate for _, rate in bars), default=1.0)
    height = TOP + STEP * len(bars) + 40
    lines = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' {STYLE} role='img'>",
        f"<rect width='{WIDTH}' height='{height}' fill='white'/>",
        "<text x='16' y='28' font-size='18' font-weight='600'>Durable refunds a second</text>",
        f"<text x='16' y='48' fill='#495057'>spread over {run.players:,} players, one machine: "
        f"{escape(run.machine.get('processor', ''))}</text>",
    ]
    for number, (name, rate) in enumerate(bars):
        lines += _bar(TOP + STEP * number, name, rate, most)
    foot = f"ceiling: HTTP alone, no ledger; pgbench and django: no HTTP. {run.when}, {run.form} form"
    lines.append(f"<text x='16' y='{height - 14}' fill='#495057' font-size='12'>{escape(foot)}</text>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(top: int, name: str, rate: float, most: float) -> list[str]:
    width = max((WIDTH - LEFT - RIGHT) * rate / most, 1.0)
    colour = COLOURS.get(name, OTHERS)
    middle = top + BAR * 0.72
    return [
        f"<text x='{LEFT - 10}' y='{middle:.0f}' text-anchor='end'>{escape(name)}</text>",
        f"<rect x='{LEFT}' y='{top}' width='{width:.1f}' height='{BAR}' rx='3' fill='{colour}'/>",
        f"<text x='{LEFT + width + 8:.1f}' y='{middle:.0f}'>{rate:,.0f}</text>",
    ]
