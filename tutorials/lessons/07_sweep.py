# %% [markdown]
# # 07 · Fewer queries than parameters: the sweep
#
# **What you have.** From lessons 03 to 06 you know a network with one hidden ReLU layer,
#
# $$f(x) = A_1\,\mathrm{relu}(A_0 x + b_0) + b_1 .$$
#
# It has $d$ inputs, $h$ hidden neurons and $K$ outputs. So $A_0$ is $h \times d$, $b_0$ has $h$
# numbers, $A_1$ is $K \times h$ and $b_1$ has $K$ numbers. You can find the kinks on a line, and
# you can measure a neuron's weights at its kink.
#
# **The waste.** The four steps ask about $4d$ questions at *every* neuron. Each answer brings $K$
# numbers, but at one kink they all say the same thing: they point along one column of $A_1$.
#
# **Claim.** One random line, and a few Jacobians beside it, give *all* neurons
# at once. With $K = 10$ outputs, 784 inputs and 64 neurons this takes about 7,000 questions for a
# network of 50,890 numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.direct.hyperplanes import groups as sweep_groups
from mstheft.direct.sweep import signs as sweep_signs
from mstheft.plots import style
from mstheft.plots import sweep as sweep_plots

# %% [markdown]
# ## How few can it be? The floor
#
# Count what is unknown. There are $hd$ weights in $A_0$, $h$ in $b_0$, $Kh$ in $A_1$ and $K$ in
# $b_1$. But one number for each neuron is free: multiply its row of $A_0$ and its bias by $c > 0$,
# divide its column of $A_1$ by $c$, and $f$ is the same. So $hd + Kh + K$ numbers are left.
# One answer brings $K$ numbers. Fewer questions than
#
# $$F = \frac{hd + Kh + K}{K}$$
#
# cannot be enough for a network without special structure. We call $F$ the **floor**.
# A count of questions means little by itself; questions divided by $F$ says how thrifty an
# attack is.


# %%
def floor(d, h, K):
    return (h * d + K * h + K) / K


for shape in [(784, 128, 1), (784, 128, 10), (100, 32, 10)]:
    d, h, K = shape
    print(f"{d}-{h}-{K}: {h * d + h + K * h + K:,} numbers, floor F = {floor(*shape):,.0f} queries")

# %% [markdown]
# ## A toy to do by hand
#
# Four inputs, five neurons, three outputs. We may look inside, since the toy is ours. The attack
# below does not: it only calls `ask`.

# %%
victim = mt.nn.zoo.mlp([4, 5, 3], bias=0.3, rng=4)
oracle = mt.Oracle(victim, output="logits")
ask = oracle.query
d, h, K = 4, 5, 3

# %% [markdown]
# ## Step 1: one line crosses every wall
#
# A neuron $i$ changes sides on the flat wall $a_i \cdot x + c_i = 0$. Here $a_i$ is its row of
# $A_0$ and $c_i$ its bias, both up to a factor that we may still choose. A random line
# $x(t) = u + t v$ is parallel to no wall, so it crosses **every** wall exactly once. Finding the
# crossings $t_i$ was lesson 04. We use the library's search for them.

# %%
rng = np.random.default_rng(2)
line = mt.direct.line.search(oracle, *rng.normal(size=(2, d)))
print("kinks at t =", line.kinks.round(3), "for", oracle.count, "queries")
assert len(line.kinks) == h

fig, ax = plt.subplots(figsize=(7.2, 4), layout="constrained")
sweep_plots.line(line, ax)
plt.show()

# %% [markdown]
# Each upright line is a kink, at the same $t$ in all three answers. (The axes are bent, so that far
# kinks are in view too; only the sharp bends are real.)

# %% [markdown]
# ## Step 2: the output weights come for free
#
# Left and right of kink $i$ the answers along the line have different slopes. The difference is a
# vector of $K$ numbers, the **slope jump** $g_i$. Suppose the neuron switches on while $t$ grows.
# Then $g_i = A_{1,i} (A_{0,i} \cdot v)$ with $A_{0,i}\cdot v > 0$. Suppose it switches off. Then
# the slope *loses* $A_{1,i} (A_{0,i} \cdot v)$, but now $A_{0,i}\cdot v < 0$. Either way
#
# $$g_i = A_{1,i}\,|A_{0,i} \cdot v| .$$
#
# We may choose the neuron's scale. Choose it so that $|a_i \cdot v| = 1$. Then $g_i$ **is** the
# column $A_{1,i}$, with its sign. No query was needed.

# %%
(A0, b0), (A1, b1) = victim.dense()
truth = -(A0 @ line.start + b0) / (A0 @ line.direction)  # where the walls really are
order = np.argsort(truth)
assert np.allclose(line.kinks, truth[order])
true_jumps = (A1 * np.abs(A0 @ line.direction)).T[order]
assert np.allclose(line.jumps, true_jumps, atol=1e-6)
print("largest error of a slope jump:", np.abs(line.jumps - true_jumps).max())

