"""The ActiveThief loop: what it costs, what it returns, and that nothing ends it for good."""

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import learning_worker as worker
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mstheft as mt
from mstheft.errors import BudgetExhausted, DataError, ExtractionError
from mstheft.learning import active, checkpoint, defaults, targets
from mstheft.learning.strategies import STRATEGIES
from mstheft.nn import zoo
from mstheft.nn.functions import log_softmax, sigmoid, softmax

D = 64


@pytest.fixture(scope="module")
def victim():
    x, y = mt.data.synthetic.glyphs(1500, size=8, classes=4, noise=0.02, rng=0)
    network = zoo.mlp([D, 24, 4], rng=0)
    mt.nn.fit.fit(network, x, y, epochs=25, rng=0)
    return network


@pytest.fixture(scope="module")
def pool():
    return mt.data.synthetic.letters(900, size=8, rng=1)[0].astype(np.float32)


def new_copy():
    return zoo.mlp([D, 24, 4], rng=3)


def extract(oracle, pool, **changes):
    options = {
        "strategy": "random",
        "budget": 151,
        "rounds": 3,
        "rng": 0,
        "epochs": 15,
        "batch": 20,
    }
    return active.extract(oracle, pool, changes.pop("copy", new_copy), **{**options, **changes})


# ---- budget


def test_shares_by_hand():
    assert active.shares(100, 10) == (20, 10, [7] * 10)
    assert active.shares(101, 3) == (20, 10, [24, 24, 23])
    with pytest.raises(ValueError, match="got 8; raise it"):
        active.shares(8, 6)
    with pytest.raises(ValueError, match="rounds= of at least 1"):
        active.shares(100, 0)


@given(budget=st.integers(5, 100_000), rounds=st.integers(1, 40))
def test_shares_spend_the_budget_exactly(budget, rounds):
    try:
        held, first, later = active.shares(budget, rounds)
    except ValueError:
        assert (
            round(0.1 * budget) == 0 or budget - round(0.1 * budget) - round(0.2 * budget) < rounds
        )
        return
    assert held + first + sum(later) == budget
    assert len(later) == rounds
    assert min(later) >= 1
    assert max(later) - min(later) <= 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_budget_is_spent_to_the_last_row_and_no_row_is_asked_twice(victim, pool, name):
    asked, budget, rounds = [], 97, 3

    def watched(x):
        asked.extend(worker.mark(row) for row in x)
        return victim.logits(x)

    oracle = mt.Oracle(watched, inputs=D, output="probs", budget=budget)
    result = extract(oracle, pool, strategy=name, budget=budget, rounds=rounds, epochs=3)
    assert oracle.count == budget == result.total == len(set(asked))
    assert result.queries["seed"] == round(0.1 * budget)
    assert result.queries["validation"] == round(0.2 * budget)
    assert [p.queries for p in result.curve][-1] == budget
    trace = result.trace
    np.testing.assert_array_equal(np.concatenate(result.chosen), trace.rows)
    assert not set(trace.rows) & set(trace.held)
    assert len(result.chosen) == len(result.curve) == rounds + 1
    np.testing.assert_allclose(trace.answers, victim.probs(pool[trace.rows]), rtol=1e-5)


@pytest.mark.parametrize("name", STRATEGIES)
def test_rows_of_equal_content_are_bought_once_and_never_judge_what_they_taught(victim, pool, name):
    """Every row is there three times; the indices are still those of the whole pool."""
    thrice, asked = np.repeat(pool[:120], 3, axis=0), []

    def watched(x):
        asked.extend(worker.mark(row) for row in x)
        return victim.logits(x)

    oracle = mt.Oracle(watched, inputs=D, output="probs", budget=97)
    result = extract(oracle, thrice, strategy=name, budget=97, rounds=3, epochs=3)
    assert len(set(asked)) == len(asked) == oracle.count == 97
    trace = result.trace
    np.testing.assert_allclose(trace.answers, victim.probs(thrice[trace.rows]), rtol=1e-5)
    np.testing.assert_array_equal(trace.labels, victim.labels(thrice[trace.held]))
    assert not {*trace.rows, *trace.held} & {*range(1, 360, 3), *range(2, 360, 3)}
    oracle = mt.Oracle(victim, output="probs")
    with pytest.raises(ValueError, match="at least 151 distinct rows, got 120"):
        extract(oracle, thrice, strategy=name)
    assert oracle.count == 0


