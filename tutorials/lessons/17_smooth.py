# %% [markdown]
# # 17 · Smooth activations: tanh and sigmoid
#
# Lessons 03 to 07 lived on kinks: a ReLU neuron switches at a wall, and the answers bend there and
# nowhere else. A network of tanh or sigmoid neurons has no kinks. It bends gently, everywhere, with
# all neurons at once. The lecture leaves this case open.
#
# **Claim.** What a smooth network has instead of kinks is *derivatives*, and these tell its
# neurons apart. All its slopes lie in a subspace with one dimension for each neuron. In that
# subspace the second derivatives are diagonal in the neurons' own directions. The copy comes out
# exact to about 13 digits. For a network of 300 inputs that takes about three times the floor $F$
# of lesson 07.
#
# The network is $f(x) = A_1\,\sigma(A_0 x + b_0) + b_1$ with $d$ inputs, $h$ neurons, $K$ outputs,
# and $\sigma = \tanh$.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import least_squares

import mstheft as mt
from mstheft.direct.smooth import hessians as smooth_hessians
from mstheft.direct.smooth import lines as smooth_lines
from mstheft.plots import smooth as smooth_plots
from mstheft.plots import style

rng = np.random.default_rng(3)
d, h, K = 8, 3, 4
victim = mt.nn.zoo.mlp([d, h, K], activation="tanh", bias=0.5, rng=1)
oracle = mt.Oracle(victim, output="logits")
ask = oracle.query
(A0, b0), (A1, b1) = victim.dense()  # for our eyes only; the attack below never looks

# %%
t = np.linspace(-8, 8, 400)
u, v = rng.normal(size=(2, d))
fig, ax = plt.subplots(figsize=(6.8, 3.6), layout="constrained")
ax.plot(t, victim.logits(u + t[:, None] * v)[:, 0], color=style.VICTIM)
sharp = mt.nn.zoo.given([(A0, b0), (A1, b1)], "relu")
ax.plot(t, sharp.logits(u + t[:, None] * v)[:, 0], color=style.KINK)
style.end_labels(
    ax,
    [net.logits(u[None] + 8 * v)[0, 0] for net in (victim, sharp)],
    ["tanh", "ReLU, same weights"],
    [style.VICTIM, style.KINK],
)
ax.set(xlabel="position t on a line (input units)", ylabel="logit 0")
style.bare(ax)
plt.show()

# %% [markdown]
# One line through both networks. The ReLU curve has corners to look for. The tanh curve has none.
#
# ## Step 1: how many neurons, and in which directions?
#
# The slopes at a place $x$ form the Jacobian $J(x)$, $K \times d$:
#
# $$J(x) = A_1\,\mathrm{diag}(\sigma'(z))\,A_0, \qquad z = A_0 x + b_0 .$$
#
# Whatever $x$ is, the rows of $J(x)$ are mixtures of the $h$ rows of $A_0$. So stack the Jacobians
# of a few places on each other: the big table has rank $h$. The *singular value decomposition*
# (SVD) says how many independent rows a table has: as many as it has singular values above the
# rounding. And it gives axes $V$ ($d \times h$) of the space that they span.


# %%
def jacobian(x, c=1e-5):
    """Central differences: the error is c squared, where forward ones have c."""
    ahead, behind = ask(x + c * np.eye(d)), ask(x - c * np.eye(d))
    return (ahead - behind).T / (2 * c)


places = rng.normal(size=(3, d))
stacked = np.vstack([jacobian(x) for x in places])
spectrum, axes = np.linalg.svd(stacked)[1:]
print("singular values:", [f"{value:.0e}" for value in spectrum])
found = int((spectrum > 1e-6 * spectrum[0]).sum())
V = axes[:found].T
assert found == h

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
smooth_plots.spectrum(spectrum, found, ax)
plt.show()

# %% [markdown]
# Three values stand out, eight or nine digits above the others. So there are three neurons, and
# nobody told us.
#
# From now on we move in these three directions only: $x = V y$ with $y$ of $h$ numbers. In $y$ the
# victim is again a network of the same neurons, with rows $B = A_0 V$ ($h \times h$, square).
#
# ## Step 2: second derivatives tell them apart
#
# The second derivatives of output $k$ form the **Hessian** $H_k$, an $h \times h$ table: entry
# $(i, j)$ says how the slope along $i$ changes along $j$. For our network
#
# $$H_k = B^{\mathsf T} D_k B, \qquad D_k = \mathrm{diag}\big(A_{1,ki}\,\sigma''(z_i)\big) .$$
#
# All $K$ Hessians have the same $B$, and only the diagonal $D_k$ differs. Let $w_i$ be the columns
# of $B^{-1}$. Along $w_i$ only neuron $i$ moves ($B w_i$ is $(0, \dots, 1, \dots, 0)$). We call
# them **dual directions**. For any two mixtures $X$, $Y$ of the Hessians,
#
# $$X w_i = \lambda_i\, Y w_i ,$$
#
# since both sides are a multiple of row $i$ of $B$. That is an eigenvalue problem, one call of
# NumPy.


