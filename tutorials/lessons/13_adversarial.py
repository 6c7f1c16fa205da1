# %% [markdown]
# # 13 · Adversarial examples that transfer
#
# You have, from lesson 09: a learned copy. It is not equal to the victim, it only agrees with it
# most of the time. What is such a copy good for, besides saving money?
#
# **Claim.** This lesson shows three things.
#
# 1. With a network in your hands, a tiny change of a picture that makes it wrong can be *computed*:
#    one gradient is enough.
# 2. What fools the copy often fools the victim too, although the victim was never asked about it.
#    This is called **transfer**. The better the copy, the more transfers.
# 3. How much of that is owed to the theft? What fools a network that never met the victim
#    transfers too. You have to measure it before you may claim anything.
#
# About 45 minutes with the exercise.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.plots import learning, style

rng = np.random.default_rng(13)

# %% [markdown]
# ## Up the loss: FGSM
#
# Training moves the *weights* so that the loss falls. An attack moves the *input* so that it
# rises. For the cross-entropy $L = -\ln p_y$ of the right class $y$, with $p =
# \mathrm{softmax}(f(x))$, the slope with respect to the logits is $p - e_y$ ($e_y$: 1 at place
# $y$, 0 elsewhere). Through a hidden ReLU layer it goes backwards like this:
#
# $$\frac{\partial L}{\partial x} = A^{(0)\top} D\, A^{(1)\top} (p - e_y),$$
#
# with $D$ of lesson 03: 1 where a neuron is on, 0 where it is off. If no pixel may change by more
# than $\varepsilon$, the best first-order move is a full step in every pixel, in the direction of
# the gradient's *sign*. That is the fast gradient sign method (Goodfellow et al. 2015):
#
# $$x' = \mathrm{clip}\!\left(
# x + \varepsilon\,\mathrm{sgn}\frac{\partial L}{\partial x},\ 0,\ 1\right).$$


# %%
def input_gradient_by_hand(A0, b0, A1, b1, x, y):
    """dL/dx for one input x (d,) and its class y."""
    z = A0 @ x + b0
    scores = A1 @ np.maximum(z, 0) + b1
    p = np.exp(scores - scores.max())
    p /= p.sum()
    p[y] -= 1
    return A0.T @ ((A1.T @ p) * (z > 0))


toy = mt.nn.zoo.mlp([5, 8, 3], bias=0.5, rng=1)
(A0, b0), (A1, b1) = toy.dense()
x = rng.uniform(0.2, 0.8, 5)
gradient = input_gradient_by_hand(A0, b0, A1, b1, x, y=2)
by_hand = np.clip(x + 0.1 * np.sign(gradient), 0, 1)
by_library = mt.adversarial.fgsm(toy, x[None], np.array([2]), 0.1)[0]
assert np.allclose(by_hand, by_library)

nudge = 1e-6
near = np.stack([x - nudge * gradient, x + nudge * gradient])
losses = -np.log(toy.probs(near)[:, 2])  # the loss a little before x and a little after it
assert np.isclose((losses[1] - losses[0]) / (2 * nudge), gradient @ gradient, rtol=1e-4)
print("gradient by hand:", gradient.round(4), " FGSM:", by_hand.round(3))

# %% [markdown]
# ## The nearest border: DeepFool
#
# FGSM says in which direction. DeepFool (Moosavi-Dezfooli et al. 2016) also says how little is
# enough. For a *linear* model $f(x) = W x + b$ with label $k$ the border to class $l$ is a
# hyperplane, and its distance is a textbook formula:
#
# $$\text{distance}_l = \frac{|f_l - f_k|}{\lVert w_l - w_k \rVert},
# \qquad r = \frac{|f_l - f_k|}{\lVert w_l - w_k \rVert^2}\,(w_l - w_k) \text{ for the nearest }
# l.$$
#
# Not the class with the second largest score counts, but the one with the nearest border. On a bent
# network the step is repeated, each time with the linear map of the patch one has come to.


# %%
def deepfool_by_hand(W, b, x):
    """The smallest step from x to a border of the linear model W x + b."""
    scores = W @ x + b
    k = int(scores.argmax())
    others = [index for index in range(len(b)) if index != k]
    apart = [abs(scores[o] - scores[k]) / np.linalg.norm(W[o] - W[k]) for o in others]
    nearest = others[int(np.argmin(apart))]
    w = W[nearest] - W[k]
    return abs(scores[nearest] - scores[k]) / (w @ w) * w


