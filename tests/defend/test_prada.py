"""PRADA: the streaming detector against hand-made streams and against its plain version.

The fast version's distances are held bit for bit equal to the plain one's: both end in the same
sum of squares, and the matrix product only chooses between which members to compute it.
"""

import io
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mstheft.defend import prada, prada_distance
from mstheft.defend.prada import Detector, normality
from mstheft.defend.prada_distance import GrowingArray, GrowingSet
from mstheft.defend.prada_naive import nearest_distance, prada_naive
from mstheft.errors import DataError

SINGLE = 3e-5  # relative: SciPy 1.11 computes W in single precision
RNG = np.random.default_rng(0)


def fed(x, labels, parts=None, delta=0.9, every=False):
    """A detector that has seen a stream, cut into calls of these sizes."""
    detector, start = Detector(delta, every), 0
    for size in parts or [len(x)]:
        detector.observe(x[start : start + size], labels[start : start + size])
        start += size
    assert start == len(x)
    return detector


def star(distances, width=None):
    """The origin and a point on each axis: the origin is every point's nearest earlier one."""
    points = np.zeros((len(distances) + 1, width or len(distances)))
    points[1 + np.arange(len(distances)), np.arange(len(distances))] = distances
    return points


# ---- by hand


def test_a_stream_computed_by_hand():
    """One class, points on a line.

    x  d_min  T before   joins  d of the members   mean - std
    0    -       -       yes    0                  0
    4    4       0       yes    0 4                2 - 2 = 0
    6    2       0       yes    0 4 2              2 - √(8/3) = 0.367
    6.3  0.3     0.367   no
    6.4  0.4     0.367   yes    0 4 2 0.4          1.6 - √2.48 = 0.025, T stays
    6.3  0.1     0.367   no     (6.3 was no member: 0.1 from 6.4)
    14   7.6     0.367   yes    0 4 2 .4 7.6       2.8 - 2.8142 < 0, T stays
    """
    x = np.array([0, 4, 6, 6.3, 6.4, 6.3, 14])[:, None]
    detector = fed(x, np.zeros(7, int))
    np.testing.assert_allclose(detector.distances, [4, 2, 0.3, 0.4, 0.1, 7.6], rtol=1e-12)
    own = detector._sets[0]
    np.testing.assert_array_equal(own.members.values[:, 0], [0, 4, 6, 6.4, 14])
    d = np.array([0, 4, 2, 0.4, 7.6])
    np.testing.assert_allclose(own.spread.low, d.mean() - d.std(), rtol=1e-12)
    np.testing.assert_allclose(own.threshold, 2 - np.sqrt(8 / 3), rtol=1e-12)
    assert (detector.queries, detector.w, detector.alarm, detector.first_alarm) == (
        *(7, None, False, None),
    )


def test_a_row_asked_again_does_not_join():
    """d = 0 is not above T = 0; were it a member, its 0 would pull the later thresholds down."""
    detector = fed(np.array([[1.0], [1], [1], [5]]), np.zeros(4, int))
    np.testing.assert_array_equal(detector.distances, [0, 0, 4])
    assert detector._sets[0].spread.count == 2


def test_classes_have_sets_of_their_own():
    detector = fed(np.array([[0.0], [10], [1], [12]]), np.array([3, -1, 3, -1]))
    np.testing.assert_array_equal(detector.distances, [1, 2])


def within(distances):
    return distances[np.abs(distances - distances.mean()) <= 3 * distances.std()]


def test_checks_come_every_ten_queries_once_there_are_more_than_100_distances():
    """Uniform distances have no outliers: there are 99 after 100 queries and 109 after 110."""
    gaps = RNG.uniform(1, 2, 149)
    detector = fed(star(gaps), np.zeros(150, int))
    np.testing.assert_array_equal(detector.distances, gaps)
    queries, w = detector.history
    assert queries.tolist() == [110, 120, 130, 140, 150]
    for count, got in zip(queries, w, strict=True):
        np.testing.assert_allclose(got, stats.shapiro(gaps[: count - 1]).statistic, rtol=SINGLE)
    assert detector.w == w[-1]


@pytest.mark.parametrize(("outliers", "checks"), [(9, []), (8, [110])])
def test_more_than_100_distances_must_be_left_without_the_outliers(outliers, checks):
    """109 distances after 110 queries, of which 100 or 101 are no outliers."""
    gaps = RNG.uniform(1, 1.1, 109)
    gaps[20 : 20 + outliers] = 5.0
    assert len(within(gaps)) == 109 - outliers, "the case is set up as it should be"
    detector = fed(star(gaps), np.zeros(110, int))
    assert detector.history.queries.tolist() == checks
    assert len(detector.tested()) == 109 - outliers


