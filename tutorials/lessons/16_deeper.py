# %% [markdown]
# # 16 · Deeper networks: whose kink is this?
#
# From lesson 07 you have the sweep: one line, the kinks on it, and a few Jacobians give a network
# with one hidden layer. Now the victim has **two** hidden ReLU layers,
#
# $$f(x) = A_2\,\mathrm{relu}\big(A_1\,\mathrm{relu}(A_0 x + b_0) + b_1\big) + b_2 ,$$
#
# with $d$ inputs, $h_1$ and $h_2$ neurons and $K$ outputs. A line bends wherever a neuron of
# *either* layer changes sides, and a bend does not say who made it. The lecture leaves this
# question open.
#
# **Claim.** The layers can be told apart by *what stays constant*. A
# neuron of the first layer has the same wall everywhere. A neuron of the last hidden layer pushes
# the outputs in the same direction everywhere. Once the first layer is known it can be peeled
# off, and what is left is a network that the sweep of lesson 07 steals.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.direct.deep import first_layer as deep_first
from mstheft.nn.regions import slice_regions
from mstheft.plots import deep as deep_plots

rng = np.random.default_rng(16)
d, h1, h2, K = 7, 4, 5, 3
victim = mt.nn.zoo.mlp([d, h1, h2, K], bias=0.3, rng=0)
oracle = mt.Oracle(victim, output="logits")
ask = oracle.query
(A0, b0), (A1, b1), (A2, b2) = victim.dense()  # for our eyes only; the attack never looks

# %% [markdown]
# ## Step 1: kinks, and the pair that belongs to each
#
# Three random lines $x(t) = u + t v$. The search of lesson 04 finds their kinks.

# %%
lines = [mt.direct.line.search(oracle, *rng.normal(size=(2, d))) for _ in range(3)]
for n, line in enumerate(lines):
    print(f"line {n}: {len(line.kinks)} kinks at t =", line.kinks.round(2))

# %% [markdown]
# Between two kinks, the network is linear, and the Jacobian $J$ ($K \times d$) holds its slopes.
# Cross one kink and exactly one neuron has changed sides. So the Jacobian changes by a table of
# **rank one**, a column times a row:
#
# $$J_{\text{right}} - J_{\text{left}} = g\,a^{\mathsf T}, \qquad a \cdot v = 1 .$$
#
# $a$ ($d$ numbers) says which *input* direction that neuron listens to. $g$ ($K$ numbers) says
# how it moves the *outputs*. Since $a \cdot v = 1$, multiplying with $v$ gives $g$; and
# multiplying with $g$ from the left gives $a$:
#
# $$g = (J_{\text{right}} - J_{\text{left}})\,v, \qquad
# a = \frac{(J_{\text{right}} - J_{\text{left}})^{\mathsf T} g}{g \cdot g} .$$


# %%
def jacobian(x, c=1e-5):
    answers = ask(np.vstack([x, x + c * np.eye(d)]))
    return (answers[1:] - answers[0]).T / c


def pairs(line):
    """The g (n, K) and a (n, d) of all n kinks of a line."""
    ends = np.concatenate([[line.kinks[0] - 1], line.kinks, [line.kinks[-1] + 1]])
    middles = (ends[:-1] + ends[1:]) / 2
    J = [jacobian(line.points(np.array(t))) for t in middles]
    change = np.diff(J, axis=0)
    g = change @ line.direction
    a = np.einsum("nkd,nk->nd", change, g) / (g**2).sum(axis=1)[:, None]
    rest = change - g[:, :, None] * a[:, None, :]
    assert np.abs(rest).max() < 1e-6, "not of rank one: two kinks at once"
    return g, a


found = [pairs(line) for line in lines]
for line, (g, _) in zip(lines, found, strict=True):
    assert np.allclose(g, line.jumps, atol=1e-5)  # the line search had seen the g already
print("every change is of rank one, and its g is the slope jump of the line search")

# %% [markdown]
# (The sweep does the same with one Jacobian for up to $K$ kinks. Nothing in that depends on
# layers, so the library uses the sweep's own grouping here.)
#
# ## Step 2: which layer? The same wall everywhere
#
# Neuron $i$ of the **first** layer switches on the wall $A_{0,i} \cdot x + b_{0,i} = 0$. It is
# flat, and it is the same for the whole space. So a kink $p$ with row $a$ on line 0 *predicts*
# where any other line $u' + t v'$ must bend: where $a \cdot (u' + t v' - p) = 0$, that is
#
# $$t = \frac{a \cdot (p - u')}{a \cdot v'} .$$
#
# Neuron $j$ of the **second** layer sees $\mathrm{relu}(A_0 x + b_0)$, which itself bends. So its
# wall is bent, its row $a$ is another one in each region, and the prediction fails.


