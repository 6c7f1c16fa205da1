# %% [markdown]
# # 16 · Deeper networks: whose kink is this?
#
# **Where you are.** Learned copies: 09 to 14. Exact copies: 02 to 08, **16**, 17. You need lesson
# 07; 60 minutes with the exercise. The lecture asks in its outlook which layer a critical point
# comes from, and leaves it open.
#
# From lesson 07 you have the sweep: a line, the kinks on it, and a few Jacobians give a network
# with one hidden layer. Now the victim has **several** hidden ReLU layers, such as
#
# $$f(x) = A_2\,\mathrm{relu}\big(A_1\,\mathrm{relu}(A_0 x + b_0) + b_1\big) + b_2 ,$$
#
# with $d$ inputs, $h_1$ and $h_2$ neurons and $K$ outputs. A line bends wherever a neuron of
# *any* layer changes sides, and a bend does not say who made it.
#
# **Claim.** A neuron of the first layer has one flat wall, so a kink of it predicts kinks on every
# other line. A neuron of a later layer has a bent wall. But write down $|z|$ for all neurons of the
# layer before it, next to the input of that layer: in these coordinates the bent wall is flat, and
# the same test works again. No signs are needed for it, the layer may be wider than the input, and
# one output is enough.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.direct.deep.boundary import Prefix
from mstheft.plots import deep as deep_plots
from mstheft.report.pictures.deep import layers_of

SEED = 3  # any number will do
rng = np.random.default_rng(SEED)
d, h1, h2, K = 6, 8, 4, 3  # more neurons than inputs
victim = mt.nn.zoo.mlp([d, h1, h2, K], bias=0.1, rng=rng)
oracle = mt.Oracle(victim, output="logits")
ask = oracle.query


def reveal(guess, truth, why):
    """Says what happens, whatever was guessed."""
    word = "no guess" if guess is ... else "right" if guess == truth else f"you said {guess}"
    print(f"{word}: it is {truth}. {why}")


def expect(is_so, what, otherwise):
    """A check that a rare victim may fail; then it says what that means."""
    print(f"as claimed, {what}" if is_so else f"not with this seed, {what}: {otherwise}")


# %% [markdown]
# ## Predict 1: how often may one neuron bend a line?
#
# A neuron of the first layer has a flat wall, and a straight line crosses it once. Between two
# first-layer kinks, the values of the first layer are straight, so there a neuron of the second
# layer switches at most once. How many kinks can *one* neuron of the second layer make on a line
# that crosses all $h_1 = 8$ first-layer walls?

# %%
guess = ...  # your number

reveal(guess, h1 + 1, "8 walls cut the line into 9 pieces, and each may hold one.")
(A0, b0), (A1, b1), _ = victim.dense()  # a look inside; the attack below does not look
t, most = np.linspace(-20, 20, 4001)[:, None], []
for start, way in np.random.default_rng(0).normal(size=(200, 2, d)):
    z = np.maximum((start + t * way) @ A0.T + b0, 0) @ A1.T + b1
    most.append(np.diff(z > 0, axis=0).sum(axis=0).max())
print(
    "on 200 lines, the neuron that bends most often:", np.bincount(most)[1:], "lines with 1, 2, …"
)

# %% [markdown]
# ## Step 1: kinks, and the pair that belongs to each
#
# Random lines $x(t) = u + t v$. Between two kinks the network is linear, and the Jacobian $J$
# ($K \times d$) holds its slopes. At a kink one neuron changes sides, so the Jacobian changes by a
# column times a row:
#
# $$J_{\text{right}} - J_{\text{left}} = g\,a^{\mathsf T}, \qquad a \cdot v = 1 .$$
#
# $a$ ($d$ numbers) says which *input* direction that neuron listens to, and $g$ ($K$ numbers) how
# it moves the *outputs*. Multiplying with $v$ gives $g$; then multiplying with $g$ gives $a$:
#
# $$g = (J_{\text{right}} - J_{\text{left}})\,v, \qquad
# a = \frac{(J_{\text{right}} - J_{\text{left}})^{\mathsf T} g}{g \cdot g} .$$
#
# A difference step that happens to cross another wall spoils a Jacobian. Then the change is not of
# rank one, or $g$ is not the slope jump that the line search saw, and we leave that kink out.


