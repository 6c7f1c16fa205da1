"""What the tour is made of: its size, its pictures, and how a victim learns them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mstheft.data import images, synthetic
from mstheft.errors import DataError
from mstheft.nn import Network, fit, optim, zoo

TRAINING = 40_000  # pictures shown to a victim, over all epochs


@dataclass(frozen=True)
class Setting:
    """How large the tour is; the seed decides everything that is random."""

    seed: int = 0
    train: int = 4000
    test: int = 1000
    side: int = 28
    hidden: int = 32


@dataclass(frozen=True)
class Digits:
    """Pictures to train a victim on, x (n, side²), and others to judge a copy on."""

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    side: int = 28

    def three_or_eight(self) -> Digits:
        """Only the digits 3 (class 0) and 8 (class 1)."""
        kept, judged = (np.isin(y, (3, 8)) for y in (self.y, self.y_test))
        y, y_test = ((each == 8).astype(np.int64) for each in (self.y[kept], self.y_test[judged]))
        name = f"{self.name}, 3 against 8"
        return Digits(name, self.x[kept], y, self.x_test[judged], y_test, self.side)


def glyphs(setting: Setting) -> Digits:
    """Digits drawn from fonts, without a download."""
    n = setting.train
    x, y = synthetic.glyphs(n + setting.test, rng=[setting.seed, 0], size=setting.side)
    return Digits("drawn digits", x[:n], y[:n], x[n:], y[n:], setting.side)


def mnist() -> Digits:
    """The real ones, from the data folder."""
    try:
        return Digits("MNIST", *images.mnist("train"), *images.mnist("test"))
    except DataError as error:
        raise DataError(f"{error}; or use drawn digits, --data glyphs") from None


def trained(
    hidden: tuple[int, ...],
    digits: Digits,
    *,
    rng: np.random.Generator,
    l2: float = 1e-4,
    activation: str = "relu",
) -> Network:
    """A victim: hidden layers of these widths, and one output for each class (one for two)."""
    classes, n = int(digits.y.max()) + 1, len(digits.x)
    widths = [digits.x.shape[1], *hidden, 1 if classes == 2 else classes]
    victim = zoo.mlp(widths, activation=activation, rng=rng)
    history = fit.fit(
        victim,
        digits.x,
        digits.y,
        epochs=max(4, TRAINING // n),
        batch=256 if n > 20_000 else 128,
        optimizer=optim.Adam(3e-3),
        l2=l2,
        rng=rng,
    )
    if history.interrupted:
        raise KeyboardInterrupt("during the training of the victim, before any query")
    return victim
