"""`mstheft train`: a victim, and what it learns from."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from mstheft.cli import files, options
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.values import positive, whole
from mstheft.experiments import tasks
from mstheft.nn import Network, fit
from mstheft.plots.training import curves
from mstheft.report import tables
from mstheft.result import count

TRAINING = ("epochs", "batch", "rate", "patience")


def add_arguments(parser: Any) -> None:
    """ARCHITECTURE --data SET."""
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("architecture", choices=tasks.ARCHITECTURES, help="of the network")
    add("--data", choices=sorted(tasks.TASKS), required=True, help="what it learns")
    add("--epochs", type=whole(1), default=5, metavar="N", help="(default: %(default)s)")
    add("--batch", type=whole(1), default=64, metavar="N", help="(default: %(default)s)")
    add("--rate", type=positive, default=1e-3, metavar="R", help="of Adam (default: %(default)s)")
    add("--blocks", type=whole(1), default=3, metavar="N", help="of cnn, 1 to 4 (default: 3)")
    add("--hidden", type=whole(1), default=128, metavar="N", help="of mlp (default: 128)")
    add("--patience", type=whole(1), metavar="N", help="stop after N epochs without progress")
    options.add_results(parser, save="the network", plot="its learning curves", seed=True)


def run(args: argparse.Namespace, console: Console) -> int:
    """Train a victim; Ctrl-C keeps the best epoch so far."""
    with usage_errors():
        files.check_places(args)
        task = tasks.load(args.data, seed=args.seed)
        size = {"hidden": args.hidden, "blocks": args.blocks}
        network = tasks.build(args.architecture, task, **size, rng=args.seed)
    console.say(f"{task.name}: {task.found}")
    settings = {name: getattr(args, name) for name in TRAINING}
    began = time.perf_counter()
    history = tasks.train(network, task, **settings, rng=args.seed)
    took, epochs = time.perf_counter() - began, len(history.validation)
    if epochs == 0:
        return console.fail(
            130, "stopped by Ctrl-C before the first epoch ended; nothing was saved"
        )
    kept = _keep(args, network, task, console)
    right = fit.accuracy(network, task.x_test, task.y_test)
    console.say(f"{count(epochs, 'epoch')} in {took:.0f} s, epoch {history.best + 1} kept")
    console.say(f"accuracy on {len(task.x_test):,} test items: {100 * right:.2f} %")
    lost = "the network was not saved; add --save FILE.npz to keep it"
    console.say(f"saved to {kept}" if kept else lost)
    values = {"architecture": args.architecture, "data": args.data, "seed": args.seed, **settings}
    values |= {"rows": len(task.x_test), "accuracy": right, "saved": kept and str(kept)}
    values |= {"best": history.best + 1, "loss": history.loss, "validation": history.validation}
    files.write_json(args, console, values | {"seconds": took})
    drawn = (tables.picture("training", curves(history), "learning curves", "") for _ in [0])
    files.write_pictures(args, console, drawn, space="")
    if history.interrupted and not console.problems:
        return console.fail(130, "stopped by Ctrl-C; the best epoch was kept")
    return console.end()


def _keep(
    args: argparse.Namespace, network: Network, task: tasks.Task, console: Console
) -> Path | None:
    """Save the network, and the words that it knows beside it."""
    kept = files.keep(network, args.save, console)
    if kept and task.vocabulary is not None:
        words = kept.with_suffix(".vocabulary.json")
        task.vocabulary.save(words)
        console.say(f"the words that it knows, which it needs: {words}")
    return kept