# %%
def jacobian(x, c=1e-6):
    answers = ask(np.vstack([x, x + c * np.eye(d)]))
    return (answers[1:] - answers[0]).T / c


def search():
    """A random line, and its kinks: points p (n, d), output directions g (n, K), rows a (n, d)."""
    line = mt.direct.line.search(oracle, *rng.normal(size=(2, d)))
    ends = np.concatenate([line.kinks[:1] - 1, line.kinks, line.kinks[-1:] + 1])
    J = [jacobian(line.points(np.array(t))) for t in (ends[:-1] + ends[1:]) / 2]
    change = np.diff(np.reshape(J, (-1, K, d)), axis=0)
    g = change @ line.direction
    a = np.einsum("nkd,nk->nd", change, g) / (g**2).sum(axis=1)[:, None]
    rest = np.abs(change - g[:, :, None] * a[:, None, :]).max(axis=(1, 2), initial=0)
    good = (rest < 1e-5) & (np.abs(g - line.jumps).max(axis=1) < 1e-5)
    return line, line.points(line.kinks)[good], g[good], a[good]


found = [search() for _ in range(16)]
lines = [line for line, *_ in found]
kinks = sum(len(line.kinks) for line in lines)
measured = sum(len(p) for _, p, _, _ in found)
print(f"{kinks} kinks on 16 lines, {measured} of them measured, {oracle.count:,} queries")

# %% [markdown]
# ## Step 2: the first layer predicts
#
# Neuron $i$ of the first layer switches on the wall $A_{0,i} \cdot x + b_{0,i} = 0$, the same for
# the whole space. So a kink $p$ with row $a$ *predicts* where any other line $u' + t v'$ bends:
#
# $$a \cdot (u' + t v' - p) = 0 \quad\Longrightarrow\quad
# t = \frac{a \cdot (p - u')}{a \cdot v'} .$$
#
# For a neuron of the second layer the prediction fails, since its row is another one in each
# region. (Not on every line: two lines may cross the same flat piece of a bent wall. And where the
# whole second layer is off, a first-layer wall leaves no kink. So several lines have to agree.)


# %%
def predicted(a, p, line):
    """Where does a flat wall through each p (n, d) with its row a (n, d) meet a line? (n,)"""
    return np.einsum("nd,nd->n", a, p - line.start) / (a @ line.direction)


def bends_at(line, t):
    """Is there a kink of the line at each t (n,)?"""
    away = np.abs(t[:, None] - line.kinks).min(axis=1, initial=np.inf)
    return away < 1e-5 * (1 + np.abs(t))


def is_first_layer(n):
    """For each kink of line n: do enough other lines bend where it says?"""
    _, p, _, a = found[n]
    met, told = np.zeros(len(p)), np.zeros(len(p))
    for line in lines[:n] + lines[n + 1 :]:
        t = predicted(a, p, line)
        told += np.abs(t) < 5
        met += (np.abs(t) < 5) & bends_at(line, t)
    return (met >= 3) & (met > 0.3 * told)


walls = []  # unit rows and offsets, one of each wall; their signs are not known
for n, (_, p, _, a) in enumerate(found):
    for row, point in zip(a[is_first_layer(n)], p[is_first_layer(n)], strict=True):
        wall = np.append(row, -row @ point) / np.linalg.norm(row)
        wall *= np.sign(wall[np.abs(wall[:-1]).argmax()])
        if all(np.linalg.norm(wall - other) > 1e-4 for other in walls):
            walls.append(wall)
R, o = np.array(walls)[:, :-1], np.array(walls)[:, -1]
expect(len(R) == h1, f"there are {h1} walls of the first layer", f"{len(R)} were seen")

