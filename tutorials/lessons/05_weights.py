# %% [markdown]
# # 05 · Absolute weights and relative signs from second differences
#
# You have, from lesson 04: a critical point $x$, that is an input where exactly one hidden neuron
# stands on its seam. You do not know which neuron, and you do not know its weights.
#
# **Claim.** This lesson shows four things.
#
# 1. Three answers around $x$ give the *size* of one weight of that neuron. All other neurons
#    cancel.
# 2. The same along two inputs at once tells whether two weights have equal or opposite *signs*.
# 3. Together: the whole weight row of the neuron, up to one factor and one sign.
# 4. The step must be neither too large nor too small, and there is a free check that finds a bad
#    one.
#
# About 45 minutes with the exercise.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.direct import relu
from mstheft.plots import style

rng = np.random.default_rng(5)

# %% [markdown]
# ## The toy
#
# Six inputs, eight neurons, one output. We own it, so that we can stand exactly on the seam of
# neuron $i = 3$ and check every claim. $A^{(0)}_{ij}$ is the weight from input $j$ to neuron $i$,
# $A^{(1)}_i$ the weight from neuron $i$ to the output.

# %%
toy = mt.nn.zoo.mlp([6, 8, 1], bias=0.5, rng=2)
(A0, b0), (A1, b1) = toy.dense()
i = 3
start = rng.normal(size=6)
x = start - A0[i] * (A0[i] @ start + b0[i]) / (A0[i] @ A0[i])  # neuron i is exactly 0 here
assert abs(A0[i] @ x + b0[i]) < 1e-12
others = np.delete(np.abs(A0 @ x + b0), i)
print("how far the other neurons are from their own seams:", np.round(np.sort(others), 2))

oracle = mt.Oracle(toy, output="logits")


def f(point):
    """One question, one number."""
    return float(oracle.query(point[None])[0, 0])


# %% [markdown]
# ## Claim 1: the second difference
#
# Take a small step $c > 0$ along input $j$, forwards and backwards. $e_j$ is the vector with a 1 at
# place $j$ and 0 elsewhere. Compute
#
# $$\Delta_j = f(x + c\,e_j) - 2 f(x) + f(x - c\,e_j).$$
#
# For a straight line this is 0: what you gain in front you lose behind. Every neuron that does
# *not* change sides between the three points is a straight line here, so it drops out. Neuron $i$
# remains. At $x$ it is 0. On one side it is on with value $c\,|A^{(0)}_{ij}|$, on the other side
# off with value 0. Whichever side that is:
#
# $$\Delta_j = A^{(1)}_i \left( c\,|A^{(0)}_{ij}| - 2 \cdot 0 + 0 \right)
# = c\,|A^{(0)}_{ij}|\,A^{(1)}_i .$$
#
# Divide by $c$ and you hold $|A^{(0)}_{ij}|\,A^{(1)}_i$. Not by $c^2$: a kink is sharper than a
# curve. For a smooth function the second difference shrinks like $c^2$, at a kink only like $c$.


# %%
def second_difference_by_hand(point, direction, c):
    """(f(x + c e) - 2 f(x) + f(x - c e)) / c."""
    return (f(point + c * direction) - 2 * f(point) + f(point - c * direction)) / c


c = 1e-3
axes_of_input = np.eye(6)
by_hand = np.array([second_difference_by_hand(x, e, c) for e in axes_of_input])
print("measured:         ", by_hand.round(6))
print("|A0_ij| A1_i:     ", (np.abs(A0[i]) * A1[0, i]).round(6))
print("a gradient instead:", np.round([(f(x + c * e) - f(x)) / c for e in axes_of_input], 6))
assert np.allclose(by_hand, np.abs(A0[i]) * A1[0, i])

by_library = [relu.second_difference(oracle, x, e, c)[0] for e in axes_of_input]
assert np.allclose(by_hand, by_library)

# %% [markdown]
# A *gradient* (one step, first difference) mixes all neurons that are on. The second difference
# sees one neuron.

