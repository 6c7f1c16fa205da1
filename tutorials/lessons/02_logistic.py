# %% [markdown]
# # 02 · Logistic regression in d+1 queries
#
# **What you have.** From lesson 01: a victim behind an oracle that answers questions and shows
# nothing else, and ways to say how good a copy is.
#
# **Claim.** A logistic regression with $d$ inputs is $d + 1$ numbers, and $d + 1$ questions give
# them all, exactly. Softmax regression is as easy. Rounded answers cost more questions, and a
# victim that tells nothing but labels costs some forty times as many. None of this is safe.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.plots import linear as linear_plots
from mstheft.plots import style
from mstheft.plots import weights as weight_plots

# %% [markdown]
# ## A curve that hides a line
#
# The victim takes $x$, multiplies it by its weights $w$, adds its bias $\beta$, and squeezes the
# result between 0 and 1:
#
# $$ p = \sigma(w \cdot x + \beta), \qquad \sigma(z) = \frac{1}{1 + e^{-z}} $$
#
# Solve $p = 1 / (1 + e^{-z})$ for $z$: multiply out, $e^{-z} = (1 - p) / p$, and take logarithms.
#
# $$ z = \ln \frac{p}{1 - p} $$
#
# This is the **logit** of $p$. It undoes the squeezing. What is left is linear in $x$, and a linear
# function keeps no secrets. Here is a victim with a single input, so that we can see it:

# %%
w_secret, beta_secret = 1.7, -0.6
x = np.linspace(-3, 3, 25)
p = 1 / (1 + np.exp(-(w_secret * x + beta_secret)))

two = [8, 16]  # any two of the answers will do
(x1, x2), (z1, z2) = x[two], np.log(p[two] / (1 - p[two]))
w = (z2 - z1) / (x2 - x1)
beta = z1 - w * x1
print(f"from two answers: w = {w:.12f}, beta = {beta:.12f}")
assert np.allclose([w, beta], [w_secret, beta_secret], atol=1e-12)

# %%
fig, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
linear_plots.logit_line(x, p, np.log(p / (1 - p)), w * x + beta, ax)
plt.show()

# %% [markdown]
# Open dots: what the victim answers, on a curve. Full dots: the same answers after the logit, on a
# straight line. Two points make a line, so two questions were enough for two unknowns.
#
# ## d inputs: one equation per question
#
# With $d$ inputs each question $x_i$ still gives one equation, $w \cdot x_i + \beta = \ln (p_i /
# (1 - p_i))$. There are $d + 1$ unknowns, so ask $d + 1$ questions. A one beside each input makes
# the bias an unknown like the others:
#
# $$ \begin{pmatrix} x_0 & 1 \\ \vdots & \vdots \\ x_d & 1 \end{pmatrix}
# \begin{pmatrix} w \\ \beta \end{pmatrix} =
# \begin{pmatrix} \mathrm{logit}\, p_0 \\ \vdots \\ \mathrm{logit}\, p_d \end{pmatrix} $$
#
# The matrix must be invertible. Then no question may follow from the others: the $d + 1$ points may
# not lie in one hyperplane. The origin and one step along each axis is the simplest choice.

# %%
d = 5
rng = np.random.default_rng(0)
victim = mt.nn.zoo.given([(0.5 * rng.normal(size=(1, d)), np.array([0.3]))])
oracle = mt.Oracle(victim, output="probs")

questions = np.vstack([np.zeros(d), np.eye(d)])
answers = oracle.query(questions)[:, -1]  # the probability of class 1
A = np.column_stack([questions, np.ones(d + 1)])
logits = np.log(answers / (1 - answers))
by_hand = np.linalg.solve(A, logits)
print(f"{oracle.count} questions for {d + 1} unknowns: {np.round(by_hand, 4)}")

# %%
fig, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
linear_plots.equations(A, logits, by_hand, ax)
plt.show()

# %% [markdown]
# Each row is a question, and the right column its answer, unsqueezed. The column in the middle is
# what the equations say: five weights, and the bias below them.
#
# Now the library. `mt.direct.linear.extract` gets the oracle and nothing else. It looks for a
# point where answers can be read well, asks $d$ questions around it, solves, and checks its copy on
# fresh questions. We hold its weights against ours, and both against the victim.

# %%
result = mt.direct.linear.extract(mt.Oracle(victim, output="probs"), rng=1)
library_W, library_b = result.model.dense()[0]
true_W, true_b = victim.dense()[0]
print(f"stages and their questions: {result.queries}")
library = np.append(library_W[0], library_b[0])
assert np.abs(library - by_hand).max() < 1e-9
assert np.abs(by_hand - np.append(true_W[0], true_b[0])).max() < 1e-9
print(f"the library and our six lines differ by {np.abs(library - by_hand).max():.1e}")

# %% [markdown]
# ## Softmax: the same, and one freedom
#
# With $K$ classes the victim computes $z = W x + b$ and answers $p_k = e^{z_k} / \sum_j e^{z_j}$.
# The logarithm brings us back to $\ln p_k = z_k - \ln \sum_j e^{z_j}$. The second term is no linear
# function of $x$, but it is *the same for all classes*. Take away the mean over the classes, and it
# is gone:
#
# $$ \ln p_k - \frac{1}{K} \sum_j \ln p_j = z_k - \frac{1}{K} \sum_j z_j $$
#
# So each question gives $K$ equations, and $d + 1$ questions still suffice. One thing cannot be
# known: adding the same vector to all rows of $W$ changes no answer. This freedom is called a
# **gauge**. Whoever compares two such models must fix it first. We let the mean over the classes be
# 0.

