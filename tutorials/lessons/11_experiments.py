# %% [markdown]
# # 11 · Budget, rounds, outputs, architectures: reading the experiments
#
# Lessons 09 and 10 learned copies, with a budget, a number of rounds, a way to choose, and an
# oracle that told probabilities. Each of these was a choice. Which ones matter? The literature
# answers with tables. This lesson makes a small table itself, and then reads the large ones of
# this project.
#
# **Claim.** A table of thefts can be believed only with its *spread*: the same theft with another
# seed gives another number, and many famous differences are smaller than that. Compare seed by
# seed, and count how often a claim held.

# %%
import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.experiments import experiment as experiments
from mstheft.experiments import grid
from mstheft.plots import learning as learning_plots
from mstheft.plots import style

# %% [markdown]
# ## How sure is one number?
#
# Agreement is measured on $n$ test rows. If the true share is $p$, then the counted share wobbles
# around it by about
#
# $$\text{standard error} = \sqrt{\frac{p\,(1 - p)}{n}} ,$$
#
# just as the share of heads in $n$ throws of a coin. With 95 % certainty the truth is within about
# two of these. The library has the exact interval (Clopper and Pearson); the two agree unless $p$
# is very near 0 or 1.

# %%
for p, n in [(0.8, 100), (0.8, 1000), (0.97, 10_000)]:
    error = np.sqrt(p * (1 - p) / n)
    low, high = mt.compare.interval(round(p * n), n)
    print(f"{p:.0%} of {n:,} rows: by hand ±{2 * error:.1%}, exact {low:.1%} to {high:.1%}")
    assert np.allclose([p - 2 * error, p + 2 * error], [low, high], atol=0.015)

# %% [markdown]
# With 1,000 test rows everything below 2.5 points may be luck of the test rows alone. And that is
# only *one* source of luck. Which rows of the pool were drawn, and with which weights the copy
# began, are others. They show when the whole theft is repeated with another **seed**.
#
# ## A small grid of our own
#
# A *grid* is every combination of some settings. Ours has 2 numbers of rounds, 2 kinds of answers
# and 3 seeds: 12 thefts (*cells*), of a small reader of digits, with letters as pool. `grid.run`
# computes each cell once and keeps it as a file, so that a long run can be stopped and gone on
# with.

# %%
SIDE, BUDGET = 14, 300
digits, kinds = mt.data.synthetic.glyphs(2000, rng=0, size=SIDE)
letters = mt.data.synthetic.letters(1000, rng=1, size=SIDE)[0].astype(np.float32)
victim = mt.nn.zoo.mlp([SIDE**2, 48, 10], rng=0, dtype=np.float32)
mt.nn.fit.fit(
    victim, digits[:1500], kinds[:1500], epochs=20, l2=1e-4, optimizer=mt.nn.optim.Adam(3e-3), rng=0
)
test = digits[1500:]
print(f"the victim is right on {(victim.labels(test) == kinds[1500:]).mean():.1%} of 500 digits")


def theft(cell, folder):
    """One cell: settings in, a dictionary of numbers out."""
    stolen = mt.learning.active.steal(
        mt.Oracle(victim, output=cell["output"], budget=BUDGET),
        letters,
        lambda: mt.nn.zoo.mlp([SIDE**2, 48, 10], rng=[cell["seed"], 9], dtype=np.float32),
        strategy="k-center",
        budget=BUDGET,
        rounds=cell["rounds"],
        rng=cell["seed"],
        epochs=25,
        batch=30,
        patience=10,
        evaluate=lambda copy: mt.compare.agreement(victim, copy, test),
    )
    return {
        "queries": stolen.of("queries").tolist(),
        "agreement": stolen.of("agreement").tolist(),
        "final": mt.compare.agreement(victim, stolen.model, test),
    }


axes = {"output": ["probs", "label"], "rounds": [1, 3], "seed": [0, 1, 2]}
with tempfile.TemporaryDirectory() as folder:
    outcome = grid.run(grid.Grid(axes), theft, folder)
    again = grid.run(grid.Grid(axes), theft, folder)
print(f"computed {outcome.computed} cells; the second time {again.computed}, the rest was there")
assert (outcome.computed, again.computed, outcome.failed) == (12, 0, [])

# %%
results = {(cell["output"], cell["rounds"], cell["seed"]): value for cell, value in outcome.done}
finals = {
    f"{output}, {rounds} round{'s' * (rounds > 1)}": np.array(
        [results[output, rounds, seed]["final"] for seed in axes["seed"]]
    )
    for output in axes["output"]
    for rounds in axes["rounds"]
}


def dots(ax, groups):
    """One line for each group: a dot for each seed, a stroke at the mean."""
    for place, values in enumerate(groups.values()):
        ax.plot(values, [place] * len(values), "o", color=style.COPY, alpha=0.7)
        ax.plot(np.mean(values), place, "|", color=style.VICTIM, markersize=14)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.invert_yaxis()
    ax.set(xlabel="agreement (share of test rows)", xlim=(0, 1))
    ax.margins(y=0.15)
    style.bare(ax)


fig, ax = plt.subplots(figsize=(6.4, 2.6), layout="constrained")
dots(ax, finals)
plt.show()

# %% [markdown]
# Each dot is one theft, the stroke is the mean of three. The dots of one line lie several points
# apart. So a difference of one or two points between two strokes says nothing.
#
# ## Compare seed by seed
#
# The thefts with seed 0 all began with the same rows and the same weights. So compare *within* a
# seed: take the three differences, their mean, and count in how many seeds the claim held. With
# three seeds, three of three happen by luck once in eight times ($\frac12 \cdot \frac12 \cdot
# \frac12$). That is a hint and not a proof.


