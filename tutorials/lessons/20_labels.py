# %% [markdown]
# # 20 · From labels alone: a boundary that bends
#
# **Where you are.** Learned copies: 09 to 14. Exact copies: 02 to 08, 16, 17, **20**. You need
# lessons 02 and 07; 60 minutes with the exercise. It goes beyond the lecture: for its direct
# attack, a victim that gives labels only is out of reach.
#
# The last rung of the ladder of lesson 01 tells nothing but the winner. No slope, no second
# difference, no kink along a line. Lesson 02 found one hyperplane from labels, by bisection. Now
# the victim has a hidden layer,
#
# $$f(x) = A_1\,\mathrm{relu}(A_0 x + b_0) + b_1, \qquad
# \text{label}(x) = \begin{cases} 1 & f(x) > 0 \\ 0 & \text{else,} \end{cases}$$
#
# with $d$ inputs, $h$ neurons and one logit.
#
# **Claim.** The boundary $f(x) = 0$ is a bent sheet, and it bends exactly where a neuron changes
# sides. The two normals at a bend span a plane that holds the neuron's row. Two bends of one neuron
# are two planes, and these meet in its row. Everything else is the null vector of one table, and
# the copy's sign comes from one label.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.plots import labels as label_plots

SEED = 3  # any number will do
rng = np.random.default_rng(SEED)
d, h = 8, 4
while True:  # a victim that always says the same has no boundary to steal
    victim = mt.nn.zoo.mlp([d, h, 1], bias=0.3, rng=rng)
    if 0.1 < victim.labels(rng.normal(size=(1000, d))).mean() < 0.9:
        break
oracle = mt.Oracle(victim, output="label")
ask = oracle.query


def reveal(guess, truth, why):
    """Says what happens, whatever was guessed."""
    word = "no guess" if guess is ... else "right" if guess == truth else f"you said {guess}"
    print(f"{word}: it is {truth}. {why}")


def expect(is_so, what, otherwise):
    """A check that a rare victim may fail; then it says what that means."""
    print(f"as claimed, {what}" if is_so else f"not with this seed, {what}: {otherwise}")


# %% [markdown]
# ## Predict 1: the price of a point
#
# Two rows with different labels are 4 apart. The boundary lies between them. Ask the middle, keep
# the half whose ends still differ, and go on. After how many questions is the boundary known to
# $10^{-12}$?

# %%
guess = ...  # your number

reveal(guess, int(np.ceil(np.log2(4 / 1e-12))), "Each question halves the rest: 4 / 2^n <= 1e-12.")


def between(ends, others, steps=52):
    """Where the label changes between rows (n, d) and others of a different label: (n, d)."""
    here = ask(ends)
    for _ in range(steps):
        half = (ends + others) / 2
        stays = ask(half) == here
        ends[stays], others[~stays] = half[stays], half[~stays]
    return half


def boundary_points(n):
    """n points of the boundary, between random rows."""
    x = rng.normal(size=(4 * n + 100, d))
    ones = ask(x) == 1
    pick = rng.integers(0, [[ones.sum()], [(~ones).sum()]], (2, n))
    return between(x[ones][pick[0]], x[~ones][pick[1]])


# %% [markdown]
# That is the coin in which everything is paid here: **a number costs a bisection**, about 50
# queries. With logits a number is one query.
#
# ## A look from inside
#
# For the picture we take a victim of two inputs and look inside it: thin lines are the walls
# $A_{0,i} \cdot x + b_{0,i} = 0$ of its neurons, and a ring stands wherever the label changes along
# one of them.
#
# ## Predict 2: where does it bend?
#
# Between walls $f$ is linear, so the boundary is straight there. Can it cross a wall and *not*
# bend, if the neuron's output weight is not 0?

# %%
guess = ...  # True or False

reveal(guess, False, "The gradient jumps by A1_i A0_i, and the jump is not 0 on the wall.")
flat = mt.nn.zoo.mlp([2, 4, 1], bias=0.5, rng=5)
axis = np.linspace(-3, 3, 401)
grid = np.stack(np.meshgrid(axis, axis), axis=-1)  # (401, 401, 2)
(W, c), _ = flat.dense()
sides = np.moveaxis(grid @ W.T + c, -1, 0)
colours = flat.labels(grid.reshape(-1, 2)).reshape(grid.shape[:2])
meet, t = [], np.linspace(-9, 9, 20_001)[:, None]
for row, offset in zip(W, c, strict=True):  # along each wall: where does the label change?
    on_wall = (t * [-row[1], row[0]] - offset * row) / (row @ row)
    meet += list(on_wall[:-1][np.diff(flat.labels(on_wall)) != 0])
