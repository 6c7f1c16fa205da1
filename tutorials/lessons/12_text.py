# %% [markdown]
# # 12 · Text victims
#
# In lesson 09 a copy learned to read digits from answers about letters. Nothing in the loop knew
# that the rows were pictures. So it works on text as well, as soon as a text is a row of numbers.
#
# **Claim.** For a text victim the pool matters even more than for pictures: a word that the pool
# never shows teaches the copy nothing. Unlabelled text of the victim's kind makes a good copy.
# Other text, or words drawn at random, make a poor one from the same number of answers.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.data import synthetic, text
from mstheft.data.vocabulary import Vocabulary
from mstheft.learning import jacobian
from mstheft.plots import learning as learning_plots
from mstheft.plots import style

# %% [markdown]
# ## From words to numbers
#
# A **vocabulary** gives each word a number. 0 is *padding*, which fills up short texts. 1 stands
# for every *unknown* word. From 2 on come the words, the most frequent first. Here it is by hand,
# for three texts:

# %%
texts = ["the team won the match", "shares of the bank fell", "the bank won"]
counts: dict[str, int] = {}
for each in texts:
    for word in each.split():
        counts[word] = counts.get(word, 0) + 1
by_hand = ["<pad>", "<unk>", *sorted(counts, key=lambda word: (-counts[word], word))]
print(by_hand)


def encode(each, length):
    ids = [by_hand.index(word) if word in by_hand else 1 for word in each.split()[:length]]
    return ids + [0] * (length - len(ids))


print("'the team of the year' becomes", encode("the team of the year", 6))
library = Vocabulary.build(texts)
assert list(library.entries) == by_hand
assert library.encode(["the team of the year"], 6).tolist() == [encode("the team of the year", 6)]

# %% [markdown]
# ## How a network reads: windows and the best of them
#
# The **embedding** gives each word number a vector, its row in a table that is learned. A text of
# $n$ words becomes an $n \times m$ table $E$. A **filter** of width 3 is a $3 \times m$ table $W$
# that is laid on every three words in a row. Where they fit, the sum of products is large. The
# text gets *one* number from the filter, the best fit anywhere:
#
# $$\max_t \;\mathrm{relu}\Big(b + \sum_{i=0}^{2} \sum_{j} W_{ij}\,E_{t+i,\,j}\Big) .$$
#
# A filter is a detector for a turn of phrase, wherever it stands (Kim 2014). A few dozen filters
# and one dense layer make a text classifier.

# %%
rng = np.random.default_rng(0)
layer = mt.nn.sequence.Conv1DMax(4, 2, (3,), rng=0)
E = rng.normal(size=(6, 4))  # six words, four numbers each
fits = np.array(
    [
        [(layer.params["W3"][f].reshape(3, 4) * E[t : t + 3]).sum() for t in range(4)]
        for f in range(2)
    ]
)
mine = np.maximum(fits.max(axis=1) + layer.params["b3"], 0)
theirs = layer.forward(E[None])[0][0]
print("by hand:", mine.round(4), " library:", theirs.round(4))
assert np.allclose(mine, theirs)

# %% [markdown]
# ## Victim and pools
#
# With the real data in place (`mstheft data where` tells), the victim sorts AG News into world,
# sports, business and technology, and one pool is Wikipedia (WikiText-2). Without it, made-up news
# and made-up mail stand in. Only small parts are used, so that this page runs in a minute.

# %%
LENGTH, TRAIN, TEST, POOL = 20, 1500, 500, 1000
try:
    (news, topics), (more, truth) = text.ag_news("train"), text.ag_news("test")
    other = text.wikitext2(n_words=LENGTH)
    print("using parts of AG News and WikiText-2")
except mt.errors.DataError:
    news, topics = synthetic.texts(TRAIN + POOL, task="topics", rng=0)
    more, truth = synthetic.texts(TEST, task="topics", rng=1)
    other = synthetic.texts(POOL, task="spam", rng=2)[0]
    print("no real texts here: using made-up news and made-up mail")


def some(items, n):
    return [items[i] for i in rng.permutation(len(items))[:n]]


order = rng.permutation(len(news))
train = [news[i] for i in order[:TRAIN]]
test = rng.permutation(len(more))[:TEST]
vocabulary = Vocabulary.build(train, size=3000, min_count=2)
x, y = vocabulary.encode(train, LENGTH), np.asarray(topics)[order[:TRAIN]]
x_test = vocabulary.encode([more[i] for i in test], LENGTH)

pools = {
    "other news": vocabulary.encode([news[i] for i in order[TRAIN : TRAIN + POOL]], LENGTH),
    "other text": vocabulary.encode(some(other, POOL), LENGTH),
    "random words": jacobian.noise_pool((LENGTH,), POOL, rng, words=len(vocabulary)),
}
for name, rows in pools.items():
    print(f"{name:<13}", vocabulary.decode(rows[:1])[0][:80])