# %%
def predicted(rows, points, other):
    return np.einsum("nd,nd->n", rows, points - other.start) / (rows @ other.direction)


def first_layer(n):
    """Does each kink of line n bend both other lines where it should?"""
    rows, points = found[n][1], lines[n].points(lines[n].kinks)
    yes = np.ones(len(rows), bool)
    for other in lines[:n] + lines[n + 1 :]:
        t = predicted(rows, points, other)
        yes &= np.abs(t[:, None] - other.kinks).min(axis=1) < 1e-5 * (1 + np.abs(t))
    return yes


is_first = [first_layer(n) for n in range(3)]
layers = [np.where(yes, 1, 2) for yes in is_first]
print("layer of each kink of line 0:", layers[0])
assert all(yes.sum() == h1 for yes in is_first)  # each of the h1 walls crosses each line once

fig, ax = plt.subplots(figsize=(7.2, 4), layout="constrained")
t = predicted(found[0][1], lines[0].points(lines[0].kinks), lines[1])
deep_plots.meeting(lines[1], t, layers[0], ax)
plt.show()

# %% [markdown]
# Each dot is a kink of line 0: to the right, where it predicts a kink on line 1; upwards, how far
# the prediction is off (logarithmic). Far down: right up to rounding. Far up: wrong. The first
# layer is always down. A few rings of the second layer are down as well: there both lines happen
# to cross the same flat piece of a bent wall. On line 2 their predictions fail. That is why there
# are three lines. No query was needed for any of this.
#
# (Where the whole second layer is off, the answers are constant, and a first-layer wall leaves no
# kink. Then a line shows fewer than $h_1$ of them. Here it does not happen. Of 14 victims of this
# size, four stopped at an assert of step 1, since our Jacobian has one fixed step for all places.
# The library checks each Jacobian, measures again with a smaller step, and searches more lines.)

# %%
v = lines[0].direction
across = v / np.linalg.norm(v)
up = lines[1].direction - (lines[1].direction @ across) * across
up /= np.linalg.norm(up)
plane = slice_regions(victim, lines[0].start, across, up, extent=8.0, points=250)
fig, ax = plt.subplots(figsize=(6, 5.8), layout="constrained")
at = lines[0].kinks * np.linalg.norm(v)
near = np.abs(at) < 8
deep_plots.boundaries(plane, ax, kinks=(at[near], layers[0][near]))
plt.show()

# %% [markdown]
# A plane through the victim, drawn with our knowledge of its weights. Walls of the first layer
# are straight lines, walls of the second bend at each of them. Circles are the kinks that we
# found along line 0, in the colour of the layer that *we gave* them: they sit on walls of that
# colour.
#
# ## The other end: the same output direction everywhere
#
# What of the second layer stays constant? The push on the outputs. Behind neuron $j$ of the last
# hidden layer comes only $A_2$, so
#
# $$g = A_{2,j}\,|a \cdot v| \quad\text{up to scale, at every kink of } j ,$$
#
# always with the same sign (lesson 07 showed why the sign comes out right). For a first-layer
# neuron $g = A_2 D A_{1,i}\,|\dots|$, where the diagonal $D$ of zeros and ones says which
# second-layer neurons are on. It changes from place to place.

# %%
ways = [g / np.linalg.norm(g, axis=1, keepdims=True) for g, _ in found]
second = np.vstack([way[~yes] for way, yes in zip(ways, is_first, strict=True)])
columns = (A2 / np.linalg.norm(A2, axis=0)).T
cosines = second @ columns.T
print("kinks of the second layer:", len(second), " nearest column of A2:", cosines.argmax(axis=1))
assert np.allclose(cosines.max(axis=1), 1, atol=1e-8)

fig, ax = plt.subplots(figsize=(5.4, 5.2), layout="constrained")
deep_plots.directions(list(zip(ways, layers, strict=True)), ax)
plt.show()

