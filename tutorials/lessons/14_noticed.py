# %% [markdown]
# # 14 · Being noticed: PRADA
#
# You have, from lesson 09: a thief who learns a copy from the answers to many questions. Now change
# sides. You run the service. You see who asks what, and nothing else.
#
# **Claim.** This lesson shows three things.
#
# 1. Ordinary questions lie at ordinary distances from one another: their histogram is close to
#    the bell curve of the normal distribution. Questions that are *made out of earlier questions*
#    are not.
# 2. A small program, PRADA, watches the distances and raises an alarm. Four steps, all simple.
# 3. It catches one family of attacks, and misses another completely. It can also accuse the
#    innocent.
#
# About 45 minutes with the exercise.

# %%
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.defend.prada import Detector
from mstheft.defend.prada_naive import prada_naive
from mstheft.learning import jacobian
from mstheft.plots import detection, style

# %% [markdown]
# ## Step 1: the distance to the nearest earlier question
#
# For each class $c$ that the model answers, PRADA (Juuti et al. 2019) keeps a set $G_c$ of earlier
# questions. A new question $x$ of class $c$ gets the number
#
# $$d_{\min}(x) = \min_{g \in G_c} \lVert x - g \rVert_2 ,$$
#
# the straight-line distance to the nearest member. The first question of a class has none.
#
# ## Step 2: the set grows, but slowly
#
# Remembering everything would be slow. So $x$ joins $G_c$ only if it brings something new: if
# $d_{\min} > T_c$, with a threshold $T_c$ that begins at 0. With every member that joins,
#
# $$T_c \leftarrow \max\left(T_c,\; \bar d - s\right),$$
#
# where $\bar d$ and $s$ are mean and standard deviation of the $d_{\min}$ of the members (the first
# member counts with 0). By hand, for one class, on points in the plane:


# %%
def watch_by_hand(points):
    """All d_min, the members of G, and the threshold after each query."""
    members, own, threshold = [points[0]], [0.0], 0.0
    distances, thresholds = [], []
    for x in points[1:]:
        nearest = min(np.linalg.norm(x - g) for g in members)
        distances.append(nearest)
        if nearest > threshold:
            members.append(x)
            own.append(nearest)
            threshold = max(threshold, np.mean(own) - np.std(own))
        thresholds.append(threshold)
    return np.array(distances), np.array(members), np.array(thresholds)


rng = np.random.default_rng(14)
cloud = rng.normal(size=(150, 2))
distances, members, thresholds = watch_by_hand(cloud)
same_class = np.zeros(len(cloud), int)
detector = Detector()
detector.observe(cloud, same_class)
assert np.allclose(detector.distances, distances)
assert np.allclose(prada_naive(cloud, same_class).distances, distances)
print(f"{len(cloud)} questions, {len(members)} members, threshold {thresholds[-1]:.3f}")

# %%
fig, axes = plt.subplots(1, 2, figsize=(10.5, 4), layout="constrained")
axes[0].plot(*cloud.T, ".", color=style.QUIET)
axes[0].plot(*members.T, "o", mfc="none", mec=style.QUERY, markersize=8)
axes[0].set(xlabel="input 1 (input units)", ylabel="input 2 (input units)", aspect="equal")
style.note(axes[0], 0, 1.07, "rings: the set G that is remembered", color=style.QUERY)
axes[1].plot(np.arange(2, 151), distances, ".", color=style.QUIET)
axes[1].plot(np.arange(2, 151), thresholds, color=style.KINK)
axes[1].set(xlabel="query", ylabel="distance to the nearest member (input units)")
style.note(axes[1], 0, 1.07, "dots: d_min      line: the threshold T", color=style.KINK)
for ax in axes:
    style.bare(ax)
plt.show()