fig, ax = plt.subplots(figsize=(7.2, 4), layout="constrained")
most = max(range(1, 16), key=lambda n: len(lines[n].kinks))
t = predicted(found[0][3], found[0][1], lines[most])
deep_plots.meeting(lines[most], t, np.where(is_first_layer(0), 1, 2), ax)
plt.show()

# %% [markdown]
# Each dot is a kink of line 0: to the right, where it predicts a kink on another line (the one with
# the most kinks); upwards, how far off the prediction is (logarithmic). Far down means right up to
# rounding. No query was needed.
#
# ## Predict 2: turn a wall around
#
# What is known of a first-layer neuron is its wall, not which side is the active one: $R_i, o_i$
# may be $A_{0,i}, b_{0,i}$ up to a positive factor, or up to a negative one. Now
#
# $$\mathrm{relu}(z) = \frac{z + |z|}{2} .$$
#
# So every neuron of the second layer, a combination of the $\mathrm{relu}(A_{0,i} x + b_{0,i})$,
# is also a combination of the $|R_i x + o_i|$, of the inputs $x$, and of 1:
#
# $$z_j = B_j \cdot |R x + o| + C_j \cdot x + \beta_j, \qquad
# \varphi(x) = \big(|R x + o|,\; x\big) .$$
#
# $\varphi(x)$ is the **lifted input**, $h_1 + d$ numbers. Replace $R_i, o_i$ by $-R_i, -o_i$ for
# three of the neurons. How many of the $8 + 6$ numbers change?

# %%
guess = ...  # your number


def lift(x):
    """phi(x), and a 1 for the constant: (n, d) -> (n, h1 + d + 1)."""
    return np.hstack([np.abs(x @ R.T + o), x, np.ones((len(x), 1))])


x = rng.normal(size=(5, d))
turn = np.where(np.arange(len(R)) < 3, -1, 1)
change = np.abs(np.abs(x @ (turn[:, None] * R).T + turn * o) - np.abs(x @ R.T + o)).max(axis=0)
reveal(guess, int((change > 1e-12).sum()), "|z| does not know the sign of z.")
assert np.allclose(lift(x), Prefix(d, [], (R, o)).features(x))  # the library lifts the same way

# %% [markdown]
# So the signs can wait. In $\varphi$ the neuron is *linear*, and its wall
# $B_j \cdot |R x + o| + C_j \cdot x + \beta_j = 0$ is a flat one. A picture of it needs two inputs.


# %%
def most_bent(pre):
    """Of pre-activations on a grid (n, m, h): the neuron whose wall is longest."""
    return int(np.diff(pre > 0, axis=0).sum(axis=(0, 1)).argmax())


# A victim of two inputs. Here we look inside it, to draw.
flat = mt.nn.zoo.mlp([2, 4, 4, 2], bias=0.5, rng=1)
(W0, c0), (W1, c1), _ = flat.dense()
axis = np.linspace(-3, 3, 301)
grid = np.stack(np.meshgrid(axis, axis), axis=-1)  # (301, 301, 2)
first = grid @ W0.T + c0
second = np.maximum(first, 0) @ W1.T + c1
j = most_bent(second)
B, C = W1[j] / 2, W1[j] / 2 @ W0  # of z_j = B·|W0 x + c0| + C·x + β

fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.8), layout="constrained")
deep_plots.sides(*np.moveaxis(grid, -1, 0), second[..., j], left, walls=np.moveaxis(first, -1, 0))
names = ("C·x", "B·|R x + o|")
deep_plots.sides(grid @ C, np.abs(first) @ B, second[..., j], right, names=names)
plt.show()

