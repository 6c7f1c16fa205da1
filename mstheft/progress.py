"""The one place through which progress reaches a screen. Silent until it is switched on."""

import contextlib
from collections.abc import Iterator

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
    """Are progress bars on? For libraries with bars of their own."""
    return _shown


class Bar:
    """A progress bar that shows nothing; a bar of tqdm has the same methods."""

    def update(self, n: int = 1) -> object:
        """Count n more steps."""

    def set_postfix_str(self, text: str) -> object:
        """Write a text beside the bar."""


@contextlib.contextmanager
def bar(title: str, total: int | None, unit: str = "it") -> Iterator[Bar]:
    """A progress bar of tqdm inside `shown()`, a silent one elsewhere."""
    if not _shown:
        yield Bar()
        return
    from tqdm import tqdm

    with tqdm(total=total, desc=title, unit=unit, leave=False, dynamic_ncols=True) as shown_bar:
        yield shown_bar
