"""What every direct attack promises: verified or a named error, every query counted.

One victim that the attack can copy, and victims that it cannot, for each of the seven.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
from smooth_victims import parallel, with_entries
from victims import fresh, two_layers, victim_of

from mstheft import direct, nn
from mstheft.errors import BudgetExhausted, ExtractionError, VictimError
from mstheft.oracle import Oracle


@dataclass
class Case:
    """An attack, a victim within its reach, how it is asked, its stages, and wrong victims."""

    attack: object
    victim: nn.Network
    stages: str
    wrong: dict = field(default_factory=dict)
    output: str = "logits"
    settings: dict = field(default_factory=dict)
    steps: int = 5  # budgets tried between none and enough

    def oracle(self, victim=None, **settings):
        victim = self.victim if victim is None else victim
        if not isinstance(victim, nn.Network):
            settings["inputs"] = self.victim.inputs
            if self.output == "label":
                settings["gives"] = "labels"
        return Oracle(victim, self.output, **settings)

    def extract(self, oracle, rng=0):
        return self.attack.extract(oracle, rng=rng, **self.settings)


def noisy(rng=np.random.default_rng(0)):  # noqa: B008
    return lambda x: np.abs(x[:, :2]) + 0.05 * rng.normal(size=(len(x), 2))


def mlp(*widths, seed=0, activation="relu"):
    return nn.zoo.mlp(list(widths), activation=activation, bias=0.3, rng=seed)


UNREADABLE = lambda x: np.tile([0, -np.inf], (len(x), 1))  # noqa: E731
ALL_WRONG = {  # victim: the stage that must notice, where only one can
    "minus infinity": (UNREADABLE, None),
    "stairs": (lambda x: np.floor(x @ np.ones((x.shape[1], 2))), None),
    "noisy": (noisy(), None),
    "constant": (lambda x: np.ones((len(x), 2)), None),
}
CASES = {
    "linear": Case(
        direct.linear,
        mlp(20, 3),
        "base equations solve verify",
        {
            "minus infinity": ALL_WRONG["minus infinity"],
            "noisy": ALL_WRONG["noisy"],  # an absolute value; stairs are a linear victim, rounded
            "constant": ALL_WRONG["constant"],
            "relu": (mlp(20, 6, 3), "verify"),
            "tanh": (np.tanh, "verify"),
        },
    ),
    "boundary": Case(
        direct.boundary,
        mlp(15, 1),
        "witnesses boundary signs line_searches verify",
        {
            "constant": (lambda x: np.zeros(len(x), int), "witnesses"),
            "relu": (mlp(15, 6, 1), None),
            "ball": (lambda x: ((x**2).sum(axis=1) > 20).astype(int), None),
        },
        output="label",
    ),
    "labels": Case(
        direct.labels,
        mlp(8, 3, 1),
        "witnesses normals rows output_weights verify",
        {
            "constant": (lambda x: np.zeros(len(x), int), "witnesses"),
            "ball": (lambda x: ((x**2).sum(axis=1) > 9).astype(int), None),
            "two hidden layers": (mlp(8, 5, 4, 1), None),
        },
        output="label",
        steps=3,
    ),
    "relu": Case(
        direct.relu,
        victim_of(0, 15, 6, 3),
        "critical_points absolute_weights relative_signs neuron_signs last_layer verify",
        {
            **ALL_WRONG,
            "tanh": (mlp(15, 5, 3, activation="tanh"), None),
            "softplus": (mlp(15, 5, 3, activation="softplus"), None),
            "two hidden layers": (mlp(15, 5, 4, 3), None),
            "two hidden layers, one output": (mlp(15, 5, 4, 1), None),
            "wide, two hidden layers": (mlp(15, 12, 12, 2), None),
            "linear": (mlp(15, 3), "critical points"),
            "dead outputs": (two_layers(np.zeros((1, 15)), [1.0], [[1.0], [2]], [0, 0]), None),
            "max pooling": (
                lambda x: np.maximum(x[:, :3], x[:, 3:6]).max(axis=1, keepdims=True),
                None,
            ),
        },
    ),
    "sweep": Case(
        direct.sweep,
        victim_of(9, 30, 20, 3),
        "line jacobians signs refinement verify",
        {
            **ALL_WRONG,
            "linear": (mlp(30, 3), "line"),
            "two hidden layers": (mlp(30, 8, 5, 3), None),
            "tanh": (mlp(30, 8, 3, activation="tanh"), "critical points"),
            "squares": (lambda x: (x**2) @ np.ones((30, 2)), "critical points"),
        },
    ),
    "smooth": Case(
        direct.smooth,
        victim_of(0, 12, 6, 3, "tanh"),
        "subspace hessians lines fit columns verify",
        {
            **ALL_WRONG,
            "relu": (mlp(12, 6, 3), "hessians"),
            "linear": (mlp(12, 3), "hessians"),
            "softplus": (mlp(12, 6, 3, activation="softplus"), "hessians"),
            "two hidden layers": (mlp(12, 6, 5, 3, activation="tanh"), "hessians"),
            "h > d": (mlp(12, 19, 3, activation="tanh"), "hessians"),
            "h = d + 1, one output": (mlp(12, 13, 1, activation="tanh"), "hessians"),
            "parallel rows": (parallel(), "hessians"),
            "saturated": (with_entries(b0=(1, 30.0)), "verify"),
            "sine": (lambda x: np.sin(x[:, :3]) + x[:, 3:4], None),
            "quadratic": (lambda x: x[:, :3] ** 2, None),
        },
        settings={"activation": "tanh"},
    ),
    "deep": Case(
        direct.deep,
        nn.zoo.mlp([16, 7, 5, 4], bias=0.1, rng=0),
        "lines jacobians second_layer witness verify",
        {
            # not "noisy": an absolute value is a network, and coarse answers are learned
            **{name: ALL_WRONG[name] for name in ("minus infinity", "stairs", "constant")},
            "linear": (mlp(16, 4), "lines"),
        },
        steps=4,
    ),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
LONG = {"relu: softplus", "sweep: tanh"}  # all lines are searched before the attack gives up
WRONG = [
    pytest.param(
        *(case, *case.wrong[name]),
        id=f"{attack}: {name}",
        marks=[pytest.mark.slow] * (f"{attack}: {name}" in LONG),
    )
    for attack, case in CASES.items()
    for name in case.wrong
]


@EVERY
def test_a_copy_is_verified_and_every_query_is_booked_under_a_stage(case):
    oracle = case.oracle()
    result = case.extract(oracle)
    assert result.verified
    assert result.total == oracle.count
    assert set(result.queries) == {stage.replace("_", " ") for stage in case.stages.split()}
    assert result.found["verify"]
    x = fresh(case.victim.inputs, 2000)
    if case.output == "label":
        np.testing.assert_array_equal(result.model.labels(x), case.victim.labels(x))
    else:
        np.testing.assert_allclose(result.model.logits(x), case.victim.logits(x), atol=1e-6)


@pytest.mark.parametrize("above", [-np.inf, 0.43], ids=["everywhere", "on a third of the space"])
@EVERY
def test_a_victim_that_answers_nan_is_to_blame_itself(case, above):
    def spoiled(x):
        answers = case.victim.logits(x)
        answers[x[:, 0] > above, 0] = np.nan
        return answers

    if case.output != "label":  # labels are whole numbers
        oracle = Oracle(spoiled, inputs=case.victim.inputs)
        with pytest.raises(VictimError, match="got nan in row") as caught:
            case.extract(oracle)
        assert caught.value.partial.total == oracle.count < 50
        assert caught.value.partial.stopped


@EVERY
def test_the_same_seed_gives_the_same_copy_and_another_does_not(case):
    one, same, other = (
        case.extract(case.oracle(), rng) for rng in (5, np.random.default_rng(5), 6)
    )
    parts = [
        np.concatenate([p.ravel() for p in each.model.parameters().values()])
        for each in (one, same, other)
    ]
    np.testing.assert_array_equal(parts[0], parts[1])
    assert one.queries == same.queries
    assert len(parts[2]) != len(parts[0]) or (parts[2] != parts[0]).any()


@EVERY
def test_a_spent_budget_ends_the_attack_and_keeps_what_was_bought(case):
    whole = case.extract(case.oracle())
    for budget in np.unique(np.linspace(0, whole.total - 1, case.steps).astype(int)):
        oracle = case.oracle(budget=int(budget))
        with pytest.raises(BudgetExhausted) as caught:
            case.extract(oracle)
        partial = caught.value.partial
        assert partial.total == oracle.count <= budget
        assert partial.stopped in partial.queries
        assert not partial.verified
        assert partial.found or len(partial.queries) == 1
    exact = case.extract(case.oracle(budget=whole.total))
    assert exact.verified
    assert exact.total == whole.total


@EVERY
def test_ctrl_c_keeps_what_was_bought(case):
    whole, victim = case.extract(case.oracle()).total, case.victim

    def interrupted(x):
        nonlocal left
        left -= len(x)
        if left < 0:
            raise KeyboardInterrupt
        return victim.labels(x) if case.output == "label" else victim.logits(x)

    left = whole // 2
    oracle = case.oracle(interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        case.extract(oracle)
    assert caught.value.partial.total == oracle.count
    assert caught.value.partial.stopped in caught.value.partial.queries


@pytest.mark.parametrize(("case", "victim", "stage"), WRONG)
def test_a_wrong_victim_is_an_error_that_names_stage_assumption_and_advice(case, victim, stage):
    oracle = case.oracle(victim, budget=1_000_000)
    with pytest.raises(ExtractionError) as caught:
        case.extract(oracle)
    error = caught.value
    stages = {"answers", "critical points", "layers", "orientation", "hyperplane"}
    assert error.stage in stages | {each.replace("_", " ") for each in case.stages.split()}
    assert stage is None or error.stage == stage
    assert len(error.assumption) + len(error.advice) <= 240
    assert error.advice
    assert not error.partial.verified
    assert error.partial.total == oracle.count < 500_000


@pytest.mark.parametrize("output", ["label", "top_k"])
@EVERY
def test_answers_of_the_wrong_kind_are_refused_before_anything_is_asked(case, output):
    if case.output == "label":
        oracle = Oracle(case.victim, "probs")
    elif case.attack is direct.linear and output == "top_k":
        oracle = Oracle(case.victim, "label")  # it takes the largest probabilities
    else:
        oracle = Oracle(case.victim, output, **({"top": 2} if output == "top_k" else {}))
    with pytest.raises(ExtractionError) as caught:
        case.extract(oracle)
    assert caught.value.stage == "answers"
    assert caught.value.partial.total == oracle.count == 0