def test_outliers_beyond_three_standard_deviations_are_left_out():
    gaps = RNG.uniform(1, 2, 129)
    gaps[50] = 100.0
    detector = fed(star(gaps), np.zeros(130, int))
    rest = np.delete(gaps, 50)
    np.testing.assert_array_equal(detector.tested(), rest)
    np.testing.assert_allclose(detector.w, stats.shapiro(rest).statistic, rtol=SINGLE)


@pytest.mark.parametrize("few", [9, 10])
def test_a_class_of_nine_distances_does_not_count_and_one_of_ten_does(few):
    gaps, other = RNG.uniform(1, 2, 119), RNG.uniform(1, 2, few)
    x = np.concatenate([star(gaps), star(other, 119), star([], 119)])
    detector = fed(x, np.repeat([0, 1, 2], [120, few + 1, 1]))
    assert len(detector.distances) == 119 + few
    expected = gaps if few == 9 else np.concatenate([gaps, other])
    np.testing.assert_array_equal(detector.tested(), within(expected))


def test_of_many_distances_the_latest_are_tested(monkeypatch):
    assert prada.LATEST == 5000
    monkeypatch.setattr(prada, "LATEST", 150)
    gaps = np.concatenate([RNG.uniform(5, 6, 300), RNG.normal(2, 0.1, 200)])
    detector = fed(star(gaps), np.zeros(501, int))
    np.testing.assert_array_equal(detector.tested(), within(gaps[-150:]))
    assert len(detector.distances) == 500


def test_the_latest_are_found_behind_classes_that_do_not_count(monkeypatch):
    monkeypatch.setattr(prada, "LATEST", 150)
    gaps = RNG.uniform(1, 2, 200)
    rare = [star(RNG.uniform(1, 2, 9), 200) for _ in range(8)]  # the latest 72 of all distances
    labels = np.concatenate([np.zeros(201, int), np.repeat(np.arange(1, 9), 10)])
    detector = fed(np.concatenate([star(gaps), *rare]), labels)
    np.testing.assert_array_equal(detector.tested(), within(gaps[-150:]))