# %% [markdown]
# Left: the plane of inputs. Thin lines are walls of the first layer. The wall of one second-layer
# neuron bends at each that it meets (dots). Right: the *same* inputs, each placed by two numbers
# that are linear in $\varphi(x)$. The plane is folded there like a sheet of paper, along the walls
# of the first layer, and one straight cut parts on from off.
#
# ## Step 3: a neuron out of its kinks
#
# In $\varphi$ the wall of neuron $j$ is flat, so it has one row $w_j = (B_j, C_j, \beta_j)$, the
# same at all of its kinks. A kink $p$ of it says two things about $w_j$:
#
# - $p$ lies on the wall: $\;w_j \cdot (\varphi(p), 1) = 0$, one equation;
# - the row $a$ that was measured at $p$ points along the slope of $z_j$ there, which is
#   $n = \sum_i B_{ji}\,\mathrm{sgn}(R_i p + o_i)\,R_i + C_j$. What of $n$ is not along $a$ is zero:
#   $d - 1$ equations.
#
# All are of the form "something linear $= 0$". So stack them; $w_j$ is the vector that the table
# sends to zero, up to a factor. (In terms of $A_0$ the row reads
# $a = \sum_i \beta_i A_{0,i}$ with $\beta_i = A_{1,ji} D_{ii} / (n \cdot v)$, where $D_{ii}$ is 1
# if neuron $i$ is on at $p$ and 0 if it is off. The division comes from the scale $a \cdot v = 1$:
# the $\beta_i$ are proportional to the weights, with another factor at each kink. That is why we
# compare directions.)
#
# ## Predict 3: how many kinks does it take?
#
# $w_j$ has $h_1 + d + 1 = 15$ numbers, and one is free, the scale. Each kink gives $d = 6$
# equations. How many kinks of a neuron are needed at least?

# %%
guess = ...  # your number

reveal(guess, int(np.ceil((h1 + d) / d)), "14 unknowns, 6 equations for each kink.")


def equations(p, a):
    """What one kink p (d,) with its row a (d,) says of w: (d + 1, h1 + d + 1), all zero."""
    slopes = np.vstack([np.sign(R @ p + o)[:, None] * R, np.eye(d), np.zeros(d)])  # of (phi, 1)
    across = np.eye(d) - np.outer(a, a) / (a @ a)
    return np.vstack([lift(p[None]), across @ slopes.T])


def null_space(own):
    """w out of a neuron's kinks, and how many directions of it are still free (1: the scale)."""
    size, v = np.linalg.svd(np.vstack([equations(p, a) for p, a in own]))[1:]
    return v[-1], len(v) - int((size > 1e-6 * size[0]).sum())


# %% [markdown]
# Which kinks belong to one neuron? Behind the last hidden layer comes only $A_2$. So at every kink
# of neuron $j$ the outputs move in the direction $g \propto A_{2,j}$, always with the same sign. We
# gather kinks of equal direction. (With one output $g$ is a number and says less. Then the library
# begins with one kink, and walks along its wall from there.)


# %%
def of_first_layer(p):
    """Does a wall of the first layer pass through p?"""
    return np.abs(R @ p + o).min() < 1e-6 * (1 + np.linalg.norm(p))


def neurons():
    """The kinks (p, a) that no wall of the first layer explains, neuron by neuron."""
    ways, members = [], []
    for _, points, jumps, rows in found:
        for p, g, a in zip(points, jumps, rows, strict=True):
            way = g / np.linalg.norm(g)
            same = [n for n, other in enumerate(ways) if np.linalg.norm(way - other) < 1e-4]
            if of_first_layer(p):
                continue
            if not same:
                ways.append(way)
                members.append([])
            members[same[0] if same else -1].append((p, a))
    return sorted(members, key=len, reverse=True)


for own in neurons()[:h2]:
    print(f"{len(own):2} kinks; left free after 1, 2, 3, …:", end=" ")
    print(*(null_space(own[: n + 1])[1] for n in range(len(own))))

# %% [markdown]
# It takes more than three, and the reason is worth a thought. Where all kinks lie on one side of
# wall $i$, $|R_i x + o_i|$ is $R_i x + o_i$ or its opposite, which is linear in $x$: then $B_{ji}$
# and $C_j$ cannot be told apart. A neuron must be **seen on both sides of each wall**. So we search
# until every neuron is.