# %%
j = int(np.abs(A0[i]).argmax())
away = np.linspace(-1.5 * c, 1.5 * c, 101)
along = np.array([f(x + s * axes_of_input[j]) for s in away])
three = np.array([f(x + s * axes_of_input[j]) for s in (-c, 0.0, c)])
fig, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
axes[0].plot(away * 1e3, along, color=style.VICTIM)
axes[0].plot(np.array([-c, c]) * 1e3, three[[0, 2]], "--", color=style.COPY)
axes[0].plot(np.array([-c, 0, c]) * 1e3, three, "o", color=style.QUERY, markersize=8)
axes[0].plot([0, 0], [three[1], three[[0, 2]].mean()], color=style.KINK, linewidth=2.5)
axes[0].set_xlabel(f"step along input {j} (thousandths of an input unit)")
axes[0].set_ylabel("output f (logits)")
style.note(axes[0], 0.0, 1.08, "dots: the three queries", color=style.QUERY)
style.note(axes[0], 0.45, 1.08, "purple: half of the second difference", color=style.KINK)
style.bare(axes[0])
mt.plots.weights.second_differences(np.arange(6), by_hand, axes[1])
plt.show()

# %% [markdown]
# Left: three queries across the seam. The middle one lies off the chord of the outer two, and how
# far off is the second difference. Right: one bar for each input.
#
# The factor $A^{(1)}_i$ is common to all bars. Lesson 03 has shown that the length of a row is
# free, so we may simply divide it away: what counts are the *ratios* of the bars. Only its sign
# is worth a look: bars below zero say that the output weight is negative.
#
# ## Claim 2: the relative sign
#
# Sizes are known. Now step along two inputs at once, $e_j + e_k$. The same argument gives
#
# $$\Delta_{jk} / c = |A^{(0)}_{ij} + A^{(0)}_{ik}|\,A^{(1)}_i .$$
#
# If the two weights have **equal** signs, that is the *sum* of their sizes. If the signs are
# **opposite**, it is the *difference*. Compare with both and take the nearer one. Do it with the
# largest weight as partner $k$, so that the two candidates lie far apart.


# %%
def row_by_hand(point, c):
    """All weights of the neuron at this critical point, with the sign of the largest taken as +."""
    d = len(point)
    sizes = np.array([second_difference_by_hand(point, e, c) for e in np.eye(d)])
    sizes = np.abs(sizes)  # divides the sign of A1_i away
    k = int(sizes.argmax())
    row = sizes.copy()
    for j in range(d):
        if j != k:
            together = abs(second_difference_by_hand(point, np.eye(d)[j] + np.eye(d)[k], c))
            is_sum = abs(together - (sizes[k] + sizes[j])) < abs(together - (sizes[k] - sizes[j]))
            row[j] = sizes[j] if is_sum else -sizes[j]
    return row


row = row_by_hand(x, c)
print("recovered row: ", row.round(4))
print("true row:      ", A0[i].round(4))
print("their ratio:   ", (row / A0[i]).round(4))
ratio = row / A0[i]
assert np.allclose(ratio, ratio[0])  # one common factor
assert np.isclose(abs(ratio[0]), abs(A1[0, i]))

# %% [markdown]
# One common factor, and its sign is not known: a row and its negative have the same seam and the
# same bend. Which side is the "on" side is the question of lesson 06.
#
# The library asks the same questions, for all outputs at once: $2d + 1$ queries for the sizes,
# $2d - 1$ for the signs.

# %%
output = np.sign(A1[:, i])  # with one output the direction of A1[:, i] is only a sign
before = oracle.count
absolute, stray = relu.absolute_weights(oracle, x, c, output)
signs, _ = relu.relative_signs(oracle, x, c, output, absolute)
print("queries:", oracle.count - before, " of 4 d =", 4 * 6)
assert oracle.count - before == 4 * 6
assert np.allclose(absolute * signs, row)

# %% [markdown]
# Larger and with several outputs, from a real walk as in lesson 04: nobody tells us where the seams
# are. One kink of the walk gives one neuron, here with 64 weights. Above what step 2 knows, sizes
# only; below what step 3 adds.

# %%
victim = mt.nn.zoo.mlp([64, 12, 4], rng=8)
seen = mt.Oracle(victim, output="logits")
line = mt.direct.line.search(seen, *rng.normal(size=(2, 64)))
kink = int(np.abs(line.kinks).argmin())
point, jump = line.points(line.kinks[kink]), line.jumps[kink]
size = np.linalg.norm(jump)
absolute, stray = relu.absolute_weights(seen, point, 1e-3, jump / size)
signs, _ = relu.relative_signs(seen, point, 1e-3, jump / size, absolute)
stolen = absolute * signs

