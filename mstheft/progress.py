"""The one place through which progress reaches a screen. Silent until somebody turns it on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

_shown = False


@contextlib.contextmanager
def shown(on: bool = True) -> Iterator[None]:
    """Show progress bars (on standard error) while the `with` block runs."""
    global _shown
    before, _shown = _shown, on
    try:
        yield
    finally:
        _shown = before


def is_shown() -> bool:
    """Tell whether somebody wants to see progress, for libraries with bars of their own."""
    return _shown


class _Silent:
    """Stands in for a tqdm bar when nobody watches."""

    def update(self, n: int = 1) -> None:
        """Count n more steps (and show nothing)."""

    def set_postfix_str(self, text: str) -> None:
        """Say something beside the bar (and show nothing)."""


@contextlib.contextmanager
def bar(title: str, total: int | None, unit: str = "it") -> Iterator[Any]:
    """A progress bar with `update(n)` and `set_postfix_str(text)`; a no-op unless `shown()`."""
    if not _shown:
        yield _Silent()
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=title, unit=unit, leave=False, dynamic_ncols=True) as shown_bar:
        yield shown_bar