# %% [markdown]
# Directions of all slope jumps, seen along two of the three outputs. Rings of the second layer
# nest in a few places, one place for each neuron that the lines met. Dots of the first layer lie
# anywhere.
#
# ## Step 3: which side of a first-layer wall is "on"?
#
# We know the rows of $A_0$, each up to a factor that may be negative. Now second-layer kinks
# help. At such a kink
#
# $$a = \sum_i \beta_i\, A_{0,i}, \qquad
# \beta_i = A_{1,ji} \text{ if neuron } i \text{ is on there, and } 0 \text{ if it is off,}$$
#
# because a neuron that is off passes nothing on. So solve for $\beta$ ($h_1 \le d$ unknowns, $d$
# equations). A $\beta_i \neq 0$ proves that the kink lies on the active side of wall $i$. A zero
# says that it lies on the other side. Every second-layer kink has one vote.

# %%
mine = is_first[0]
rows = found[0][1][mine] / np.linalg.norm(found[0][1][mine], axis=1, keepdims=True)
offsets = -np.einsum("nd,nd->n", rows, lines[0].points(lines[0].kinks[mine]))

behind = np.vstack([a[~yes] for (_, a), yes in zip(found, is_first, strict=True)])
places = np.vstack(
    [line.points(line.kinks[~yes]) for line, yes in zip(lines, is_first, strict=True)]
)
beta = np.linalg.lstsq(rows.T, behind.T, rcond=None)[0].T
assert np.allclose(beta @ rows, behind, atol=1e-6)  # they do lie in the span of the first layer
assert np.allclose(beta, deep_first.coefficients(behind, rows)[0], atol=1e-9)

passes = np.abs(beta) > 1e-5 * np.abs(beta).max(axis=1, keepdims=True)
sides = np.sign(places @ rows.T + offsets)
votes = (np.where(passes, 1, -1) * sides).sum(axis=0)
print("votes for each wall:", votes.astype(int), "of", len(behind))
signs = np.sign(votes)
stolen = deep_first.OrientedLayer(signs[:, None] * rows, signs * offsets)
truth = A0 / np.linalg.norm(A0, axis=1, keepdims=True)
assert np.allclose((stolen.A0 @ truth.T).max(axis=1), 1, atol=1e-9)  # +1, not -1: oriented

fig, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
most = int(np.minimum(passes.sum(axis=1), (~passes).sum(axis=1)).argmax())
deep_plots.coefficients(beta[most], passes[most], ax)
plt.show()

# %% [markdown]
# One second-layer kink, written in rows of the first layer. A neuron that is off there has a
# coefficient that is zero up to rounding. The votes above agree with one another; if they
# did not, something before would be wrong.
#
# ## Step 4: peel the first layer off
#
# $h_1 \le d$, so we can make the first layer say whatever we like. For any wish $\varphi \ge 0$
# ($h_1$ numbers)
#
# $$x = A_0^{+} (\varphi - b_0) \quad\Longrightarrow\quad \mathrm{relu}(A_0 x + b_0) = \varphi ,$$
#
# with the **pseudoinverse** $A_0^{+}$ (`np.linalg.pinv`), for which $A_0 A_0^{+}$ is the
# identity. Seen from $\varphi$, all first-layer neurons are on, so the victim is
# $A_2\,\mathrm{relu}(A_1 \varphi + b_1) + b_2$: *one* hidden layer. That was lesson 07.


# %%
class Behind:
    """The oracle as seen from behind the first layer."""

    inputs, output = h1, "logits"

    def __init__(self, first):
        self.first, self.inverse = first, np.linalg.pinv(first.A0)

    def query(self, phi):
        return ask((phi - self.first.b0) @ self.inverse.T)

    def __getattr__(self, name):
        return getattr(oracle, name)


wish = rng.random((5, h1))
x = (wish - stolen.b0) @ np.linalg.pinv(stolen.A0).T
assert np.allclose(stolen.hidden(x), wish)
inner = mt.direct.sweep.extract(Behind(stolen), low=0.0, high=20.0, rng=3)
copy = mt.nn.zoo.given([(stolen.A0, stolen.b0), *inner.model.dense()])
fresh = rng.normal(size=(5000, d))
apart = mt.compare.logit_difference(victim, copy, fresh)
print(f"by hand: {oracle.count} queries, largest difference {apart.max:.1e} logits")
assert apart.max < 1e-5

# %% [markdown]
# ## The library
#
# `mt.direct.deep.extract` takes these steps. Besides, it groups its Jacobians, searches more
# lines where a layer is in doubt, aims its segments at neurons that are seldom on, fits
# everything to the answers that it paid for, and checks itself on fresh inputs.

