# %% [markdown]
# # 03 · A ReLU network is a patchwork
#
# You have: the oracle of lesson 01, and the trick of lesson 02 for a victim that is one linear map:
# ask $d+1$ questions and solve. Now the victim gets a hidden layer. Is it still solvable?
#
# **Claim.** This lesson shows three things.
#
# 1. A network with one hidden ReLU layer is *many* linear maps, sewn together along straight
#    seams. Inside one patch it is exactly as easy as lesson 02.
# 2. Every seam belongs to one hidden neuron. So a seam tells about that neuron alone.
# 3. Some things about the victim can never be known, because they change no answer. They are few,
#    and we can count them.
#
# About 40 minutes with the exercise.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.compare import alignment as symmetry
from mstheft.nn import regions
from mstheft.plots import style

rng = np.random.default_rng(3)

# %% [markdown]
# ## The network, written out
#
# $$f(x) = A^{(1)}\,\mathrm{relu}\!\left(A^{(0)} x + b^{(0)}\right) + b^{(1)},
# \qquad \mathrm{relu}(z) = \max(z, 0).$$
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $A^{(0)}$ | `A0` | $(h, d)$ | weights from inputs to hidden neurons; row $i$ is neuron $i$ |
# | $b^{(0)}$ | `b0` | $(h,)$ | one bias for each neuron |
# | $A^{(1)}$ | `A1` | $(K, h)$ | weights from neurons to outputs; column $i$ is neuron $i$ |
# | $b^{(1)}$ | `b1` | $(K,)$ | biases of the outputs |
#
# Neuron $i$ computes $z_i = A^{(0)}_i x + b^{(0)}_i$. If $z_i > 0$ it is **on** and passes $z_i$
# on. If $z_i \le 0$ it is **off** and passes 0. That is all a ReLU does.
#
# A toy with $d = 2$, $h = 4$, $K = 2$, with numbers that you can check by hand:

# %%
A0 = np.array([[1.0, 0.5], [-0.5, 1.0], [1.0, -1.0], [0.3, 1.0]])
b0 = np.array([0.5, -0.4, 0.2, 1.1])
A1 = np.array([[1.0, -1.0, 0.5, 0.8], [0.3, 1.2, -1.0, 0.4]])
b1 = np.array([0.1, -0.2])
toy = mt.nn.zoo.given([(A0, b0), (A1, b1)])

x = np.array([1.0, -0.5])
z = A0 @ x + b0
on = z > 0
print("z  =", z)
print("on =", on)
assert np.allclose(A1 @ np.maximum(z, 0) + b1, toy.logits(x[None])[0])

# %% [markdown]
# ## Claim 1: inside a patch the network is linear
#
# As long as the same neurons stay on, we may replace relu by a fixed diagonal matrix $D$: 1 where a
# neuron is on, 0 where it is off. Then
#
# $$f(x) = A^{(1)} D\,(A^{(0)} x + b^{(0)}) + b^{(1)} = W x + c,
# \qquad W = A^{(1)} D A^{(0)},\quad c = A^{(1)} D\, b^{(0)} + b^{(1)}.$$
#
# $W$ is $(K, d)$: its row $k$ is the **gradient** of output $k$. All points with the same neurons
# on share one $W$ and one $c$. Such a set of points is called a **linear region**.

# %%
D = np.diag(on.astype(float))
W = A1 @ D @ A0
c = A1 @ D @ b0 + b1
nearby = x + 1e-3 * rng.normal(size=(50, 2))
assert np.allclose(toy.logits(nearby), nearby @ W.T + c)  # fifty neighbours, one linear map
assert np.allclose(toy.jacobian(x[None])[0], W)  # the library's gradient is the same matrix

far = x + 3 * rng.normal(size=(50, 2))
share = np.isclose(toy.logits(far), far @ W.T + c).all(axis=1).mean()
print(f"the same map holds for {share:.0%} of points far away: they lie in other patches")

# %% [markdown]
# So inside one region lesson 02 works: $d+1$ questions give $W$ and $c$. But that is only the map
# of one patch. It mixes all neurons that are on; it does not tell them apart. For that we need
# the seams.
#
# ## Claim 2: every seam is one neuron's
#
# Neuron $i$ changes sides where $A^{(0)}_i x + b^{(0)}_i = 0$. In the plane that is a straight
# line, in general a **hyperplane**. $h$ neurons draw $h$ lines, and the lines cut the plane into
# patches. Next door one neuron has changed, so the maps of two neighbours differ by that neuron's
# share and nothing else:
#
# $$W_{\text{on}} - W_{\text{off}} = A^{(1)}_{:,i}\, A^{(0)}_i ,$$
#
# an output column times an input row: a matrix of *rank one*.