# ---- the copy


def test_the_copy_learns_and_photographs_teach_more_than_noise(victim, pool):
    test = mt.data.synthetic.glyphs(500, size=8, classes=4, noise=0.02, rng=9)[0]
    seen = []

    def evaluate(copy):
        seen.append(copy)
        return mt.compare.agreement(victim, copy, test)

    options = {"budget": 400, "epochs": 60, "evaluate": evaluate, "strategy": "uncertainty"}
    result = extract(mt.Oracle(victim, output="probs"), pool, **options)
    noise = mt.learning.jacobian.noise_pool((D,), 900, 0)
    poor = extract(mt.Oracle(victim, output="probs"), noise, **{**options, "strategy": "random"})
    curve = result.of("agreement")
    assert len(seen) == 8
    assert curve[-1] > 0.8
    assert curve[-1] > curve[0]
    assert curve[-1] > poor.of("agreement")[-1] + 0.1
    assert not result.verified
    assert "validation rows" in result.found["verify"]


@pytest.fixture
def trainings(monkeypatch):
    """What every training was given, and its history."""
    seen = []

    def watched(*args, **kwargs):
        seen.append((kwargs, mt.nn.fit.fit(*args, **kwargs)))
        return seen[-1][1]

    monkeypatch.setattr("mstheft.learning.rounds.fit", watched)
    return seen


def test_the_model_is_the_last_copy_at_its_best_epoch_on_rows_it_never_saw(victim, pool, trainings):
    copies = []
    oracle = mt.Oracle(victim, output="probs")
    result = extract(oracle, pool, evaluate=lambda copy: copies.append(copy) or 0, epochs=40)
    held, labels = pool[result.trace.held], victim.labels(pool[result.trace.held])
    np.testing.assert_array_equal(result.trace.labels, labels)
    assert result.model is copies[-1]
    assert len(copies) == len(trainings) == 4
    for point, copy, (_, history) in zip(result.curve, copies, trainings, strict=True):
        logs = log_softmax(copy.logits(held))
        loss = -(victim.probs(held) * logs).sum(axis=1).mean()
        np.testing.assert_allclose([point.held_loss, -max(history.validation)], loss, rtol=1e-6)
        assert point.kept == history.best + 1 == np.argmax(history.validation) + 1
        assert point.validation == targets.macro_f1(copy, held, labels)
        assert point.agreement == (copy.labels(held) == labels).mean()
    assert "the last on 151 queries" in result.found["train"]


