# %% [markdown]
# # 09 · Learning a copy: the ActiveThief loop
#
# **What you have.** Lessons 02 to 08 solved equations for the weights. That needs to know what kind
# of network stands behind the counter, and it needs answers with many digits.
#
# **The other way.** A thief who knows neither can do what the victim's owner did: *train*. A
# network of the thief's own, the **copy**, is shown inputs and learns to give the victim's answers.
# The thief does not have the owner's data. It asks about a **pool** of inputs that lie around
# anyway, such as photographs of anything. The victim's answers are the labels.
#
# **Claim.** A few hundred answers to drawn *letters* are enough for a copy that agrees with a
# reader of *digits* on most digits, although the copy has never seen one. It will never be equal,
# and we will see why.
#
# The loop of this lesson is *ActiveThief* (Pal et al. 2020):
#
# ```
# pool ---> choose k rows ---> victim answers ---> train a fresh copy ---+
#               ^                                                        |
#               +--------------- look at the pool with it <--------------+    N rounds
# ```

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.learning.targets import f1_of
from mstheft.plots import learning as learning_plots
from mstheft.plots import style

# %% [markdown]
# ## The budget, spent before it is spent
#
# Each answer costs money, and a service that is asked too often gets suspicious. So there is a
# **budget**: how many rows may be asked in all. ActiveThief divides it at the start:
#
# - 20 % for **validation** rows. The copy is never trained on them. They tell when to stop.
# - 10 % for the **first** rows, drawn at random.
# - The rest in equal parts for the $N$ rounds.
#
# For a budget of 500 and $N = 4$ rounds:

