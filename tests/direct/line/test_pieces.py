"""Straight pieces under noise, against samples of a line whose kinks are written down."""

import numpy as np
import pytest

from mstheft.direct.line import pieces
from mstheft.direct.line.pieces import Samples

KINKS = np.array([-0.7, 0.4, 0.9])


def samples(t, outputs=4, sigma=1e-9, kinks=KINKS, seed=0):
    """Answers Σ_i g_i |t - k_i| at positions t, with noise of that size."""
    rng = np.random.default_rng(seed)
    t, jumps = np.sort(np.asarray(t, float)), rng.normal(size=(len(kinks), outputs))
    answers = np.abs(t[:, None] - kinks) @ jumps + sigma * rng.normal(size=(len(t), outputs))
    return Samples(t, answers, np.full(answers.shape, sigma)), jumps


@pytest.mark.parametrize("sigma", [1e-12, 1e-6, 1e-3])
def test_pieces_end_at_the_kinks(sigma):
    seen, _ = samples(np.linspace(-2, 2, 41), sigma=sigma)
    found = pieces.straight_pieces(seen)
    assert len(found) == 4
    for left, right, kink in zip(found, found[1:], KINKS, strict=False):
        assert seen.t[left.last - 1] <= kink + 0.1
        assert seen.t[right.first] >= kink - 0.1
        meeting = pieces.meet(seen, left, right)
        assert abs(meeting.t - kink) < 6 * meeting.error
        assert meeting.error < 3 * sigma
        assert meeting.miss < pieces.level(4)


def test_pairs_that_belong_to_the_next_piece_are_given_to_it():
    seen, _ = samples([-2, -1.5, -1, 0.6, 1.2, 1.4, 1.6])  # 0.6 stands alone, between 0.4 and 0.9
    assert [len(piece) for piece in pieces.straight_pieces(seen)] == [3, 1, 3]


def test_the_line_through_a_piece_and_its_variance():
    seen, jumps = samples(np.linspace(1, 3, 9), sigma=1e-4)
    piece = pieces.fit_piece(seen, 0, 9)
    truth = np.abs(5.0 - KINKS) @ jumps
    assert (np.abs(piece.at(5.0) - truth) < 5 * np.sqrt(piece.variance(5.0))).all()
    assert (piece.variance(5.0) > piece.variance(2.0)).all()
    assert piece.variance(2.0) == pytest.approx(1e-8 / 9, rel=1e-6)


def test_one_answer_between_two_kinks_tells_both():
    seen, jumps = samples([-0.5, -0.2, 0.2, 0.6, 1.2, 1.6, 2.0], sigma=1e-10)
    left, single, right = pieces.straight_pieces(seen)
    first, second = pieces.two_kinks(seen, left, single, right)
    assert first.t == pytest.approx(0.4, abs=1e-7)
    assert second.t == pytest.approx(0.9, abs=1e-7)
    assert first.jump == pytest.approx(2 * jumps[1], abs=1e-6)
    assert second.jump == pytest.approx(2 * jumps[2], abs=1e-6)


def test_one_answer_between_three_kinks_tells_none():
    kinks = np.array([0.3, 0.5, 0.9])
    seen, _ = samples([-0.5, -0.2, 0.2, 0.6, 1.2, 1.6, 2.0], sigma=1e-10, kinks=kinks)
    found = pieces.straight_pieces(seen)
    three = next(
        three for three in zip(found, found[1:], found[2:], strict=False) if len(three[1]) == 1
    )
    assert pieces.two_kinks(seen, *three) is None


def test_parallel_lines_and_single_samples_meet_nowhere():
    seen, _ = samples([-3.0, -2.0, 2.0, 3.0], kinks=np.zeros(0), outputs=2)
    left, right = pieces.fit_piece(seen, 0, 2), pieces.fit_piece(seen, 2, 3)
    assert pieces.meet(seen, left, right) is None