fig, ax = plt.subplots(figsize=(5.6, 5.2), layout="constrained")
label_plots.boundary(axis, axis, colours, ax, walls=sides, bends=meet)
plt.show()

# %% [markdown]
# (A careful reader objects: the gradient jumps, but could the jump be *along* the normal, so that
# the gradient only grows? Then the row is parallel to the normal, and so are wall and boundary:
# they do not cross.)
#
# ## Step 1: a normal
#
# Near a point $p$ of the boundary, between bends, all boundary points lie in one plane:
# $n \cdot (x - p) = 0$. So take a small cloud around $p$, join its rows of label 0 with those of
# label 1, bisect, and stack the differences $x - p$. The vector that the table sends to zero is the
# normal. We take three points more than the $d - 1$ that it needs: then a bend inside the cloud
# shows, because *no* vector is sent to zero.


# %%
def normal(p, radius=1e-3):
    """The unit normal of the boundary around p (d,), into label 1, or None where it is bent."""
    cloud = p + radius * rng.normal(size=(6 * d, d)) / np.sqrt(d)
    label = ask(cloud)
    zeros, ones = cloud[label == 0], cloud[label == 1]
    if min(len(zeros), len(ones)) < d + 2:
        return None
    size, v = np.linalg.svd(between(zeros[: d + 2], ones[: d + 2]) - p)[1:]
    inwards = np.sign(v[-1] @ (ones.mean(axis=0) - zeros.mean(axis=0)))
    return inwards * v[-1] if size[-1] < 1e-7 * size[0] else None


p = boundary_points(1)[0]
before = oracle.count
n = normal(p)
expect(n is not None, "one point, one normal", "a bend lies in this cloud")
print(f"a normal of {d} numbers cost {oracle.count - before} queries: d + 2 bisections, and 6 d")

# %% [markdown]
# ## Step 2: walk until it bends
#
# In the plane of a normal we walk along a random direction $u$. While $p + t u$ is on the boundary,
# the labels a hair above and a hair below it differ. Where they are the same the boundary has gone
# another way: a neuron has changed sides. Bisection again, now for $t$. Behind the bend the
# boundary is a little higher or lower; we look for it there, and measure the next normal $n'$.
#
# The bend itself lies on both pieces, so that it follows without a query:
# $n' \cdot (p + t u - p') = 0$.


# %%
def is_on(x, n, hair=1e-6):
    """Is x (d,) on the boundary, whose normal is n?"""
    above, below = ask(np.stack([x + hair * n, x - hair * n]))
    return above != below


def behind(x, n, u):
    """A boundary point a little behind the bend at x, above or below; None if there is none."""
    high = np.linspace(-0.3, 0.3, 61)
    rows = x + 0.01 * u + high[:, None] * n
    label = ask(rows)
    changes = np.flatnonzero(np.diff(label))
    if not len(changes):
        return None
    k = changes[np.abs(high[changes] + 0.005).argmin()]
    return between(rows[k : k + 1].copy(), rows[k + 1 : k + 2].copy())[0]


def bend():
    """From a random point to a bend: n, n', the bend's place, and a point on either side (2, d)."""
    p = boundary_points(1)[0]
    n = normal(p)
    if n is None:
        return None
    u = rng.normal(size=d)
    u -= (u @ n) * n
    u /= np.linalg.norm(u)
    low, high = 0.0, 10.0
    if is_on(p + high * u, n):
        return None  # it goes on straight, as far as we look
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if is_on(p + middle * u, n) else (low, middle)
    beyond = behind(p + low * u, n, u)
    m = None if beyond is None else normal(beyond)
    if m is None or abs(m @ n) > 1 - 1e-9:
        return None
    t = m @ (beyond - p) / (m @ u)
    return n, m, p + t * u, np.stack([p, beyond])


bends, walks = [], 0
while len(bends) < 15 and walks < 60:
    bends, walks = bends + [found for found in [bend()] if found], walks + 1
