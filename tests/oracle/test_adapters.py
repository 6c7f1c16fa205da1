"""scikit-learn's estimators as victims: the finest answer that each offers in public.

Size of error: scikit-learn computes the same numbers by another route, 1e-12 of numbers near 1.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from mstheft.errors import VictimError
from mstheft.nn import zoo
from mstheft.oracle import Oracle, adapters
from mstheft.oracle.adapters import view_of

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
    tells = {"log_probs", "logits"} & {view_of(fitted).gives}
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


@pytest.mark.parametrize(
    ("model", "y"), [(SVC(), Y3), (LinearSVC(dual="auto"), Y2), (RidgeClassifier(), Y3)]
)
def test_decision_values_where_there_are_no_probabilities(model, y):
    model.fit(X, y)
    labels = Oracle(model, "label").query(X)
    np.testing.assert_array_equal(model.classes_[labels], model.predict(X))
    oracle = Oracle(model)
    np.testing.assert_array_equal(oracle.query(X), model.decision_function(X).reshape(60, -1))
    assert oracle.outputs == (1 if y is Y2 else 3)
    with pytest.raises(ValueError, match=r"gives scores; ask for one of \['logits', 'label'\]"):
        Oracle(model, "probs")
    with pytest.raises(ValueError, match="expected probabilities to defend"):
        Oracle(model, "label", defences=[lambda probs, x: probs])


def test_decision_values_of_pairs_of_classes_are_no_logits():
    """With three classes there are three pairs as well."""
    model = make_pipeline(StandardScaler(), SVC(decision_function_shape="ovo")).fit(X, Y3)
    assert model.decision_function(X).shape == (60, 3)
    with pytest.raises(ValueError, match=r"gives labels; ask for one of \['label'\]"):
        Oracle(model)
    np.testing.assert_array_equal(model.classes_[Oracle(model, "label").query(X)], model.predict(X))


# ---- labels are the estimator's own


def test_a_threshold_moves_the_labels_and_no_number():
    if not hasattr(model_selection, "FixedThresholdClassifier"):
        pytest.skip("scikit-learn has it from 1.5 on")
    plain = LogisticRegression().fit(X, Y2)
    strict = model_selection.FixedThresholdClassifier(plain, threshold=0.9).fit(X, Y2)
    labels = Oracle(strict, "label").query(X)
    np.testing.assert_array_equal(strict.classes_[labels], strict.predict(X))
    assert (labels != Oracle(plain, "label").query(X)).sum() > 5
    np.testing.assert_allclose(Oracle(strict, "probs").query(X), Oracle(plain, "probs").query(X))


def test_labels_are_predict_where_its_probabilities_say_otherwise():
    """As those of a support vector machine may, which are fitted on their own."""

    class Contrary(LogisticRegression):
        def predict(self, x):
            return self.classes_[2 - super().predict_proba(x).argmax(axis=1)]

    model, seen = Contrary().fit(X, Y3), []
    monitor = SimpleNamespace(observe=lambda x, labels: seen.append(labels))
    labels = Oracle(model, "label", monitors=[monitor]).query(X)
    np.testing.assert_array_equal(model.classes_[labels], model.predict(X))
    np.testing.assert_array_equal(seen[0], labels)
    defended = Oracle(model, "label", defences=[lambda probs, x: probs]).query(X)
    np.testing.assert_array_equal(defended, model.predict_proba(X).argmax(axis=1))


# ---- several labels a row

TWO = (X[:, :2] > 0).astype(int)


@pytest.mark.parametrize("output", ["label", "probs"])
@pytest.mark.parametrize("labels", [TWO, (X[:, :3] > 0).astype(int)], ids=["two", "three"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: GridSearchCV(model, {"alpha": [0.1]}, cv=2),
        lambda model: OneVsRestClassifier(LogisticRegression()),
        lambda model: DecisionTreeClassifier(),
        lambda model: KNeighborsClassifier(),
    ],
    ids=["bare", "pipeline", "search", "one against the rest", "tree", "neighbours"],
)
def test_several_labels_a_row_are_refused(wrap, labels, output):
    model = wrap(MLPClassifier(**MLP | {"max_iter": 500, "tol": 1})).fit(X, labels)
    with pytest.raises(ValueError, match="expected a regressor, or one label per row"):
        Oracle(model, output)


def test_several_labels_are_noticed_by_the_answers_of_a_model_that_takes_few_rows():
    """The rows on which an estimator is tried are strange to this one."""
    codes = np.random.default_rng(0).integers(0, 3, (60, 2)).astype(float)
    model = make_pipeline(OneHotEncoder(), MLPClassifier(**MLP | {"tol": 1}))
    oracle = Oracle(model.fit(codes, codes[:, 0] > 0), "probs")
    assert oracle.query(codes).shape == (60, 1)
    model.fit(codes, (codes > 0).astype(int))
    for output in ("probs", "label"):
        oracle = Oracle(model, output, budget=60)
        with pytest.raises(VictimError, match=r"one label per row|whole numbers, got shape"):
            oracle.query(codes)
        assert oracle.left == 60


# ---- columns with names


@pytest.mark.parametrize("with_pandas", [True, False])
def test_a_model_of_named_columns_is_asked_without_a_warning(with_pandas, monkeypatch):
    """Warnings are errors in this suite."""
    names = np.array(["a", "b", "c", "d"], object)
    model = LogisticRegression().fit(X, Y3)
    model.feature_names_in_ = names
    if with_pandas:
        frame = pytest.importorskip("pandas").DataFrame
        model = LogisticRegression().fit(frame(X, columns=names), Y3)
    else:

        def missing(name):
            raise ImportError(name)

        monkeypatch.setattr(adapters.importlib, "import_module", missing)
    for output in ("logits", "label"):
        assert len(Oracle(model, output).query(X)) == 60
    if with_pandas:
        chooser = make_pipeline(make_column_transformer(("passthrough", ["d", "a"])), model)
        chooser.fit(frame(X, columns=names), Y3)
        np.testing.assert_allclose(
            Oracle(chooser, "probs").query(X), chooser.predict_proba(frame(X, columns=names))
        )


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
    with pytest.raises(ValueError, match="session only, got a LogisticRegression"):
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
    view = view_of(zoo.softmax(3, 2, rng=0))
    with pytest.raises(AttributeError):
        view.gives = "probs"


def test_the_logarithms_of_a_binary_estimator_are_refused():
    """scikit-learn takes ln(1 - p): beside p = 1 that has no digits, and nothing tells how few."""
    model = MLPClassifier(**MLP).fit(X, Y2)
    with pytest.raises(ValueError, match="gives probs"):
        Oracle(model, "log_probs")
