"""`mstheft arena`: attacks against defences and detectors, as a table and a heat map."""

from mstheft.cli import files, grid, options
from mstheft.cli.console import Console, usage_errors
from mstheft.cli.options import Args, Parser, add, path
from mstheft.experiments.arena import arena, verdict
from mstheft.report import formatting, pictures


def add_arguments(parser: Parser) -> None:
    """FILE."""
    parser.set_defaults(run=run)
    add(parser, "arena FILE", path, "TOML: victim, attacks, defences, detectors")
    options.add_out(parser, "mstheft-arena")
    options.add_workers(parser)
    options.add_results(parser)


def run(args: Args, console: Console) -> int:
    """Compute what is missing; write table and picture; name every cell that failed."""
    with usage_errors():
        described = arena.read(args.arena)
        files.make_folder("--out", args.out)
    grid.introduce(args, described, console)
    with grid.executor(args) as workers:
        outcome = arena.compute(described, args.out, executor=workers)
    table = args.out / f"{described.name}.csv"
    with console.attempt("--out"):
        formatting.write(table, arena.table(outcome))
        groups = arena.grouped(outcome)
        pairs = verdict.pairs(outcome)
        drawn = [*(pictures.arena_pictures(groups) if groups else ())]
        drawn += [pictures.adaptive_picture(pairs)] if pairs else []
        for picture in drawn:
            formatting.write(args.out / f"{described.name}-{picture.name}.png", picture.png)
        console.say(f"{outcome.computed:,} computed now, {len(outcome.done):,} in {table}\n")
    head, rows = arena.overview(outcome)
    console.say(formatting.table(head, rows, right=head[3:]))
    if pairs:
        console.say("\nnaive and adaptive thieves: agreement, mean (lowest to highest seed)\n")
        console.say(formatting.table(*verdict.overview(pairs)))
    return grid.finish(args, described, outcome, console)