# %%
i = 2
a = A0[i]
seam = x - a * (a @ x + b0[i]) / (a @ a)  # the nearest point on the line of neuron 2
step = 1e-6 * a
jump = toy.jacobian((seam + step)[None])[0] - toy.jacobian((seam - step)[None])[0]
print("jump of the gradient:\n", jump)
assert np.allclose(jump, np.outer(A1[:, i], A0[i]))
assert np.linalg.matrix_rank(jump) == 1

# %% [markdown]
# Now all of it as a map. Pale colours: regions. Purple lines: seams. Arrows: gradient of output 0.
# All arrows in one patch are equal. Follow one across a line and it turns.

# %%
view = regions.slice_regions(toy, [0, 0], [1, 0], [0, 1], extent=3.0, points=300)
fig, ax = plt.subplots(figsize=(6.2, 6.2), layout="constrained")
mt.plots.regions.regions(view, ax)
plt.show()

# %% [markdown]
# Every straight line runs right across the picture: a first-layer neuron does not care about the
# others. The black line, where the label changes, is straight inside a patch and bends at the
# seams.
#
# ### How many patches?
#
# Draw lines one after the other, no two parallel and no three through one point. Line number $m$
# crosses the $m-1$ lines before it, so it passes through $m$ patches and cuts each in two. So $h$
# lines make $1 + 1 + 2 + \dots + h = 1 + h + \frac{h(h-1)}2$ patches. On a single straight walk,
# however, each line is met at most once: **at most $h$ bends**. In 784 dimensions the number of
# patches is astronomical. The number of bends on a walk is still at most $h$. That is why the
# attack of the next lesson walks.

# %%
wide = regions.slice_regions(toy, [0, 0], [1, 0], [0, 1], extent=40.0, points=1200)
expected = 1 + 4 + 4 * 3 // 2
print(f"patches seen: {len(wide.patterns)}, by the formula: {expected}")
assert len(wide.patterns) == expected

# %%
t = np.linspace(-4, 4, 1000)
start, direction = np.array([0.3, -0.4]), np.array([0.6, 0.8])
walk = start + t[:, None] * direction
values = toy.logits(walk)
bends = -(A0 @ start + b0) / (A0 @ direction)  # where each neuron changes sides
fig, axes = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained")
slopes = np.gradient(values, t, axis=0)
pictures = ((values, "output f(x) (logits)"), (slopes, "slope (logits per input unit)"))
for ax, (drawn, name) in zip(axes, pictures, strict=True):
    for k in range(2):
        ax.plot(t, drawn[:, k], color=style.of_class(k), label=f"output {k}")
    for bend in bends[np.abs(bends) < 4]:
        ax.axvline(bend, color=style.KINK, linewidth=0.8, alpha=0.6)
    ax.set_xlabel("position t on a walk x = u + t v (input units)")
    ax.set_ylabel(name)
    style.bare(ax)
axes[0].legend(frameon=False)
style.note(axes[1], 0, 1.06, "purple: a neuron changes sides", color=style.KINK)
plt.show()

# %% [markdown]
# The output bends and its slope jumps at the same three places, for both outputs at once. The
# fourth seam is met outside the picture.
#
# ## Claim 3: what can never be known
#
# **Order.** The sum over neurons has no order. Number them differently, nothing changes.
#
# **Scale.** Take $s > 0$. Multiply row $i$ and bias $i$ by $s$, and divide column $i$ of
# $A^{(1)}$ by $s$:
#
# $$\frac{A^{(1)}_{:,i}}{s}\,\mathrm{relu}\!\left(s A^{(0)}_i x + s b^{(0)}_i\right)
# = A^{(1)}_{:,i}\,\mathrm{relu}\!\left(A^{(0)}_i x + b^{(0)}_i\right),$$
#
# because a positive factor passes through relu: $\mathrm{relu}(s z) = s\,\mathrm{relu}(z)$. With a
# *negative* factor this is wrong: it would swap on and off. So a neuron's length is free and its
# sign is not. By hand:

# %%
s = 3.0
A0_twin, b0_twin, A1_twin = A0.copy(), b0.copy(), A1.copy()
A0_twin[i] *= s
b0_twin[i] *= s
A1_twin[:, i] /= s
twin = mt.nn.zoo.given([(A0_twin, b0_twin), (A1_twin, b1)])
assert np.allclose(twin.logits(far), toy.logits(far))

by_library = symmetry.rescale(toy, layer=1, neuron=i, factor=s)
assert np.allclose(by_library.dense()[0][0], A0_twin)
assert np.allclose(by_library.dense()[1][0], A1_twin)

A0_bad, b0_bad, A1_bad = A0.copy(), b0.copy(), A1.copy()
A0_bad[i] *= -s
b0_bad[i] *= -s
A1_bad[:, i] /= -s
bad = mt.nn.zoo.given([(A0_bad, b0_bad), (A1_bad, b1)])
print("factor  3: largest change", np.abs(twin.logits(far) - toy.logits(far)).max())
print("factor -3: largest change", np.abs(bad.logits(far) - toy.logits(far)).max())

# %% [markdown]
# So "are the weights equal?" is the wrong question. The right one: are they equal after undoing
# order and scale? `symmetry.align` does that: it pairs the neurons, rescales, and tells what is
# left.

# %%
shuffled = symmetry.reorder(twin, 1, [2, 0, 3, 1])
print("weights differ by", np.abs(shuffled.dense()[0][0] - A0).max())
aligned = symmetry.align(toy, shuffled)
print("after alignment by", aligned.error, " pairs:", aligned.order)
assert aligned.error < 1e-12

# %% [markdown]
# ### Is that *all* that is free?
#
# Count. The network has $hd + h + Kh + K$ numbers. Each neuron has one free factor, so $h$ of them
# are invisible, and $hd + Kh + K$ are left. That is the number above the fraction bar of the floor
# $F$ in lesson 01.
#
# We can measure it. Move each parameter a little and write down how the answers at many inputs
# change: one column for each parameter. A combination of parameters that changes no answer is a
# *singular value* of zero of this table. **Claim: exactly $h$ of them vanish.**


# %%
def answers(parameters, x, h, d, K):
    """The network's answers, flat, for parameters in one long row."""
    cuts = np.cumsum([h * d, h, K * h])
    w0, v0, w1, v1 = np.split(parameters, cuts)
    hidden = np.maximum(x @ w0.reshape(h, d).T + v0, 0)
    return (hidden @ w1.reshape(K, h).T + v1).ravel()


h, d, K = 4, 2, 2
flat = np.concatenate([A0.ravel(), b0, A1.ravel(), b1])
many = 3 * rng.normal(size=(300, d))
eps = 1e-6
table = np.stack(
    [
        (answers(flat + eps * e, many, h, d, K) - answers(flat - eps * e, many, h, d, K))
        / (2 * eps)
        for e in np.eye(len(flat))
    ],
    axis=1,
)
sizes = np.linalg.svd(table, compute_uv=False)
invisible = int((sizes < 1e-6 * sizes[0]).sum())
print(
    f"{len(flat)} parameters, {invisible} directions change nothing, {len(flat) - invisible} count"
)
assert invisible == h
assert len(flat) - invisible == h * d + K * h + K

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.semilogy(np.arange(1, len(sizes) + 1), np.maximum(sizes, 1e-16), "o", color=style.VICTIM)
ax.axvspan(len(sizes) - h + 0.5, len(sizes) + 0.5, color=style.KINK, alpha=0.12)
ax.set_xlabel("direction in the space of parameters, strongest first")
ax.set_ylabel("effect on the answers")
style.note(ax, 0.5, 0.3, f"the {h} free scales", color=style.KINK)
style.bare(ax)
plt.show()

# %% [markdown]
# A cliff of eight decades: 18 directions show in the answers, 4 do not. What is left of the four is
# rounding. No attack will ever see them, and none needs to.
#
# ## What falls short
#
# - The count holds for *generic* networks. A neuron that is never on, or two neurons on one and the
#   same hyperplane, can hide more than that.
# - With two hidden layers the seams of the second layer bend. The patchwork stays, the straight
#   lines do not (lesson 16).
# - tanh and sigmoid have no seams at all (lesson 17).

# %% [markdown]
# ## Your turn
#
# Open `tutorials/exercises/03_patchwork.py`. You write which neurons are on, the linear map of a
# patch, the rescaling of a neuron, and a normal form that has no free scale left.
#
# ```
# mstheft learn check 3
# ```
