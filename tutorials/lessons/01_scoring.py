# %% [markdown]
# # 01 · What is stolen, and how it is scored
#
# A company trains a model and sells its answers. You may ask, and you pay for each question.
# You never see the model. **Model theft** means: build a second model that answers the same.
#
# You need a little NumPy, and to know that a classifier picks the class with the
# largest score. About 30 minutes.
#
# **Claim.** This lesson shows three things.
#
# 1. An *oracle* can tell much or little. Each step down from scores to a bare label hides
#    something, and we can name what.
# 2. "The copy is 98 % right" can mean three different things. Only one of them is theft, and even
#    that one looks better than it is unless you compare it with a model that stole nothing.
# 3. Testing can never prove that two models are equal everywhere. It can bound how often they
#    differ.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.plots import style

rng = np.random.default_rng(1)

# %% [markdown]
# ## The victim
#
# Points in the plane, three classes. A small network with one hidden layer of 6 neurons learns
# them. We call it the **victim**. Two input numbers are enough to draw everything.
#
# Some words and letters that stay the same through the whole course:
#
# | letter | meaning | here |
# |---|---|---|
# | $x$ | one input, a row of $d$ numbers | $d = 2$ |
# | $K$ | number of classes | $K = 3$ |
# | $f(x)$ | the victim's $K$ scores for $x$, called **logits** | 3 numbers |
# | $n$ | how many inputs at once | the rows of an array |

# %%
x_all, y_all = mt.data.synthetic.blobs(1500, classes=3, rng=4)
x_train, y_train = x_all[:600], y_all[:600]  # the victim's own data
x_other, y_other = x_all[600:900], y_all[600:900]  # somebody else's data of the same kind
x_test, y_test = x_all[900:], y_all[900:]  # nobody trains on these

victim = mt.nn.zoo.mlp([2, 6, 3], rng=0)
mt.nn.fit.fit(victim, x_train, y_train, epochs=40, optimizer=mt.nn.optim.Adam(1e-2), rng=0)
right = (victim.labels(x_test) == y_test).mean()
print(f"the victim is right on {right:.1%} of {len(x_test)} fresh points")

# %% [markdown]
# ## The oracle: a counter that answers
#
# An attack never touches `victim`. It gets an `Oracle`, which answers, counts, and stops when the
# budget is spent. One row is one query.

# %%
oracle = mt.Oracle(victim, output="logits", budget=5)
print("answer:", oracle.query(x_test[:2]).round(3).tolist())
print("asked so far:", oracle.count, " left:", oracle.left)
try:
    oracle.query(x_test[:4])
except mt.errors.BudgetExhausted as refused:
    print("refused:", refused)
assert oracle.count == 2  # a batch that is too large costs nothing

# %% [markdown]
# ## The oracle ladder
#
# Real services tell more or less. From much to little:
#
# | rung | what comes back | what is lost on the way down |
# |---|---|---|
# | `logits` | $K$ scores $z_k$ | |
# | `probs` | $p_k = e^{z_k} / \sum_j e^{z_j}$ (*softmax*) | per input one number: a common shift |
# | `probs`, rounded | the same with few decimals | small differences |
# | `top_k` | the largest probabilities only | the rest |
# | `label` | the index of the largest | everything but the winner |
#
# **Claim.** Softmax loses exactly one thing: a number added to all $K$ scores. In a formula,
# for any $c$:
#
# $$\frac{e^{z_k + c}}{\sum_j e^{z_j + c}} = \frac{e^c\, e^{z_k}}{e^c \sum_j e^{z_j}}
# = \frac{e^{z_k}}{\sum_j e^{z_j}} .$$
#
# So from probabilities you can still compute the logits *minus their mean*:
# $\ln p_k - \frac1K \sum_j \ln p_j = z_k - \frac1K \sum_j z_j$. The unknown shift has a name, the
# **gauge**. By hand first:


# %%
def softmax_by_hand(z):
    """Scores (n, K) to probabilities: exponentials that are divided by their sum."""
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def centred(z):
    """Scores less their mean over the classes."""
    return z - z.mean(axis=1, keepdims=True)


z = victim.logits(x_test)  # we own the victim here, so that we may look
p = mt.Oracle(victim, output="probs").query(x_test)
assert np.allclose(softmax_by_hand(z), p)
assert np.allclose(softmax_by_hand(z + 7.0), p)  # the shift is invisible
assert np.allclose(centred(np.log(p)), centred(z))  # all else is still there
print("largest gap after centring:", np.abs(centred(np.log(p)) - centred(z)).max())

# %% [markdown]
# Now walk along a straight line through the plane and look at the same victim from four rungs.