fig, ax = plt.subplots(figsize=(5.2, 5), layout="constrained")
sweep_plots.jumps(line, ax)
plt.show()

# %% [markdown]
# Each arrow is the direction of one slope jump, seen along two of the three outputs. No two are
# parallel. That is what will tell the neurons apart in a moment.

# %% [markdown]
# ## Step 3: Jacobians between the kinks
#
# The **Jacobian** $J(x)$ is the $K \times d$ table of slopes: entry $(k, j)$ says how fast output
# $k$ grows along input $j$. Between two walls the network is linear, so the table is exact by plain
# differences and costs $d + 1$ questions:
#
# $$J_{kj} = \frac{f_k(x + c\,e_j) - f_k(x)}{c} .$$
#
# Now walk along the line from $t_a$ to $t_b$. Each wall in between adds its own piece. Turn the row
# so that $a_i \cdot v = +1$ and look at both cases as above, and you find
#
# $$J(t_b) - J(t_a) = \sum_{a < i \le b} g_i\, a_i^{\mathsf T} .$$
#
# On the right, the $g_i$ are known from step 2 and the rows $a_i$ are not. For each input $j$ these
# are $K$ equations, one for each output. So **up to $K$ rows can be solved from one difference.**
# That is the whole trick: measure a Jacobian only after every $K$ kinks, not at every kink.


# %%
def jacobian(x, c=1e-4):
    answers = ask(np.vstack([x, x + c * np.eye(d)]))
    return (answers[1:] - answers[0]).T / c


middle = (line.kinks[:-1] + line.kinks[1:]) / 2
places = [line.kinks[0] - 1, middle[2], line.kinks[-1] + 1]  # 3 kinks, then 2 kinks, between them
J = [jacobian(line.points(np.array(t))) for t in places]

rows = np.zeros((h, d))
for (a, b), before, after in [((0, 3), J[0], J[1]), ((3, 5), J[1], J[2])]:
    G = line.jumps[a:b].T  # (K, m): one column for each kink of the group
    rows[a:b] = np.linalg.lstsq(G, after - before, rcond=None)[0]

true_rows = A0[order] / (A0[order] @ line.direction)[:, None]
print("largest error of a row:", np.abs(rows - true_rows).max())
assert np.allclose(rows, true_rows, atol=1e-5)

fig, ax = plt.subplots(figsize=(7.5, 2.6), layout="constrained")
sweep_plots.group(J[1] - J[0], line.jumps[:3], rows[:3], ax)
plt.show()

# %% [markdown]
# Three known blocks of numbers, one unknown one: the small system of the first group. On the right
# are three rows of weights that were solved at once.
#
# **A free check.** We never used $a_i \cdot v = 1$ when we solved. If a difference step had crossed
# a wall, the table would be wrong and this product would not be 1. So every wrong Jacobian
# gives itself away, and can be measured again with a smaller step. Try a step that is far too
# large:

# %%
print("a·v of the solved rows  :", (rows @ line.direction).round(6))
wild = (jacobian(line.points(np.array(places[1])), c=2.0) - J[0]) @ line.direction
print("J v should change by Σ g:", line.jumps[:3].sum(axis=0).round(3))
print("with a step of 2        :", wild.round(3), " <- does not agree: measure again")
assert np.allclose(rows @ line.direction, 1, atol=1e-5)
assert not np.allclose(wild, line.jumps[:3].sum(axis=0), atol=1e-2)

# %% [markdown]
# ## Step 4: the offset
#
# The wall goes through the kink, so $a_i \cdot x(t_i) + c_i = 0$:

# %%
offsets = -np.sum(rows * line.points(line.kinks), axis=1)

# %% [markdown]
# ## Step 5: which side is on?
#
# We know the walls, but not on which side of it a neuron is on. Write the neuron as
# $\mathrm{relu}(s_i y_i)$ with $y_i = a_i \cdot x + c_i$ and an unknown **orientation** $s_i = \pm
# 1$. One line of algebra helps:
#
# $$\mathrm{relu}(s y) = \tfrac12 (s y + |y|) .$$
#
# (Check it: for $s y > 0$ both halves add up, for $s y < 0$ they cancel.) Its slope is
# $\tfrac12 (s + \mathrm{sgn}\, y)\, a$. So at any place where we have a Jacobian
#
# $$2 J(x) - \sum_i g_i\,\mathrm{sgn}(y_i)\, a_i^{\mathsf T} = \sum_i s_i\, g_i a_i^{\mathsf T} .$$
#
# The left side is known. The right side is **linear** in the $s_i$. Solve as if they were ordinary
# numbers, by least squares. They come out as $\pm 1$ by themselves. No query was needed, and how
# far they are off $\pm 1$ is one more check.

# %%
x = line.points(np.array(places[1]))
known = 2 * J[1] - (line.jumps.T * np.sign(rows @ x + offsets)) @ rows
equations = np.stack(
    [np.outer(g, a).ravel() for g, a in zip(line.jumps, rows, strict=True)], axis=1
)
s = np.linalg.lstsq(equations, known.ravel(), rcond=None)[0]
print("orientations before rounding:", s.round(6))
assert np.abs(np.abs(s) - 1).max() < 1e-4
s = np.sign(s)