# %% [markdown]
# Left: few rings are enough to cover the cloud. Right: only dots above the line joined; the line
# never falls.
#
# ## Step 3: outliers go
#
# Every ten questions the service looks at all distances of all classes together. What is farther
# than 3 standard deviations from the mean is dropped, so that one strange question does not decide.
#
# ## Step 4: is it a bell curve?
#
# Sort the $n$ distances. If they are normally distributed, the $i$-th smallest should lie where
# the $i$-th smallest of $n$ *normal* numbers lies. Draw one against the other: a straight line
# means normal. How straight? The squared correlation of the two, a number up to 1. This is the
# statistic of Shapiro and Francia; PRADA takes the slightly finer $W$ of Shapiro and Wilk. Below
# a limit $\delta$ (0.9 to 0.96) the alarm goes off.


# %%
def straightness(distances):
    """The squared correlation of sorted distances with sorted normal numbers, and the latter."""
    n = len(distances)
    places = (np.arange(1, n + 1) - 0.375) / (n + 0.25)
    normal = np.array([NormalDist().inv_cdf(place) for place in places])
    return np.corrcoef(np.sort(distances), normal)[0, 1] ** 2, normal


def shapiro_wilk(distances):
    """W as SciPy computes it."""
    from scipy.stats import shapiro

    return float(shapiro(distances).statistic)


bell = rng.normal(3, 0.5, 300)
peak = np.concatenate([rng.normal(3, 0.5, 90), np.full(210, 1.0) + rng.normal(0, 0.02, 210)])
for name, sample in (("a bell curve", bell), ("a peak and a few others", peak)):
    print(f"{name:24} by hand {straightness(sample)[0]:.3f}   W {shapiro_wilk(sample):.3f}")
    assert abs(straightness(sample)[0] - shapiro_wilk(sample)) < 0.02

# %%
fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.plot(straightness(bell)[1], np.sort(bell), ".", color=style.VICTIM)
ax.plot(straightness(peak)[1], np.sort(peak), ".", color=style.NEGATIVE)
ax.set(xlabel="where sorted normal numbers lie", ylabel="sorted distances (input units)")
style.note(ax, 0.02, 0.98, "a bell curve: straight", color=style.VICTIM)
style.note(ax, 0.02, 0.91, "a peak: bent", color=style.NEGATIVE)
style.bare(ax)
plt.show()

# %% [markdown]
# A peak of equal distances lies flat and then jumps: no line fits.
#
# ## Four customers
#
# A victim that reads digits, drawn from fonts. It is watched while four customers ask 800 questions
# each, a detector for each of them:
#
# - the **honest** one asks digits;
# - the **thief with photographs of something else** asks drawn letters, in random order;
# - the **k-center thief** of lesson 10 picks the letters that its copy finds most new;
# - the **Jacobian thief** (Papernot et al. 2017) has 50 digits and makes everything else out of
#   them: each new question is an old one plus a step of fixed size, $x +
#   \lambda\,\mathrm{sgn}(\dots)$, along the signs of its copy's gradient.
#
# A step of fixed size: that is the mistake. Every child lies $0.1 \sqrt{256} = 1.6$
# from its parent, a little less where the limits 0 and 1 of a picture cut the step short.

# %%
ASKED = 800
x, y = mt.data.synthetic.glyphs(3200, rng=0, size=16)
letters, _ = mt.data.synthetic.letters(2500, rng=1, size=16)
victim = mt.nn.zoo.mlp([256, 32, 10], rng=0)
adam = mt.nn.optim.Adam(3e-3)
mt.nn.fit.fit(victim, x[:2000], y[:2000], epochs=15, optimizer=adam, l2=1e-4, rng=0)
print(f"the victim is right on {(victim.labels(x[2000:]) == y[2000:]).mean():.1%} of fresh digits")


def new_copy():
    """The thief's own network, untrained."""
    return mt.nn.zoo.mlp([256, 32, 10], rng=7, dtype=np.float32)


def watched():
    """A fresh detector and an oracle that it watches."""
    detector = Detector(delta=0.9)
    return detector, mt.Oracle(victim, output="probs", monitors=[detector])


customers = {}
customers["honest"], oracle = watched()
oracle.query(x[2000 : 2000 + ASKED])