# %%
for _ in range(30):
    if all(null_space(own)[1] == 1 for own in neurons() if len(own) > 1):
        break
    found.append(search())
members = [own for own in neurons() if len(own) > 1 and null_space(own)[1] == 1]
w = np.array([null_space(own)[0] for own in members]).reshape(-1, len(R) + d + 1)
print(f"{len(found)} lines, {oracle.count:,} queries: {len(w)} neurons of the second layer")
expect(len(w) == h2, f"there are {h2}", "a neuron that is seldom on crosses few lines")

# %% [markdown]
# Now $w_j$ must pass the same test as a row of the first layer: on a line that it has never seen,
# the victim must bend where $w_j \cdot (\varphi, 1)$ changes its sign. Along a line that is a
# function of one number with straight pieces.


# %%
def sign_changes(line, weights):
    """Where on a line does w·(phi, 1) change sign? Between two first-layer kinks at most once."""
    ends = np.sort(-(R @ line.start + o) / (R @ line.direction))
    ends = np.concatenate([[line.t[0]], ends, [line.t[-1]]])
    z = lift(line.points(ends)) @ weights
    crossed = z[:-1] * z[1:] < 0
    return (ends[:-1] - z[:-1] * np.diff(ends) / np.diff(z))[crossed]


new = mt.direct.line.search(oracle, *rng.normal(size=(2, d)))
flat_ones = -(R @ new.start + o) / (R @ new.direction)
bent_ones = np.concatenate([np.zeros(0), *(sign_changes(new, each) for each in w)])
whose = np.full(len(new.kinks), 3)  # nobody's that we know
for layer, t in ((2, bent_ones), (1, flat_ones)):
    away = np.abs(new.kinks[:, None] - t).min(axis=1, initial=np.inf)
    whose[away < 1e-5 * (1 + np.abs(new.kinks))] = layer
print("kinks of the new line by layer:", {n: int((whose == n).sum()) for n in (1, 2, 3)})
expect((whose < 3).all(), "every kink is explained", "a neuron is missing (shown as layer 3)")

fig, ax = plt.subplots(figsize=(7.2, 4), layout="constrained")
deep_plots.line(new, whose, ax)
plt.show()

# %% [markdown]
# Whose kink is this? We say so for a line on which no Jacobian was measured. Were there a third
# hidden layer, its kinks would be those that nobody explains, and the same would start again.
#
# ## Step 4: signs by least squares
#
# Let neuron $i$ of the first layer be $\mathrm{relu}(s_i y_i)$ with $y_i = R_i x + o_i$ and
# $s_i = \pm 1$. Then $a_i\,\mathrm{relu}(s_i y_i) = \tfrac{a_i}{2} |y_i| + \tfrac{a_i}{2} s_i y_i$.
# The first part is $B_{ji} |y_i|$. The second is linear in $x$, and goes into $C_j$:
#
# $$\sum_i B_{ji}\, s_i\, R_i = C_j \qquad\text{for every neuron } j \text{ of the second layer.}$$
#
# There are $2^8 = 256$ ways to choose the signs, and a wide layer has far too many to try. But
# these are $h_2 d$ *linear* equations in $h_1$ unknowns. Solve them as if $s_i$ could be any
# number.

# %%
h = len(R)
B, C = w[:, :h], w[:, h:-1]
table = np.einsum("ji,ip->jpi", B, R).reshape(-1, h)  # (h2 d, h1)
s = np.linalg.lstsq(table, C.ravel(), rcond=None)[0]
print("signs:", s.round(6))
off = np.abs(np.abs(s) - 1).max()
expect(off < 1e-3, "each is 1 or -1", "a wall or a second-layer neuron is missing")

# %% [markdown]
# Nothing forced them to be $\pm 1$. That they are is a check of all that came before.
#
# ## Step 5: lift again, and the rest is a line through points
#
# With the signs, the first layer is known: $\mathrm{relu}(s (R x + o))$. Now the second layer is
# the one whose walls are known up to a sign, so lift again:
# $\varphi_2(x) = \big(|z|,\ \mathrm{relu}(s (R x + o))\big)$. Behind it comes no further hidden
# layer, so the answers themselves are linear in $\varphi_2$. Lesson 02 solved that.