def test_a_copy_is_trained_until_it_has_learned(victim, pool, trainings):
    """At the defaults: never fewer than 300 steps."""
    options = {"strategy": "random", "budget": 151, "rounds": 1, "rng": 0}
    active.extract(mt.Oracle(victim, output="probs"), pool, new_copy, **options)
    for rows, (_, history) in zip((15, 121), trainings, strict=True):
        steps = len(history.loss) * -(-rows // defaults.BATCH)
        assert steps >= defaults.LEAST
        assert len(history.loss) <= defaults.EPOCHS
    how = trainings[0][0]
    assert (how["cuts"], how["least"]) == (defaults.CUTS, defaults.LEAST)


def test_a_warm_copy_goes_on_from_the_one_before(victim, pool, trainings, tmp_path):
    """Also where the round before comes from a checkpoint; a fresh one starts far from it."""
    once = {"epochs": 30, "warm": True, "checkpoint": tmp_path}
    with pytest.raises(BudgetExhausted):
        extract(mt.Oracle(victim, budget=100), pool, **once)
    result = extract(mt.Oracle(victim), pool, **once)
    warm = [history.loss[0] for _, history in trainings]
    trainings.clear()
    whole = extract(mt.Oracle(victim), pool, epochs=30, warm=True)
    np.testing.assert_array_equal(whole.model.parameters()["0.W"], result.model.parameters()["0.W"])
    assert [history.loss[0] for _, history in trainings] == warm
    trainings.clear()
    extract(mt.Oracle(victim), pool, epochs=30)
    fresh = [history.loss[0] for _, history in trainings]
    assert warm[0] == fresh[0]
    assert warm[-1] < 0.9 * fresh[-1]


def test_images_may_move_at_every_step_and_texts_may_not(victim, pool, trainings):
    def seeing():
        return zoo.small_cnn((8, 8, 1), 4, (2, 2), rng=0)

    small = {"epochs": 1, "rounds": 1, "budget": 40}
    extract(mt.Oracle(victim), pool, copy=seeing, **small, augment="crops")
    assert [how["augment"] is None for how, _ in trainings] == [False, False]
    oracle = mt.Oracle(victim)
    for kind, says in (("crops", "images"), ("turns", "one of none, crops, flips")):
        with pytest.raises(ValueError, match=says):
            extract(oracle, pool, augment=kind)
    assert oracle.count == 0


def test_same_seed_same_copy_other_seed_another(victim, pool):
    runs = [extract(mt.Oracle(victim), pool, rng=rng) for rng in (1, np.random.default_rng(1), 2)]
    same, again, other = ([run.model.parameters()["0.W"], *run.chosen] for run in runs)
    for a, b in zip(same, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(same[1], other[1])


@pytest.mark.parametrize("output", ["logits", "log_probs", "probs", "top_k", "label"])
def test_every_kind_of_answer_teaches(victim, pool, output):
    oracle = mt.Oracle(victim, output=output, **({"top": 2} if output == "top_k" else {}))
    result = extract(oracle, pool, budget=300, epochs=60)
    assert result.curve[-1].agreement > 0.6


def test_copies_with_one_sigmoid_and_with_two_outputs_stand_for_one_another(pool):
    for theirs, mine in ((1, 2), (2, 1), (1, 1)):
        owner = zoo.given([(10 * zoo.mlp([D, theirs], rng=0).dense()[0][0], np.zeros(theirs))])
        for output in ("logits", "log_probs", "probs", "label"):
            result = extract(
                mt.Oracle(owner, output=output), pool, copy=lambda m=mine: zoo.mlp([D, m], rng=1),
                epochs=100, budget=300,
            )  # fmt: skip
            assert result.model.outputs == mine
            assert result.curve[-1].agreement > 0.7, (theirs, mine, output)


def test_a_strategy_of_ones_own_is_asked_and_checked(victim, pool):
    def last(copy, labelled, pool, k, rng):
        return np.setdiff1d(np.arange(len(pool)), labelled)[::-1][:k]

    result = extract(mt.Oracle(victim), pool, strategy=last)
    assert (np.diff(np.concatenate(result.chosen[1:])) < 0).all()
    with pytest.raises(ValueError, match=r"choose 36 distinct rows .* got 1 such among 36"):
        extract(
            mt.Oracle(victim),
            pool,
            strategy=lambda c, la, p, k, rng: last(c, la, p, 1, rng).repeat(k),
        )


def test_patience_starts_anew_while_the_loss_is_high():
    x, y = np.zeros((20, 3)), np.zeros(20, int)
    options = {"epochs": 30, "patience": 4, "validation": (x, y), "score": lambda *_: 0.5}
    for restless, epochs in ((None, 5), (2.2, 30), (2.4, 5)):  # the loss stays at ln 10 = 2.303
        history = mt.nn.fit.fit(
            zoo.given([(np.zeros((10, 3)), np.zeros(10))]), x, y, **options, restless=restless,
            optimizer=mt.nn.optim.SGD(0.0),
        )  # fmt: skip
        assert len(history.loss) == epochs


def test_the_settings_reach_the_training(victim, pool, trainings):
    extract(mt.Oracle(victim), pool, l2=0.01, patience=7)
    wanted = {"epochs": 15, "batch": 20, "l2": 0.01, "patience": 7, "augment": None}
    for how, _ in trainings:
        assert {name: how[name] for name in wanted} == wanted


# ---- answers into targets


def test_targets_by_hand():
    z = np.array([[1.0, 2.0, 0.5], [0.0, -3.0, 4.0]])
    np.testing.assert_allclose(targets.targets(z, "logits", 3), softmax(z))
    np.testing.assert_allclose(targets.targets(log_softmax(z), "log_probs", 3), softmax(z))
    top = np.array([[0.0, 0.7, 0.0]])
    np.testing.assert_array_equal(targets.targets(top, "top_k", 3), top)
    np.testing.assert_array_equal(
        targets.targets(np.array([2, 0]), "label", 3), [[0, 0, 1], [1, 0, 0]]
    )
    np.testing.assert_allclose(targets.targets(z[:, :1], "logits", 1), sigmoid(z[:, :1]))
    np.testing.assert_allclose(targets.targets(np.array([[0.3]]), "probs", 2), [[0.7, 0.3]])
    np.testing.assert_allclose(targets.targets(np.array([[0.7, 0.3]]), "probs", 1), [[0.3]])
    np.testing.assert_array_equal(targets.targets(np.array([1, 0]), "label", 1), [[1], [0]])
    np.testing.assert_array_equal(targets.labels_of(np.array([[0.5], [0.6]])), [0, 1])
    for told, kind in ((z, "probs"), (np.array([4]), "label")):
        with pytest.raises(ExtractionError, match="for each class of the oracle"):
            targets.targets(told, kind, 4)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_macro_f1_is_scikit_learns(pairs):
    from sklearn.metrics import f1_score

    true, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    wanted = f1_score(true, predicted, average="macro", zero_division=0)
    assert targets.f1_of(true, predicted) == pytest.approx(wanted, abs=1e-12)


# ---- endings


def test_a_spent_budget_keeps_what_was_paid_for(victim, pool):
    with pytest.raises(BudgetExhausted) as caught:
        extract(mt.Oracle(victim, budget=100), pool)
    partial = caught.value.partial
    assert partial.stopped == "query"
    assert len(partial.curve) == 2
    assert partial.total == 30 + 15 + 36
    assert partial.model is not None


def test_ctrl_c_in_training_keeps_the_rounds_before(victim, pool, monkeypatch):
    score = failing(mt.nn.fit.minus_loss, 20, KeyboardInterrupt)
    monkeypatch.setattr("mstheft.learning.rounds.minus_loss", score)
    with pytest.raises(KeyboardInterrupt) as caught:
        extract(mt.Oracle(victim), pool, patience=None)
    partial = caught.value.partial
    assert partial.stopped == "train"
    assert len(partial.curve) == 1
    assert partial.model is not None


class Stop(Exception):
    """Ends a run from outside."""


def failing(function, at, error):
    """The function, but its call number `at` raises."""
    calls = []

    def wrapped(*args):
        calls.append(1)
        if len(calls) == at:
            raise error
        return function(*args)

    return wrapped


def same(one, other):
    """Are two results equal in everything but time?"""
    assert one.queries == other.queries
    assert one.curve == other.curve
    for a, b in zip(one.chosen, other.chosen, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.trace.answers, other.trace.answers)
    mine, theirs = one.model.parameters(), other.model.parameters()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name])
    assert one.found == other.found


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stop])
def test_a_run_goes_on_from_wherever_it_ended_to_the_same_copy(victim, pool, tmp_path, error):
    options = {"strategy": "uncertainty", "epochs": 6, "evaluate": lambda copy: 0.5}
    whole = extract(mt.Oracle(victim, output="probs"), pool, **options)
    for at in range(1, 6):  # the oracle's fifth call is the last
        for place in ("oracle", "evaluate"):
            if (at, place) == (5, "evaluate"):
                continue
            folder = tmp_path / f"{place}{at}"
            ask, judge = victim.logits, options["evaluate"]
            if place == "oracle":
                ask = failing(ask, at, error)
            else:
                judge = failing(judge, at, error)
            first = mt.Oracle(ask, inputs=D, output="probs")
            with pytest.raises(error) as caught:
                extract(first, pool, **{**options, "evaluate": judge}, checkpoint=folder)
            assert caught.value.partial.curve == whole.curve[: len(caught.value.partial.curve)]
            second = mt.Oracle(victim.logits, inputs=D, output="probs")
            result = extract(second, pool, **options, checkpoint=folder)
            assert first.count + second.count == 151
            same(result, whole)
            third = mt.Oracle(victim.logits, inputs=D, output="probs")
            same(extract(third, pool, **options, checkpoint=folder), whole)
            assert third.count == 0


