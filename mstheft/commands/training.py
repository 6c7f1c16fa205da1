"""`mstheft train` and `mstheft data`: victims, and what they learn from."""

from __future__ import annotations

import argparse
import time

from mstheft.commands.shared import Desk, arguments_of_user, check_places, keep, noted
from mstheft.data import registry
from mstheft.experiments import tasks as victims
from mstheft.nn import fit
from mstheft.plots.training import curves
from mstheft.report import tables as report
from mstheft.result import count


def train(args: argparse.Namespace, desk: Desk) -> int:
    """Train a victim; Ctrl-C keeps the best epoch so far."""
    with arguments_of_user():
        check_places(args)
        task = victims.load(args.data, seed=args.seed)
        options = {"hidden": args.hidden, "blocks": args.blocks}
        network = victims.build(args.architecture, task, **options, rng=args.seed)
    say = desk.say
    say(f"{task.name}: {task.found}")
    settings = {name: getattr(args, name) for name in ("epochs", "batch", "rate", "patience")}
    began = time.perf_counter()
    history = victims.train(network, task, **settings, rng=args.seed)
    took, epochs = time.perf_counter() - began, len(history.validation)
    if epochs == 0:
        return desk.fail(130, "stopped by Ctrl-C before the first epoch ended; nothing was saved")
    problems: list[object] = []
    kept = keep(network, args.save, problems)
    if kept and task.vocabulary is not None:
        words = kept.with_suffix(".vocabulary.json")
        task.vocabulary.save(words)
        say(f"the words that it knows, which it needs: {words}")
    right = fit.accuracy(network, task.x_test, task.y_test)
    say(f"{count(epochs, 'epoch')} in {took:.0f} s, epoch {history.best + 1} kept")
    say(f"accuracy on {len(task.x_test):,} test items: {100 * right:.2f} %")
    if kept:
        say(f"saved to {kept}")
    with noted(problems, "--plot"):
        if args.plot:
            picture = report.picture("training", curves(history), "learning curves", "")
            report.write(args.plot / "training.png", picture.png)
    if problems:
        return max(desk.fail(1, each) for each in problems)
    return (
        desk.fail(130, "stopped by Ctrl-C; the best epoch was kept") if history.interrupted else 0
    )


def data(args: argparse.Namespace, desk: Desk) -> int:
    """Real data sets: list, fetch, verify, where."""
    say = desk.say
    if args.action == "where":
        say(str(registry.folder()))
    elif args.action == "list":
        say(report.table(("name", "file", "state"), map(_state, registry.listing())))
    elif args.action == "fetch":
        for path in registry.fetch(args.name):
            say(f"{path}: there and right")
    else:
        rows = list(registry.verify())
        say(report.table(("name", "file", "state"), map(_state, rows)))
        return max((desk.fail(1, row.problem) for row in rows if row.problem), default=0)
    return 0


def _state(row: registry.Row) -> tuple[str, str, str]:
    state = "right" if row.is_checked else "there" if row.is_present else "-"
    return row.data_set, row.file.name, "wrong" if row.problem else state
