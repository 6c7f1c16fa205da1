"""Stage 2: Hessians against the formula, and their dual directions."""

from types import SimpleNamespace

import numpy as np
import pytest
from smooth_victims import ALL
from victims import victim_of

from mstheft.direct.smooth import hessians, subspace
from mstheft.nn.layers import Activation
from mstheft.oracle import Oracle


def second(act):
    """σ'' by a fourth-order difference of σ', right to 1e-11."""
    slope = Activation.FUNCTIONS[act][1]

    def bend(z, c=1e-3):
        return (slope(z - 2 * c) - 8 * slope(z - c) + 8 * slope(z + c) - slope(z + 2 * c)) / 12 / c

    return bend


def true_hessians(victim, act, axes, y):
    """(K, h, h) by the formula Bᵀ diag(A1_k σ''(z)) B."""
    (A0, b0), (A1, _) = victim.dense()
    B = A0 @ axes
    z = B @ y + b0
    return np.einsum("ki,i,ia,ib->kab", A1, second(act)(z), B, B)


@pytest.mark.parametrize(("sharp", "asked", "size"), [(False, 28, 2e-3), (True, 43, 1e-5)])
@pytest.mark.parametrize("act", ALL)
def test_hessians_against_the_formula(act, sharp, asked, size):
    victim = victim_of(0, 30, 6, 3, act)
    oracle = Oracle(victim)
    space = subspace.find_subspace(oracle, np.random.default_rng(1))
    before = oracle.count
    found = hessians.hessians(oracle, space, space.points[0], sharp=sharp)
    assert oracle.count - before == asked  # 6 (6 + 3) / 2 + 1 and 6² + 6 + 1
    true = true_hessians(victim, act, space.axes, space.points[0])
    np.testing.assert_array_equal(found, found.transpose(0, 2, 1))
    assert np.abs(found - true).max() < size * np.abs(true).max()


def test_hessian_of_a_quadratic_is_exact():
    """f = x1² + 3 x1 x2: second derivatives 2, 3, 0 at any step; only rounding is left."""
    oracle = Oracle(lambda x: x[:, :1] ** 2 + 3 * x[:, :1] * x[:, 1:2], inputs=2)
    space = SimpleNamespace(axes=np.eye(2), share=1e-6, reach=np.sqrt(2))
    found = hessians.hessians(oracle, space, np.array([0.3, -0.7]))
    np.testing.assert_allclose(found, [[[2, 3], [3, 0]]], atol=1e-9)


@pytest.mark.parametrize(("h", "n"), [(1, 2), (5, 2), (5, 3), (30, 10)])
def test_dual_directions_of_exact_hessians(h, n):
    """B⁻¹ up to order and length; the answer is known without any network."""
    rng = np.random.default_rng(h)
    B, D = rng.normal(size=(h, h)), rng.normal(size=(n, h))
    stack = np.einsum("ia,ni,ib->nab", B, D, B)
    W = hessians.dual_directions(stack, rng)
    moved = np.abs(B @ W)
    moved /= moved.max(axis=0)
    assert sorted(moved.argmax(axis=0)) == list(range(h))
    assert np.sort(moved, axis=0)[:-1].max(initial=0) < 1e-7
    assert hessians.crosstalk(W.T @ stack @ W) < 1e-7


def test_sharpening_takes_noise_out_and_close_eigenvalues_apart():
    """Two neurons with equal D in the first two Hessians: only the third tells them apart."""
    rng = np.random.default_rng(0)
    B, D = rng.normal(size=(6, 6)), rng.normal(size=(3, 6))
    D[:2, 1] = D[:2, 0]
    stack = np.einsum("ia,ni,ib->nab", B, D, B)
    start = np.linalg.inv(B) @ (np.eye(6) + 0.05 * rng.normal(size=(6, 6)))
    W = hessians.sharpen(stack, start / np.linalg.norm(start, axis=0))
    moved = np.abs(B @ W)
    assert np.sort(moved / moved.max(axis=0), axis=0)[-2].max() < 1e-6


def test_a_constant_output_does_not_blind_the_sharpening():
    """Its Hessian is 0, which was divided by its length: every number became NaN."""
    rng = np.random.default_rng(0)
    B, D = rng.normal(size=(6, 6)), rng.normal(size=(4, 6))
    D[:2, 1] = D[:2, 0]
    D[3] = 0
    stack = np.einsum("ia,ni,ib->nab", B, D, B)
    W = hessians.dual_directions(stack, rng)
    moved = np.abs(B @ W)
    assert np.sort(moved / moved.max(axis=0), axis=0)[-2].max() < 1e-6


def test_crosstalk_tells_of_hessians_without_common_axes():
    rng = np.random.default_rng(0)
    stack = rng.normal(size=(4, 5, 5))
    stack = stack + stack.transpose(0, 2, 1)
    W = hessians.dual_directions(stack, rng)
    assert hessians.crosstalk(W.T @ stack @ W) > 0.1
    assert hessians.crosstalk(np.stack([np.diag([1.0, 2]), np.diag([0, 3.0])])) == 0
