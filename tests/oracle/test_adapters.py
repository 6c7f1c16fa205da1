"""scikit-learn's estimators as victims: the finest answer that each offers in public.

Size of error: scikit-learn computes the same numbers by another route, 1e-12 of numbers near 1.
"""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from mstheft.nn import zoo
from mstheft.oracle import Oracle
from mstheft.oracle.adapters import view

X = np.random.default_rng(1).normal(size=(60, 4))
Y3 = np.array(["ham", "eggs", "spam"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)]


Y2 = np.array(["no", "yes"])[(X[:, 0] + X[:, 1] > 0).astype(int)]


MLP = {"hidden_layer_sizes": (6,), "max_iter": 3000, "tol": 1e-3, "random_state": 0, "alpha": 0.1}


CLASSIFIERS = {
    "mlp binary": (MLPClassifier(**MLP), Y2),
    "mlp multiclass": (MLPClassifier(**MLP), Y3),
    "logistic binary": (LogisticRegression(), Y2),
    "logistic multinomial": (LogisticRegression(), Y3),
    "logistic in a pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), Y3),
    "discriminant": (LinearDiscriminantAnalysis(), Y3),
    "one against the rest": (OneVsRestClassifier(LogisticRegression()), Y3),
    "neighbours": (KNeighborsClassifier(), Y3),
    "neighbours binary": (KNeighborsClassifier(), Y2),
    "mlp of numbers": (MLPClassifier(**MLP), np.where(Y2 == "no", 7, -3)),
}


@pytest.fixture(scope="module", params=CLASSIFIERS)
def fitted(request):
    model, y = CLASSIFIERS[request.param]
    return model.fit(X, y)


def test_scikit_learn_classifiers(fitted):
    binary = len(fitted.classes_) == 2
    labels = Oracle(fitted, "label")
    told = labels.query(X)
    np.testing.assert_array_equal(fitted.classes_[told], fitted.predict(X))
    assert len(set(told)) == len(fitted.classes_)
    assert told.dtype == np.int64
    probs = Oracle(fitted, "probs")
    want = fitted.predict_proba(X)[:, 1:] if binary else fitted.predict_proba(X)
    np.testing.assert_allclose(probs.query(X), want, rtol=0, atol=1e-12)
    assert probs.inputs == 4
    assert probs.outputs == labels.outputs == (1 if binary else 3)
    assert probs.count == 60
    tells = {"log_probs", "logits"} & {view(fitted, None, None).gives}
    if tells:
        logs = Oracle(fitted, "log_probs").query(X)
        np.testing.assert_allclose(logs, np.log(fitted.predict_proba(X)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["logistic binary", "logistic multinomial", "discriminant"])
def test_logits_where_decision_values_are_logits(name):
    model, y = CLASSIFIERS[name]
    model.fit(X, y)
    told = Oracle(model, "logits").query(X)
    want = model.decision_function(X)
    np.testing.assert_array_equal(told, want[:, None] if want.ndim == 1 else want)


@pytest.mark.parametrize("name", ["mlp binary", "mlp multiclass", "one against the rest"])
def test_no_logits_where_there_are_none(name):
    """One against the rest: a softmax of its decision values is not what it predicts."""
    model, y = CLASSIFIERS[name]
    with pytest.raises(ValueError, match="expected a victim that gives what 'logits' needs"):
        Oracle(model.fit(X, y), "logits")


def test_probabilities_of_zero_give_minus_infinity_without_a_warning():
    told = Oracle(DecisionTreeClassifier(random_state=0).fit(X, Y3), "log_probs").query(X)
    assert set(np.unique(told)) == {-np.inf, 0}


def test_a_support_vector_machine_tells_labels_only():
    for model, y in ((SVC(), Y3), (LinearSVC(dual="auto"), Y2)):
        model.fit(X, y)
        told = Oracle(model, "label").query(X)
        np.testing.assert_array_equal(model.classes_[told], model.predict(X))
        with pytest.raises(
            ValueError, match=r"got one that gives labels; ask for one of \['label'\]"
        ):
            Oracle(model, "probs")


@pytest.mark.parametrize("outputs", [1, 2])
def test_scikit_learn_regressors(outputs):
    targets = X @ np.random.default_rng(0).normal(size=(4, outputs))
    for model in (MLPRegressor(**MLP), Ridge()):
        model.fit(X, targets[:, 0] if outputs == 1 else targets)
        oracle = Oracle(model)
        told = oracle.query(X)
        assert told.shape == (60, outputs)
        np.testing.assert_array_equal(told, model.predict(X).reshape(60, outputs))
        assert oracle.outputs == outputs
        assert oracle.count == 60


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (MLPClassifier(), r"expected a fitted estimator, got MLPClassifier\(\); call its fit"),
        (LogisticRegression(), "expected a fitted estimator"),
        (make_pipeline(StandardScaler(), LogisticRegression()), "expected a fitted estimator"),
        (MLPRegressor, "expected a fitted estimator"),
        (KMeans(2, n_init=1, random_state=0).fit(X), "expected a regressor, or .*got KMeans"),
        (DecisionTreeClassifier().fit(X, X > 0), "one label per row of two classes or more"),
        (DecisionTreeClassifier().fit(X, np.zeros(60)), "one label per row of two classes or more"),
        (
            MLPClassifier(**MLP | {"max_iter": 500, "tol": 1}).fit(X, (X[:, :3] > 0).astype(int)),
            "one label per row of two classes or more",
        ),
    ],
    ids=str,
)
def test_estimators_that_are_no_victims(model, says):
    with pytest.raises(ValueError, match=says):
        Oracle(model, "label")


def test_estimators_know_their_width():
    model = LogisticRegression().fit(X, Y2)
    with pytest.raises(ValueError, match="of a callable only, got a LogisticRegression"):
        Oracle(model, inputs=4)
    with pytest.raises(ValueError, match="expected rows of 4 numbers"):
        Oracle(model).query(np.zeros((2, 5)))


def test_a_network_in_scikit_learn_and_here_answers_alike():
    """MLPClassifier's coefs_ put into a Network: probabilities agree to 1e-12."""
    model = MLPClassifier(**MLP).fit(X, Y3)
    network = zoo.mlp([4, 6, 3])
    for (w, b), coef, intercept in zip(
        network.dense(), model.coefs_, model.intercepts_, strict=True
    ):
        w[...], b[...] = coef.T, intercept
    ours, theirs = Oracle(network, "probs").query(X), Oracle(model, "probs").query(X)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_views_are_frozen():
    seen = view(zoo.softmax(3, 2, rng=0), None, None)
    with pytest.raises(AttributeError):
        seen.gives = "probs"


def test_the_logarithms_of_a_binary_estimator_are_refused():
    """scikit-learn takes ln(1 - p): beside p = 1 that has no digits, and nothing tells how few."""
    model = MLPClassifier(**MLP).fit(X, Y2)
    with pytest.raises(ValueError, match="gives probs"):
        Oracle(model, "log_probs")