# %%
t = np.linspace(-6, 6, 400)
line = np.stack([t, 0.4 * t], axis=1)
rungs = {
    "logits": mt.Oracle(victim, output="logits"),
    "probs": mt.Oracle(victim, output="probs"),
    "probs, 1 decimal": mt.Oracle(victim, output="probs", decimals=1),
    "label": mt.Oracle(victim, output="label"),
}
fig, axes = plt.subplots(1, 4, figsize=(12, 3.2), layout="constrained")
for ax, (name, rung) in zip(axes, rungs.items(), strict=True):
    answers = rung.query(line)
    if answers.ndim == 1:
        ax.step(t, answers, color=style.VICTIM, where="mid")
        ax.set_yticks([0, 1, 2])
    else:
        for k in range(3):
            ax.plot(t, answers[:, k], color=style.of_class(k), label=f"class {k}")
    ax.set_title(name, fontsize=10)
    ax.set_xlabel("position on the line (input units)")
    style.bare(ax)
axes[0].set_ylabel("what the oracle answers")
axes[0].legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# The further right the picture, the less there is to work with. On the last rung nothing happens
# at all until the label jumps. On the first rung you can even see where the curve *bends*;
# lessons 04 to 06 live on these bends. The last rung is the dearest one, and not the end: the place
# where the label jumps bends too, and lesson 20 copies a hidden layer from that alone.
#
# ## Three scores that people mix up
#
# Take a copy $\hat f$ and inputs $x_1 \dots x_n$ with true classes $y_1 \dots y_n$.
#
# - **accuracy**: $\frac1n \sum_i [\,\arg\max \hat f(x_i) = y_i\,]$. Is the copy right?
# - **agreement** (also *fidelity*): $\frac1n \sum_i [\,\arg\max \hat f(x_i) = \arg\max f(x_i)\,]$.
#   Does it say what the victim says, mistakes included?
# - **equivalence**: is $\max_k |\hat f_k(x) - f_k(x)|$ tiny for *every* $x$?
#
# The bracket $[\dots]$ is 1 where the statement holds and 0 elsewhere. A good copy makes the
# victim's mistakes; accuracy does not see that.
#
# Let us steal once, the lazy way: buy the labels of 40 points, train on them. Also train a
# **control**: a network of the same shape on 40 honest labels, which has never met the victim.


# %%
def trained(x, labels, seed):
    """A network of the victim's shape that learned these labels."""
    network = mt.nn.zoo.mlp([2, 6, 3], rng=seed)
    mt.nn.fit.fit(network, x, labels, epochs=120, optimizer=mt.nn.optim.Adam(1e-2), rng=seed)
    return network


shop = mt.Oracle(victim, output="label", budget=40)
copy = trained(x_other[:40], shop.query(x_other[:40]), seed=1)
control = trained(x_other[:40], y_other[:40], seed=2)


def agreement_by_hand(f, g, x):
    """The share of rows on which the largest scores stand in the same place."""
    return float((f.logits(x).argmax(axis=1) == g.logits(x).argmax(axis=1)).mean())


for name, network in (("copy", copy), ("control", control)):
    by_hand = agreement_by_hand(victim, network, x_test)
    assert by_hand == mt.compare.agreement(victim, network, x_test)
    accuracy = (network.labels(x_test) == y_test).mean()
    print(f"{name:8} accuracy {accuracy:.1%}   agreement with the victim {by_hand:.1%}")

# %% [markdown]
# The control stole nothing, and agrees with the victim almost as often as the copy does. Two
# models that solve one task well must agree on most of it. So an agreement alone proves no theft:
# **always show the control beside it.**
#
# There is a second trap. Agreement depends on *where you look*. On the test points all three
# networks meet in the same clouds. Ask far away from the data and the picture changes.

# %%
far = rng.uniform(-12, 12, (4000, 2))
for name, network in (("copy", copy), ("control", control)):
    near_share = mt.compare.agreement(victim, network, x_test)
    far_share = mt.compare.agreement(victim, network, far)
    print(f"{name:8} on test points {near_share:.1%}, on a wide square {far_share:.1%}")

# %%
grid = np.linspace(-12, 12, 240)
gx, gy = np.meshgrid(grid, grid)
plane = np.stack([gx.ravel(), gy.ravel()], axis=1)
told = victim.labels(plane).reshape(gx.shape)
fig, axes = plt.subplots(1, 3, figsize=(12, 5.0), layout="constrained")
for ax, (name, network) in zip(
    axes, (("victim", victim), ("copy, 40 labels", copy), ("control", control)), strict=True
):
    labels = network.labels(plane).reshape(gx.shape)
    for k in range(3):
        colour = [style.of_class(k)]
        ax.contourf(gx, gy, (labels == k).astype(float), [0.5, 1.5], colors=colour, alpha=0.3)
    wrong = (labels != told).astype(float)
    if wrong.any():
        ax.contourf(gx, gy, wrong, [0.5, 1.5], colors=[style.NEGATIVE], alpha=0.9)
    ax.plot(*x_test.T, ".", color=style.VICTIM, markersize=1.5)
    ax.set_title(name, fontsize=10)
    ax.set_xlabel("input 1 (input units)")
    ax.set_aspect("equal")
