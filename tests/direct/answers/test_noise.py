"""The noise of given answers: their grid, and arithmetic."""

import numpy as np
import pytest

import mstheft as mt
from mstheft.direct.answers.noise import Noise, arithmetic, float_spacing, lattice
from mstheft.nn import zoo
from mstheft.nn.network import Network

VALUES = np.random.default_rng(0).normal(0, 2, (50, 3))


def bfloat16(values):
    """Rounded to 8 significant bits."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 256) / 256, exponent)


@pytest.mark.parametrize("k", range(9))
def test_decimals_are_counted(k):
    assert lattice(np.round(VALUES, k)) == Noise("decimals", k)


@pytest.mark.parametrize("k", range(5))
def test_decimals_are_counted_in_float32_too(k):
    assert lattice(np.round(VALUES, k).astype(np.float32)) == Noise("decimals", k)


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1, 100, 1e5])
def test_formats_are_told_at_every_size(scale):
    values = scale * VALUES
    assert lattice(values).kind == "float64"
    assert lattice(values.astype(np.float32)).kind == "float32"
    assert lattice(values.astype(np.float32).astype(float)).kind == "float32"
    assert lattice(bfloat16(values)).kind == "bfloat16"


def test_float16_is_told():
    assert lattice(VALUES.astype(np.float16)).kind == "float16"
    assert lattice(VALUES.astype(np.float16).astype(float)).kind == "float16"


def test_probabilities_of_few_decimals_and_unknown_zeros():
    p = np.round(mt.nn.functions.softmax(VALUES), 3)
    assert lattice(np.where(p < 0.3, 0, p)) == Noise("decimals", 3)


def test_one_answer_off_the_grid_is_enough():
    values = np.round(VALUES, 3)
    values[7, 1] += 1e-5
    assert lattice(values).decimals == 5 or lattice(values).kind == "float64"


def test_numbers_that_tell_nothing_are_taken_for_exact():
    assert lattice(np.array([[0.0, 1.0], [1.0, np.nan]])).kind == "float64"


def test_the_spacing_is_numpys():
    for kind, dtype in (("float16", np.float16), ("float32", np.float32), ("float64", np.float64)):
        values = np.abs(VALUES).astype(dtype)
        np.testing.assert_array_equal(float_spacing(values, kind), np.spacing(values))


def test_sigma_is_that_of_the_rounding():
    """Rounding errors are uniform: u / √12, seen on 15,000 numbers to 2 %."""
    values = np.random.default_rng(1).normal(size=(5000, 3))
    rounded = np.round(values, 2)
    assert np.std(rounded - values) == pytest.approx(lattice(rounded).of(rounded)[0, 0], rel=0.02)
    single = values.astype(np.float32)
    scaled = (single - values) / lattice(single).of(single)
    assert np.std(scaled) == pytest.approx(1, rel=0.02)


def test_arithmetic_predicts_what_another_order_of_sums_loses():
    """A victim whose inputs and neurons lie in another order: within a factor of 2."""
    network = zoo.mlp([64, 32, 10], bias=0.1, rng=0)
    x = np.random.default_rng(1).normal(size=(500, 64)).astype(np.float32)
    (A0, b0), (A1, b1) = network.dense()
    order, neurons = (
        np.random.default_rng(2).permutation(64),
        np.random.default_rng(3).permutation(32),
    )
    twin = zoo.given([(A0[neurons][:, order], b0[neurons]), (A1[:, neurons], b1)])
    single = Network(twin.layers, 64, np.float32)
    double = Network([layer for layer in single.copy().layers], 64, np.float64)
    lost = single.logits(x[:, order]) - double.logits(x[:, order])
    predicted = arithmetic(network, x, "float32")
    assert 0.5 < np.sqrt(np.mean(lost**2)) / predicted < 2
    assert arithmetic(network, x, "float64") == pytest.approx(predicted / 2**29)


def test_a_network_of_sixteen_bits_loses_about_a_thousand_times_more_than_float32():
    """Bits after the leading 1: 10 and 23, and 7 for bfloat16. float32 loses at every sum, 64 here,
    where a format of 16 bits is only rounded to: that makes it seven times less than 2¹³."""
    network = zoo.mlp([64, 32, 10], bias=0.1, rng=0)
    x = np.random.default_rng(1).normal(size=(500, 64))
    single, half, brain = (
        arithmetic(network, x, kind) for kind in ("float32", "float16", "bfloat16")
    )
    assert 0.05 < half / single / 2**13 < 2
    assert brain / half == pytest.approx(8, rel=0.1)