# %%
def hessians(y, c=1e-3):
    """(K, h, h): f(+i+j) - f(+i-j) - f(-i+j) + f(-i-j), divided by 4 c²."""
    E = c * np.eye(h)
    out = np.zeros((K, h, h))
    for i in range(h):
        for j in range(h):
            corners = np.array([E[i] + E[j], E[i] - E[j], E[j] - E[i], -E[i] - E[j]])
            out[:, i, j] = np.array([1, -1, -1, 1]) @ ask((y + corners) @ V.T) / (4 * c**2)
    return out


y0 = V.T @ places[0]
H = hessians(y0)
X, Y = np.einsum("pk,kij->pij", rng.normal(size=(2, K)), H)
values, W = np.linalg.eig(np.linalg.solve(Y, X))
W = np.real(W) / np.linalg.norm(np.real(W), axis=0)

true_duals = np.linalg.inv(A0 @ V)
true_duals /= np.linalg.norm(true_duals, axis=0)
overlap = np.abs(np.linalg.solve(true_duals, W))  # one 1 in each row and column, if all is right
print(overlap.round(3))
assert np.allclose(np.sort(overlap.ravel())[-h:], 1, atol=1e-3)

library = smooth_hessians.dual_directions(H, rng)
assert np.allclose(np.sort(np.abs(np.linalg.solve(library, W)).ravel())[-h:], 1, atol=1e-3)

fig, panels = plt.subplots(1, 2, figsize=(7, 3.2), layout="constrained")
for ax, table, name in zip(
    panels, (H[0], (W.T @ H @ W)[0]), ("along the axes V", "along the w"), strict=True
):
    size = np.abs(table).max()
    ax.imshow(table, cmap=style.signed(), vmin=-size, vmax=size)
    for (i, j), value in np.ndenumerate(table):
        ax.text(j, i, f"{value:.3f}", ha="center", va="center")
    ax.set(title=name, xticks=range(h), yticks=range(h), xlabel="direction j", ylabel="direction i")
plt.show()

# %% [markdown]
# The same second derivatives of output 0, twice. On the left all directions are mixed. On the
# right, along the dual directions, only the diagonal is left: each direction has one neuron.
#
# ## Step 3: pull one neuron at a time
#
# Walk along $w_i$: only $z_i$ changes, and it changes evenly. The answers trace one tanh,
#
# $$f(y + t\,w_i) = \text{constant} + A_{1,i}\,\tanh(z_i + s_i t) .$$
#
# Two numbers are unknown inside the tanh: where we stand, $z_i$, and how fast we go, $s_i$. For
# a guess of both, the best factor $A_{1,i}$ and constant follow by linear least squares. So we look
# for the two numbers that leave the least.

# %%
pull = np.linspace(-6, 6, 24)


def left_over(pair, curve):
    shape = np.tanh(pair[0] + pair[1] * pull)
    table = np.column_stack([shape, np.ones(len(pull))])
    return curve - table @ np.linalg.lstsq(table, curve, rcond=None)[0]


z, s = np.zeros(h), np.zeros(h)
for i in range(h):
    answers = ask((y0 + pull[:, None] * W[:, i]) @ V.T)
    curve = (answers - answers.mean(axis=0)) @ np.linalg.svd(answers - answers.mean(axis=0))[2][0]
    starts = [(a, b) for a in (-1, 0, 1) for b in (0.2, 0.5, 1, 2)]
    tries = [least_squares(left_over, start, args=(curve,)) for start in starts]
    z[i], s[i] = min(tries, key=lambda each: each.cost).x
    other = smooth_lines.fit_curve(pull, answers, "tanh")
    assert np.allclose(np.abs([z[i], s[i]]), np.abs(other[:2]), atol=1e-3)

# %% [markdown]
# tanh is odd: $\tanh(-a) = -\tanh(a)$. So a neuron may come out with all its signs turned, and its
# output weights turned as well. That is the same function, and no answer can tell the two apart.

