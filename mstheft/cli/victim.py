"""One way to name a victim: --victim FILE|URL, or --data SET, or --shape 784-64-10."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.cli.console import UsageError
from mstheft.cli.parser import Former
from mstheft.cli.values import file_or_url, is_url, path
from mstheft.errors import BudgetExhausted, DataError
from mstheft.experiments import tasks
from mstheft.nn import Network, zoo
from mstheft.report.tour.exact import Setting, glyphs

TOLD = ("label", "probs", "log_probs", "logits")  # each can be had of those after it
FIRST, LATER = 3, 10  # tries again: a wrong URL is soon told, a service may take 18 s to restart
ROWS = 10_000  # unseen inputs on which copy and victim are compared
MOST = 10**8  # numbers in all weights, or in those inputs: 800 MB
BIAS = 0.1  # standard deviation of the biases of a random victim
PAIR = 3, 8  # the classes that victims of two classes tell apart


# ---- arguments


def add_victim(parser: Any, words: str = "a file of mstheft train, or a service") -> None:
    """--victim FILE|URL."""
    parser.add_argument("--victim", type=file_or_url, metavar="FILE|URL", help=words)


def add_model(parser: Any) -> None:
    """--model FILE, the name of --victim before."""
    add = parser.add_argument
    add("--model", dest="victim", type=path, metavar="FILE", action=Former, today="--victim")


def add_key(parser: Any) -> None:
    """--key KEY."""
    parser.add_argument("--key", metavar="KEY", help="of the account at the URL of --victim")


def check_service(args: argparse.Namespace) -> None:
    """A key is for a URL, and what needs the victim in this process is not for one."""
    if not is_url(args.victim):
        if args.key is not None:
            raise UsageError("--key goes with --victim URL; leave it out")
        return
    if args.defence:
        raise UsageError("--defence is for a victim in this process; give it to mstheft serve")
    for option in ("plot", "log"):
        if getattr(args, option, None):
            raise UsageError(
                f"--{option} needs the victim itself, which a service does not show; leave it out"
            )


# ---- a victim behind a service


def connect(url: str, args: argparse.Namespace, output: str) -> Any:
    """The client of the service there, an `oracle.http.client.HttpVictim`; with the key of --key.

    output : what the oracle over it is to tell
    """
    if args.key is None:
        raise UsageError(f"{url}: expected --key KEY with a URL; mstheft serve tells one")
    try:
        from mstheft.oracle.http.client import HttpVictim
    except ModuleNotFoundError as error:
        raise UsageError(f"a URL needs {error.name}; pip install 'mstheft[service]'") from error
    victim = HttpVictim(url, args.key, retries=FIRST)
    victim.retries = LATER
    gives = {"labels": "label"}.get(victim.gives, victim.gives)
    if TOLD.index(output) > TOLD.index(gives):
        victim.close()
        exact_from_labels = gives == "label" and hasattr(args, "attack")
        less = "" if exact_from_labels else f"pass --output {gives}, or "
        raise UsageError(
            f"expected {output} of {url}, which tells {gives}; {less}serve --output {output}"
        )
    return victim


@contextlib.contextmanager
def closing(victim: Any) -> Iterator[None]:
    """Close the connections of a client at the end; a network has none."""
    try:
        yield
    finally:
        if hasattr(victim, "close"):
            victim.close()


def budget_spent(error: BudgetExhausted, url: str) -> str:
    """A budget that only the owner of the service can raise, in words."""
    return (
        f"this key's budget at {url} is spent: the next batch has {error.asked:,} rows and "
        f"{error.left:,} of {error.budget:,} are left; ask whoever serves it for more"
    )


# ---- a victim that has learned a task


def of_task(args: argparse.Namespace, task: tasks.Task, output: str) -> Any:
    """The victim of --victim, a Network or a client, which must fit the task."""
    url = is_url(args.victim)
    victim = connect(args.victim, args, output) if url else Network.load(args.victim)
    known = victim.outputs is not None
    if victim.inputs != math.prod(task.shape) or (known and victim.outputs < task.classes):
        with closing(victim):
            raise UsageError(
                f"--victim {args.victim}: expected a network for {task.name}, {task.shape} to "
                f"{task.classes} classes, got {victim.shape} to {victim.outputs}; name its --data"
            )
    return victim


# ---- a victim of the exact attacks


@dataclass
class Victim:
    """A victim, and inputs x that its attack does not see, with their labels y if known.

    asked : what answers: a network, or the client of a service
    network : the network; None where it is behind a service
    """

    asked: Any
    name: str
    x: np.ndarray
    inputs: str = ""
    y: np.ndarray | None = None
    side: int | None = None

    @property
    def network(self) -> Network | None:
        """The model itself, where it is in this process."""
        return self.asked if isinstance(self.asked, Network) else None


def dense(args: argparse.Namespace) -> Victim:
    """A victim of dense layers: from a file or a URL, trained on images, or with random weights."""
    for option, partner in (("hidden", "data"), ("classes", "dim")):
        if getattr(args, option, None) and not getattr(args, partner):
            raise UsageError(f"--{option} goes with --{partner}; leave one of them out")
    if is_url(args.victim):
        service = connect(args.victim, args, args.output)
        name = f"{service.inputs} inputs to {service.outputs} outputs, behind {args.victim}"
        return Victim(service, name, np.empty((0, service.inputs)))
    rng = np.random.default_rng([args.seed, 0])
    if args.data:
        return _trained(args, rng)
    if args.victim:
        network, name = _loaded(args.victim, args.kind), str(args.victim)
    else:
        how = {"bias": BIAS, "activation": args.activation}
        network, name = zoo.mlp(_affordable(args.widths(args)), **how, rng=rng), "random"
    x = rng.normal(size=(min(ROWS, max(100, MOST // network.inputs)), network.inputs))
    return Victim(network, f"{_shape_of(network)}, {name}", x, f"{len(x):,} rows of N(0, I)")


def _loaded(at: Path, kind: str) -> Network:
    """Exact attacks are made for dense layers; another network would be asked for hours in vain."""
    network = Network.load(at)
    kinds = [type(layer).__name__ for layer in network.layers]
    if other := sorted(set(kinds) - {"Dense", "Activation", "Flatten"}):
        raise UsageError(
            f"--victim {at}: expected dense layers for steal {kind}, got {', '.join(other)}; "
            f"learn a copy with mstheft steal active --victim {at}"
        )
    return network


def _trained(args: argparse.Namespace, rng: np.random.Generator) -> Victim:
    images = _images(args)
    if args.two_classes:
        images = images.two_classes(*PAIR)
    network = tasks.dense_victim(images, args.layers(args), activation=args.activation, rng=rng)
    x, (height, width, channels) = images.flat().x_test, images.shape
    name = f"{_shape_of(network)}, trained on {images.name}"
    side = height if (height, 1) == (width, channels) else None
    return Victim(network, name, x, f"{len(x):,} test pictures", images.y_test, side)


def _images(args: argparse.Namespace) -> tasks.Task:
    """The set of --data, in float64 as exact attacks take it; digits as the tour draws them."""
    if args.data == "glyphs":
        return glyphs(Setting(args.seed, test=3000))
    try:
        return tasks.load(args.data, seed=args.seed, dtype=np.float64)
    except DataError as error:
        raise DataError(f"{error}; or use drawn digits, --data glyphs") from None


def _affordable(widths: list[int]) -> list[int]:
    if sum(a * b for a, b in itertools.pairwise(widths)) > MOST:
        raise UsageError(
            f"expected at most {MOST:,} weights, got the widths {widths}; choose fewer"
        )
    return widths


def _shape_of(network: Network) -> str:
    return "-".join(str(n) for n in [network.inputs, *(len(b) for _, b in network.dense())])
