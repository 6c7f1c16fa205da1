"""The victim that a command names, and the oracle over it.

One way to name a victim: --victim FILE|URL, or --data SET, or --shape 784-64-10.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mstheft.cli import options
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import USUAL, Args, Options, add, file_or_url, is_url, path, whole
from mstheft.defend import parse
from mstheft.errors import BudgetExhausted, DataError
from mstheft.experiments import tasks
from mstheft.experiments.learned_theft import Settings
from mstheft.nn import Network, zoo
from mstheft.oracle import Oracle, fingerprint
from mstheft.report.tour.exact import Setting, glyphs
from mstheft.typing import Rng

EXACT = ("logits", "log_probs", "probs")  # what exact attacks on numbers take
FINER = ("label", *reversed(EXACT))  # each can be had of those after it
FIRST, LATER = 3, 10  # tries again: a wrong URL is soon seen, a service may take 18 s to restart
ROWS = 10_000  # unseen inputs on which copy and victim are compared
MOST = 10**8  # numbers in all weights, or in those inputs: 800 MB
BIAS = 0.1  # standard deviation of the biases of a random victim
PAIR = 3, 8  # the classes that victims of two classes tell apart

OPTIONS: dict[str, tuple[str, Any, str]] = {
    "victim": ("--victim FILE|URL", file_or_url, "a file of mstheft train, or a service"),
    "key": ("--key KEY", str, "of the account at the URL of --victim"),
    "output": ("--output", EXACT, f"what it tells {USUAL}"),
    "decimals": ("--decimals N", whole(0), "to which it rounds"),
    "budget": ("--budget N", whole(0), "queries that it answers"),
    "defence": ("--defence WORDS", str, f"changes answers: {parse.FORMS}; several with commas"),
    "journal": (
        "--journal FILE",
        path,
        "keeps every answer; a run that was killed goes on from it",
    ),
}


def add_options(to: Options, *names: str, **helps: str) -> None:
    """Some of the options on a victim and the oracle over it; `helps` in other words."""
    for name in (*names, *helps):
        option, kind, words = OPTIONS[name]
        add(to, option, kind, helps.get(name, words))


def check_service(args: Args) -> None:
    """A key is for a URL, and what needs the victim in this process is not for one."""
    wrong = ""
    if not is_url(args.victim):
        wrong = "--key goes with --victim URL; leave it out" if args.key is not None else ""
    elif args.defence:
        wrong = "--defence is for a victim in this process; give it to mstheft serve"
    elif getattr(args, "plot", None):
        wrong = "--plot needs the victim itself, which a service does not show; leave it out"
    if wrong:
        raise UsageError(wrong)


# ---- a victim behind a service


def connect(url: str, args: Args, output: str) -> Any:
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
    if FINER.index(output) > FINER.index(gives):
        victim.close()
        is_exact = hasattr(args, "attack")
        less = "" if gives == "label" and is_exact else f"pass --output {gives}, or "
        what = f"expected {output} of {url}, which tells {gives}"
        raise UsageError(f"{what}; {less}serve --output {output}")
    return victim


def budget_spent(error: BudgetExhausted, url: str) -> str:
    """A budget that only the owner of the service can raise, in words."""
    return (
        f"this key's budget at {url} is spent: the next batch has {error.asked:,} rows and "
        f"{error.left:,} of {error.budget:,} are left; ask whoever serves it for more"
    )


# ---- the oracle over it


def defences_of(words: str | None, victim: Network, rng: Rng) -> list[Any]:
    """The defences that --defence names, for an oracle over this victim."""
    if words is None:
        return []
    return parse.named(words, inputs=victim.inputs, classes=max(2, victim.outputs), rng=rng)


@contextlib.contextmanager
def opened(
    args: Args,
    console: Console,
    victim: Any,
    about: dict[str, Any],
    chance: int = 0,
    **settings: Any,
) -> Iterator[Oracle]:
    """An oracle over a victim, with the journal and the defence that are asked for.

    victim : a Network, or the client of a service, which is closed at the end
    about : what tells this run from others in the journal
    chance : tells the random numbers of the defence from others of the same seed
    settings : of `Oracle`
    """
    with contextlib.ExitStack() as held:
        held.callback(getattr(victim, "close", lambda: None))
        journal = None
        with usage_errors():
            if args.journal:
                from mstheft.oracle.http.journal import Journal

                journal = Journal(args.journal, {**about, "victim": fingerprint.victim(victim)})
                held.enter_context(journal)
            defences = defences_of(args.defence, victim, [args.seed, chance])
            oracle = Oracle(victim, defences=defences, journal=journal, **settings)
        yield oracle
        if journal:
            paid = f"{journal.replayed:,} rows told again at no cost, {journal.paid:,} asked"
            console.say(f"journal: {paid}\n")


# ---- a victim that has learned a task


def given(args: Args, settings: type) -> dict[str, Any]:
    """What was said on the command line of these settings; not of the victim, which is named."""
    names = {each.name for each in fields(settings)} - {"kind", "victim"}
    return {n: v for n, v in vars(args).items() if n in names and v is not None}


def learned(args: Args, how: Settings, task: tasks.Task, console: Console, what: str) -> Any:
    """The victim of --victim, or one that is trained here as the settings `how` say."""
    if args.victim is not None:
        return of_task(args, task, how.output)
    console.say(f"training {what} on {task.name}: {task.extent}")
    return tasks.victim(how.victim, task, epochs=how.victim_epochs, rng=args.seed)


def network_of(answers: object) -> Network | None:
    """The model itself, where it is in this process."""
    return answers if isinstance(answers, Network) else None


def of_task(args: Args, task: tasks.Task, output: str) -> Any:
    """The victim of --victim, a Network or a client, which must fit the task."""
    url = is_url(args.victim)
    victim: Any = connect(args.victim, args, output) if url else Network.load(args.victim)
    few = victim.outputs is not None and victim.outputs < task.classes
    if victim.inputs != math.prod(task.shape) or few:
        if url:
            victim.close()
        raise UsageError(
            f"--victim {args.victim}: expected a network for {task.name}, {task.shape} to "
            f"{task.classes} classes, got {victim.shape} to {victim.outputs}; name its --data"
        )
    return victim


# ---- a victim of the exact attacks


@dataclass
class Victim:
    """A victim, and inputs x that its attack does not see, with their labels y if there are any.

    answers : what the oracle asks: a network, or the client of a service
    """

    answers: Any
    name: str
    x: np.ndarray
    inputs: str = ""
    y: np.ndarray | None = None
    side: int | None = None

    @property
    def network(self) -> Network | None:
        """The model itself, where it is in this process."""
        return network_of(self.answers)


def dense(args: Args) -> Victim:
    """A victim of dense layers: from a file or a URL, trained on images, or with random weights."""
    for option, partner in (("hidden", "data"), ("classes", "dim")):
        if getattr(args, option) and not getattr(args, partner):
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
        shape = args.shape or [args.dim, args.classes or args.outputs]
        if sum(a * b for a, b in itertools.pairwise(shape)) > MOST:
            what = f"expected at most {MOST:,} weights"
            raise UsageError(f"{what}, got the widths {shape}; choose fewer")
        name, how = "random", {"bias": BIAS, "activation": args.activation}
        network = zoo.mlp(shape, **how, rng=rng)
    x = rng.normal(size=(min(ROWS, max(100, MOST // network.inputs)), network.inputs))
    return Victim(network, f"{_shape_of(network)}, {name}", x, f"{len(x):,} rows of N(0, I)")


def _loaded(at: Path, kind: str) -> Network:
    """Exact attacks are made for dense layers; another network would be asked for hours in vain."""
    network = Network.load(at)
    kinds = {type(layer).__name__ for layer in network.layers}
    if other := sorted(kinds - {"Dense", "Activation", "Flatten"}):
        what = f"--victim {at}: expected dense layers for steal {kind}, got {', '.join(other)}"
        raise UsageError(f"{what}; learn a copy with mstheft steal active --victim {at}")
    return network


def _trained(args: Args, rng: np.random.Generator) -> Victim:
    """On the set of --data, in float64 as exact attacks take it; digits as the tour draws them."""
    try:
        drawn = args.data == "glyphs"
        how = {"seed": args.seed, "dtype": np.float64}
        images = glyphs(Setting(args.seed, test=3000)) if drawn else tasks.load(args.data, **how)
    except DataError as error:
        raise DataError(f"{error}; or use drawn digits, --data glyphs") from None
    images = images.two_classes(*PAIR) if args.outputs == 1 else images
    hidden = tuple(args.hidden or args.usual)
    network = tasks.dense_victim(images, hidden, activation=args.activation, rng=rng)
    x, (height, width, channels) = images.flat().x_test, images.shape
    name = f"{_shape_of(network)}, trained on {images.name}"
    side = height if (height, 1) == (width, channels) else None
    return Victim(network, name, x, f"{len(x):,} test pictures", images.y_test, side)


def _shape_of(network: Network) -> str:
    return "-".join(str(n) for n in [network.inputs, *(len(b) for _, b in network.dense())])


def attack_parser(
    kinds: options.Kinds, name: str, what: str, run: Callable[[Args, Console], int]
) -> tuple[options.Parser, Options, Options]:
    """A parser of `mstheft steal`, its group on the victim and that on the oracle."""
    parser = kinds.add_parser(name, help=what, description=f"Steal a victim: {what}.")
    parser.set_defaults(run=run, check=check_service)
    return parser, parser.add_argument_group("victim"), parser.add_argument_group("oracle")