print(
    f"{len(bends)} bends of {walks} walks, {oracle.count:,} queries = 2^{np.log2(oracle.count):.1f}"
)

# %% [markdown]
# ## Predict 3: the row from one bend?
#
# On one side of the wall the gradient is $g$, on the other $g' = g \pm A_{1,i} A_{0,i}$. Of both we
# know the directions only, $n = g / |g|$ and $n' = g' / |g'|$: labels do not tell lengths. How many
# directions of the row $A_{0,i}$ fit to one bend? Say `1`, `2` or `"infinitely many"`.

# %%
guess = ...  # 1, 2 or "infinitely many"

why = "Any a n + b n' with a and b free: the lengths |g|, |g'| are not known."
reveal(guess, "infinitely many", why)
(A0, b0), _ = victim.dense()  # a look inside; the attack below does not look
n, m, x, _ = bends[0]
mine = np.abs(A0 @ x + b0).argmin()
fig, ax = plt.subplots(figsize=(5.4, 4.6), layout="constrained")
label_plots.normals_and_row(n, m, A0[mine], ax)
plt.show()

# %% [markdown]
# The row lies in the plane of the two normals, but we only know it because we looked inside: every
# other line through the origin of this picture would do as well.
#
# ## Step 3: two bends meet in a row
#
# A second bend of the *same* neuron, elsewhere, has another plane, and the row lies in both. Two
# planes through the origin of a space of $d \ge 4$ have no line in common, as a rule. So if they
# do, that says something. With orthonormal bases $P, Q$ ($2 \times d$) of the two planes, the
# singular values of $P Q^{\mathsf T}$ are the cosines of the angles between them: a shared line is
# a singular value of **exactly 1**. Three traps:
#
# - The same bend seen twice has the same plane: both singular values are 1, and say nothing.
# - Two bends at the edge of one and the same flat piece share its normal. That is no evidence.
# - The row must also hold both places: $R \cdot (x_1 - x_2) = 0$, for the wall passes through both.


# %%
def plane_of(n, m):
    return np.linalg.qr(np.stack([n, m], axis=1))[0].T  # (2, d)


def shared_row(first, second):
    """The row, and its offset, that two bends have in common: (d + 1,), or None."""
    P, Q = plane_of(*first[:2]), plane_of(*second[:2])
    left, cosines, right = np.linalg.svd(P @ Q.T)
    if cosines[1] > 1 - 1e-9:
        return None  # the same bend twice
    row = left[:, 0] @ P
    if np.linalg.norm(row - right[0] @ Q) > 1e-6:
        return None  # not the same line
    if max(abs(row @ each) for each in (*first[:2], *second[:2])) > 1 - 1e-9:
        return None  # a normal that both have
    if abs(row @ (first[2] - second[2])) > 1e-6:
        return None  # not the same wall
    return np.append(row, -row @ first[2])


def rows_of(bends):
    """Every row that two bends share, once: unit rows R (k, d) and offsets o (k,)."""
    rows = []
    for i, one in enumerate(bends):
        for other in bends[:i]:
            row = shared_row(one, other)
            if row is None:
                continue
            row *= np.sign(row[np.abs(row[:-1]).argmax()])
            if all(np.linalg.norm(row - each) > 1e-4 for each in rows):
                rows.append(row)
    rows = np.reshape(rows, (-1, d + 1))
    return rows[:, :-1], rows[:, -1]


def missed(R):
    """How many of the victim's rows are not among R, up to sign and length? (A look inside.)"""
    unit = A0 / np.linalg.norm(A0, axis=1, keepdims=True)
    return int((np.abs(unit @ R.T).max(axis=1, initial=0) < 1 - 1e-8).sum())


R, o = rows_of(bends)
print(f"{len(R)} rows; {missed(R)} of the victim's {h} are missing")

# %% [markdown]
# ## Step 4: everything else at once
#
# From lesson 16: $\mathrm{relu}(z) = (z + |z|)/2$. So with unit rows $R_i$ and offsets $o_i$, up to
# signs that we do not know,
#
# $$f(x) = \sum_i \alpha_i\,|R_i \cdot x + o_i| + c \cdot x + \beta .$$
#
# $|z|$ does not care for the sign of $z$. At each point of the boundary this is **zero**: one
# linear equation for $(\alpha, c, \beta)$, with 0 on the right. Stack them; the vector that the
# table sends to zero is the network.
#
# ## Predict 4: how many points?
#
# There are $h + d + 1 = 13$ unknowns. How many points of the boundary are needed at least? (More do
# no harm. Points on both sides of every bend are a must: where all points are on one side of wall
# $i$, $|R_i \cdot x + o_i|$ is linear in $x$ and cannot be told from $c \cdot x$.)