EQUAL = {
    "one pixel more at a time": np.tri(150, 200, -1) / 255 + RNG.random(200),
    "ten rows again and again": np.tile(RNG.random((10, 20)), (15, 1)),
    "unit vectors": np.eye(150),
    "equal steps along a line": np.outer(np.arange(150), RNG.random(20)),
    "tiny steps far from 0": 3 + np.outer(np.arange(150) * 1e-9, RNG.random(20)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("name", EQUAL)
def test_equal_distances_have_no_w_and_an_alarm_of_their_own(name, every, dtype):
    if (name, dtype) == ("tiny steps far from 0", np.float32):
        pytest.skip("float32 has no such steps there: all rows are the same")
    detector = fed(EQUAL[name].astype(dtype), np.zeros(150, int), every=every)
    assert detector.alarm
    assert detector.first_alarm <= 150
    if name == "ten rows again and again":  # nine distances beside zeros, of which some are tested
        assert detector.reason == "not normal"
        return
    assert detector.reason == "equal distances"
    assert detector.w == 0
    assert normality(np.full(200, 0.25)) is None


def test_distances_that_are_not_quite_equal_have_a_w():
    gaps = RNG.normal(1, 1e-3, 149)
    detector = fed(star(gaps), np.zeros(150, int))
    assert not detector.alarm
    assert detector.reason is None
    assert detector.w > 0.95
    assert fed(star(RNG.exponential(1, 149)), np.zeros(150, int)).reason == "not normal"


@pytest.mark.parametrize("scale", [1e-250, 1e-30, 1e30, 1e250])
def test_the_unit_of_the_rows_changes_no_verdict(scale):
    x, labels = RNG.random((300, 6)), RNG.integers(0, 2, 300)
    plain, scaled = fed(x, labels), fed(x * scale, labels)
    np.testing.assert_allclose(scaled.distances, plain.distances * scale, rtol=1e-12)
    np.testing.assert_allclose(scaled.history.w, plain.history.w, rtol=1e-7)
    if 1e-31 < scale < 1e31:
        single = fed((x * scale).astype(np.float32), labels)
        np.testing.assert_allclose(single.history.w, plain.history.w, rtol=1e-3)


def test_the_distance_to_all_earlier_queries_beside_that_to_the_growing_set():
    """6.3 comes twice: it is no member of the growing set, and 0 away from all earlier queries."""
    x = np.array([0, 4, 6, 6.3, 6.4, 6.3])[:, None]
    every, growing = (fed(x, np.zeros(6, int), every=each).distances for each in (True, False))
    np.testing.assert_allclose(every, [4, 2, 0.3, 0.1, 0], atol=1e-12)
    np.testing.assert_allclose(growing, [4, 2, 0.3, 0.4, 0.1], rtol=1e-12)


def test_the_latest_members_stay_and_the_cost_of_a_query_is_bounded():
    x = np.arange(5000.0)[:, None] ** 1.5  # every query lies further out than those before
    detector = fed(x, np.zeros(5000, int))
    members = detector._sets[0].members
    assert 500 <= len(members) < prada_distance.MEMBERS == 1000
    np.testing.assert_array_equal(members.values, x[-len(members) :])
    assert len(members._all) <= 2 * prada_distance.MEMBERS
    assert detector._sets[0].spread.count == 5000


@pytest.mark.parametrize("n", [101, 500, 4990, 5000])
def test_w_is_scipys(n):
    for sample in (RNG.normal(size=n), RNG.random(n) ** 3, RNG.exponential(1, n)):
        wanted = stats.shapiro(sample).statistic
        np.testing.assert_allclose(normality(sample), wanted, rtol=SINGLE)


@given(
    st.lists(st.floats(0, 1e3).map(lambda d: round(d, 3)), min_size=1, max_size=40),
    st.sampled_from([1e-300, 1, 1e300]),
)
def test_the_running_spread_is_that_of_all_numbers(numbers, scale):
    spread, d = prada_distance.Spread(), np.array(numbers)
    for each in d * (scale / 1e3):
        spread.add(float(each))
    low = (d.mean() - d.std()) / 1e3
    np.testing.assert_allclose(spread.low / scale, low, rtol=1e-12, atol=1e-13 * d.max() / 1e3)


# ---- the plain version


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 400),
    st.integers(1, 12),
    st.integers(1, 6),
    st.sampled_from(["normal", "grid", "lines", "float32", "far", "tiny", "huge"]),
    st.booleans(),
    st.sampled_from([4, 50, 1000]),
)
def test_fast_and_plain_are_equal(seed, n, d, classes, kind, every, most):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    if kind == "grid":  # many equal distances, repeated rows
        x = rng.integers(0, 3, (n, d)).astype(float)
    elif kind == "lines":  # distances far below the rows' own size, as a line search makes them
        x = 1e3 + np.outer(np.cumsum(rng.uniform(0, 1e-7, n)), rng.normal(size=d))
    elif kind == "float32":
        x = (100 + x).astype(np.float32)
    elif kind == "far":
        x *= 10.0 ** rng.integers(-160, 160, (n, 1))
    elif kind in ("tiny", "huge"):
        x *= {"tiny": 1e-280, "huge": 1e280}[kind]
    labels = rng.integers(0, classes, n)
    cuts = np.sort(rng.integers(0, n + 1, 4))
    parts = np.diff([0, *cuts, n]).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prada_distance, "MEMBERS", most)
        fast, plain = fed(x, labels, parts, every=every), prada_naive(x, labels, every=every)
    np.testing.assert_array_equal(fast.distances, plain.distances)
    np.testing.assert_array_equal(fast.history.queries, plain.queries)
    np.testing.assert_allclose(fast.history.w, plain.w, rtol=SINGLE)
    assert fast.first_alarm == plain.first_alarm


@settings(max_examples=20)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.booleans())
def test_how_the_stream_is_cut_makes_no_difference(parts, small):
    n = sum(parts)
    rng = np.random.default_rng(n)
    x, labels = rng.random((n, 5)), rng.integers(0, 3, n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prada_distance, "MEMBERS", 40)
        whole, single = fed(x, labels), fed(x, labels, [1] * n)
        patch.setattr(prada_distance, "BLOCK", 7 if small else 256)
        patch.setattr(prada_distance, "PAIRS", 5 if small else 1024)
        cut = fed(x, labels, parts)
    np.testing.assert_array_equal(cut.distances, whole.distances)
    np.testing.assert_array_equal(cut.history.queries, whole.history.queries)
    np.testing.assert_array_equal(cut.history.w, whole.history.w)
    np.testing.assert_array_equal(single.history.w, whole.history.w)


