# %% [markdown]
# # 04 · Critical points on a line
#
# You have, from lesson 03: along a straight walk $x(t) = u + t v$ a network with one hidden ReLU
# layer is made of straight pieces, and it bends where a neuron changes sides. $u$ is where the walk
# starts, $v$ its direction, $t$ how far you have gone. Such a bend is called a **kink**, and the
# point $x(t)$ where it happens a **critical point**.
#
# **Claim.** This lesson shows three things.
#
# 1. A single kink between two places can be found with a handful of queries, *exactly*: no search,
#    one formula.
# 2. The formula lies when there are two kinks. A check of one value is not enough to notice. Two
#    values are.
# 3. Kinks on a random walk do not spread evenly. Halve the *angle*, not the interval.
#
# About 45 minutes with the exercise.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.plots import style

rng = np.random.default_rng(4)

# %% [markdown]
# ## Claim 1: two lines meet
#
# Look at one output along the walk, a function $f(t)$ of one number. Take an interval from $l$ to
# $r$ with exactly one kink in it. Left of the kink, $f$ is a straight line with slope $s_l$; right
# of it, one with slope $s_r$. Both lines can be measured at the ends: one value, and one more a
# small step further in for the slope. The kink is where they meet:
#
# $$f_l + s_l\,(t^* - l) = f_r + s_r\,(t^* - r)
# \quad\Longrightarrow\quad
# t^* = \frac{f_r - f_l + s_l\, l - s_r\, r}{s_l - s_r}.$$
#
# That costs four queries. Halving an interval until it is as short as the rounding of the machine
# costs about fifty.


# %%
def one_kink(t):
    """A toy with one neuron: slope -1, then +2 from t = 0.7 on."""
    return 1.0 - t + 3 * np.maximum(t - 0.7, 0)


def end(f, t, step):
    """What is measured at one end: place, value, slope. A negative step looks to the left."""
    return t, f(t), (f(t + step) - f(t)) / step


def meeting(left, right):
    """Where the lines through both ends meet."""
    (t_l, f_l, s_l), (t_r, f_r, s_r) = left, right
    return (f_r - f_l + s_l * t_l - s_r * t_r) / (s_l - s_r)


left, right = end(one_kink, -2.0, 1e-3), end(one_kink, 3.0, -1e-3)
t_star = meeting(left, right)
print(f"the lines meet at t* = {t_star:.12f}; the kink is at 0.7")
assert abs(t_star - 0.7) < 1e-9

# %% [markdown]
# ## Claim 2: when it lies
#
# Two kinks between the ends, and the two end lines still meet *somewhere*. The obvious check: ask
# the value at $t^*$ and see whether it is where the lines meet.
#
# **With one output this check can pass and be wrong.**


# %%
def two_kinks(t):
    """Slope 0, then 2 from t = 2, then 1 from t = 3."""
    return 2 * np.maximum(t - 2, 0) - np.maximum(t - 3, 0)


left2, right2 = end(two_kinks, 0.0, 1e-3), end(two_kinks, 5.0, -1e-3)
false = meeting(left2, right2)
height2 = left2[1] + left2[2] * (false - left2[0])
print(f"the lines meet at t* = {false:.6f}; the kinks are at 2 and 3")
print("value at t*:", two_kinks(false), " predicted:", height2)
assert abs(two_kinks(false) - height2) < 1e-9  # the obvious check is fooled

# %%
fig, axes = plt.subplots(1, 2, figsize=(11.5, 4), layout="constrained")
t = np.linspace(-2, 3, 300)
height = left[1] + left[2] * (t_star - left[0])
mt.plots.lines.intersection(left, right, (t_star, height), axes[0], curve=(t, one_kink(t)))
axes[0].set_title("one kink: the formula is right", fontsize=10, pad=18)
t = np.linspace(0, 5, 300)
mt.plots.lines.intersection(left2, right2, (false, height2), axes[1], curve=(t, two_kinks(t)))
axes[1].set_title("two kinks: the value fits, the kink is not there", fontsize=10, pad=18)
plt.show()

# %% [markdown]
# Left: the dashed lines meet at the kink. Right: they meet on the left piece, before the first
# kink. There the left line *is* the function, so the value must fit. It fits, and there is no
# kink.
#
# The way out: look a little to *both* sides of $t^*$. Left of a true kink the function follows the
# left line, right of it the right line. At the false one the right side still follows the left
# line. So two more queries decide.