# %%
guess = ...  # your number

reveal(guess, h + d, "A null vector has a free length: h + d + 1 unknowns, one of them free.")


def lift(x):
    """(|R x + o|, x, 1): (n, h + d + 1)."""
    return np.hstack([np.abs(x @ R.T + o), x, np.ones((len(x), 1))])


def solve():
    """Rows that the points see on both sides, θ of them, and what says that it is the only one."""
    points = np.vstack([boundary_points(3 * (h + d)), *(found[3] for found in bends)])
    right = points @ R.T + o > 0
    seen = right.any(axis=0) & ~right.all(axis=0)
    z = lift(points)[:, np.append(seen, np.ones(d + 1, bool))]
    size, v = np.linalg.svd(z / np.linalg.norm(z, axis=1, keepdims=True))[1:]
    return R[seen], o[seen], v[-1], size[-2:] / size[0]


for _ in range(20):  # more bends, until a null vector says that no neuron is missing
    R, o, theta, (second, last) = solve()
    if last < 1e-9:
        break
    bends += [found for found in (bend() for _ in range(8)) if found]
    R, o = rows_of(bends)
print(f"{len(bends)} bends, {len(R)} rows: smallest singular values {second:.0e} and {last:.0e}")
expect(last < 1e-9, "a vector is sent to zero", "a neuron is missing, perhaps of two regions only")
expect(second > 1e-9, "it is the only one", "two rows say the same")
print("output weights α of the rows:", (theta[: len(R)] / np.abs(theta).max()).round(4))

# %% [markdown]
# Note what the thief has here that he did not have in lesson 07: a test of completeness. Without
# all neurons that bend the boundary no vector is sent to zero. And should two planes meet by
# chance, in a row that is none, then it gets the weight 0.
#
# ## Step 5: one label for the sign
#
# $\theta$ and $-\theta$ have the same zeros. Ask one row that is not on the boundary.

# %%
x = rng.normal(size=(1, d))
if (lift(x) @ theta > 0)[0] != (ask(x) == 1)[0]:
    theta = -theta


def copy(x):
    return (lift(x) @ theta > 0).astype(int)


fresh = rng.normal(size=(100_000, d))
wrong = (copy(fresh) != victim.labels(fresh)).sum()
print(f"by hand: {oracle.count:,} queries, {wrong} of 100,000 labels differ")
expect(wrong == 0, "the copy is right", "see the step above that failed")

# %% [markdown]
# ## Predict 5: what labels do not tell
#
# Multiply the victim's last layer by 7. Every logit is seven times as large. How many of the
# 100,000 labels change? And here is a less obvious one. Two linear functions,
# $a(x) = a \cdot x + a_0$ and $b(x) = b \cdot x + b_0$, make the victim
#
# $$f(x) = \max(a(x), b(x)) = b(x) + \mathrm{relu}\big(a(x) - b(x)\big),$$
#
# whose neuron has the wall $a(x) = b(x)$. Multiply $a$ by 7: the wall turns. How many labels change
# now?

# %%
guess = ...  # your number, of the second question

a, b = rng.normal(size=(2, d))


def two_regions(factor):
    """Labels, and the wall's unit row, of max(factor a, b)."""
    row = factor * a - b
    return (fresh @ b + np.maximum(fresh @ row, 0)) > 0, row / np.linalg.norm(row)


(label, row), (other, turned) = two_regions(1), two_regions(7)
why = "f > 0 says that a > 0 or b > 0, whatever positive number stands before them."
reveal(guess, int((label != other).sum()), why)
print(f"though the row has turned by {np.degrees(np.arccos(row @ turned)):.0f} degrees")

