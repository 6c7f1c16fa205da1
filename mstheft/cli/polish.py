"""`mstheft polish`: a rough copy, fitted to all answers paid for, down to their noise."""

from typing import Any

import numpy as np

from mstheft.cli import files, logs, options
from mstheft.cli.console import Console, UsageError, usage_errors
from mstheft.cli.options import Args, Parser, add, path, positive, whole
from mstheft.direct.polishing.polish import STEPS, Polished, polish
from mstheft.nn import Network
from mstheft.nn.gauss_newton import OUTPUTS
from mstheft.report import formatting, pictures

FOREIGN = 0.5  # of the first misfit: who gains less fits answers that are not the victim's
SLOW = 0.01  # of the misfit: a last step that gains less shows that more of them do not help
EXACTER = 0.5  # of the noise: answers that are missed by less are more exact than σ says


def add_arguments(parser: Parser) -> None:
    """Polish FILE --log FILE."""
    parser.set_defaults(run=run)
    add(parser, "copy FILE", path, "a rough copy of dense layers, .npz, such as a learned one")
    add(parser, "--log FILE", path, "what was asked, by mstheft steal KIND --log", required=True)
    words = "form of the answers (default: what the log says)"
    add(parser, "--output", [*OUTPUTS], words)
    words = "standard deviation of the noise of an answer (default: measured)"
    add(parser, "--noise SIGMA", positive, words)
    words = "Gauss-Newton steps at most (default: %(default)s)"
    add(parser, "--steps N", whole(0), words, default=STEPS)
    words = "misfit by step, and the error bars of the weights"
    options.add_results(parser, save="the polished copy", plot=words, seed=True)


def run(args: Args, console: Console) -> int:
    """Polish; keep the copy; say whether noise is all that is left: else the status is 1."""
    with usage_errors():
        rough, log = Network.load(args.copy), logs.read(args, "queries", "answers")
        output = _output(args, log)
        _check(args, log["answers"])
        if args.save and args.save.resolve() == args.copy.resolve():
            raise UsageError(f"--save {args.save} is the rough copy; choose another name")
        console.say(f"copy: {args.copy}\nlog: {len(log['queries']):,} answers, {output}\n")
        how = {"output": output, "noise": args.noise, "steps": args.steps, "rng": args.seed}
        polished = polish(rough, log["queries"], log["answers"], **how)
    place = files.keep(polished.model, args.save, console)
    _tell(polished, console)
    if place:
        console.say(f"\npolished copy saved to {place}")
    values = {"copy": str(args.copy), "log": str(args.log), "queries": len(log["queries"])}
    values |= _values(polished) | {
        "verdict": verdict(polished, args.steps),
        "saved": place and str(place),
    }
    files.write_json(args, console, values)
    files.write_pictures(args, console, pictures.polish_pictures(polished))
    if polished.converged:
        console.say(f"\n{verdict(polished, args.steps)}")
    else:
        console.problems.append(verdict(polished, args.steps))
    return console.end()


def _output(args: Args, log: dict[str, np.ndarray]) -> str:
    """The form of the answers: as --output says, or the log itself."""
    output = args.output or (str(log["output"]) if "output" in log else None)
    if output is None:
        raise UsageError(f"--log {args.log} does not say the form of its answers; pass --output")
    if output not in OUTPUTS:
        what = f"--log {args.log}: expected answers that are numbers, got {output}"
        raise UsageError(f"{what}; log an attack on probabilities or logits")
    return output


def _check(args: Args, answers: np.ndarray) -> None:
    """Are there answers, and are they numbers?"""
    if not len(answers):
        raise UsageError(f"--log {args.log}: expected answers, got none; let an attack write it")
    if np.isnan(answers).any():
        bad = f"{np.isnan(answers).any(axis=-1).sum():,} of {len(answers):,} are no numbers (NaN)"
        raise UsageError(f"--log {args.log}: expected answers, but {bad}; leave these rows out")


def verdict(polished: Polished, most: int) -> str:
    """Is there anything left to gain? most : steps that were allowed"""
    times = f"{polished.ratio:,.3g} times what noise explains"
    gain = 1 - polished.misfit[-1] / polished.misfit[-2] if polished.steps else 0.0
    if polished.ratio < EXACTER:
        why = (
            "is --noise too large?"
            if polished.given is not None
            else ("rounding loses less than usual, as of probabilities near 0 and 1")
        )
        return f"converged: the misfit is only {times}, so that nothing is left to gain; {why}"
    if polished.converged:
        return "converged: what is left is noise, and only more answers, or better ones, help"
    if polished.steps >= most and (most == 0 or gain > SLOW):
        how = "allow more --steps"
    elif polished.misfit[-1] > FOREIGN * polished.misfit[0]:
        how = "is this the log of the copy's own victim, and are its answers what --output says?"
    else:
        how = "start from a wider copy, or one that is less off"
    return f"not converged: the misfit is {times}; {how}"


def _tell(polished: Polished, console: Console) -> None:
    """The misfit of every step, then what it is held against."""
    steps = [[f"{i}", f"{misfit:.2e}"] for i, misfit in enumerate(polished.misfit)]
    console.say(formatting.table(("step", "misfit"), steps, right=("step", "misfit")))
    lines = {
        "answers compared as": polished.output,
        "noise of an answer": f"{polished.noise:.2e}  ({polished.kind})",
        "Cramér-Rao bound": f"{polished.bound:.2e}  rms error of an answer to a fresh row, at best",
        "misfit over noise": f"{polished.ratio:.3g}  (about 1 or less if only noise is left)",
    }
    if polished.seldom_on:
        few = f"{len(polished.seldom_on)}, in too few rows to tell their weights"
        lines["neurons seldom on"] = few
    console.say("\n" + "\n".join(f"{name:<22}{value}" for name, value in lines.items()))


def _values(polished: Polished) -> dict[str, Any]:
    names = ("output", "misfit", "noise", "bound", "ratio", "converged", "by")
    values = {name: getattr(polished, name) for name in names}
    values |= {"kind": polished.kind.kind, "decimals": polished.kind.decimals}
    values["seldom_on"] = [list(each) for each in polished.seldom_on]
    bars = {name: float(np.median(bar)) for name, bar in polished.error_bars.items()}
    return values | {"error_bars": bars}