# %% [markdown]
# *Other news* is news that the victim has not seen, without its labels. *Other text* is about
# something else. *Random words* is noise: each word of the victim's vocabulary equally often.
#
# One thing here helps the thief: rows are asked in the victim's own word numbers. A real thief
# sends words, and does not know which of them the victim knows. How many does it know?

# %%
shares = {name: (rows == 1).sum() / (rows > 0).sum() for name, rows in pools.items()}
distinct = {name: len(np.unique(rows[rows > 1])) / len(vocabulary) for name, rows in pools.items()}
fig, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
places = np.arange(len(pools))
ax.bar(places - 0.2, shares.values(), 0.4, color=style.NEGATIVE)
ax.bar(places + 0.2, distinct.values(), 0.4, color=style.POSITIVE)
ax.set_xticks(places, list(pools))
ax.set(ylabel="share", ylim=(0, 1.05))
style.note(ax, 0.02, 1.08, "words of the pool that the victim does not know", color=style.NEGATIVE)
style.note(ax, 0.02, 1.02, "words of the victim that the pool shows", color=style.POSITIVE)
style.bare(ax)
plt.show()

# %% [markdown]
# Where the left bar of a pool is high, many words of a question are lost on the victim. Random
# words are all known, and the whole vocabulary is shown. So by this count noise should be the best
# pool. It is not, as we will see: words alone are not enough, they must stand together as they do
# in texts that the victim is sure about.
#
# ## The theft

# %%


def network(seed):
    return mt.nn.zoo.text_cnn(
        len(vocabulary), LENGTH, 4, size=16, filters=16, dropout=0.2, rng=seed
    )


victim = network(0)
mt.nn.fit.fit(victim, x, y, epochs=4, batch=25, optimizer=mt.nn.optim.Adam(5e-3), rng=0)
told = victim.labels(x_test)
right = (told == np.asarray(truth)[test]).mean()
print(f"the victim is right on {right:.1%} of {TEST} test texts")


def steal(rows, seed):
    return mt.learning.active.steal(
        mt.Oracle(victim, output="probs", budget=400),
        rows,
        lambda: network([seed, 5]),
        strategy="random",
        budget=400,
        rounds=2,
        rng=seed,
        epochs=30,
        patience=10,
        batch=10,
        evaluate=lambda copy: float((copy.labels(x_test) == told).mean()),
    )


curves, copies = {}, {}
for name, rows in pools.items():
    runs = [steal(rows, seed) for seed in range(3)]
    copies[name] = runs[0].model
    curves[name] = runs[0].of("queries"), np.array([run.of("agreement") for run in runs])
    last = curves[name][1][:, -1]
    print(
        f"{name:<13} {last.mean():.1%} at 400 queries (from {last.min():.1%} to {last.max():.1%})"
    )
assert curves["other news"][1][:, -1].mean() > curves["random words"][1][:, -1].mean()

# %%
fig, ax = plt.subplots(figsize=(6.8, 4), layout="constrained")
learning_plots.agreement(curves, ax)
ax.axhline(np.bincount(told).max() / TEST, color=style.QUIET, linestyle="--", linewidth=1)
plt.show()

# %% [markdown]
# The dashed line is what a copy reaches that always names the victim's most frequent class. A pool
# whose curve stays near it has taught the copy next to nothing. The bands are three seeds. Where
# two bands lie on each other, no order of these two pools was shown.

# %%
fig, panels = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for ax, name in zip(panels, ("other news", "random words"), strict=True):
    table = np.zeros((4, 4), int)
    np.add.at(table, (told, copies[name].labels(x_test)), 1)
    learning_plots.confusion(table, ax, names=["world", "sports", "business", "tech"])
    ax.set_title(f"{name}: {np.trace(table) / TEST:.1%}", loc="left", fontsize="medium")
plt.show()

# %% [markdown]
# Left, the copy that saw news; right, the one that saw random words. Columns that are dark from
# top to bottom are classes that the copy names whatever it reads.
#
# ## What the experiments say
#
# Larger runs, on MR (film sentences), AG News and IMDB (film reviews) with 1,000 queries about
# WikiText-2, are described in `tests/benchmarks/experiments/texts.toml`. Lesson 11 reads their
# table. The paper (Pal et al. 2020) reports that its text copies agree about twice as often as
# copies made of random words.
#
# ## What can go wrong
#
# - **Rare words.** 400 texts of 20 words are 8,000 words, and most words of a language are rare.
#   The copy has never seen them. Pictures have no such problem: every pixel is in every picture.
# - **The copy names one class only.** Look at macro-F1 on the validation rows, not at agreement.
# - **Exact attacks do not apply.** Word numbers are no quantities: there is no input between word 3
#   and word 4, so no line, no kink and no slope. DeepFool works on the embedded text instead.
# - **A long text is cut.** What stands after the last word that the victim reads counts for
#   nothing.
#
# ## Your turn
#
# Exercise 12 asks for a vocabulary, the encoding, the best fit of a filter, and the share of
# unknown words.
#
# ```
# mstheft learn check 12
# ```