def test_float32_and_float64_rows_may_follow_each_other():
    x = RNG.random((300, 6)).astype(np.float32)
    labels = RNG.integers(0, 2, 300)
    mixed = Detector()
    mixed.observe(x[:150], labels[:150])
    mixed.observe(x[150:].astype(np.float64), labels[150:])
    np.testing.assert_array_equal(mixed.distances, fed(x, labels).distances)
    assert mixed._sets[0].members.values.dtype == np.float64


def test_rows_too_large_to_be_squared_do_no_harm():
    x = np.array([[0.0], [1e300], [-1e300], [1.0], [1e30], [2e30]])
    for rows in (x, x[[0, 4, 5, 3]].astype(np.float32)):
        detector = fed(rows, np.zeros(len(rows), int))
        assert np.isfinite(detector.distances).all()
    np.testing.assert_array_equal(detector.distances[-1], 1.0)


def test_images_are_rows_too():
    images = RNG.random((40, 4, 4, 1))
    labels = RNG.integers(0, 2, 40)
    flat = fed(images.reshape(40, 16), labels)
    np.testing.assert_array_equal(fed(images, labels).distances, flat.distances)
    pixels = (255 * images).astype(np.uint8)
    whole = fed(pixels.astype(float), labels)
    np.testing.assert_array_equal(fed(pixels, labels).distances, whole.distances)


# ---- who is flagged


def test_gaussian_traffic_is_not_flagged_and_jacobian_augmentation_is():
    """Points in 20 dimensions, and 4 rounds in which each point gets a child λ away."""
    rng = np.random.default_rng(0)
    people = rng.normal(size=(1000, 20))
    ordinary = fed(people, (people[:, 0] > 0).astype(int))
    assert not ordinary.alarm
    assert ordinary.history.w.min() > 0.95
    stolen = rng.normal(size=(60, 20))
    for _ in range(4):
        stolen = np.concatenate([stolen, stolen + 0.1 * np.sign(rng.normal(size=stolen.shape))])
    augmented = fed(stolen, (stolen[:, 0] > 0).astype(int))
    assert augmented.alarm
    assert augmented.first_alarm <= 240
    assert augmented.w < 0.7


def test_the_alarm_stays_on_and_remembers_when_it_came():
    rng = np.random.default_rng(3)
    gaps = np.concatenate([rng.exponential(1, 150), rng.normal(3, 0.8, 900).clip(0.1)])
    detector = fed(star(gaps), np.zeros(len(gaps) + 1, int))
    queries, w = detector.history
    assert detector.alarm
    assert detector.first_alarm == queries[w < 0.9][0]
    assert detector.w > 0.9
    assert Detector(0.5).delta == 0.5
    assert repr(Detector(0.5)) == "Detector(delta=0.5, queries=0, w=None, alarm=False)"


# ---- wrong arguments


