# %% [markdown]
# # 08 · Floating point: when exact stops being exact
#
# In lessons 02 to 07 we solved for weights and called the copies exact. They were exact up to
# something like $10^{-9}$. Where does that come from? And what happens to a thief when the service
# rounds its answers to three decimals?
#
# **Claim.** Every attack that takes differences multiplies the rounding of the answers by
# $1 / \text{step}$. So the thief wants large steps, and something always forbids them: a wall, or a
# bend. Weights that are read off differences alone end at about three decimals. A copy that is then
# polished on all answers at once ends where they do: it is as exact as they are.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.direct import line as lines
from mstheft.experiments import precision
from mstheft.plots import linear as linear_plots
from mstheft.plots import precision as precision_plots
from mstheft.plots import style

# %% [markdown]
# ## Numbers have gaps
#
# A computer keeps about 16 digits of a number (`float64`), 7 (`float32`) or 3 (`float16`).
# Between a number and the next one that it can keep lies a gap, and the gap grows with the number:
# for $x$ near 1 it is $2.2 \cdot 10^{-16}$ in `float64`, for $x$ near 1000 it is $10^{-13}$.
# Whatever falls into the gap is rounded, by at most half of it.

# %%
for kind in (np.float64, np.float32, np.float16):
    print(f"{kind.__name__:<8}", [f"{float(np.spacing(kind(x))):.1e}" for x in (0.01, 1, 1000)])
assert 1 + 1e-16 == 1  # it fell into the gap

# %% [markdown]
# A service may round as well. With $k$ decimals an answer is off by up to
#
# $$\delta = \tfrac12 \cdot 10^{-k} .$$
#
# To the thief it is all the same. Let us call the typical size of the error in one answer the
# **noise**, and write it $\nu$ (the Greek letter nu).
#
# ## Seeing the noise from outside
#
# The thief is not told how the answers are rounded, and can measure it. Ask a few points in a row,
# very close together. On a straight piece $f(x_0), f(x_1), f(x_2), \dots$ grow evenly, so the
# **second differences** $f_{i-1} - 2 f_i + f_{i+1}$ would all be zero. What is not zero is
# rounding. Three answers go in with the weights $1, -2, 1$; independent errors add up by their
# squares, $1 + 4 + 1 = 6$. So a second difference has the size $\sqrt 6\,\nu$:
#
# $$\nu = \sqrt{\frac{\text{mean of (second difference)}^2}{6}} .$$

# %%
rng = np.random.default_rng(0)
victim = mt.nn.zoo.mlp([12, 8, 3], bias=0.3, rng=0)
u, v = rng.normal(size=(2, 12))
t = np.linspace(0, 1e-3, 41)  # short enough to stay on one piece


def noise_level(answers):
    bends = answers[:-2] - 2 * answers[1:-1] + answers[2:]
    return np.sqrt((bends**2).mean() / 6)


for decimals in (None, 8, 6):
    oracle = mt.Oracle(victim, decimals=decimals)
    mine = noise_level(oracle.query(u + t[:, None] * v))
    library = lines.measure_noise(oracle, u, v)
    print(f"decimals {decimals}: by hand {mine:.1e}, the library says {library:.1e}")
    assert library / 100 < mine < 100 * library

# %% [markdown]
# The two are of one size. The library is careful on purpose: it takes the largest bend instead of
# the mean, and never believes less than a few gaps. Believing in too little noise is the worse
# mistake: then an attack takes rounding for a kink.
#
# ## Two enemies of a step
#
# A slope is measured as $(f(x + c e) - f(x)) / c$ with a step $c$. Both answers may be off by
# $\nu$, so the slope is off by up to $2 \nu / c$. A larger step is better. What forbids it?
#
# - **On a ReLU network, a wall.** Up to the next wall the function is straight, and any step is
#   right. One bit farther and the slope is wrong altogether.
# - **On a smooth network (tanh), the bend.** If the second derivative is at most $M$, a straight
#   line misses the curve by up to $M c^2 / 2$, hence the slope by $M c / 2$.
#
# For the smooth one the sum is $\; M c/2 + 2\nu/c$. It is smallest where both halves are equal:
#
# $$c^\star = 2 \sqrt{\nu / M}, \qquad \text{smallest error} = 2 \sqrt{\nu M} .$$
#
# So a thief with 16 digits gets slopes with about 8. Half of the digits are lost in the difference.

# %%
bent = mt.nn.zoo.mlp([12, 8, 3], activation="tanh", bias=0.3, rng=0)
e = np.eye(12)[0]
steps = 10.0 ** np.linspace(-14, 1, 61)


def slope_errors(network, decimals):
    oracle = mt.Oracle(network, decimals=decimals)
    ahead, here = oracle.query(u + steps[:, None] * e), oracle.query(u[None])
    slopes = (ahead - here) / steps[:, None]
    return np.abs(slopes - network.jacobian(u[None])[0][:, 0]).max(axis=1)