# %%
def lift_again(x):
    hidden = np.maximum(np.sign(s) * (x @ R.T + o), 0)
    return np.hstack([np.abs(lift(x) @ w.T), hidden, np.ones((len(x), 1))])


x = rng.normal(size=(300, d))
last = np.linalg.lstsq(lift_again(x), ask(x), rcond=None)[0]
fresh = rng.normal(size=(5000, d))
miss = np.abs(lift_again(fresh) @ last - victim.logits(fresh)).max()
print(f"by hand: {oracle.count:,} queries, largest difference {miss:.1e} logits")
expect(miss < 1e-4, "the copy is right", "a neuron is missing, or was taken for another one")

# %% [markdown]
# ## Any depth
#
# The step from one layer to the next was always the same: lift by the layer just found. Let us see
# it on four hidden layers, looking inside. For each layer we take points on the wall of one of its
# neurons. Is there a linear function of $(\varphi_n, 1)$ that is zero at all of these points, and
# not beside them? Then the wall is flat after $n$ lifts. The number is the smallest size at the
# points that such a function of size 1 beside them can have.
#
# ## Predict 4
#
# A neuron of layer 3 is a bent wall of bent walls. How often must one lift until it is flat?

# %%
guess = ...  # your number

deep = mt.nn.zoo.mlp([4, 8, 8, 8, 8, 2], bias=0.3, rng=rng)
layers = deep.dense()[:-1]


def wall_points(layer, most=400):
    """Points on the wall of one neuron of a layer: a sign change, halved again and again."""
    before, (weights, bias) = Prefix(4, layers[:layer]), layers[layer]

    def pre(x):
        return before.before(x) @ weights.T + bias

    low, high = rng.normal(size=(2, 20_000, 4)) * 2
    k = np.abs((pre(low) > 0).mean(axis=0) - 0.5).argmin()
    crossed = (pre(low)[:, k] > 0) != (pre(high)[:, k] > 0)
    low, high = low[crossed][:most], high[crossed][:most]
    for _ in range(60):
        middle = (low + high) / 2
        same = ((pre(middle)[:, k] > 0) == (pre(low)[:, k] > 0))[:, None]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return low


def flatness(points, lifts):
    """The smallest size of w·(phi, 1) at the points, where it has the size 1 beside them."""
    prefix = Prefix(4, layers[: lifts - 1], layers[lifts - 1]) if lifts else Prefix(4)
    beside = prefix.features(points + rng.normal(size=points.shape))
    size, v = np.linalg.svd(beside, full_matrices=False)[1:]
    seen = size > 1e-9 * size[0]
    return np.linalg.svd(prefix.features(points) @ (v[seen].T / size[seen]), compute_uv=False)[-1]


print("lifted      0 times   once    twice   three times")
for layer in range(4):
    points = wall_points(layer)
    print(f"layer {layer + 1}:  ", *(f"{flatness(points, n):8.0e}" for n in range(4)))
reveal(guess, 2, "A neuron of layer l is flat in the values of the layers before: l - 1 lifts.")

line = mt.direct.line.search(mt.Oracle(deep), *rng.normal(size=(2, 4)))
fig, ax = plt.subplots(figsize=(7.2, 4), layout="constrained")
deep_plots.line(line, layers_of(deep, line.points(line.kinks)), ax)
plt.show()

