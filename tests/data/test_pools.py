"""Pools: photographs once each and then crops of them, drawings, noise, and your own folder."""

import tracemalloc

import numpy as np
import pytest

from mstheft.data import photographs, pools


def test_crops_and_flips_are_windows_of_the_images():
    """A picture whose colours are its coordinates: what comes out shows where it was."""
    rows, columns = np.mgrid[0:40, 0:60]
    image = np.stack([rows / 40, columns / 60, np.full((40, 60), 0.5)], axis=2)[None]
    out = pools.crops_and_flips(image.astype(np.float32), 400, 0)
    assert out.shape == (400, 40, 60, 3)
    assert out.dtype == np.float32
    down = 40 * (out[:, -1, 30, 0] - out[:, 0, 30, 0])  # rows that the window spans
    across = 60 * (out[:, 20, -1, 1] - out[:, 20, 0, 1])
    mirrored = across < 0
    assert 160 < mirrored.sum() < 240  # 200 of 400, standard deviation 10
    spans = np.abs(across) + 1
    assert spans.min() >= 0.6 * 60 - 2
    assert spans.max() <= 60
    assert spans.std() > 4  # uniform over 24 pixels: 6.9
    np.testing.assert_allclose((down + 1) / 40, spans / 60, atol=0.05)  # same share of both sides
    assert (down > 0).all()  # never upside down
    top = 40 * out[:, 0, 30, 0]
    assert top.min() < 1
    assert (top + down).max() > 38


def test_crops_use_every_image_equally_and_keep_the_type():
    images = np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    out = pools.crops_and_flips(images, 17, 1)
    assert out.dtype == np.uint8
    counts = np.bincount(out[:, 0, 0, 0], minlength=7)
    assert sorted(counts) == [2, 2, 2, 2, 3, 3, 3]
    assert (out == out[:, :1, :1]).all()
    assert np.any(np.diff(out[:, 0, 0, 0].astype(int)) < 0)
    np.testing.assert_array_equal(out, pools.crops_and_flips(images, 17, 1))
    assert pools.crops_and_flips(images, 0, 1).shape == (0, 8, 8, 1)


@pytest.fixture
def sets(monkeypatch):
    """Two small sets of flat colours, each image of its own: 0 ... 29 and 100 ... 107."""

    def flat(levels, size):
        levels = np.array(levels, np.uint8)[:, None, None, None]
        return levels * np.ones((1, size, size, 3), np.uint8)

    loaders = {"tiny": lambda: flat(range(30), 8), "sample": lambda: flat(range(100, 108), 16)}
    monkeypatch.setattr(pools, "_PHOTOGRAPHS", loaders)


def levels(x):
    """Which image each of a pool is; all its pixels are the same."""
    assert np.ptp(x.reshape(len(x), -1), axis=1).max() < 1e-6
    return np.rint(255 * x.reshape(len(x), -1)[:, 0]).astype(int)


def test_photographs_are_taken_once_each_at_random(sets):
    x = pools.pool("tiny", (5, 6, 1), 12, 0)
    assert x.shape == (12, 5, 6, 1)
    assert x.dtype == np.float32
    chosen = levels(x)
    assert len(set(chosen)) == 12
    assert np.any(np.diff(chosen) < 0)
    np.testing.assert_array_equal(x, pools.pool("tiny", (5, 6, 1), 12, np.random.default_rng(0)))
    assert not np.array_equal(x, pools.pool("tiny", (5, 6, 1), 12, 1))
    assert pools.pool("tiny", (5, 6, 1), 12, 0, dtype=np.float64).dtype == np.float64


def test_sets_together_and_more_than_there_are(sets, monkeypatch):
    monkeypatch.setattr(pools, "_CHUNK", 5)
    both = levels(pools.pool("tiny+sample", (8, 8, 3), 38, 0))
    assert sorted(both) == [*range(30), *range(100, 108)]
    more = levels(pools.pool("tiny+sample+tiny", (8, 8, 3), 380, 0))
    counts = np.bincount(more, minlength=108)
    # Each once itself; 342 crops are shared out by the size of the sets, 270 : 72 on average.
    assert counts[[*range(30), *range(100, 108)]].min() >= 1
    assert 40 < counts[100:].sum() - 8 < 105  # standard deviation 7.5
    assert counts[:30].max() - counts[:30].min() <= 1
    first, last = more[:190] >= 100, more[190:] >= 100
    assert abs(first.sum() - last.sum()) < 40  # mixed, not one set behind the other


@pytest.mark.parametrize("name", ["letters", "textures", "noise"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (20, 24), (6, 9, 2)])
def test_drawn_pools(name, shape, monkeypatch):
    monkeypatch.setattr(pools, "_CHUNK", 16)
    x = pools.pool(name, shape, 40, 0)
    assert x.shape == (40, *shape)
    assert x.dtype == np.float32
    assert 0 <= x.min() < x.max() <= 1
    assert len(np.unique(x.reshape(40, -1), axis=0)) == 40
    np.testing.assert_array_equal(x, pools.pool(name, shape, 40, np.random.default_rng(0)))


def test_a_folder_as_pool(tmp_path, monkeypatch):
    from PIL import Image

    for k in range(9):
        (tmp_path / f"sub{k % 2}").mkdir(exist_ok=True)
        Image.new("RGB", (20 + k, 30), (20 * k,) * 3).save(tmp_path / f"sub{k % 2}" / f"{k}.png")
    opened = []
    read = photographs.decode
    monkeypatch.setattr(photographs, "decode", lambda *a: opened.append(a) or read(*a))
    x = pools.pool(str(tmp_path), (8, 8, 1), 4, 0)
    assert len(opened) == 4  # of a large folder only what is needed is read
    assert len(set(levels(x)) & {20 * k for k in range(9)}) == 4
    assert len(pools.pool(str(tmp_path), (8, 8, 3), 15, 0)) == 15


@pytest.mark.parametrize("name", ["", "glyph", "tiny-imagenet+", "noise+letters", "/no/folder"])
def test_unknown_pools(name):
    with pytest.raises(ValueError, match=r"name must be one of tiny-imagenet, .* noise, .* got '"):
        pools.pool(name, (28, 28, 1), 10, 0)


def test_wrong_arguments(sets):
    for name in ("noise", "tiny", "textures"):
        with pytest.raises(ValueError, match="shape must be"):
            pools.pool(name, (784,), 10, 0)
        with pytest.raises(ValueError, match="dtype must be"):
            pools.pool(name, (8, 8), 10, 0, dtype=int)


@pytest.mark.realdata
def test_the_whole_of_tiny_imagenet_for_mnist_takes_little_memory():
    """31 MB of bytes and as many of floats, and what is in between a few at a time."""
    tracemalloc.start()
    x = pools.pool("tiny-imagenet", (28, 28, 1), 10_000, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
    assert x.shape == (10_000, 28, 28, 1)
    assert 0.4 < x.mean() < 0.5  # photographs are a little darker than middle grey
    assert len(np.unique(x.reshape(10_000, -1), axis=0)) == 10_000