customers["letters"], oracle = watched()
oracle.query(letters[:ASKED])

customers["k-center"], oracle = watched()
pool = letters.astype(np.float32)
spend = {"budget": ASKED, "rounds": 4, "epochs": 10, "batch": 50, "patience": 10, "rng": 0}
thief = mt.learning.active.steal(oracle, pool, new_copy, strategy="k-center", **spend)

customers["Jacobian"], oracle = watched()
few = x[2800:2850].astype(np.float32)
grown = jacobian.augment(oracle, few, new_copy, rounds=4, bounds=(0, 1), epochs=10, batch=50, rng=0)

for name, seen in customers.items():
    when = f"alarm after {seen.first_alarm} queries" if seen.alarm else "no alarm"
    print(f"{name:10} {seen.queries:5} queries   W = {seen.w:.3f}   {when}")
assert customers["Jacobian"].alarm
assert not customers["honest"].alarm

# %%
fig, axes = plt.subplots(2, 2, figsize=(12, 7), layout="constrained")
for ax, (name, seen) in zip(axes.flat, customers.items(), strict=True):
    detection.distances(seen.tested(), ax, w=seen.w)
    style.note(ax, 0.02, 0.95, name, color=style.VICTIM, fontsize=11)
plt.show()

# %% [markdown]
# Three histograms follow the curve closely enough. The fourth has its mass where the step of the
# attack puts it, and the curve misses it.

# %%
fig, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
detection.over_queries({name: seen.history for name, seen in customers.items()}, ax, delta=0.9)
plt.show()

# %% [markdown]
# $W$ over time. The Jacobian thief is below the limit at the first check that has enough distances;
# the ring marks the alarm. The others stay far above it, the two letter thieves even above the
# honest customer. So to this alarm they look better than he does.

# %%
for name, result in (("k-center", thief), ("Jacobian", grown)):
    share = mt.compare.agreement(victim, result.model, x[2000:])
    print(f"{name:10} copy agrees with the victim on {share:.1%} of digits; {result.total} queries")

# %% [markdown]
# ## What falls short
#
# **It misses what looks natural.** Photographs or letters asked in any order have natural
# distances. PRADA was built against synthetic questions, and that is what it catches.
#
# **The thief can pad.** Mix harmless questions between the others and the histogram fills up.
# Below, each Jacobian question is followed by two letters that teach nothing and cost money:

# %%
made = grown.trace.rows
mixed = np.empty((3 * len(made), 256), np.float32)
mixed[0::3] = made
mixed[1::3] = pool[np.arange(len(made)) % len(pool)]
mixed[2::3] = pool[(np.arange(len(made)) + len(made)) % len(pool)]
padded = Detector(delta=0.9)
padded.observe(mixed, victim.labels(mixed))
print(
    f"padded thief: W = {padded.w:.3f}, lowest {padded.history.w.min():.3f}, alarm: {padded.alarm}"
)

# %% [markdown]
# **It can accuse the innocent.** A customer whose camera sends every picture three times, a little
# noisier each time, produces small equal distances too:

# %%
pictures = x[2000:2300]
stutter = np.repeat(pictures, 3, axis=0)
stutter = np.clip(stutter + 0.02 * rng.normal(size=stutter.shape), 0, 1)
camera = Detector(delta=0.9)
camera.observe(stutter, victim.labels(stutter))
print(f"honest camera: W = {camera.w:.3f}, alarm: {camera.alarm}")
assert camera.alarm  # a false one

# %% [markdown]
# So an alarm is a reason to look, not a proof. And the test itself is made for up to 5,000 numbers;
# the library takes the latest 5,000, which is a choice of ours.

# %% [markdown]
# ## Your turn
#
# Open `tutorials/exercises/14_noticed.py`. You write the Jacobian thief's step and
# PRADA's four: the nearest distance, the growing set, the outliers, and the straightness of the
# sorted distances.
#
# ```
# mstheft learn check 14
# ```
