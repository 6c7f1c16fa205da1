"""`mstheft train`: a victim, and what it learns from."""

import time

from mstheft.cli import files, options
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.options import USUAL, Args, Parser, add, positive, whole
from mstheft.experiments import tasks
from mstheft.nn import fit
from mstheft.nn.augment import KINDS as AUGMENTS
from mstheft.plots.training import curves
from mstheft.report import formatting
from mstheft.result import count

TRAINING = ("epochs", "batch", "rate", "patience", "augment")


def add_arguments(parser: Parser) -> None:
    """ARCHITECTURE --data SET."""
    parser.set_defaults(run=run)
    add(parser, "architecture", tasks.ARCHITECTURES, "of the network")
    add(parser, "--data", sorted(tasks.TASKS), "what it learns", required=True)
    add(parser, "--epochs N", whole(1), USUAL, default=5)
    add(parser, "--batch N", whole(1), USUAL, default=64)
    add(parser, "--rate R", positive, f"of Adam {USUAL}", default=1e-3)
    add(parser, "--blocks N", whole(1), f"of cnn, 1 to 4 {USUAL}", default=3)
    add(parser, "--hidden N", whole(1), f"of mlp {USUAL}", default=128)
    add(parser, "--patience N", whole(1), "stop after N epochs without progress")
    words = f"images moved or mirrored at every step {USUAL}"
    add(parser, "--augment KIND", sorted(AUGMENTS), words, default="none")
    options.add_results(parser, save="the network", plot="its learning curves", seed=True)


def run(args: Args, console: Console) -> int:
    """Train a victim; Ctrl-C keeps the best epoch so far."""
    with usage_errors():
        task = tasks.load(args.data, seed=args.seed)
        size = {"hidden": args.hidden, "blocks": args.blocks}
        network = tasks.build(args.architecture, task, **size, rng=args.seed)
    console.say(f"{task.name}: {task.extent}")
    settings = {name: getattr(args, name) for name in TRAINING}
    began = time.perf_counter()
    history = tasks.train(network, task, **settings, rng=args.seed)
    took, epochs = time.perf_counter() - began, len(history.validation)
    if epochs == 0:
        why = "stopped by Ctrl-C before the first epoch ended; nothing was saved"
        return console.fail(130, why)
    place = files.keep(network, args.save, console)
    if place and task.vocabulary is not None:
        words = place.with_suffix(".vocabulary.json")
        task.vocabulary.save(words)
        console.say(f"the words that it knows, which it needs: {words}")
    right = fit.accuracy(network, task.x_test, task.y_test)
    console.say(f"{count(epochs, 'epoch')} in {took:.0f} s, epoch {history.best + 1} kept")
    console.say(f"accuracy on {len(task.x_test):,} test items: {100 * right:.2f} %")
    lost = "the network was not saved; add --save FILE.npz to keep it"
    console.say(f"saved to {place}" if place else lost)
    values = {"architecture": args.architecture, "data": args.data, "seed": args.seed, **settings}
    values |= {"rows": len(task.x_test), "accuracy": right, "saved": place and str(place)}
    values |= {"best": history.best + 1, "loss": history.loss, "validation": history.validation}
    files.write_json(args, console, values | {"seconds": took})
    drawn = (formatting.picture("training", curves(history), "learning curves", "") for _ in [0])
    files.write_pictures(args, console, drawn, space="")
    if history.interrupted and not console.problems:
        return console.fail(130, "stopped by Ctrl-C; the best epoch was kept")
    return console.end()
