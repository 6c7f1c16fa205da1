"""Images moved and mirrored: what comes out is the image, somewhere else."""

import numpy as np
import pytest

from mstheft.nn import augment

RNG = np.random.default_rng(0)
IMAGES = RNG.random((200, 6, 5, 3)).astype(np.float32)


def test_about_half_are_mirrored_and_the_others_stay():
    out = augment.flipped(IMAGES, np.random.default_rng(1))
    same = (out == IMAGES).all(axis=(1, 2, 3))
    mirrored = (out == IMAGES[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (same ^ mirrored).all()
    assert 70 <= same.sum() <= 130
    assert out.dtype == np.float32


def test_a_crop_is_the_image_moved_and_its_edge_repeated():
    """Naive: out[i, j] = image[clip(i + a), clip(j + b)] for some a, b of -2 … 2; all 25 occur."""
    out, seen = augment.cropped(IMAGES, np.random.default_rng(1)), set()
    for image, moved in zip(IMAGES, out, strict=True):
        fits = []
        for a in range(-2, 3):
            for b in range(-2, 3):
                rows, columns = np.clip(np.arange(6) + a, 0, 5), np.clip(np.arange(5) + b, 0, 4)
                if np.array_equal(image[rows][:, columns], moved):
                    fits.append((a, b))
        assert len(fits) == 1
        seen |= set(fits)
    assert len(seen) == 25
    assert out.dtype == np.float32


def test_rows_leave_as_they_came():
    for kind in ("crops", "flips", "flips+crops"):
        change = augment.named(kind, (6, 5, 3))
        flat = change(IMAGES.reshape(200, -1), np.random.default_rng(3))
        whole = change(IMAGES, np.random.default_rng(3))
        np.testing.assert_array_equal(flat.reshape(IMAGES.shape), whole)
        assert not np.array_equal(whole, IMAGES)
    assert augment.named("none", (7,)) is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"one of none, crops, flips, flips[+]crops, got 'turns'"):
        augment.named("turns", (6, 5, 3))
    with pytest.raises(ValueError, match=r"images \(h, w, c\) for augment='crops', got \(7,\)"):
        augment.named("crops", (7,))