# %% [markdown]
# Zeros (1e-16) stand where the wall is flat: layer $l$ after $l - 1$ lifts. (It mostly is flat
# after one lift more, too: what was linear in $h$ still is. And a wall between two layers of which
# no neuron switches nearby may be flat earlier.) The picture has the kinks of a line through this
# victim, each in the colour of the layer that bends there.
#
# ## The library, and what "verified" says
#
# `mt.direct.deep.extract` takes these steps for any number of layers, with one output too. While
# $h_1 \le d$ it goes a faster way first (it produces any hidden values that it likes, and sweeps
# behind the first layer). It needs fewer kinks than we did: from one kink it *walks* along the bent
# wall, and where this meets a known wall, the change of the row is one more weight, for 7 queries.
#
# At the end the copy is held against 1,000 fresh rows and against rows on both sides of each known
# wall. What does it say that none of them was wrong?
#
# ## Predict 5
#
# A neuron that the copy lacks is on for 1 input in 1,000. With which probability do 1,000 rows all
# miss it? Guess to two digits.

# %%
guess = ...  # such as 0.05

reveal(guess, round((1 - 0.001) ** 1000, 2), "It is (1 - q)^n, near to e^(-qn).")
for n in (100, 1000, 10_000):
    q = 3 / n
    print(f"{n:6,} rows, none wrong: a share of 3/n = {q:.4f} would be missed in", end=" ")
    print(f"{(1 - q) ** n:.1%} of all cases")

# %% [markdown]
# So after $n$ rows of $N(0, I)$ without an error, a share above $3/n$ is excluded, with 95 %
# confidence. Not more: **verified** means right on what was asked, and states how much may have
# been missed.

# %%
for shape in ([d, h1, h2, K], [10, 10, 10, 1], [24, 16, 8, 5]):
    network = victim if shape == [d, h1, h2, K] else mt.nn.zoo.mlp(shape, bias=0.1, rng=rng)
    counter, name = mt.Oracle(network), "-".join(map(str, shape))
    try:
        result = mt.direct.deep.extract(counter, rng=SEED)
    except mt.errors.ExtractionError as error:
        print(f"{name}: {error}")
        continue
    x = rng.normal(size=(20_000, shape[0]))
    miss = np.abs(result.model.logits(x) - network.logits(x))
    print(f"{name}: {counter.count:,} queries = {result.total / result.floor:.1f} F,", end=" ")
    print(f"largest difference {miss.max():.1e}, on {(miss.max(axis=1) > 1e-4).mean():.3%} of rows")
    print("   ", result.notes["verify"])

# %% [markdown]
# `10-10-10-1` has one output. The literature's attack on a network of that size asks
# $2^{16.0} = 65{,}500$ questions (Carlini, Jagielski and Mironov 2020). The two figures are not of
# the same victims: theirs were trained on noise, ours are drawn at random (He), and in their
# largest case their error is smaller, $2^{-40.4}$.
#
# ## Try it
#
# - `SEED`: every step says whether it came out. Which fails first, and what was missing?
# - `h1 = 12` with `d = 6`: more walls, more kinks until each neuron was seen on both sides.
# - `bias=1.0`: walls move away from the origin, and random lines see less of them.
# - `K = 1`: which step fails now, and why not the library's?
# - In the library's cell: a second hidden layer of one neuron, three layers, `bias=0`.
#
# ## What falls short
#
# - **Rounded answers.** Rows, and with them $\varphi$, must be right to six digits or more. Behind
#   float32 or fewer decimals the same function learns a student that is too wide, prunes it layer
#   by layer, and polishes it to the noise (lesson 08), at three times as many queries.
# - **Neurons that hide.** A neuron that never switches along our lines is not found. The final
#   check mostly sees that. Where it does not, the copy is wrong on a share of at most about $3/n$.
# - **Narrow and deep.** If all neurons of a layer are off, whatever lies before is invisible. In
#   three layers of six neurons that is common, and such victims often end in an error.
#
# ## What you can do now
#
# - You can say for any kink which layer bends there, and how you know.
# - You can write a neuron of any layer as a flat wall in lifted coordinates, and find it from its
#   kinks.
# - You can orient a layer of any width by least squares, and say what a verified copy may still
#   lack.
#
# ## Your turn
#
# Exercise 16 lifts at any depth, orients a layer of which not every sign is told, finds where a
# bent wall meets a line, and asks you why both sides are needed.
#
# ```
# mstheft learn check 16
# ```
