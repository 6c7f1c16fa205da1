"""A batch split among threads: the same answers and gradients, and no way to wait for ever."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mstheft.nn import fit, losses, optim, zoo
from mstheft.nn.fast import threads as parallel


@pytest.fixture(params=[2, 3])
def parts(request, monkeypatch):
    """Every piece of work, however small, in so many parts."""
    with ThreadPoolExecutor(request.param - 1) as pool:
        monkeypatch.setattr(parallel, "WORTHWHILE", 1)
        monkeypatch.setattr(parallel, "_threads", lambda: request.param)
        monkeypatch.setattr(parallel, "_helpers", lambda: pool)
        yield request.param


def network(dropout=0.0):
    return zoo.cnn((8, 8, 2), 3, blocks=2, filters=(4, 6), dropout=dropout, rng=0, dtype=np.float64)


def batch(n=11):
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, 8, 8, 2)), rng.integers(0, 3, n)


def alone(work, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(parallel, "WORTHWHILE", 1 << 60)
        return work()


def test_work_is_split_in_order(parts):
    seen = parallel.in_parts(lambda a, b: (a.copy(), b.sum()), np.arange(7), np.ones(7), numbers=9)
    assert len(seen) == parts
    np.testing.assert_array_equal(np.concatenate([a for a, _ in seen]), np.arange(7))
    assert sum(b for _, b in seen) == 7


def test_gradients_are_those_of_the_whole_batch(parts, monkeypatch):
    """Batch norm over all rows, its running means moved once: equal to 1e-12 in float64."""
    x, y = batch()
    one, other = network(), network()
    value, grads = one.loss_gradients(x, y, losses.cross_entropy)
    expected, wanted = alone(lambda: other.loss_gradients(x, y, losses.cross_entropy), monkeypatch)
    assert abs(value - expected) < 1e-12
    assert grads.keys() == wanted.keys()
    for name in grads:
        np.testing.assert_allclose(grads[name], wanted[name], rtol=0, atol=1e-12)
    for name, value in one.parameters().items():
        np.testing.assert_allclose(value, other.parameters()[name], rtol=0, atol=1e-12)


def test_the_gradient_is_that_of_one_plain_pass(monkeypatch):
    """Also without threads: forward, loss, backward by hand."""
    x, y = batch()
    value, grads = network().loss_gradients(x, y, losses.cross_entropy)
    plain = network()
    logits, caches = plain.forward(x, train=True)
    expected, dlogits = losses.cross_entropy(logits, y)
    assert value == expected
    own = plain.backward(dlogits, caches)[1]
    for i, layer in enumerate(own):
        for name, gradient in layer.items():
            np.testing.assert_array_equal(grads[f"{i}.{name}"], gradient)


def test_answers_are_the_same(parts, monkeypatch):
    x, _ = batch(50)
    expected = alone(lambda: network().logits(x), monkeypatch)
    np.testing.assert_allclose(network().logits(x), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(network().logits(x[:1]), expected[:1], rtol=0, atol=1e-12)


def test_training_with_dropout_repeats_itself(parts):
    runs = []
    for _ in range(2):
        net = network(dropout=0.5)
        x, y = batch(40)
        fit.fit(net, x, y, epochs=2, batch=16, optimizer=optim.Adam(), rng=0)
        runs.append(net.logits(x))
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_in_one_part_ends_all(parts, failing):
    """The others wait at a sum that will never be whole: they go home, the error comes out."""

    def work(rows):
        if parallel.part() == failing:
            raise ZeroDivisionError("planted")
        return parallel.summed(rows)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError, match="planted"):
            parallel.in_parts(work, np.ones(6), numbers=6)
    assert len(parallel.in_parts(parallel.summed, np.ones(6), numbers=6)) == parts


def test_ctrl_c_in_the_callers_part_ends_all(parts):
    def work(rows):
        if parallel.part() == 0:
            raise KeyboardInterrupt
        return parallel.summed(rows)

    with pytest.raises(KeyboardInterrupt):
        parallel.in_parts(work, np.ones(6), numbers=6)


def test_a_second_caller_works_alone(parts):
    """Eight threads at once, one of which has the helpers: every answer is right."""
    net, inputs = network(), np.random.default_rng(2).normal(size=(8, 20, 8, 8, 2))
    expected = [net.logits(x) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for got, wanted in zip(pool.map(net.logits, inputs), expected, strict=True):
                np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12)


def test_work_inside_a_part_is_not_split_again(parts):
    inner = parallel.in_parts(
        lambda rows: len(parallel.in_parts(np.sum, rows, numbers=9)), np.ones(9), numbers=9
    )
    assert inner == [1] * parts


def test_without_threadpoolctl_nothing_is_split(parts, monkeypatch):
    monkeypatch.setattr(parallel, "_blas", lambda: None)
    names = parallel.in_parts(
        lambda rows: threading.current_thread().name, np.ones(9), numbers=1 << 30
    )
    assert names == [threading.current_thread().name]


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork on this system")
def test_a_forked_child_gets_threads_of_its_own():
    """The parent's helpers do not exist in the child, which must not wait for them."""
    code = """
        import os
        import numpy as np
        from mstheft.nn.fast import threads as parallel
        parallel.WORTHWHILE, parallel._threads = 1, lambda: 2
        parallel.in_parts(np.sum, np.ones(4), numbers=4)
        child = os.fork()
        if child == 0:
            os._exit(len(parallel.in_parts(np.sum, np.ones(4), numbers=4)))
        raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    code = textwrap.dedent(code)
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=False)
    assert ran.returncode == 2


def test_a_thread_that_cannot_be_started_leaves_nobody_waiting(parts, monkeypatch):
    """The second of two helpers fails to start: the first must not wait for it at a sum."""
    pool, asked = parallel._helpers(), []

    class Broken:
        def submit(self, *work):
            asked.append(work)
            if len(asked) == parts - 1:
                raise RuntimeError("can't start new thread")
            return pool.submit(*work)

    monkeypatch.setattr(parallel, "_helpers", lambda: Broken())
    with pytest.raises(RuntimeError, match="new thread"):
        parallel.in_parts(parallel.summed, np.ones(6), numbers=6)
    monkeypatch.setattr(parallel, "_helpers", lambda: pool)
    assert len(parallel.in_parts(parallel.summed, np.ones(6), numbers=6)) == parts


def test_parts_follow_what_blas_may_use():
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    with limits(1):
        assert parallel._threads() == 1