W, b = rng.normal(size=(3, 5)), rng.normal(size=3)
linear = mt.nn.zoo.given([(W, b)])
r = deepfool_by_hand(W, b, x)
found = mt.adversarial.deepfool(linear, x[None], overshoot=0.02)
print(f"by hand {np.linalg.norm(r):.6f}, library {found.norms[0] / 1.02:.6f}")
assert np.isclose(found.norms[0] / 1.02, np.linalg.norm(r), rtol=1e-6)
assert linear.labels((x + 1.001 * r)[None])[0] != linear.labels(x[None])[0]

# %%
clouds, classes = mt.data.synthetic.blobs(600, classes=3, rng=3)
plane = mt.nn.zoo.mlp([2, 16, 3], rng=3)
mt.nn.fit.fit(plane, clouds, classes, epochs=40, optimizer=mt.nn.optim.Adam(1e-2), rng=3)
starts = clouds[:12]
stops = [mt.adversarial.deepfool(plane, starts, steps=s).x for s in (1, 2, 3, 10)]
paths = [np.stack([start, *(stop[i] for stop in stops)]) for i, start in enumerate(starts)]
grid = np.linspace(-6, 6, 200)
gx, gy = np.meshgrid(grid, grid)
labels = plane.labels(np.stack([gx.ravel(), gy.ravel()], axis=1)).reshape(gx.shape)
fig, ax = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
learning.deepfool_paths((grid, grid, labels), paths, ax)
plt.show()

# %% [markdown]
# Each dot walks to the nearest border and a little beyond. Most arrive in one or two steps, at a
# right angle to the border: that is the shortest way.
#
# ## The theft
#
# The victim reads digits of 16 by 16 pixels. The thief has letters, buys probabilities, and
# trains copies on more and more of them. Also trained is a **control** of the same shape, on
# honest digits, which never met the victim.

# %%
x_all, y_all = mt.data.synthetic.glyphs(4500, rng=0, size=16)
letters, _ = mt.data.synthetic.letters(3200, rng=1, size=16)
x_test, y_test = x_all[4000:], y_all[4000:]


def trained(x, targets, seed, epochs=40):
    """A network with one hidden layer of 64 neurons that learned these labels or probabilities."""
    network = mt.nn.zoo.mlp([256, 64, 10], rng=seed)
    adam = mt.nn.optim.Adam(2e-3)
    mt.nn.fit.fit(network, x, targets, epochs=epochs, batch=64, optimizer=adam, l2=1e-4, rng=seed)
    return network


victim = trained(x_all[:2000], y_all[:2000], seed=0, epochs=20)
control = trained(x_all[2000:4000], y_all[2000:4000], seed=1, epochs=20)
budgets = [100, 400, 3200]
copies = {}
for budget in budgets:
    oracle = mt.Oracle(victim, output="probs", budget=budget)
    copies[budget] = trained(letters[:budget], oracle.query(letters[:budget]), seed=2)
for name, network in (*copies.items(), ("control", control)):
    share = mt.compare.agreement(victim, network, x_test)
    print(f"{name!s:>8}: agrees with the victim on {share:.1%} of fresh digits")

# %% [markdown]
# ## Does it transfer?
#
# Take the digits that the victim reads correctly. Change each on the *network in hand*, by at
# most $\varepsilon = 0.1$ in every pixel, and show it to the victim. The **transfer rate** is the
# share that the victim now gets wrong. Two numbers belong beside it: the same attack on the
# victim itself (the most one could hope for), and **random noise of the same length** (what an
# accident would do).

# %%
EPS = 0.1


def attack(network, x, y):
    """FGSM with the size that this lesson uses."""
    return mt.adversarial.fgsm(network, x, y, EPS)


right = victim.labels(x_test) == y_test
changed = attack(copies[3200], x_test[right], y_test[right])
share_by_hand = (victim.labels(changed) != y_test[right]).mean()

rates = {}
for name, network in (*copies.items(), ("control", control)):
    rates[name] = mt.adversarial.transferability(victim, network, x_test, y_test, attack, rng=0)
    told = rates[name]
    print(
        f"made on {name!s:>8}: victim wrong on {told.copied:.1%}   "
        f"(made on the victim itself {told.white_box:.1%}, noise {told.noise:.1%})"
    )
assert np.isclose(rates[3200].copied, share_by_hand)
assert rates[3200].copied > rates[3200].noise