# %%
def is_kink(f, t_star, left, right, gap, tolerance=1e-8):
    """Does the left line hold just before t*, and the right line just after it?"""
    before, after = t_star - gap, t_star + gap
    on_left = abs(f(before) - (left[1] + left[2] * (before - left[0]))) < tolerance
    on_right = abs(f(after) - (right[1] + right[2] * (after - right[0]))) < tolerance
    return bool(on_left and on_right)


assert is_kink(one_kink, t_star, left, right, gap=0.01)
assert not is_kink(two_kinks, false, left2, right2, gap=0.01)

# %% [markdown]
# With $K > 1$ outputs life is easier: all outputs bend at the same places, so all $K$ formulas
# must give one $t^*$. A false meeting rarely manages that. A widely used
# implementation of this attack is fooled by kinks close to the end of an interval: in our
# measurements a fifth of its critical points was wrong, and most of its networks came out wrong
# without a word.
#
# ## All kinks of an interval
#
# The recipe: if both ends have the same slope and lie on one line, there is no kink. If the check
# passes, there is one. Otherwise split the interval and do both halves. Stop when an interval gets
# too short: a loop without an end is the other known fault of old implementations.


# %%
def all_kinks(f, low, high, shortest=1e-6):
    """Every kink between low and high, sorted. f : one number in, one number out."""
    step = 1e-3 * min(1.0, high - low)
    left, right = end(f, low, step), end(f, high, -step)
    slack = 1e-7 * (1 + abs(left[2]) + abs(right[2]))
    chord = (right[1] - left[1]) / (high - low)
    if max(abs(left[2] - chord), abs(right[2] - chord)) < slack:
        return []
    if abs(left[2] - right[2]) > slack:
        t_star = meeting(left, right)
        margin = 0.01 * (high - low)
        if low + margin < t_star < high - margin and is_kink(f, t_star, left, right, margin / 2):
            return [t_star]
    if high - low < shortest:
        return [(low + high) / 2]
    middle = np.tan((np.arctan(low) + np.arctan(high)) / 2)
    return all_kinks(f, low, middle, shortest) + all_kinks(f, middle, high, shortest)


found = all_kinks(two_kinks, 0.0, 5.0)
print("kinks of the toy:", np.round(found, 9))
assert np.allclose(found, [2, 3], atol=1e-7)

# %% [markdown]
# Now the same on a network with twelve hidden neurons, seen through an oracle. Because we own the
# victim we know where the kinks must be: neuron $i$ changes sides where
# $A^{(0)}_i (u + t v) + b^{(0)}_i = 0$, that is at
# $t_i = -(A^{(0)}_i u + b^{(0)}_i) / (A^{(0)}_i v)$.

# %%
victim = mt.nn.zoo.mlp([10, 12, 1], bias=0.3, rng=5)
u, v = rng.normal(size=(2, 10))
(A0, b0), (A1, b1) = victim.dense()
true = np.sort(-(A0 @ u + b0) / (A0 @ v))

oracle = mt.Oracle(victim, output="logits")
found = all_kinks(lambda t: float(oracle.query((u + t * v)[None])[0, 0]), -50.0, 50.0)
inside = true[np.abs(true) < 50]
print(f"{len(found)} kinks by hand, {oracle.count} queries; true in view: {len(inside)}")
assert len(found) == len(inside)
assert np.allclose(found, inside, atol=1e-5)

# %% [markdown]
# ## The library does the same, with more care
#
# `mt.direct.line.search` works on all outputs at once, looks as far as the digits of the answers
# allow, measures how large the rounding is instead of guessing a tolerance, re-uses every answer,
# and at the end fits each straight piece to *all* answers that lie on it. That sharpens the kinks
# for free. `mt.direct.line.bisect` is the slow and obvious way: halve whatever is not straight.

# %%
oracle = mt.Oracle(victim, output="logits")
line = mt.direct.line.search(oracle, u, v)
print(f"search: {len(line.kinks)} kinks, {oracle.count} queries")
assert len(line.kinks) == 12
assert not line.unresolved
assert np.allclose(line.kinks, true, rtol=1e-6)
assert np.allclose(line.kinks[np.abs(line.kinks) < 50], found, atol=1e-5)

