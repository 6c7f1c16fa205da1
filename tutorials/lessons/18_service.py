# %% [markdown]
# # 18 · A prediction API over HTTP
#
# From lesson 02 you can steal a logistic regression with $d + 1$ questions. There the victim was a
# Python object. Real victims sit behind a web address: requests go out, answers come back,
# connections break, and every answer is charged to a key.
#
# **Claim.** HTTP changes nothing about the mathematics: the same attack gets the same copy for
# the same number of answers. And a copy is worth more than its predictions. On the copy of a *spam
# filter* one can try out, for free and unseen, which words carry a message past the real one.
#
# The service runs in this process, on this computer only, and the messages are made up.

# %%
import importlib.util
import threading

import matplotlib.pyplot as plt
import numpy as np

import mstheft as mt
from mstheft.adversarial import edits
from mstheft.data import vocabulary
from mstheft.oracle.http import server
from mstheft.plots import evasion as evasion_plots
from mstheft.plots import style

SERVICE = all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn", "httpx"))
if not SERVICE:
    print(
        'Without the extra "service" (pip install "mstheft[service]") the filter is asked directly.'
    )

# %% [markdown]
# ## The victim: a spam filter
#
# A message becomes a **bag of words**: a row $x$ of zeros and ones, one entry for each word of a
# list, 1 where the message has that word. The filter is a logistic regression,
#
# $$p(\text{spam}) = \sigma(w \cdot x + \beta), \qquad \sigma(z) = \frac{1}{1 + e^{-z}},$$
#
# with a weight $w_j$ for each word and a bias $\beta$. It holds a message back if $p > \tfrac12$,
# that is, if the **score** $w \cdot x + \beta$ is above 0.

# %%
messages, labels = mt.data.synthetic.texts(3000, task="spam", rng=0)
counted = {}
for message in messages[:2000]:
    for word in set(vocabulary.words(message)):
        counted[word] = counted.get(word, 0) + 1
WORDS = sorted(word for word, n in counted.items() if n >= 8)
place = {word: j for j, word in enumerate(WORDS)}


def bag(message):
    row = np.zeros(len(WORDS))
    row[[place[word] for word in vocabulary.words(message) if word in place]] = 1
    return row


x = np.array([bag(message) for message in messages])
d = len(WORDS)
victim = mt.nn.zoo.logistic(d, rng=1)
adam = mt.nn.optim.Adam(1e-2)
mt.nn.fit.fit(victim, x[:2000], labels[:2000], epochs=15, optimizer=adam, l2=1e-3, rng=1)
right = (victim.labels(x[2000:]) == labels[2000:]).mean()
print(f"{d} words; the filter is right on {right:.1%} of fresh messages")

# %% [markdown]
# ## The service
#
# `application` puts a model behind HTTP: `POST /v1/predict` takes rows and gives answers, if the
# request carries a key that is known and still has a budget. It runs in a thread; port 0
# means any port that is free.