# %%
counter = mt.Oracle(victim, output="logits")
result = mt.direct.deep.extract(counter, rng=4)
apart = mt.compare.logit_difference(victim, result.model, fresh)
agree = mt.compare.logit_difference(copy, result.model, fresh)
print(f"library: {result.total} queries, largest difference {apart.max:.1e} logits")
print(f"by hand against library: {agree.max:.1e} logits")
assert result.verified
assert agree.max < 1e-5

large = mt.nn.zoo.mlp([64, 32, 16, 10], bias=0.1, rng=0)
result = mt.direct.deep.extract(mt.Oracle(large, output="logits"), rng=1)
for stage, what in result.found.items():
    print(f"  {stage:13} {what}")
apart = mt.compare.logit_difference(large, result.model, rng.normal(size=(5000, 64)))
print(f"64-32-16-10: {result.total:,} queries = {result.total / result.floor:.1f} F,", end=" ")
print(f"largest difference {apart.max:.1e} logits")
assert result.verified


# %%
def row_errors(true, ours):
    """Relative error of each true row against the nearest of ours, all of length 1."""
    true, ours = (W / np.linalg.norm(W, axis=1, keepdims=True) for W in (true, ours))
    return np.linalg.norm(true[:, None] - ours[None], axis=2).min(axis=1)


(L0, c0), _, (L2, _) = large.dense()
(S0, s0), _, (S2, _) = result.model.dense()
fig, ax = plt.subplots(figsize=(5.4, 4), layout="constrained")
deep_plots.errors(
    {
        "hidden 1\n(rows of A0 and b0)": row_errors(np.c_[L0, c0], np.c_[S0, s0]),
        "hidden 2\n(columns of A2)": row_errors(L2.T, S2.T),
    },
    ax,
)
plt.show()

# %% [markdown]
# How far each neuron of the copy is off, in relative terms. Both layers are far below what could
# ever change an answer.
#
# ## What falls short
#
# - **Too many first-layer neurons.** With $h_1 > d$ no choice of $x$ produces every $\varphi$. Then
#   `extract` goes another way, *lifting*: since $\mathrm{relu}(z) = (z + |z|)/2$, a neuron of the
#   second layer is linear in $(|A_0 x + b_0|, x)$ and its bent boundary is flat there. A walk along
#   it tells one weight wherever it meets the hyperplane of a first-layer neuron.
# - **Rounded answers.** Zeros must be told from small numbers, which takes about eleven decimals.
#   Behind float32 or fewer decimals the same function learns a student that is too wide, prunes
#   it layer by layer, and polishes it to the noise (lesson 08), at three times as many queries.
# - **Neurons that hide.** A neuron that never switches along our lines is not found. The final
#   check on fresh inputs then fails, and no copy is returned.
# - **Three hidden layers** are peeled the same way, and where that fails they are lifted. Most
#   random 64-32-16-16-10 victims come out, at about 20 times the floor; of narrow ones
#   (16-8-6-6-4) only some do: where no third-layer neuron listens, the second does not show.

# %%
single = mt.nn.zoo.mlp([20, 8, 6, 1], bias=0.3, rng=5)
counter = mt.Oracle(single, output="logits")
copy = mt.direct.deep.extract(counter, rng=6).model
x = rng.normal(size=(2000, 20))
error = np.abs(copy.logits(x) - single.logits(x)).max()
print(f"20-8-6-1: {counter.count:,} queries, largest error {error:.0e}")
assert error < 1e-6

wide = mt.nn.zoo.mlp([5, 9, 6, 4], bias=0.3, rng=5)
counter = mt.Oracle(wide, output="logits")
copy = mt.direct.deep.extract(counter, rng=6).model
x = rng.normal(size=(2000, 5))
error = np.abs(copy.logits(x) - wide.logits(x)).max()
print(f"5-9-6-4: {counter.count:,} queries, largest error {error:.0e}")
assert error < 1e-6

# %% [markdown]
# With one output, $g$ is a number and tells less, but the rows still predict their kinks: the
# same steps end at a copy.

# %% [markdown]
# ## Your turn
#
# Exercise 16 asks for four pieces: the pair of a kink, where a wall meets another line, the side
# on which each first-layer neuron is on, and an input that makes the first layer say what you
# wish.
#
# ```
# mstheft learn check 16
# ```