fig, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
for ax, network, name in zip(panels, (victim, bent), ("ReLU", "tanh"), strict=True):
    for decimals, colour in ((None, style.VICTIM), (8, style.POSITIVE), (4, style.NEGATIVE)):
        errors = slope_errors(network, decimals)
        label = "all digits" if decimals is None else f"{decimals} decimals"
        ax.loglog(steps, np.maximum(errors, 1e-17), ".-", color=colour, linewidth=1, label=label)
    ax.set(xlabel="step c (input units)", title=name)
    style.bare(ax)
panels[0].set_ylabel("error of a slope (logits per input unit)")
panels[0].legend(frameon=False)
plt.show()

# %% [markdown]
# Left: the error falls with the step until a wall is met, and then jumps up at once. Right: it
# falls, turns at $c^\star$, and rises again. Fewer decimals lift the left branch of each curve.

# %%
hidden = bent.dense()[0][0] @ u + bent.dense()[0][1]
slope2 = -2 * np.tanh(hidden) / np.cosh(hidden) ** 2  # tanh''
M = np.abs(bent.dense()[1][0] @ (slope2 * bent.dense()[0][0][:, 0] ** 2)).max()
nu = 0.5e-8
best = 2 * np.sqrt(nu / M)
measured = steps[slope_errors(bent, 8).argmin()]
print(f"8 decimals: best step by the formula {best:.1e}, by the picture {measured:.1e}")
assert 0.05 < measured / best < 20

# %% [markdown]
# ## Probabilities are worse than logits
#
# Lesson 02 turned a probability $p$ back into its logit $\ln \frac{p}{1-p}$. How far does an error
# $\delta$ in $p$ go? The slope of that function is $\frac{1}{p (1-p)}$, so
#
# $$\text{error of the logit} \approx \frac{\delta}{p\,(1-p)} .$$
#
# In the middle, $p = \frac{1}{2}$, the factor is 4. At $p = 0.001$ it is 1000. And a $p$ that is
# rounded to exactly 0 or 1 tells nothing at all: its logit is infinite.

# %%
logits = np.linspace(-12, 12, 241)
p = mt.nn.functions.sigmoid(logits)
errors = {}
for k in (3, 6, 9):
    rounded = np.round(p, k)
    errors[k] = np.abs(mt.nn.functions.logit(rounded) - logits)
    delta = 0.5 * 10.0**-k
    inside = (p > 10 * delta) & (p < 1 - 10 * delta)
    bound = delta / (p * (1 - p))
    assert np.allclose(bound, delta * mt.nn.functions.logit_grad(p))
    assert (errors[k][inside] <= 1.2 * bound[inside] + 1e-12).all()

fig, ax = plt.subplots(figsize=(6.8, 4.2), layout="constrained")
linear_plots.saturation(logits, errors, ax)
plt.show()

# %% [markdown]
# Each curve ends where the rounded probability is exactly 0 or 1. With three decimals only logits
# from about $-7$ to $7$ can be read at all. So an attack on probabilities stays near the border
# between two classes, where $p$ is far from 0 and 1.
#
# ## Every attack against every rounding
#
# The library runs its attacks against small trained victims, behind float formats, and behind
# logits and probabilities with 6 to 0 decimals. Here are two of the attacks, one victim each. Every
# attack measures the noise as we did, and chooses its steps by it. A copy that does not pass the
# check on fresh rows is no copy: there the attack says that it failed.

# %%
runs = list(precision.study([12, 5, 4], seeds=1, rng=0, attacks=["linear", "sweep"]))
for row in precision.table(runs):
    print("".join(f"{cell:<36}" for cell in row))

fig, panels = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
for ax, output in zip(panels, ("logits", "probs"), strict=True):
    precision_plots.error_against_digits(precision.by_digits(runs, output), ax)
    ax.set_title("logits" if output == "logits" else "probabilities")
plt.show()
assert all(run.verified for run in runs if run.answers in ("float64", "float32", "logits-4"))

# %% [markdown]
# In the table stands the largest error of a logit, and after the point how far a polished copy is
# off, measured by the *least* that these answers allow anybody (the bound of Cramér and Rao; 1 is
# perfect). From right to left in the pictures: with each digit that the service withholds, the
# copies get about ten times worse, until a curve ends. There the attack has given up. Behind logits
# that comes late, for where no wall stops the thief, he asks far out: the rounding is the same, and
# the answer is larger. Probabilities cannot be outrun like that. (`mstheft study precision` runs
# all attacks, several victims, and larger ones.)
#
# ## The bridge: how exact is a polished copy?
#
# Differences lose digits. A rough copy that is *polished* loses none: all weights are fitted to all
# answers at once (lesson 06), and no answer is subtracted from its neighbour. What is the best that
# any copy can reach then? $N$ answered numbers, each off by the noise $\nu$ (of rounding,
# $10^{-k}/\sqrt{12}$ in the root mean square), have to tell $P$ weights. No unbiased fit can have a
# smaller root mean square error than
#
# $$\nu \sqrt{P/N} ,$$
#
# the **Cramér-Rao bound** on the rows that were asked; on fresh rows of the same kind it is a
# little larger. The same computation gives each weight an **error bar**: how far the noise may have
# moved it.
#
# Guess first: with 300 rows and three outputs, $N = 900$; the tanh network above has $P = 131$
# weights. How large is the error of an answer behind two decimals? And can a copy be *more* exact
# than the answers that it was made of?