# %%
BUDGET = d + 400
if SERVICE:
    import httpx
    import uvicorn

    from mstheft.oracle.http import service
    from mstheft.oracle.http.accounts import Accounts
    from mstheft.oracle.http.client import HttpVictim

    accounts = Accounts(":memory:", [("you", "secret", BUDGET), ("by hand", "mine", 10)])
    app = service.application(victim, accounts, output="probs")
    listening = server.listen(port=0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    running = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()

# %% [markdown]
# **By hand.** One request with two messages, as JSON. The header `Idempotency-Key` names the
# purchase: if the connection breaks, nobody knows whether the answer was paid for. Send the
# request again with the same name, and the same answer comes at no further cost.

# %%
if SERVICE:
    headers = {"Authorization": "Bearer mine", "Idempotency-Key": "first purchase"}
    for _ in range(3):
        answer = httpx.post(
            f"{url}/v1/predict", headers=headers, json={"inputs": x[:2].tolist()}, trust_env=False
        )
        told = np.array(answer.json()["outputs"])
        look = httpx.get(f"{url}/v1/model", headers=headers, trust_env=False).json()
        print(
            "status",
            answer.status_code,
            " p(spam) =",
            told.ravel().round(4),
            " left:",
            look["left"],
        )
    assert np.allclose(told.ravel(), victim.probs(x[:2]).ravel(), atol=1e-12)
    assert look["left"] == 8  # asked three times, paid once
    wrong = httpx.post(f"{url}/v1/predict", headers={"Authorization": "Bearer no"}, trust_env=False)
    print("a wrong key:", wrong.status_code, wrong.json()["error"])
    assert wrong.status_code == 401

# %% [markdown]
# The library's client does this for every batch by itself, and tries again when the service is
# busy. `HttpVictim(url, key)` is a victim like any other.
#
# ## The theft
#
# Lesson 02: $\mathrm{logit}(p) = w \cdot x + \beta$ is one equation in $d + 1$ unknowns for each
# answer. First by hand, with rows that have one word each:

# %%
remote = HttpVictim(url, "secret") if SERVICE else victim
oracle = mt.Oracle(remote, "probs")
singles = np.vstack([np.zeros(d), np.eye(d)])
p = oracle.query(singles).ravel()
logit = np.log(p) - np.log1p(-p)
beta, w = logit[0], logit[1:] - logit[0]
print(f"by hand: {oracle.count} answers for {d + 1} unknown numbers")

# %%
result = mt.direct.linear.extract(mt.Oracle(victim, "probs"), rng=2)
(W, b), *_ = result.model.dense()
assert np.allclose(w, W.ravel(), atol=1e-8)
assert np.isclose(beta, b[0], atol=1e-8)
copy = mt.nn.zoo.given([(w[None], np.array([beta]))])
agrees = mt.compare.agreement(victim, copy, x[2000:])
print(f"the copy agrees with the filter on {agrees:.1%} of 1,000 fresh messages")
if SERVICE:
    print(f"rows left of the budget: {remote.left}")
    assert remote.left == BUDGET - oracle.count
assert agrees == 1

# %%
order = np.argsort(w)
shown = np.concatenate([order[:12], order[-12:]])
fig, ax = plt.subplots(figsize=(7, 5.4), layout="constrained")
colours = [style.POSITIVE if value < 0 else style.NEGATIVE for value in w[shown]]
ax.barh(range(24), w[shown], color=colours)
ax.set_yticks(range(24), [WORDS[j] for j in shown])
ax.set(xlabel="stolen weight (logits for each word)")
style.bare(ax)
plt.show()

# %% [markdown]
# The stolen weights at both ends. Words above zero make a message look like spam, words below zero
# like ordinary mail. No user of the service was meant to see this list.
#
# ## Getting past the filter
#
# Take spam that the filter holds back. Words may be **added** at the end, none removed, so the
# message keeps its sense. Which words? The score is a sum, so each new word $j$ adds exactly
# $w_j$. The best are those with the lowest weight that the message does not have yet. All of this
# happens on the copy: not one question.

# %%
spam = x[2000:][(labels[2000:] == 1) & (victim.labels(x[2000:]) == 1)][:150]
EDITS = 10


def add_words(row, count):
    """The row after 0, 1, ... additions, each the most harmless word that is absent."""
    rows = [row.copy()]
    for j in order:
        if len(rows) > count or w[j] >= 0:
            break
        if row[j] == 0:
            rows.append(rows[-1].copy())
            rows[-1][j] = 1
    return np.array(rows)


by_hand = np.array([add_words(row, EDITS) for row in spam]).transpose(1, 0, 2)
chosen = edits.greedy(edits.margin(copy, 1), spam, edits.Additions(), EDITS)
assert np.allclose(by_hand @ w + beta, chosen.scores, atol=1e-8)
blind = edits.at_random(spam, edits.Additions(), EDITS, rng=3)
shares = {
    name: (victim.labels(rows.reshape(-1, d)) == 0).reshape(EDITS + 1, -1).mean(axis=1)
    for name, rows in (("copy", by_hand), ("random", blind.rows))
}
for n in (0, 1, 3, 5, 10):
    print(
        f"{n:2} words: chosen {shares['copy'][n]:6.1%} pass, at random {shares['random'][n]:6.1%}"
    )
assert shares["copy"][-1] > shares["random"][-1]

fig, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
evasion_plots.passed(shares, ax)
plt.show()

# %% [markdown]
# The share of spam that the *real* filter lets pass, against the number of added words. Random
# words are the control: without it one could not say that the choice did it.

# %% [markdown]
# ## What the service can do
#
# Round its answers, for instance. Rounding to $k$ decimals moves $p$ by up to $\tfrac12 10^{-k}$,
# and the logit by about that over $p(1 - p)$ (lesson 02). Here are copies from rounded answers:

# %%
errors, passing = [], []
decimals = [1, 2, 3, 4, 6, 8]
for k in decimals:
    p = np.clip(np.round(victim.probs(singles).ravel(), k), 0.5 * 10.0**-k, 1 - 0.5 * 10.0**-k)
    logit = np.log(p) - np.log1p(-p)
    guess = mt.nn.zoo.given([((logit[1:] - logit[0])[None], logit[:1])])
    errors.append(np.abs(logit[1:] - logit[0] - w).max())
    path = edits.greedy(edits.margin(guess, 1), spam[:60], edits.Additions(), 5)
    passing.append((victim.labels(path.rows[-1]) == 0).mean())
    print(
        f"{k} decimals: worst weight off by {errors[-1]:.0e}, {passing[-1]:.0%} pass with 5 words"
    )

fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
axes[0].semilogy(decimals, errors, "o-", color=style.ERROR)
axes[0].set(xlabel="decimals of the answers", ylabel="largest error of a weight (logits)")
axes[1].plot(decimals, passing, "o-", color=style.COPY)
axes[1].set(
    xlabel="decimals of the answers", ylabel="share that passes with 5 words", ylim=(0, 1.05)
)
for ax in axes:
    style.bare(ax)
plt.show()

# %% [markdown]
# Left, the copy gets worse as expected. Right, that hardly matters to a spammer: it is enough to
# know roughly which words are harmless. A defence against exact theft is no defence
# against use of the theft.
#
# ## What falls short
#
# - **A toy.** Made-up messages of few kinds, a linear filter that tells $p$. Real filters look at
#   senders and links too, and tell nothing. With labels only one needs more questions (lessons
#   02, 09).
# - **Words at the end are visible.** A person would frown at them; this filter does not.
# - **The key pays.** A budget of fewer than $d + 1$ rows would have ended this theft. A thief
#   with many keys would not have noticed.
# - **Only ask services that are yours**, or whose owner has agreed.

# %%
if SERVICE:
    remote.close()
    running.should_exit = True
    thread.join(10)

# %% [markdown]
# ## Your turn
#
# Exercise 18 asks for the bag of words, a client that asks again when the service is busy, the
# best words to add, and the share that passes.
#
# ```
# mstheft learn check 18
# ```