# %% [markdown]
# So two things cannot be stolen, by nobody, for the labels do not hold them:
#
# - the **scale** of the logits, and with it every probability;
# - the row of a neuron that has only **two regions** on the boundary. Its bend never meets another
#   bend, and any row of the plane of $n$ and $n'$ gives the same labels. That is predict 3 again:
#   nothing ever chooses.
#
# A copy still has the right labels: any of these rows will do. A neuron that never touches the
# boundary is not seen at all, and not missed.
#
# ## What it costs
#
# Queries come in bisections. A normal is $d$ of them. But all normals are combinations of the $h$
# rows. Once these are known, the boundary depends on $h$ numbers only.
#
# ## Predict 6
#
# A victim has 784 inputs and 8 neurons. The first normals cost 784 bisections each. How many does a
# normal cost once the space of all normals is known?

# %%
guess = ...  # your number

reveal(guess, 8, "In coordinates of the 8 rows the boundary lives in 8 dimensions.")
for wide in (8, 100, 784):
    ours, cheap = 48 * wide * 52, 8 * wide * 52 + 40 * 8 * 52
    print(f"d = {wide}: 48 normals at d bisections 2^{np.log2(ours):.1f};", end=" ")
    print(f"8 of these, the others at h = 8: 2^{np.log2(cheap):.1f}")

# %% [markdown]
# ## The library
#
# `mt.direct.labels.extract` goes this way: it first finds the space of the normals and then works
# inside it. It walks *along* a bend until it meets another one; the four normals around that corner
# yield two rows at once. It begins each bisection at a guess, says how many rows labels do not
# determine, and judges the copy by fresh labels, far from the boundary and $10^{-7}$ beside it.
# Three classes are three boundaries that share the rows.

# %%
for shape in ([d, h, 1], [20, 6, 3], [10, 2, 1]):
    network = victim if shape == [d, h, 1] else mt.nn.zoo.mlp(shape, bias=0.3, rng=rng)
    counter, name = mt.Oracle(network, output="label"), "-".join(map(str, shape))
    try:
        result = mt.direct.labels.extract(counter, rng=SEED)
    except mt.errors.ExtractionError as error:
        print(f"{name}: {error}")
        continue
    x = rng.normal(size=(100_000, shape[0]))
    wrong = (result.model.labels(x) != network.labels(x)).sum()
    print(
        f"{name}: 2^{np.log2(counter.count):.1f} queries, {wrong} of 100,000 labels differ;",
        end=" ",
    )
    print(result.notes["rows"])

# %% [markdown]
# The literature: Chen et al. (ASIACRYPT 2024) steal at most four hidden neurons black-box,
# 784-2-1 in $2^{20.1}$ queries; the polynomial attack of Carlini et al. (EUROCRYPT 2025) was shown
# with help from inside the victim. Their victims were trained, ours are drawn at random (He).
#
# ## Try it
#
# - `SEED`: every step says whether it came out.
# - `h = 3` or `d = 3`: in a space of three dimensions any two planes meet in a line. Which of the
#   tests of `shared_row` still protects you?
# - `hair=1e-2` in `is_on`: where is a bend seen now, and why do the rows hardly suffer?
# - `radius=0.3` in `normal`: how many clouds hold a bend?
# - In the library's cell: `[4, 12, 1]`, more neurons than inputs.
#
# ## What falls short
#
# - **It is dear.** One logit costs about 1 to 2 queries for each weight (lesson 07); here it is 50
#   for each number, several times over.
# - **float32.** A victim in float32 answers the same label within about $10^{-6}$: bisection ends
#   there, and rows have six digits at most.
# - **Wrong labels.** One flipped label in a bisection spoils it. A service that answers at random
#   near its boundary is a defence against this attack (lesson 15), at the cost of wrong answers.
# - **Two hidden layers.** There the boundary bends at walls that are bent themselves. What stands
#   here takes one hidden layer for granted; of another victim no vector is sent to zero, and the
#   library ends in an error instead of a copy.
#
# ## What you can do now
#
# - You can say where a boundary bends, and what two normals tell of a row and what they do not.
# - You can find all rows from pairs of bends, and all the rest by a null vector and one label.
# - You can say what no attack on labels can find, and count the price in bisections.
#
# ## Your turn
#
# Exercise 20 finds a row from four normals around one corner, solves for the output weights of
# several classes at once, counts bisections, turns a wall without changing a label, and asks you
# why one bend is not enough.
#
# ```
# mstheft learn check 20
# ```