def test_ctrl_c_while_answers_are_written_loses_none(victim, pool, tmp_path, monkeypatch):
    monkeypatch.setattr(
        checkpoint, "replace_file", failing(checkpoint.replace_file, 2, KeyboardInterrupt)
    )  # the first file holds the settings
    oracle = mt.Oracle(victim)
    with pytest.raises(KeyboardInterrupt):
        extract(oracle, pool, checkpoint=tmp_path)
    kept = checkpoint.Checkpoint(None, {})
    kept.path = tmp_path
    assert len(kept.bought("validation")[0]) == oracle.count == 30


def test_only_the_last_copy_stays_on_disk(victim, pool, tmp_path):
    extract(mt.Oracle(victim), pool, checkpoint=tmp_path)
    assert {file.name for file in tmp_path.glob("copy-*")} == {"copy-03.npz"}
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strategy": "dfal"}, "strategy was 'random', now 'dfal'"),
        ({"budget": 150}, "budget was 151, now 150"),
        ({"rounds": 4}, "rounds was 3, now 4"),
        ({"rng": 1}, "rng was"),
        ({"warm": True}, "warm was False, now True"),
        ({"l2": 0.0}, "l2 was 0.001, now 0.0"),
        ({"copy": lambda: zoo.mlp([D, 24, 4], rng=4)}, "new_copy was"),
        ({"copy": lambda: zoo.mlp([D, 24, 4], activation="tanh", rng=3)}, "new_copy was"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(victim, pool, tmp_path, change, said):
    oracle = mt.Oracle(victim, budget=151)
    with pytest.raises(BudgetExhausted):
        extract(mt.Oracle(victim, budget=40), pool, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="expected the settings of the run") as caught:
        extract(oracle, pool, checkpoint=tmp_path, **change)
    assert said in str(caught.value)
    with pytest.raises(ValueError, match="pool was"):
        extract(oracle, pool[::-1], checkpoint=tmp_path)
    with pytest.raises(ValueError, match="output was 'logits', now 'label'"):
        extract(mt.Oracle(victim, output="label"), pool, checkpoint=tmp_path)
    assert oracle.count == 0


def test_a_damaged_checkpoint_is_named(victim, pool, tmp_path):
    extract(mt.Oracle(victim), pool, checkpoint=tmp_path / "run")
    files = [file for file in (tmp_path / "run").iterdir() if file.name != "lock"]
    good = {file: file.read_bytes() for file in files}
    for file, content in good.items():
        empty = b'{"round": 3}' if file.name.startswith("round") else b"{"
        for bad in (b"", content[: len(content) // 2], empty):
            file.write_bytes(bad)
            oracle = mt.Oracle(victim, budget=0)
            with pytest.raises(DataError, match=file.name):
                extract(oracle, pool, checkpoint=tmp_path / "run")
        file.write_bytes(content)
    (tmp_path / "run" / "settings.json").unlink()
    with pytest.raises(DataError, match=r"no settings\.json"):
        extract(mt.Oracle(victim), pool, checkpoint=tmp_path / "run")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DataError, match="as a folder"):
        extract(mt.Oracle(victim), pool, checkpoint=tmp_path / "file")


def test_purchases_of_another_run_are_not_taken_for_ones_own(victim, pool, tmp_path):
    extract(mt.Oracle(victim), pool, checkpoint=tmp_path / "a")
    extract(mt.Oracle(victim), pool, rng=1, checkpoint=tmp_path / "b")
    (tmp_path / "a" / "bought-00.npz").write_bytes((tmp_path / "b" / "bought-00.npz").read_bytes())
    with pytest.raises(DataError, match="15 others"):
        extract(mt.Oracle(victim), pool, checkpoint=tmp_path / "a")


# ---- killed


def killed_runs(folder, kills, rng):
    """Kill a run after any of its files and start it again, `kills` times; yields each whole run.

    A batch that the victim has answered in the very moment before may not have arrived: its rows,
    and no others, may be asked again. They are collected in the third value.
    """
    command = [sys.executable, worker.__file__]
    subprocess.run([*command, str(folder)], check=True, timeout=120)
    wanted = (folder / "copy.npz").read_bytes(), (folder / "chosen.npy").read_bytes()
    turn = 0
    while kills > 0:
        run, turn, in_flight = folder / f"run{turn}", turn + 1, set()
        run.mkdir()
        while not (run / "copy.npz").exists():
            process = subprocess.Popen([*command, str(run)])
            if kills > 0:
                more = files(run) + int(rng.integers(1, 8))
                while files(run) < more and process.poll() is None:
                    pass
            else:
                process.wait(timeout=120)
            kills -= process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=120)
            in_flight |= unkept(run)
        yield run, wanted, in_flight


def files(run):
    return sum(1 for _ in (run / "checkpoint").glob("*"))


def asked(run):
    file = run / "asked"
    return np.frombuffer(file.read_bytes(), np.uint32) if file.exists() else np.zeros(0, np.uint32)


def unkept(run):
    """Rows that the victim has answered and the checkpoint does not have."""
    kept, rows = set(), worker.pool()
    for file in (run / "checkpoint").glob("bought-*.npz"):
        with np.load(file) as bought:
            kept |= {worker.mark(rows[i]) for i in bought["rows"]}
    return {int(row) for row in asked(run)} - kept


def check_kills(folder, kills):
    for run, (copy, chosen), in_flight in killed_runs(folder, kills, np.random.default_rng(0)):
        assert (run / "copy.npz").read_bytes() == copy
        assert (run / "chosen.npy").read_bytes() == chosen
        count = Counter(int(row) for row in asked(run))
        assert len(count) == worker.BUDGET
        assert {row for row, times in count.items() if times > 1} <= in_flight


def test_a_run_killed_three_times_ends_with_the_same_copy_and_buys_nothing_twice(tmp_path):
    check_kills(tmp_path, 3)


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_with_the_same_copy_and_buys_nothing_twice(tmp_path):
    check_kills(tmp_path, 20)


# ---- refusals, all before anything is asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strategy": "best"}, "expected strategy= to be one of"),
        ({"budget": 2000}, "a pool of at least 2,000 distinct rows, got 900"),
        ({"rounds": 0}, "rounds="),
        ({"epochs": 0}, "epochs="),
        ({"batch": 0}, "batch="),
        ({"copy": lambda: zoo.mlp([D, 5], rng=0)}, "64 inputs and 4 outputs"),
        ({"copy": lambda: zoo.mlp([9, 4], rng=0)}, "got 9 and 4"),
    ],
)
def test_what_cannot_work_is_refused_before_it_costs(victim, pool, change, said):
    oracle = mt.Oracle(victim)
    with pytest.raises(ValueError, match=said):
        extract(oracle, pool, **change)
    assert oracle.count == 0