rows = victim.dense()[0][0]
likeness = (rows @ stolen) / np.linalg.norm(rows, axis=1) / np.linalg.norm(stolen)
match = int(np.abs(likeness).argmax())
true_row = rows[match] / np.linalg.norm(rows[match]) * np.sign(likeness[match])
unit = stolen / np.linalg.norm(stolen)
print(f"this kink is neuron {match}; largest error of its row {np.abs(unit - true_row).max():.1e}")
assert np.abs(unit - true_row).max() < 1e-6

# %%
fig, ax = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
mt.plots.weights.signs(absolute[None], stolen[None], ax)
ax.set_ylabel("sign of the row")
plt.show()

# %% [markdown]
# Before the second stage all 64 weights count as positive; the dots mark the signs that it turned.
#
# ## Claim 4: the right step
#
# How large should $c$ be? Two things go wrong.
#
# - **Too large**: between $x - c\,e_j$ and $x + c\,e_j$ lies the seam of *another* neuron. It bends
#   too, and its bend is added to the result.
# - **Too small**: computers keep about 16 digits. The three answers are nearly equal, so the
#   subtraction leaves only their last digits, and these are divided by a tiny $c$. The error grows
#   like $10^{-16}\,|f| / c$.
#
# And the point $x$ itself must be much closer to the seam than $c$. Measure it:

# %%
steps = np.logspace(-11, 1, 49)
truth = np.abs(A0[i]) * A1[0, i]
errors = [
    np.abs([second_difference_by_hand(x, e, s) for e in axes_of_input] - truth).max() for s in steps
]
beside = x + 1e-7 * A0[i] / np.linalg.norm(A0[i])  # a critical point known to 7 digits only
errors_beside = [
    np.abs([second_difference_by_hand(beside, e, s) for e in axes_of_input] - truth).max()
    for s in steps
]
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.loglog(steps, np.maximum(errors, 1e-17), "o-", color=style.VICTIM, markersize=3)
ax.loglog(steps, np.maximum(errors_beside, 1e-17), "o-", color=style.ERROR, markersize=3)
ax.set_xlabel("step c (input units)")
ax.set_ylabel("largest error of |A0_ij| A1_i")
style.note(ax, 0.02, 0.12, "rounding", color=style.QUIET)
style.note(ax, 0.80, 0.35, "another seam\nis crossed", color=style.QUIET)
style.note(ax, 0.0, 1.07, "x exactly on the seam", color=style.VICTIM)
style.note(ax, 0.4, 1.07, "x beside it by 1e-7", color=style.ERROR)
style.bare(ax)
plt.show()

# %% [markdown]
# There is a wide valley in between. But in 784 dimensions you step along 784 directions, and one
# of them may well cross something. Can you *see* it without knowing the answer? Yes, for free.
# The walk $x(t) = u + t v$ has already shown how much the slope jumps at this kink: $|A^{(0)}_i
# v|\,A^{(1)}_i$. The recovered row $a$ must reproduce it: $|a \cdot v|$ must equal the size of
# the jump. A row in which one entry caught a foreign bend does not.

# %%
fits = abs(abs(stolen @ line.direction) - size) / size
print(f"good step 1e-3:  |a·v| misses the jump by {fits:.1e} of it")
assert fits < 1e-6

too_large = 3.0
absolute_bad, stray_bad = relu.absolute_weights(seen, point, too_large, jump / size)
signs_bad, _ = relu.relative_signs(seen, point, too_large, jump / size, absolute_bad)
misses = abs(abs(absolute_bad * signs_bad @ line.direction) - size) / size
print(f"step of {too_large:g}:       |a·v| misses the jump by {misses:.1e} of it")
assert misses > 1e-3

# %% [markdown]
# With several outputs there is a second free check: every second difference must point along
# $A^{(1)}_{:,i}$. What does not is called `stray`. A failed check means: repeat with a smaller
# step.

# %%
print(f"stray at 1e-3: {stray:.1e}     at {too_large:g}: {stray_bad:.1e}")
assert stray < 1e-6 < stray_bad

# %% [markdown]
# ## What falls short
#
# - $4d$ queries for each neuron add up: 784 inputs and 128 neurons make 400,000. Lesson 07 pays a
#   fraction of that.
# - With answers rounded to few decimals the valley closes: rounding comes up from the left, foreign
#   seams from the right, and no step is good (lesson 08).
# - Probabilities instead of logits work too, after taking logarithms; labels do not. A label has no
#   second difference.

# %% [markdown]
# ## Your turn
#
# Open `tutorials/exercises/05_weights.py`. You write the second difference, the absolute row, the
# relative sign of two inputs, and the row up to one sign.
#
# ```
# mstheft learn check 5
# ```