slow = mt.Oracle(victim, output="logits")
halved = mt.direct.line.bisect(slow, u, v, low=-50, high=50)
print(f"bisect: {len(halved)} kinks, {slow.count} queries")
assert np.allclose(halved, found, atol=1e-5)

many = mt.nn.zoo.mlp([10, 12, 3], bias=0.3, rng=5)
oracle3 = mt.Oracle(many, output="logits")
line3 = mt.direct.line.search(oracle3, u, v)
print(f"search with three outputs: {len(line3.kinks)} kinks, {oracle3.count} queries")

# %%
fig, axes = plt.subplots(2, 1, figsize=(8.5, 7.2), layout="constrained")
mt.plots.lines.kinks(line3, axes[0], scale="arctan")
mt.plots.lines.slopes(line3, axes[1], scale="arctan")
plt.show()

# %% [markdown]
# The lower picture is the whole information of a walk: the slope is a staircase. The *place* of a
# step says where a neuron changes sides. Its *height* is $A^{(1)}_{:,i}\,|A^{(0)}_i v|$: upwards
# for a positive output weight, whichever way the neuron switches.

# %%
order = np.argsort(-(many.dense()[0][0] @ u + many.dense()[0][1]) / (many.dense()[0][0] @ v))
A0_many, A1_many = many.dense()[0][0][order], many.dense()[1][0][:, order]
heights = (A1_many * np.abs(A0_many @ v)).T
assert np.allclose(line3.jumps, heights, rtol=1e-4, atol=1e-7)

# %% [markdown]
# ## Claim 3: where kinks lie on a random walk
#
# Draw $u$ and $v$ from a normal distribution. Then $A^{(0)}_i u$ and $A^{(0)}_i v$ are two
# independent normal numbers, and (without biases) $t_i$ is minus their quotient. A quotient of two
# normal numbers is **Cauchy** distributed: most are near 0, and some are enormous, so that not even
# a mean exists. Its angle $\arctan t$, however, is spread evenly between $-\pi/2$ and $\pi/2$.
#
# So halving in $t$ wastes its effort far out where nothing is. Halving in $\arctan t$ puts an equal
# share of the kinks on both sides: `all_kinks` above did just that.

# %%
neurons, starts, ways = rng.normal(size=(3, 4000, 10))  # 4,000 neurons, each with its own walk
places = -(neurons * starts).sum(axis=1) / (neurons * ways).sum(axis=1)
angle = np.arctan(places)
fig, axes = plt.subplots(1, 2, figsize=(10.5, 3.6), layout="constrained")
axes[0].hist(places[np.abs(places) < 20], bins=80, color=style.KINK, alpha=0.7)
axes[0].set_xlabel("place of a kink t (input units)")
axes[0].set_ylabel("how many of 4,000 neurons")
share = np.mean(np.abs(places) >= 20)
assert abs(share - (1 - 2 * np.arctan(20) / np.pi)) < 0.01  # what Cauchy says
style.note(axes[0], 0.02, 0.98, f"beyond ±20: {share:.1%}\nfarthest: {np.abs(places).max():,.0f}")
axes[1].hist(angle, bins=40, color=style.KINK, alpha=0.7)
axes[1].set_xlabel("arctan of t (radians)")
for ax in axes:
    style.bare(ax)
plt.show()

# %% [markdown]
# Each neuron had a walk of its own here. On one walk through few dimensions $u$ and $v$ may point
# a similar way by chance, and the right picture leans to one side.
#
# ## What falls short
#
# - Two kinks that are closer than the rounding can separate look like one. The library reports such
#   a place in `line.unresolved`; another random walk separates them.
# - A kink at $t = 10^6$ is out of reach: the digits of the answer are used up. Walk again
#   elsewhere.
# - With rounded answers (lesson 08) the small bends drown.
# - A kink tells *that* a neuron changes sides here, not yet *which weights* it has. That is
#   lesson 05.

# %% [markdown]
# ## Your turn
#
# Open `tutorials/exercises/04_critical_points.py`. You measure a slope inwards, intersect two
# lines, check a kink on both sides, and put it together to find all kinks of an interval.
#
# ```
# mstheft learn check 4
# ```
