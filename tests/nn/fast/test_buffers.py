"""Memory that is used again: when it is, when it is not, and never between threads."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstheft.nn import zoo
from mstheft.nn.fast.buffers import Buffers, pieces, reused, reusing


def test_outside_every_array_is_new():
    buffers = Buffers()
    first, second = (buffers.empty("out", (3, 4), np.float32) for _ in range(2))
    assert not np.shares_memory(first, second)
    assert first.shape == (3, 4)
    assert first.dtype == np.float32


def test_inside_a_name_gives_the_same_memory():
    buffers = Buffers()
    with reused():
        first = buffers.empty("out", (3, 4), float)
        other = buffers.empty("dx", (3, 4), float)
        smaller = buffers.empty("out", (2, 5), float)
        single = buffers.empty("out", (3, 4), np.float32)
    assert np.shares_memory(first, smaller)
    assert not np.shares_memory(first, other)
    assert not np.shares_memory(first, single)
    assert smaller.shape == (2, 5)
    assert smaller.flags.c_contiguous


def test_reuse_ends_with_its_block_even_by_an_error():
    assert not reusing()
    with pytest.raises(KeyError), reused():
        _ = {reusing(): "on"}[False]
    assert not reusing()
    with reused():
        with reused():
            pass
        assert reusing()


@given(st.integers(0, 500), st.integers(0, 10**6), st.integers(1, 10**5))
def test_pieces_cover_all_rows_once(n, size, most):
    rows = [i for part in pieces(n, size, most) for i in range(n)[part]]
    assert rows == list(range(n))


def test_pieces_are_of_the_size_asked_for():
    parts = list(pieces(100, 100 * 1000, 5000))
    assert [len(range(100)[part]) for part in parts] == [5] * 20


def test_threads_may_ask_one_network_at_a_time():
    """Eight threads, each with inputs of its own: all get the answers of a lone caller."""
    network = zoo.small_cnn((8, 8, 1), 3, rng=0)
    inputs = np.random.default_rng(1).random((8, 40, 8, 8, 1), dtype=np.float32)
    alone = [network.logits(x, batch=7) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            together = list(pool.map(lambda x: network.logits(x, batch=7), inputs))
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one, other)


def test_memory_does_not_travel():
    buffers = Buffers()
    with reused():
        buffers.empty("out", (1000,), float)
    assert len(pickle.dumps(buffers)) < 200
