"""Runs one lesson as a script without a screen, counts its figures, and can keep them.

python -W error tests/helpers/lesson_runner.py tutorials/lessons/02_logistic.py [FOLDER]
"""

import os
import runpy
import sys
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"
os.environ.pop("DISPLAY", None)

import matplotlib.pyplot as plt


def at_home(event, args):
    """No lesson needs the network; a service of its own on this machine is none."""
    if event == "socket.connect" and isinstance(args[1], tuple):
        assert args[1][0] in ("127.0.0.1", "::1", "localhost"), f"a lesson calls {args[1]}"
    if event == "socket.getaddrinfo":
        assert args[0] in (None, "127.0.0.1", "::1", "localhost"), f"a lesson looks up {args[0]}"


def main(path, folder=None):
    count, blank = 0, []

    def show(*args, **kwargs):
        nonlocal count
        for number in plt.get_fignums():
            figure = plt.figure(number)
            figure.canvas.draw()
            count += 1
            blank.extend([] if any(ax.has_data() for ax in figure.axes) else [count])
            if folder:
                figure.savefig(Path(folder) / f"{Path(path).stem}-{count}.png", dpi=70)
        plt.close("all")

    plt.show = show
    sys.addaudithook(at_home)
    runpy.run_path(path, run_name="__main__")
    assert not plt.get_fignums(), "a figure is never shown: end its cell with plt.show()"
    print(f"figures: {count}, blank: {blank}")


if __name__ == "__main__":
    main(*sys.argv[1:])