# %% [markdown]
# ## The last bias, and the copy
#
# All is known but $b_1$, and one answer gives it: $b_1 = f(x) - A_1\,\mathrm{relu}(A_0 x + b_0)$.
# We take one near the origin. Far out the answers are large, and large numbers are rounded
# more coarsely.

# %%
hidden = np.maximum(s * (rows @ x + offsets), 0)
bias = ask(x[None])[0] - hidden @ line.jumps
copy = mt.nn.zoo.given([(s[:, None] * rows, s * offsets), (line.jumps.T, bias)])

fresh = rng.normal(size=(1000, d))
apart = mt.compare.logit_difference(victim, copy, fresh)
print(f"{oracle.count} queries, largest difference on 1,000 fresh rows: {apart.max:.1e}")
assert apart.max < 1e-8

# %% [markdown]
# ## The library does the same
#
# Each of our lines is a function in `mt.direct`: `sweep_groups.solve_group`,
# `sweep_signs.solve_signs` and so on. First see that they agree with what we did by hand.

# %%
assert np.allclose(sweep_groups.solve_group(line.jumps[:3], J[1] - J[0]), rows[:3], atol=1e-7)
assert (np.sign(sweep_signs.solve_signs(known, rows, line.jumps)) == s).all()

# %% [markdown]
# Then a real size. The library adds three things that a toy does not need: it places the Jacobians
# in the widest gaps, it repeats the ones that fail the free check, and at the end it fits all rows
# to all the Jacobians it paid for (*refinement*, no query). And it asks 100 fresh rows before it
# calls the copy verified.

# %%
big = mt.nn.zoo.mlp([784, 64, 10], bias=0.1, rng=0)
counter = mt.Oracle(big, output="logits")
result = mt.direct.sweep.extract(counter, rng=1)
print(result.queries)
print(
    f"{result.total:,} queries = {result.total / result.floor:.2f} F, verified: {result.verified}"
)
apart = mt.compare.logit_difference(big, result.model, rng.normal(size=(10_000, 784)))
print(f"largest difference on 10,000 fresh rows: {apart.max:.1e} logits")
assert result.verified
assert result.total < 2 * result.floor

fig, ax = plt.subplots(figsize=(7.2, 4), layout="constrained")
sweep_plots.gaps(result.trace.lines[0], result.trace.plans[0], ax)
plt.show()

# %% [markdown]
# 64 kinks, and only eight Jacobians (the filled bars). They stand where the room between two kinks
# is wide, since a longer difference step means less rounding.

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
sweep_plots.signs(result.trace.signs, ax)
plt.show()

# %% [markdown]
# All 64 orientations, before rounding. Nobody told the solver that they are $+1$ or $-1$.

# %% [markdown]
# ## Against the four steps
#
# The same victims, both attacks. The four steps measure every neuron by itself, the sweep up to
# $K$ together. With one output the sweep saves a factor of three to four here, and the more outputs
# there are, the more it saves.

# %%
names, shares = [], []
for outputs in (1, 3, 10):
    small = mt.nn.zoo.mlp([60, 24, outputs], bias=0.1, rng=5)
    for name, attack in (("four steps", mt.direct.relu), ("sweep", mt.direct.sweep)):
        found = attack.extract(mt.Oracle(small, output="logits"), rng=6)
        assert found.verified
        names.append(f"{name}\nK = {outputs}")
        shares.append(found.total / found.floor)
        print(f"60-24-{outputs:<2} {name:<10} {found.total:>6,} queries = {shares[-1]:.2f} F")

fig, ax = plt.subplots(figsize=(7.2, 3.8), layout="constrained")
colours = [style.QUIET, style.COPY] * 3
bars = ax.bar(names, shares, color=colours)
ax.bar_label(bars, fmt="%.1f")
ax.axhline(1, color=style.VICTIM, linewidth=1)
ax.text(5.5, 1, "floor", va="bottom", color=style.VICTIM)
ax.set_ylabel("queries / floor F")
style.bare(ax)
plt.show()

# %% [markdown]
# The bars are well above 1 for these small victims: finding the kinks and the check at the end
# cost a few hundred queries, and here the floor itself is only a few hundred. For 784 inputs that
# part hardly counts.
#
# ## What can go wrong
#
# - **Two kinks very near each other.** There is no room for a difference step between them. The
#   library puts both into one group; if their jumps are nearly parallel as well, it leaves them to
#   a second line.
# - **Rounded answers.** The rows come from differences, so every lost digit hurts. Lesson 08
#   measures how much.
# - **More than one hidden layer.** Deeper walls bend, and one line no longer meets each once.
#   That is lesson 16.
# - **Only logits or probabilities will do.** With labels alone there is no slope to read.
#
# ## Your turn
#
# Exercise 07 asks for four pieces: the floor, a Jacobian by differences, the rows of a group, and
# the orientations.
#
# ```
# mstheft learn check 7
# ```