# %%
shown = np.flatnonzero(right)[:6]
clean = x_test[shown]
moved = attack(copies[3200], clean, y_test[shown])
fig, axes = plt.subplots(3, 6, figsize=(9, 5), layout="constrained")
for column, (before, after) in enumerate(zip(clean, moved, strict=True)):
    label = victim.labels(after[None])[0]
    pictures = (before, after - before, after)
    for ax, picture in zip(axes[:, column], pictures, strict=True):
        middle = picture is pictures[1]
        limits = (
            {"cmap": style.signed(), "vmin": -EPS, "vmax": EPS} if middle else {"cmap": "gray_r"}
        )
        ax.imshow(picture.reshape(16, 16), **limits)
        ax.set(xticks=[], yticks=[])
    colour = style.NEGATIVE if label != y_test[shown[column]] else style.QUIET
    axes[2, column].set_xlabel(f"victim: {label}", color=colour)
for ax, name in zip(axes[:, 0], ("clean", "change", "shown to\nthe victim"), strict=True):
    ax.set_ylabel(name)
plt.show()

# %% [markdown]
# Above clean digits, in the middle the change (blue: more ink, vermilion: less), below what the
# victim sees and says. In vermilion where it is fooled. You still read the digits without effort.

# %%
names = [f"copy, {budget}" for budget in budgets] + ["control", "victim"]
made_on = [*(copies[budget] for budget in budgets), control, victim]
table = np.zeros((len(made_on), len(made_on)))
for i, source in enumerate(made_on):
    examples = attack(source, x_test, y_test)
    for j, target in enumerate(made_on):
        known = target.labels(x_test) == y_test
        table[i, j] = (target.labels(examples[known]) != y_test[known]).mean()
fig, ax = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
learning.transfer(table, names, names, ax)
plt.show()

# %% [markdown]
# Read the last column: what each network's examples do to the victim. It grows with the budget.
# Then look at the control's row: it never asked a question. Networks that learn the same task
# from the same kind of pictures look at the same features, and share their weak spots. Whatever a
# copy has *above* the control is owed to the theft; where it has less, honest data of the same
# kind would have been the better way in. This thief, though, had no digits, only letters.

# %%
sizes = [0.02, 0.04, 0.07, 0.1, 0.15, 0.2]
curves = {"copy, 3200": [], "control": [], "victim": [], "noise": []}
digits, truth = x_test[right], y_test[right]
for eps in sizes:
    for name, source in (("copy, 3200", copies[3200]), ("control", control), ("victim", victim)):
        examples = mt.adversarial.fgsm(source, digits, truth, eps)
        curves[name].append((victim.labels(examples) != truth).mean())
    noisy = np.clip(digits + eps * rng.choice([-1, 1], digits.shape), 0, 1)
    curves["noise"].append((victim.labels(noisy) != truth).mean())
fig, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
colours = [style.COPY, style.POSITIVE, style.VICTIM, style.QUIET]
for (_, values), colour in zip(curves.items(), colours, strict=True):
    ax.plot(sizes, values, "o-", color=colour, markersize=4)
ax.set(xlabel="largest change of a pixel ε (grey levels, ink = 1)", ylabel="share of fooled digits")
style.end_labels(ax, [values[-1] for values in curves.values()], list(curves), colours)
style.bare(ax)
plt.show()
assert curves["copy, 3200"][3] > curves["noise"][3]

# %% [markdown]
# The same with smaller and larger changes. Noise of the same size per pixel does little: it is the
# direction that counts, and the copy knows it, not quite as well as the victim itself.
#
# ## What falls short
#
# - These are small drawn digits and a small network. On photographs, with deep networks, transfer
#   is known to be weaker for some pairs of architectures.
# - A change of 0.1 in *every* pixel is visible if you look for it. DeepFool's are smaller, and
#   transfer less: they stop right behind the copy's border, and the victim's lies elsewhere.
# - One step of FGSM is the plainest attack. `mt.adversarial.pgd` makes several; it fools the copy
#   more and does not always transfer more.
# - Everything here was *untargeted*: any wrong class counts. Making the victim say one particular
#   thing is harder, and transfers less.

# %% [markdown]
# ## Your turn
#
# Open `tutorials/exercises/13_adversarial.py`. You write the gradient with respect to an input, the
# FGSM step, DeepFool's step for a linear model, and the transfer rate.
#
# ```
# mstheft learn check 13
# ```