def test_more_refusals(victim, pool, tmp_path):
    with pytest.raises(ValueError, match="64"):
        extract(mt.Oracle(victim), pool[:, :9])
    with pytest.raises(TypeError, match="expected an Oracle"):
        extract(victim, pool)
    with pytest.raises(ValueError, match="the same network each time"):
        extract(mt.Oracle(victim), pool, copy=lambda: zoo.mlp([D, 4]), checkpoint=tmp_path / "x")
    wide = mt.Oracle(zoo.mlp([D, 6], rng=0).logits, inputs=D)  # tells K only when it answers
    with pytest.raises(ExtractionError, match="it has 4 and the answers are rows of 6") as caught:
        extract(wide, pool)
    assert caught.value.partial.stopped == "validation"


def test_what_is_kept_is_readable_without_pickle(victim, pool, tmp_path):
    extract(mt.Oracle(victim), pool, checkpoint=tmp_path)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["strategy"] == "random"
    for file in Path(tmp_path).glob("*.npz"):
        with np.load(file, allow_pickle=False) as kept:
            assert all(kept[name] is not None for name in kept.files)


def test_two_runs_on_one_checkpoint_do_not_buy_everything_twice(tmp_path):
    first = checkpoint.Checkpoint(tmp_path, {"a": 1})
    with pytest.raises(DataError, match="another is using it"):
        checkpoint.Checkpoint(tmp_path, {"a": 1})
    first.close()
    checkpoint.Checkpoint(tmp_path, {"a": 1}).close()