# %%
def paired(better, worse):
    differences = better - worse
    return differences.mean(), int((differences > 0).sum())


for claim, better, worse in [
    ("probabilities beat labels (1 round)", "probs, 1 round", "label, 1 round"),
    ("probabilities beat labels (3 rounds)", "probs, 3 rounds", "label, 3 rounds"),
    ("3 rounds beat 1 (probabilities)", "probs, 3 rounds", "probs, 1 round"),
    ("3 rounds beat 1 (labels)", "label, 3 rounds", "label, 1 round"),
]:
    mean, wins = paired(finals[better], finals[worse])
    print(f"{claim:<38} {100 * mean:+5.1f} points on average, in {wins} of 3 seeds")

# %% [markdown]
# The lecture's claims are that probabilities teach more than labels and that more rounds help. See
# above whether this toy agrees, and how clearly. A claim that holds in two of three seeds with a
# mean of one point *was not shown here*, which does not make it false.
#
# ## How much cheaper? Queries to reach a level
#
# "Two points better" can also be said as "half as many queries". Draw a level across the curves and
# read off where each one reaches it, between two rounds on the straight line that joins them.


# %%
def queries_to_reach(queries, agreement, level):
    for (q0, a0), (q1, a1) in zip(
        zip(queries, agreement, strict=True),
        zip(queries[1:], agreement[1:], strict=True),
        strict=False,
    ):
        if a0 < level <= a1:
            return q0 + (level - a0) / (a1 - a0) * (q1 - q0)
    return np.inf if agreement[0] < level else queries[0]


curves = {
    output: (
        results[output, 3, 0]["queries"],
        np.array([results[output, 3, seed]["agreement"] for seed in axes["seed"]]),
    )
    for output in axes["output"]
}
level = 0.5
for output, (queries, shares) in curves.items():
    reached = [queries_to_reach(queries, share, level) for share in shares]
    print(f"{output}: {level:.0%} agreement after {[f'{q:.0f}' for q in reached]} queries")

fig, ax = plt.subplots(figsize=(6.8, 4), layout="constrained")
learning_plots.agreement(curves, ax)
ax.axhline(level, color=style.QUIET, linestyle="--", linewidth=1)
plt.show()

# %% [markdown]
# The bands are the three seeds, the dashed line is the level. `inf` in the list above means that
# the budget ended first.
#
# ## The large tables
#
# The same was done on real data for hours: victims that read MNIST, CIFAR-10, traffic signs and
# texts, with photographs or Wikipedia as pools. Each experiment is a TOML file beside its table,
# in `tests/benchmarks/experiments/`. A line of a table is one round of one theft. The columns
# before `round` are the settings; `final` is the agreement of the copy that the thief kept. What
# follows reads whichever tables are there.

# %%
home = Path(mt.__file__).parents[1] / "tests" / "benchmarks" / "experiments"
tables = sorted(home.glob("*.csv"))
print("tables here:", ", ".join(path.stem for path in tables) or "none; see RESULTS.md")


def final_agreements(path):
    """{settings in words: {seed: agreement at the end}}."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        return {}
    names = list(rows[0])
    settings = [name for name in names[: names.index("round")] if name != "seed"]
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        share = row.get("final") or row["agreement"]  # later rounds overwrite earlier ones
        if share:
            group = " ".join(row[name] for name in settings)
            found.setdefault(group, {})[int(row.get("seed") or 0)] = float(share)
    return found


for path in tables:
    groups = final_agreements(path)
    described = home / f"{path.stem}.toml"
    experiment = experiments.read(described) if described.exists() else None
    title = experiment.title if experiment else path.stem
    print(f"\n{title}\n  the claim: {experiment.claim if experiment else 'none given'}")
    for name, seeds in groups.items():
        values = np.array(list(seeds.values()))
        print(f"  {name:<28} {values.mean():.1%}  ({values.min():.1%} to {values.max():.1%})")
    if groups:
        fig, ax = plt.subplots(figsize=(6.8, 0.9 + 0.28 * len(groups)), layout="constrained")
        dots(ax, {name: list(seeds.values()) for name, seeds in groups.items()})
        ax.set_title(title, loc="left", fontsize="medium")
        plt.show()

# %% [markdown]
# Read each picture with three questions. Are the dots of two lines apart, or do they mix? Is the
# best line best in every seed? And what does the claim say about cases that were not tried?
#
# Now the same comparison as above, seed by seed, where a table has random choice in it:

# %%
for path in tables:
    groups = final_agreements(path)
    for name, seeds in groups.items():
        words = name.split()
        same = [w if w not in learning_plots.STRATEGIES else "random" for w in words]
        base = groups.get(" ".join(same))
        if base is None or same == words:
            continue
        both = sorted(seeds.keys() & base.keys())
        mean, wins = paired(*(np.array([each[s] for s in both]) for each in (seeds, base)))
        told = f"{name} against random: {100 * mean:+.1f} points"
        print(f"{path.stem:<12} {told}, better in {wins} of {len(both)} seeds")

# %% [markdown]
# ## What can go wrong
#
# - **Choosing the best round by the test rows.** Then the test rows have trained the thief. The
#   `final` copy was chosen by validation rows, which the thief had paid for.
# - **Counting only some queries.** Validation rows are queries too. The budget here includes them.
# - **Tuning until it fits.** If five ways to train were tried and one agrees with the lecture, say
#   all five.
# - **A weak baseline.** "Four times better than noise" says much about noise. Compare with random
#   choice from the same pool as well.
#
# ## Your turn
#
# Exercise 11 asks for the standard error, the last round of each seed, the comparison seed by seed,
# and the queries to reach a level.
#
# ```
# mstheft learn check 11
# ```