# %%
fig, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
fine = np.linspace(-6, 6, 300)
shape = np.tanh(z[-1] + s[-1] * pull)
factor, constant = np.polyfit(shape, curve, 1)
smooth_plots.curve(pull, curve, (fine, factor * np.tanh(z[-1] + s[-1] * fine) + constant), ax)
plt.show()

# %% [markdown]
# Dots are answers along one dual direction, the line is one tanh with the fitted $z$ and $s$. If
# more than one neuron moved, no tanh would fit.
# (The axis is bent, to show near and far places alike; hence the odd shape of the tanh.)
#
# ## Step 4: the last layer
#
# Rows and offsets follow: $B = \mathrm{diag}(s)\, W^{-1}$, and the offsets are such that
# $B y_0 + b = z$. Then $A_1$ and $b_1$ are one linear least-squares problem, as in lesson 06.

# %%
B = s[:, None] * np.linalg.inv(W)
offsets = z - B @ y0
y = 2 * rng.normal(size=(40, h))
table = np.column_stack([np.tanh(y @ B.T + offsets), np.ones(40)])
solved = np.linalg.lstsq(table, ask(y @ V.T), rcond=None)[0]
copy = mt.nn.zoo.given([(B @ V.T, offsets), (solved[:-1].T, solved[-1])], "tanh")
fresh = rng.normal(size=(1000, d))
apart = mt.compare.logit_difference(victim, copy, fresh)
print(f"by hand: {oracle.count} queries, largest difference {apart.max:.1e} logits")
assert apart.max < 1e-5

# %% [markdown]
# That is a good copy, but not an exact one. The second derivatives were taken by differences twice,
# and each difference costs digits (lesson 08): half of them for the first, half of the rest for the
# second. How does one go on?
#
# ## The library: fit everything, then measure the rest
#
# The library takes the same four steps and goes on with a **fit**: all numbers of the small network
# are corrected together until they explain all answers down to their rounding. That needs a good
# start, which is what the derivatives gave. At the end it corrects $A_0$ in the directions across
# the subspace, where step 1 had only differences too.

# %%
counter = mt.Oracle(victim, output="logits")
result = mt.direct.smooth.extract(counter, activation="tanh", rng=2)
apart = mt.compare.logit_difference(victim, result.model, fresh)
print(result.queries)
print(f"{result.total} queries = {result.total / result.floor:.1f} F; difference {apart.max:.1e}")
assert result.verified
assert apart.max < 1e-10

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
smooth_plots.errors(result.trace.errors, ax)
plt.show()

# %% [markdown]
# The error by stage. The fit takes away all that the differences had left.
#
# A toy as small as this one pays mostly for looking around and for the check. Here is a larger one:

# %%
large = mt.nn.zoo.mlp([300, 16, 10], activation="tanh", bias=0.1, rng=0)
result = mt.direct.smooth.extract(mt.Oracle(large), activation="tanh", rng=1)
apart = mt.compare.logit_difference(large, result.model, rng.normal(size=(2000, 300)))
print(f"300-16-10: {result.total:,} queries = {result.total / result.floor:.1f} F")
print(f"largest difference: {apart.max:.1e} logits")
assert result.verified

# %% [markdown]
#
# ## What can go wrong
#
# - **More neurons than inputs**, $h > d$: then step 1 sees $d$ dimensions and cannot separate what
#   overlaps. The attack says so and stops.
# - **Saturated neurons.** Where $|z|$ is large, tanh is flat: no slope, no bend. A neuron that is
#   saturated on all ordinary inputs is invisible.
# - **One output.** With $K = 1$ there is one Hessian at a place. Two are needed, so measure at two
#   places.
# - **Rounded answers.** Second differences divide by $c^2$. In lesson 08 this attack ended near
#   five decimals.
# - **The wrong activation.** Sigmoid is a shifted tanh, $\sigma(z) = \frac12 + \frac12
#   \tanh(z/2)$, so either copy fits either victim. But a tanh never fits a softplus, and the check
#   tells:

# %%
other = mt.nn.zoo.mlp([d, h, K], activation="softplus", bias=0.5, rng=1)
try:
    mt.direct.smooth.extract(mt.Oracle(other), activation="tanh", rng=2)
except mt.errors.ExtractionError as error:
    print(error)
else:
    raise AssertionError("a wrong copy was returned")

# %% [markdown]
# ## Your turn
#
# Exercise 17 asks for the number of neurons, a Hessian by differences, the dual directions, and
# how well one tanh fits a curve.
#
# ```
# mstheft learn check 17
# ```