# %%
K = 4
many = mt.nn.zoo.softmax(d, K, rng=2)
probs = mt.Oracle(many, output="probs").query(questions)
centred = np.log(probs) - np.log(probs).mean(axis=1, keepdims=True)
theta = np.linalg.solve(A, centred)  # (d + 1, K): a column for each class
W, b = theta[:-1].T, theta[-1]

true_W, true_b = many.dense()[0]
print(f"without fixing the gauge we seem to be off by {np.abs(W - true_W).max():.2f}")
assert np.abs(W - (true_W - true_W.mean(axis=0))).max() < 1e-9
assert np.abs(b - (true_b - true_b.mean())).max() < 1e-9
copy = mt.direct.linear.extract(mt.Oracle(many, output="probs"), rng=3).model
assert np.abs(copy.dense()[0][0] - W).max() < 1e-9
print("with the gauge fixed, the victim, the library and our five lines agree to 1e-9")

# %%
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
weight_plots.matrices(true_W - true_W.mean(axis=0), W, ax)
plt.show()

# %% [markdown]
# A dot for each weight: the victim's across (its mean over the classes taken away), the stolen one
# upwards. All lie on the diagonal.
#
# ## Rounding: how much does it hide?
#
# A careful owner answers 0.73 in place of 0.7310585. Rounding to $k$ decimals moves $p$ by at most
# $\delta p = \frac{1}{2} 10^{-k}$. The logit moves by its derivative times that:
#
# $$ \delta\, \mathrm{logit} \approx \frac{\delta p}{p\,(1 - p)} $$
#
# At $p = \frac{1}{2}$ the factor is 4. Far from the boundary, where the victim is sure of itself,
# it grows without bound: there the answers say nothing.

# %%
z = np.linspace(-12, 12, 241)
p = 1 / (1 + np.exp(-z))
errors = {}
for decimals in (2, 4, 8):
    rounded = np.round(p, decimals)
    with np.errstate(divide="ignore"):
        errors[decimals] = np.abs(np.log(rounded) - np.log1p(-rounded) - z)
bound = 0.5 * 10.0**-4 / (p * (1 - p))
readable = np.isfinite(errors[4]) & (np.abs(z) < 6)
assert (errors[4][readable] <= 1.1 * bound[readable]).all()

fig, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
linear_plots.saturation(z, errors, ax)
ax.plot(z, bound, color=style.QUIET, linewidth=1, linestyle=":")
plt.show()

# %% [markdown]
# Every two decimals less cost a factor of 100, and each curve climbs on both sides until the answer
# is rounded to 0 or 1 and ends there. The dotted line is our bound for 4 decimals. So a thief asks
# where the victim is undecided, asks more often than it needs, and lets least squares average:

# %%
print("decimals   questions   worst weight error")
for decimals in (2, 3, 5):
    oracle = mt.Oracle(victim, output="probs", decimals=decimals)
    stolen = mt.direct.linear.extract(oracle, rng=4, tolerance=0.5)
    error = np.abs(stolen.model.dense()[0][0] - victim.dense()[0][0]).max()
    print(f"{decimals:8d}   {oracle.count:9,d}   {error:.1e}")
    assert error < 0.1

# %% [markdown]
# ## Labels only: halving
#
# The most careful owner tells the label alone. Then no equation can be written down, but there is
# still one place where we *know* a logit: on the boundary it is 0. To find a point of it, take an
# input of each label and ask in the middle. Keep the half whose ends differ. Each question halves
# what is left, so 30 questions find the point to a billionth of the distance.

# %%
plane = mt.nn.zoo.given([(np.array([[1.0, -2.0]]), np.array([0.5]))])
labeller = mt.Oracle(plane, output="label")
inside, outside = np.array([3.0, -1.0]), np.array([-2.0, 2.0])
tried = []
for _ in range(30):
    middle = (inside + outside) / 2
    tried.append(middle)
    if labeller.query(middle[None])[0] == 1:
        inside = middle
    else:
        outside = middle
on = (inside + outside) / 2
value = plane.logits(on[None])[0, 0]
print(f"after {labeller.count} labels: a point with the logit {value:.1e}")
assert abs(value) < 1e-7

# %% [markdown]
# From a point of label 1, one such search along each axis gives the distances $t_j$ at which the
# boundary is met, and the weights are as $-1 / t_j$: a small weight meets it far away. The library
# does this (Lowd and Meek, 2005).

# %%
labeller = mt.Oracle(plane, output="label")
stolen = mt.direct.linear.boundary.extract(labeller, rng=5)
w_stolen, b_stolen = stolen.model.dense()[0]
w_true = np.array([1.0, -2.0]) / np.sqrt(5)
assert np.abs(w_stolen[0] - w_true).max() < 1e-7
assert abs(b_stolen[0] - 0.5 / np.sqrt(5)) < 1e-7
print(f"{labeller.count} labels: w = {np.round(w_stolen[0], 6)}, up to its length")

cloud = np.random.default_rng(6).normal(size=(150, 2)) * 2
fig, ax = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
linear_plots.boundary(
    cloud,
    plane.labels(cloud),
    (np.array([1.0, -2.0]), 0.5),
    (w_stolen[0], b_stolen[0]),
    ax,
)
ax.plot(*np.array(tried).T, "o", color=style.QUERY, markersize=5)
plt.show()

# %% [markdown]
# The two lines lie on one another. The green dots are our halving: it hops to the boundary and is
# there after a few questions. The *length* of the weights never shows in a label, which is the same
# for $(w, \beta)$ and $(2w, 2\beta)$: the copy has length 1.
#
# ## Your turn
#
# Exercise 02 asks for five functions: the logit, the solution of the $d + 1$ equations, the same
# for softmax with its gauge, the error that rounding makes, and the halving. Write them in
# `tutorials/exercises/02_logistic.py`, save, and run
#
# ```
# mstheft learn check 2
# ```