axes[0].set_ylabel("input 2 (input units)")
fig.suptitle("vermilion: does not agree with the victim", color=style.NEGATIVE, fontsize=10)
plt.show()

# %% [markdown]
# All three networks agree where the data lies. Far outside they each draw borders of their own, and
# nothing in the training said where. Which of the two comes closer out there is luck.
#
# ## How sure can a test make you?
#
# You ask $n$ random inputs and the two models agree on all of them. Are they equal? You only know
# that differences are rare. Call $\delta$ the share of inputs on which they differ. The chance to
# meet none of them in $n$ independent draws is $(1-\delta)^n$.
#
# **Claim.** With 95 % confidence, $\delta \le 1 - 0.05^{1/n} \approx 3/n$. If $\delta$ were larger,
# such a clean run would happen less than once in twenty times. This is the *rule of three*: a
# thousand agreeing answers prove at best "at most 3 in 1000 differ".

# %%
counts = np.unique(np.logspace(1, 5, 40).astype(int))
bound = 1 - 0.05 ** (1 / counts)
fig, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
ax.loglog(counts, bound, color=style.VICTIM)
ax.loglog(counts, 3 / counts, "--", color=style.COPY)
ax.set_xlabel("agreeing answers n (queries)")
ax.set_ylabel("δ is at most (share of inputs)")
style.note(ax, 0.45, 0.95, "exact, 95 % confidence", color=style.VICTIM)
style.note(ax, 0.45, 0.87, "3 / n", color=style.COPY)
style.bare(ax)
plt.show()


# %%
def draw(rng, m):
    """m inputs from N(0, 3²)."""
    return 3 * rng.normal(size=(m, 2))


same = mt.compare.functional_equivalence(victim, victim.copy(), 1e-9, draw, 1000, rng=5)
assert np.isclose(same.at_most, 1 - 0.05 ** (1 / 1000))
print(same)
print(mt.compare.functional_equivalence(victim, copy, 0.1, draw, 1000, rng=5))

# %% [markdown]
# The two curves lie on one another from about thirty queries on: ten times the queries, a tenth of
# the bound. It never reaches zero. And the lazy copy is off by more than 0.1 almost everywhere:
# equal labels, quite different scores.
#
# ## What is possible: an exact copy
#
# With logits and the right mathematics a thief gets the *function*, not an imitation. The next
# lessons explain how. Here is what it looks like from outside. Compare its differences with those
# of the lazy copy.

# %%
exact = mt.direct.relu.extract(mt.Oracle(victim, output="logits"), rng=0)
print("verified:", exact.verified, " queries:", exact.total, exact.queries)
print("\nlazy copy, 40 labels\n" + str(mt.compare.summary(victim, copy, x_test, labels=y_test)))
print("\nexact copy\n" + str(mt.compare.summary(victim, exact.model, x_test, labels=y_test)))
assert exact.verified
assert mt.compare.logit_difference(victim, exact.model, far).max < 1e-6

# %% [markdown]
# How few queries could be enough? Count the unknowns. A network with one hidden layer of $h$
# neurons has $hd$ weights in front, $Kh$ behind, and $K$ output biases that matter (lesson 03 shows
# why the $h$ inner biases are not counted on top). One answer brings $K$ numbers. So no attack on a
# network without special structure can do with fewer than
#
# $$F = \frac{hd + Kh + K}{K}$$
#
# queries, the **floor**. The course reports every theft as queries / $F$.

# %%
h, d, K = 6, 2, 3
floor = (h * d + K * h + K) / K
assert floor == exact.floor  # the result knows the same number
print(f"floor F = {floor:.0f} queries; the attack above used {exact.total / floor:.1f} F")

# %% [markdown]
# ## What falls short
#
# - Everything here lives in two dimensions. In 784 dimensions you cannot draw where two models
#   differ, and random inputs rarely look like digits. Which inputs to judge on is then a real
#   decision. Say it whenever you quote an agreement.
# - The exact attack needs many digits in the answers and a victim of a known kind. Most services
#   give neither. That is why the second half of the course learns copies instead.

# %% [markdown]
# ## Your turn
#
# Open `tutorials/exercises/01_scoring.py`. You write the scores of this lesson yourself: labels
# from scores, agreement, the largest difference with the gauge taken away, and the bound on
# $\delta$.
#
# ```
# mstheft learn check 1
# ```
