"""What the service shows to its operator: metrics for a machine, a page for a person."""

import html
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mstheft.oracle.http.accounts import Account, Detector
from mstheft.typing import Array

BINS, WIDTH, HEIGHT = 40, 672, 150

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;
color:#222;background:#fff}h1{font-size:1.5rem}section{border-top:1px solid #ccc;margin-top:1.5rem}
.bar{background:#e4e4e4;height:.8rem}.bar div{background:#0072b2;height:100%}
.alarm{color:#a33a00;font-weight:bold}svg{max-width:100%;height:auto}small{color:#555}"""


@dataclass
class Tally:
    """Counts since the service started."""

    requests: int = 0
    rows: int = 0
    refusals: dict[int, int] = field(default_factory=dict)

    def answered(self, rows: int) -> None:
        """One request of so many rows was answered."""
        self.requests += 1
        self.rows += rows

    def refused(self, code: int) -> None:
        """One request was refused with a 4xx."""
        self.refusals[code] = self.refusals.get(code, 0) + 1


def metrics(accounts: Iterable[Account], tally: Tally) -> str:
    """Counts in the Prometheus text format. Rows per account survive a restart, the rest not."""
    accounts = list(accounts)
    alarms = [None if each.watch is None else int(each.watch.alarm) for each in accounts]
    lines = [
        "# TYPE mstheft_requests_total counter",
        f"mstheft_requests_total {tally.requests}",
        "# TYPE mstheft_refused_total counter",
        *(f'mstheft_refused_total{{code="{c}"}} {n}' for c, n in sorted(tally.refusals.items())),
    ]
    for name, kind, values in (
        ("rows_total", "counter", [each.count for each in accounts]),
        ("rows_left", "gauge", [each.left for each in accounts]),
        ("alarm", "gauge", alarms),
    ):
        lines.append(f"# TYPE mstheft_{name} {kind}")
        for account, value in zip(accounts, values, strict=True):
            if value is not None:
                lines.append(f'mstheft_{name}{{account="{_label(account.name)}"}} {value}')
    return "\n".join(lines) + "\n"


def page(accounts: Iterable[Account], facts: dict[str, Any]) -> str:
    """One HTML page with everything in it; it loads itself again every 5 s."""
    refused = ", ".join(f"{n} with {code}" for code, n in sorted(facts["refusals"].items()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>mstheft service</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="refresh" content="5"><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style>"
        f"<h1>A model worth stealing</h1><p>{html.escape(facts['model'])}</p>"
        f"<p>{facts['requests']:,} requests answered since the start, {facts['rows']:,} rows; "
        f"refused: {refused or 'none'}.</p>" + "".join(map(_section, accounts)) + "</html>"
    )


def _section(account: Account) -> str:
    left, bar = "no budget", ""
    if account.budget is not None:
        left = f"{account.left:,} of {account.budget:,} left"
        share = 100 * (account.left or 0) / max(1, account.budget)
        bar = f'<div class="bar"><div style="width:{share:.1f}%"></div></div>'
    rows = f"<p>{account.count:,} rows asked, {left}</p>{bar}"
    return f"<section><h2>{html.escape(account.name)}</h2>{rows}{_watch(account.watch)}</section>"


def _watch(detector: Detector | None) -> str:
    """The findings of the detector of an account."""
    if detector is None:
        return "<p>no detector</p>"
    w = "not enough queries for a test yet" if detector.w is None else f"W = {detector.w:.3f}"
    alarm = '<span class="alarm">ALARM</span>' if detector.alarm else "no alarm"
    return f"<p>{alarm}; {w}</p>{histogram(np.asarray(detector.distances))}"


def histogram(distances: Array) -> str:
    """Distances of queries to their nearest earlier one, (m,), as an SVG picture.

    Up to the 99th percentile, and to ten medians: the far queries of a thief would press all others
    into one bar.
    """
    if len(distances) == 0:
        return "<p><small>no distances between queries yet</small></p>"
    limit = np.quantile(distances, 0.99, method="inverted_cdf")
    far = distances > min(limit, 10 * np.median(distances) or limit)
    counts, edges = np.histogram(distances[~far], BINS)
    step, most = WIDTH / BINS, counts.max()
    bars = "".join(
        f'<rect x="{i * step:.1f}" y="{HEIGHT * (1 - n / most):.1f}" width="{step - 1:.1f}" '
        f'height="{HEIGHT * n / most:.1f}" fill="#0072b2"/>'
        for i, n in enumerate(counts)
        if n
    )
    text = '<text y="{y}" x="{x}" text-anchor="{anchor}" font-size="13">{text}</text>'
    ends = text.format(y=HEIGHT + 16, x=0, anchor="start", text=f"{edges[0]:.3g}")
    ends += text.format(y=HEIGHT + 16, x=WIDTH, anchor="end", text=f"{edges[-1]:.3g}")
    name = f"distance to the nearest earlier query of its class, {len(distances):,} queries"
    name += f", {far.sum():,} of them further" if far.any() else ""
    ends += text.format(y=HEIGHT + 34, x=WIDTH / 2, anchor="middle", text=name)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 40}" width="{WIDTH}" role="img" '
        f'aria-label="{name}">{bars}{ends}</svg>'
    )


def _label(name: str) -> str:
    return name.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