WRONG = {
    "one row": (
        np.zeros(3),
        [0],
        r"got float64 of shape \(3,\); try x\[None",
    ),
    "text": (np.full((2, 3), "a"), [0, 0], "finite numbers, got"),
    "labels": (np.zeros((2, 3)), [0], r"labels as \(2,\) whole numbers, got int64 of shape \(1,\)"),
    "real labels": (np.zeros((2, 3)), [0.0, 1.0], "got float64 of shape"),
    "NaN": (np.full((2, 3), np.nan), [0, 0], "finite"),
    "width": (np.zeros((2, 4)), [0, 0], "expected rows of 3 numbers as before, got 4"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused_changes_nothing(name):
    x, labels, says = WRONG[name]
    detector = fed(RNG.random((5, 3)), np.zeros(5, int))
    with pytest.raises(ValueError, match=says):
        detector.observe(x, np.array(labels))
    assert (detector.queries, len(detector.distances)) == (5, 4)


@pytest.mark.parametrize("delta", [0, 1, -1, np.nan])
def test_delta_is_a_share(delta):
    with pytest.raises(ValueError, match="0 < delta < 1"):
        Detector(delta)


# ---- state


def same(a, b):
    np.testing.assert_array_equal(a.distances, b.distances)
    np.testing.assert_array_equal(a.history.queries, b.history.queries)
    np.testing.assert_array_equal(a.history.w, b.history.w)
    assert (a.queries, a.delta, a.alarm, a.w) == (b.queries, b.delta, b.alarm, b.w)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cut", [0, 1, 5, 137, 380])
def test_a_saved_detector_goes_on_as_if_nothing_had_happened(tmp_path, cut, dtype):
    x = RNG.random((400, 6)).astype(dtype)
    labels = RNG.integers(-2, 3, 400)
    path = tmp_path / "detector.npz"
    detector = fed(x[:cut], labels[:cut], delta=0.93) if cut else Detector(0.93)
    detector.save(path)
    again = Detector.load(path)
    same(again, detector)
    again.observe(x[cut:], labels[cut:])
    same(again, fed(x, labels, delta=0.93))
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_saved_over_and_holds_no_pickle(tmp_path):
    path = tmp_path / "detector.npz"
    for n in (50, 200):
        detector = fed(RNG.random((n, 3)), np.zeros(n, int))
        detector.save(path)
    same(Detector.load(path), detector)
    with np.load(path, allow_pickle=False) as archive:
        assert all(archive[name].dtype.kind in "fi" for name in archive)


def changed(path, **arrays):
    with np.load(path) as archive:
        kept = {name: archive[name] for name in archive}
    np.savez(path, **{**kept, **arrays})


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


DAMAGE = {
    "nothing there": lambda path: path.unlink(),
    "no archive": lambda path: path.write_bytes(b"hello"),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-300]),
    "a pickle": lambda path: path.write_bytes(npy(np.array([{}], object))),
    "an array": lambda path: path.write_bytes(npy(np.zeros(3))),
    "a part missing": lambda path: np.savez(path, delta=np.array(0.9)),
    "a pickle inside": lambda path: changed(path, ws=np.array([{}], object)),
    "text": lambda path: changed(path, ws=np.array(["0.5"])),
    "infinite": lambda path: changed(path, thresholds=np.full(1, np.inf)),
    "spreads": lambda path: changed(path, spreads=np.zeros((1, 4))),
    "lengths": lambda path: changed(path, distances=np.zeros(3)),
    "sizes": lambda path: changed(path, sizes=np.array([10_000])),
    "negative": lambda path: changed(path, sizes=np.array([-1])),
    "delta": lambda path: changed(path, delta=np.array(2.0)),
    "classes": lambda path: changed(path, classes=np.full(149, 7)),
    "queries": lambda path: changed(path, queries=np.array(-3)),
    "axes": lambda path: changed(path, members=np.zeros(150)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_named(tmp_path, name):
    path = tmp_path / "detector.npz"
    fed(RNG.random((150, 3)), np.zeros(150, int)).save(path)
    DAMAGE[name](path)
    with pytest.raises(DataError, match=r"detector\.npz"):
        Detector.load(path)


def test_every_byte_may_be_wrong_and_nothing_worse_than_an_error_happens(tmp_path):
    path = tmp_path / "detector.npz"
    fed(RNG.random((30, 2)), np.zeros(30, int)).save(path)
    good = path.read_bytes()
    for at in range(0, len(good), 37):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        try:
            Detector.load(path)
        except DataError:
            continue


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    path = tmp_path / "detector.npz"
    fed(RNG.random((30, 2)), np.zeros(30, int)).save(path)
    header = io.BytesIO()
    entry = {"descr": "<f8", "fortran_order": False, "shape": (10**13,)}
    np.lib.format.write_array_header_1_0(header, entry)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["ws.npy"] = header.getvalue()
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    with pytest.raises(DataError, match="damaged"):
        Detector.load(path)


# ---- growing


def test_growing_arrays_double():
    rows, copies = GrowingArray((2,)), 0
    for n in range(1000):
        before = rows._all
        rows.extend([[n, -n]])
        copies += rows._all is not before
    np.testing.assert_array_equal(rows.values[:, 0], np.arange(1000))
    assert copies == 6, "16 to 1024"
    rows.forget(997)
    assert rows.values[:, 0].tolist() == [997, 998, 999]


def test_the_first_of_a_class_has_no_distance():
    distances = GrowingSet(2).add(np.array([[0.0, 0], [3, 4]]))
    np.testing.assert_array_equal(distances, [np.nan, 5])
    assert nearest_distance(np.array([3, 4]), [np.zeros(2), np.array([9, 9])]) == 5


def test_scipy_is_imported_at_the_first_check_only():
    code = (
        "import sys, numpy as np\n"
        "from mstheft.defend.prada import Detector\n"
        "Detector().observe(np.random.default_rng(0).random((100, 3)), np.zeros(100, int))\n"
        "print('scipy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