# %%
rows = rng.normal(size=(300, 12))
rough = bent.copy()
for weights in rough.parameters().values():
    weights += 0.2 * weights.std() * rng.normal(size=weights.shape)
fresh = rng.normal(size=(2000, 12))
polished = {}
print("decimals   noise ν    ν √(P/N)     bound    true error   misfit/noise")
for decimals in (5, 4, 3, 2, 1):
    answers = mt.Oracle(bent, decimals=decimals).query(rows)
    end = polished[decimals] = mt.direct.polish(rough, rows, answers, rng=0)
    least = end.noise * np.sqrt(131 / answers.size)
    off = np.sqrt(np.mean((end.model.logits(fresh) - bent.logits(fresh)) ** 2))
    print(
        f"{decimals:>8}   {end.noise:.1e}   {least:.1e}   {end.bound:.1e}   {off:.1e}   "
        f"{end.ratio:>10.2f}"
    )

end, true = polished[3], bent.parameters()
stolen = end.model.parameters()
errors = np.concatenate([(stolen[name] - true[name]).ravel() for name in true])
bars = np.concatenate([end.error_bars[name].ravel() for name in true])
fig, ax = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
mt.plots.polish.true_errors(errors, bars, ax)
plt.show()

# %% [markdown]
# The copy *is* more exact than its answers: the errors of many roundings cancel, and the true error
# is about the bound, less than half of $\nu$. Each decimal that the service keeps back costs the
# thief one digit, and four times the questions win back a factor of two.
#
# The picture holds each weight's stated error bar (three decimals) against its true error, which
# only we can know. Of normal noise, 95 of 100 would be within two bars. So the thief knows how good
# the copy is, without the victim's weights.
#
# ## Is rounding a good defence, then?
#
# Against exact copies, a little: they become as coarse as the answers, and some attacks end when
# few digits are left. Logits of four decimals ended neither attack above: a network with a hidden
# layer is copied roughly, and the copy is polished. Three decimals cost an honest user nothing that
# anybody would notice.
# Against *learned* copies it does next to nothing. A network that trains on $0.93$ instead of
# $0.9312$ learns nearly the same. Here is the theft that lesson 09 will explain: 300 answers about
# drawn letters, behind more and more rounding.

# %%
SIDE = 16
digits, kinds = mt.data.synthetic.glyphs(2000, rng=0, size=SIDE)
letters = mt.data.synthetic.letters(1000, rng=1, size=SIDE)[0].astype(np.float32)
reader = mt.nn.zoo.mlp([SIDE**2, 48, 10], rng=0, dtype=np.float32)
mt.nn.fit.fit(
    reader, digits[:1500], kinds[:1500], epochs=15, l2=1e-4, optimizer=mt.nn.optim.Adam(3e-3), rng=0
)
test = digits[1500:]

shares = {}
for name, tells in {
    "all digits": {"output": "probs"},
    "3 decimals": {"output": "probs", "decimals": 3},
    "1 decimal": {"output": "probs", "decimals": 1},
    "label only": {"output": "label"},
}.items():
    shares[name] = [
        mt.compare.agreement(
            reader,
            mt.learning.active.steal(
                mt.Oracle(reader, **tells),
                letters,
                lambda: mt.nn.zoo.mlp([SIDE**2, 48, 10], rng=9, dtype=np.float32),
                strategy="random",
                budget=300,
                rounds=1,
                rng=seed,
                epochs=30,
                batch=50,
                patience=10,
            ).model,
            test,
        )
        for seed in range(3)
    ]
    print(f"{name:<12} agreement on digits:", [f"{share:.1%}" for share in shares[name]])

fig, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for place, each in enumerate(shares.values()):
    ax.bar(place, np.mean(each), color=style.COPY, alpha=0.5)
    ax.plot([place] * 3, each, "o", color=style.COPY)
ax.set_xticks(range(len(shares)), list(shares))
ax.set(ylabel="agreement (share of digits)", ylim=(0, 1))
style.bare(ax)
plt.show()

# %% [markdown]
# Dots are three seeds, bars their mean. Compare the bars with the spread of the dots before you
# believe in a difference: the first three can hardly be told apart. Even the last defence, labels
# only, leaves the thief a copy.
#
# ## What to remember
#
# - Measure the noise first, and let every tolerance follow it. A fixed tolerance either invents
#   kinks or loses neurons.
# - Take the largest step that nothing forbids.
# - A polished copy is as exact as its answers allow: its error is at the Cramér-Rao bound.
# - Rounding makes an exact copy as coarse as the answers. It does not stop learning.
#   A defender who only rounds has moved the thief from lesson 07 to lesson 09.
#
# ## Your turn
#
# Exercise 08 asks for the noise seen from outside, the best step, the error of a logit behind
# rounded probabilities, and the number of decimals that a slope needs.
#
# ```
# mstheft learn check 8
# ```