# %%
budget, rounds = 500, 4
held = round(0.2 * budget)
first = round(0.1 * budget)
rest = budget - held - first
later = [rest // rounds + (i < rest % rounds) for i in range(rounds)]
print(f"validation {held}, first {first}, then {later}")
assert held + first + sum(later) == budget
assert mt.learning.active.shares(budget, rounds) == (held, first, later)

# %% [markdown]
# ## What an answer teaches: soft labels
#
# The victim answers with probabilities, say $(0.7, 0.25, 0.05)$ for three classes. We could keep
# only "class 0". But $0.25$ says that the row looks a bit like class 1. That is worth more than
# the label alone, so the copy is trained towards all three numbers. They are called **soft
# labels**, and we write them $\tilde y$.
#
# How wrong is a copy that says $p$ where the victim says $\tilde y$? The **cross-entropy** is
#
# $$L = -\sum_k \tilde y_k \ln p_k, \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}},$$
#
# with the copy's logits $z$. Training follows the slope of $L$ downwards. The slope is as simple as
# it can be:
#
# $$\frac{\partial L}{\partial z_k} = p_k - \tilde y_k .$$
#
# It is zero exactly when the copy says what the victim says.


# %%
def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def cross_entropy(z, soft):
    """Mean loss over the n rows, and its slope with respect to z."""
    p = softmax(z)
    return -(soft * np.log(p)).sum(axis=1).mean(), (p - soft) / len(z)


rng = np.random.default_rng(0)
z, soft = rng.normal(size=(5, 3)), rng.dirichlet(np.ones(3), size=5)
loss, slope = cross_entropy(z, soft)
library_loss, library_slope = mt.nn.losses.cross_entropy(z, soft)
assert np.isclose(loss, library_loss)
assert np.allclose(slope, library_slope)

# %% [markdown]
# ## A whole theft on a toy
#
# The victim sorts points of the plane. The thief's pool is a square full of random points; 60 of
# them are asked. The copy is the smallest there is, a softmax regression $z = W x + b$, trained by
# walking down the slope 500 times. All in a few lines. We do it twice: with a victim that separates
# three round clouds, and with one that separates two half moons.


# %%
def train_copy(asked, soft, steps=500, rate=0.5):
    W, b, losses = np.zeros((soft.shape[1], asked.shape[1])), np.zeros(soft.shape[1]), []
    for _ in range(steps):
        loss, slope = cross_entropy(asked @ W.T + b, soft)
        W -= rate * slope.T @ asked
        b -= rate * slope.sum(axis=0)
        losses.append(loss)
    return W, b, losses


def theft(x, y, pool):
    victim = mt.nn.zoo.mlp([2, 32, y.max() + 1], rng=1)
    mt.nn.fit.fit(victim, x[:1000], y[:1000], epochs=60, optimizer=mt.nn.optim.Adam(0.01), rng=1)
    oracle = mt.Oracle(victim, output="probs", budget=60)
    asked = pool[rng.choice(len(pool), 60, replace=False)]
    soft = oracle.query(asked)  # the only thing the thief ever gets
    W, b, losses = train_copy(asked, soft)
    agreement = ((x[1000:] @ W.T + b).argmax(axis=1) == victim.labels(x[1000:])).mean()
    return victim, asked, W, b, losses, agreement


clouds = theft(*mt.data.synthetic.blobs(3000, classes=3, rng=1), rng.uniform(-5, 5, (2000, 2)))
moons = theft(*mt.data.synthetic.moons(3000, rng=1), rng.uniform(-1.5, 2.5, (2000, 2)))
print(f"60 queries each; agreement on 2,000 fresh points: {clouds[-1]:.1%} and {moons[-1]:.1%}")
assert clouds[-1] > 0.95 > moons[-1]

# %%
fig, panels = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for k, (*_, losses, _) in enumerate((clouds, moons)):
    panels[0].plot(losses, color=style.of_class(k))
panels[0].set(xlabel="step", ylabel="loss on the 60 rows (nats)", ylim=(0, 1.2))
ends = [clouds[-2][-1], moons[-2][-1]]
style.end_labels(panels[0], ends, ["clouds", "moons"], [style.of_class(0), style.of_class(1)])
for ax, (victim, asked, W, b, *_) in zip(panels[1:], (clouds, moons), strict=True):
    across, up = (np.linspace(*ends, 241) for ends in zip(asked.min(0), asked.max(0), strict=True))
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    theirs = victim.labels(points).reshape(241, 241)
    ours = (points @ W.T + b).argmax(axis=1).reshape(241, 241)
    for k in range(len(b)):
        ax.contourf(across, up, theirs == k, [0.5, 1.5], colors=[style.of_class(k)], alpha=0.2)
        ax.contour(across, up, ours == k, [0.5], colors=[style.COPY])
    ax.plot(*asked.T, ".", color=style.QUERY)
    ax.set(xlabel="first input", ylabel="second input", aspect="equal")
style.note(panels[1], 0, 1.02, "areas: the victim", color=style.VICTIM, va="bottom")
style.note(panels[1], 0.5, 1.02, "lines: the copy", color=style.COPY, va="bottom")
style.note(panels[2], 0, 1.02, "dots: rows that were asked", color=style.QUERY, va="bottom")
plt.show()

# %% [markdown]
# The clouds' borders are nearly straight, and the copy is nearly right. The border between the
# moons is bent, and a softmax regression has straight borders only. More answers would not help.
# **A learned copy is as good as its answers and its architecture allow.** Even with a better
# architecture it comes near, but does not become equal.
#
# ## When to stop, and how to judge: macro-F1
#
# A network that is trained too long learns the accidents of its rows by heart. So after each pass
# over the rows (an *epoch*) the copy is tried on the validation rows: when its loss there has not
# fallen for a while, the learning rate falls once, and then training ends.
#
# How good is the copy then? The share of equal labels would let one frequent class decide. On a
# pool of letters the victim may say "1" half of the time. **Macro-F1** gives every class the same
# weight:
#
# $$F_c = \frac{2\,TP_c}{2\,TP_c + FP_c + FN_c}, \qquad \text{macro-F1} = \text{mean of } F_c .$$
#
# $TP_c$ (true positives) counts rows where both say $c$; $FP_c$ (false positives), where only the
# copy does; $FN_c$ (false negatives), where only the victim does. A class that neither ever names
# is left out.


# %%
def macro_f1(told, said):
    scores = []
    for c in np.union1d(told, said):
        tp = ((told == c) & (said == c)).sum()
        wrong = ((told == c) != (said == c)).sum()  # FP + FN
        scores.append(2 * tp / (2 * tp + wrong))
    return np.mean(scores)


told = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
lazy = np.zeros(10, int)  # a copy that always says 0
print(f"always 0: agreement {(told == lazy).mean():.0%}, macro-F1 {macro_f1(told, lazy):.2f}")
assert np.isclose(macro_f1(told, lazy), f1_of(told, lazy))

# %% [markdown]
# ## The whole loop, from the library
#
# The victim reads digits of 20 by 20 pixels. The thief's pool is 2,000 letters. `steal` spends the
# budget of 500 in the shares above: it buys, trains a **fresh** copy, chooses, buys again. Fresh,
# because a copy that goes on from the last round would keep what it learned from the first few
# rows too well. How it chooses is lesson 10; here it draws at random.

# %%
SIDE = 20
digits, kinds = mt.data.synthetic.glyphs(3000, rng=0, size=SIDE)
letters = mt.data.synthetic.letters(2000, rng=1, size=SIDE)[0].astype(np.float32)

fig, panels = plt.subplots(2, 8, figsize=(8, 2.3), layout="constrained")
for row, (images, what) in enumerate(
    [(digits, "the victim's data"), (letters, "the thief's pool")]
):
    for ax, image in zip(panels[row], images[:8], strict=True):
        ax.imshow(1 - image.reshape(SIDE, SIDE), cmap="gray")
        ax.set_axis_off()
    panels[row, 0].set_title(what, loc="left", fontsize="medium")
plt.show()

# %% [markdown]
# Above what the victim was trained on, below what the thief asks about. Nothing is in both.

# %%
victim = mt.nn.zoo.mlp([SIDE**2, 64, 10], rng=0, dtype=np.float32)
mt.nn.fit.fit(
    victim, digits[:2000], kinds[:2000], epochs=15, l2=1e-4, optimizer=mt.nn.optim.Adam(3e-3), rng=0
)
test, right_answers = digits[2000:], kinds[2000:]
print(
    f"the victim is right on {(victim.labels(test) == right_answers).mean():.1%} of the test digits"
)

# %%
oracle = mt.Oracle(victim, output="probs", budget=500)
stolen = mt.learning.active.steal(
    oracle,
    letters,
    lambda: mt.nn.zoo.mlp([SIDE**2, 64, 10], rng=9, dtype=np.float32),
    strategy="random",
    budget=500,
    rounds=4,
    rng=0,
    epochs=40,
    batch=50,
    patience=10,
    evaluate=lambda copy: mt.compare.agreement(victim, copy, test),
)
assert oracle.count == 500
assert [len(rows) for rows in stolen.chosen] == [first, *later]
for point in stolen.curve:
    print(
        f"round {point.round}: {point.queries} queries, macro-F1 on validation rows "
        f"{point.validation:.2f}, agreement on digits {point.evaluated['agreement']:.1%}"
    )

# %% [markdown]
# The thief sees the macro-F1 column only. The agreement on digits is for us: the thief has none.
# The thief keeps the last copy, which was trained on every answer. Macro-F1 tells how well it does;
# the round with the best macro-F1 need not be the one with the best agreement.
#
# ## Stolen, or just good at the task?
#
# Two networks that both read digits well agree on most digits *without any theft*. So what would a
# thief reach with 500 labelled digits and no victim? That number is the **control**. Only what
# is above the control, or is reached without such data, came out of the victim.

# %%
alone = mt.nn.zoo.mlp([SIDE**2, 64, 10], rng=9, dtype=np.float32)
own_digits, own_kinds = mt.data.synthetic.glyphs(500, rng=5, size=SIDE)
mt.nn.fit.fit(alone, own_digits, own_kinds, epochs=40, batch=50, rng=0)
print(f"stolen with 500 letters : {mt.compare.agreement(victim, stolen.model, test):.1%}")
print(f"trained on 500 digits   : {mt.compare.control(victim, alone, test):.1%}  (control)")

fig, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
learning_plots.agreement({"random": (stolen.of("queries"), stolen.of("agreement"))}, ax)
plt.show()

# %% [markdown]
# The curve is steep at first and then flattens: each further answer teaches less.

# %%
counts = np.zeros((10, 10), int)
np.add.at(counts, (victim.labels(test), stolen.model.labels(test)), 1)
fig, ax = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
learning_plots.confusion(counts, ax)
plt.show()

# %% [markdown]
# Off the diagonal the two disagree. The rows of some digits are much worse than others: for these,
# the letters taught little.
#
# A thief *with* 500 labelled digits of the right kind would do better without the victim. The theft
# is worth it for one who has none, and for one who wants the victim's own mistakes (to prepare an
# attack on it, lesson 13). Say both numbers when you report a theft.
#
# ## What can go wrong
#
# - **The pool never shows a class.** No letter looks like a 4, say: then the copy learns nothing of
#   4. Look at the confusion picture by rows.
# - **Too few rounds of training, or too many.** The validation rows are there for that. They cost
#   a fifth of the budget.
# - **Validation rows are letters too.** They tell how well the copy does on the *pool*. Agreement
#   on digits can differ, and the thief cannot know it.
# - **The copy is not verified.** `stolen.verified` is False, and stays so. There is no small set
#   of questions that could prove two networks of this kind equal.
#
# ## The bridge: learned, polished, verified
#
# A learned copy need not stay rough, where the victim is a dense network and its answers have
# digits. Learning and the direct attack meet here: a copy that was *learned* is a rough copy, and
# lesson 06 polishes rough copies. (Not the digit reader above: its 500 answers of ten numbers
# cannot tell 17,000 weights.) The victim is small, it keeps three decimals, and five students of
# its own width learn the same 600 answers from five random starts.
#
# Guess first: how many of the five end at the noise? And will the thief know which ones?

# %%
small = mt.nn.zoo.mlp([20, 8, 3], bias=0.1, rng=14)
chance = np.random.default_rng(9)
x, fresh = chance.normal(size=(600, 20)), chance.normal(size=(1000, 20))
answers = mt.Oracle(small, decimals=3).query(x)
ends = []
for seed in range(5):
    student = mt.nn.zoo.mlp([20, 8, 3], rng=seed)
    how = {"optimizer": mt.nn.optim.Adam(3e-3), "loss": mt.nn.losses.squared_error}
    mt.nn.fit.fit(student, x, answers, epochs=100, batch=32, falling=True, rng=seed, **how)
    ends.append(mt.direct.polish(student, x, answers, rng=0))
    off = np.sqrt(np.mean((ends[-1].model.logits(fresh) - small.logits(fresh)) ** 2))
    print(
        f"student {seed}: learned to {ends[-1].misfit[0]:.1e}, "
        f"polished to {ends[-1].misfit[-1]:.1e} = {ends[-1].ratio:.3g} times the noise; "
        f"error on fresh rows {off:.1e}"
    )

fig, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
for end in ends:
    ax.plot(end.misfit, ".-", color=style.COPY if end.converged else style.ERROR)
ax.axhline(ends[0].noise, color=style.VICTIM, linestyle="--", linewidth=1)
ax.set(yscale="log", xlabel="Gauss-Newton steps", ylabel="misfit, root mean square (logits)")
style.note(ax, 0.98, 0.72, "orange: ends at the noise", color=style.COPY, ha="right")
style.note(ax, 0.98, 0.65, "blue: stuck above it", color=style.ERROR, ha="right")
style.bare(ax)
plt.show()

# %% [markdown]
# Learning leaves a misfit of 0.3 or so. Polishing takes some students a thousand times lower, onto
# the dashed line: these are copies of the victim, and fresh rows say the same. Others are stuck in
# a local minimum far above the noise, where some neuron has not found its place. The thief can tell
# them apart without the victim's weights: the noise is known, and such a misfit is not noise.
#
# What mends the stuck ones? A student that is too wide, 1.5 times, seldom gets stuck. Then neurons
# are dropped until one more would leave a misfit above the noise. What stays is the victim, up to
# order and scale of its neurons, out of rows that nobody chose (`mt.learning.exact`).

# %%
exact = mt.learning.exact.extract(mt.Oracle(small), hidden=8, rng=114)
print(f"students of {exact.trace.widths} neurons; {exact.notes['verify']}")
assert exact.verified
assert len(exact.model.dense()[0][0]) == 8

# %% [markdown]
# ## Your turn
#
# Exercise 09 asks for the division of the budget, the targets out of what an oracle tells, the loss
# with its slope, and macro-F1. The last function carries the bridge on: of students of several
# widths, each polished, which one is the victim?
#
# ```
# mstheft learn check 9
# ```
