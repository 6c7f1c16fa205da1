"""Photographs: Tiny ImageNet in its three forms, the sample of ImageNet, and folders of images."""

import io

import numpy as np
import pytest
from archive_files import tgz, zipped

from mstheft.data import formats, images, photographs
from mstheft.errors import DataError


def npz(**arrays):
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def jpeg(image, form="JPEG"):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, form)
    return out.getvalue()


def tiny(n_val, train=()):
    """Make a Tiny ImageNet of flat colours: 16 k is the grey of image k."""
    top = "tiny-imagenet-200/"
    files = {top + "wnids.txt": b"n02\nn01\n", top + "words.txt": b""}
    for wnid, k in train:
        grey = np.full((64, 64), 16 * k, np.uint8)
        files[f"{top}train/{wnid}/images/{wnid}_{k}.JPEG"] = jpeg(grey)
        files[f"{top}train/{wnid}/{wnid}_boxes.txt"] = b""
    table = ""
    for k in range(n_val):
        files[f"{top}val/images/val_{k}.JPEG"] = jpeg(np.full((64, 64, 3), 16 * k, np.uint8))
        table += f"val_{k}.JPEG\tn0{k % 2 + 1}\t0\t0\t62\t62\n"
    return {**files, top + "val/val_annotations.txt": table.encode()}


def test_tiny_imagenet_in_its_three_forms(put):
    small = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    put(photographs._TINY_SOME, tgz(tiny(6)))
    some = images.tiny_imagenet()
    assert some.x.shape == (6, 32, 32, 3)
    assert some.x.dtype == np.uint8
    assert some.x[:, 3, 4, 1].tolist() == [0, 16, 32, 48, 64, 80]
    assert some.y.tolist() == [1, 0, 1, 0, 1, 0]  # val_0 is n01, the second of wnids.txt
    assert some.extent == "6 of 10,000 validation images: the first of each class of Tiny ImageNet"
    put(photographs._TINY_SMALL, npz(images=small, labels=np.arange(4, dtype=np.int16)))
    np.testing.assert_array_equal(images.tiny_imagenet().x, small)
    with pytest.raises(DataError, match="mstheft data fetch tiny-imagenet"):
        images.tiny_imagenet("train")
    put(photographs._TINY, zipped(tiny(3, [("n02", 1), ("n01", 2), ("n02", 3)])))
    assert images.tiny_imagenet().x[:, 0, 0, 0].tolist() == [0, 16, 32]
    train = images.tiny_imagenet("train")
    assert train.x[:, 9, 9, 2].tolist() == [16, 32, 48]
    assert train.y.tolist() == [0, 1, 0]


def test_the_sample_of_imagenet(put):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    put(photographs._SAMPLE, npz(images=pictures, labels=np.arange(3, dtype=np.int16)))
    loaded = images.imagenet_sample()
    np.testing.assert_array_equal(loaded.x, pictures)
    assert loaded.y.dtype == np.int64
    assert loaded.extent == "3 of 1,281,167 images of ImageNet: one a class"


def test_a_folder_of_images(tmp_path):
    from PIL import Image

    left = np.zeros((40, 80, 3), np.uint8)
    left[:, 20:60] = (255, 128, 0)  # what remains when the middle is cut out
    (tmp_path / "cats").mkdir()
    (tmp_path / "ants" / "deep").mkdir(parents=True)
    (tmp_path / "cats" / "b.PNG").write_bytes(jpeg(left, "PNG"))
    (tmp_path / "cats" / "a.ppm").write_bytes(b"P6 40 80 255 " + left.transpose(1, 0, 2).tobytes())
    (tmp_path / "ants" / "deep" / "c.png").write_bytes(jpeg(left[..., 0], "PNG"))
    (tmp_path / "ants" / ".hidden.png").write_bytes(b"")
    (tmp_path / "ants" / "notes.txt").write_text("no image")
    rotated = Image.Exif()
    rotated[0x0112] = 6  # to be turned by 90 degrees to be upright
    half = np.zeros((64, 64, 3), np.uint8)
    half[32:] = 255
    Image.fromarray(half).save(tmp_path / "cats" / "c.jpeg", exif=rotated, quality=100)
    loaded = images.folder(tmp_path, (20, 20))
    assert loaded.x.shape == (4, 20, 20, 3)
    assert loaded.x.dtype == np.uint8
    assert loaded.y.tolist() == [0, 1, 1, 1]
    assert loaded.extent == f"4 images in 2 classes in {tmp_path}"
    assert (loaded.x[0] == 255).all()  # grey becomes three channels
    assert (loaded.x[1:3] == (255, 128, 0)).all()
    assert loaded.x[3, :, :9].mean() > 250 > 5 > loaded.x[3, :, 11:].mean()
    mixed = np.array([[[255], [0]], [[255], [255]]], np.uint8).repeat(3, axis=2)
    assert (photographs._fit(mixed, (1, 1)) == 191).all()  # 191.25
    assert (photographs._fit(255 - mixed, (1, 1)) == 64).all()  # 63.75
    assert images.folder(tmp_path / "cats").y.tolist() == [0, 0, 0]
    assert images.folder(tmp_path, (10, 40)).x.shape == (4, 10, 40, 3)


def test_a_folder_that_does_not_do(tmp_path, monkeypatch):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(DataError, match=r"expected images in a folder .*, got none"):
            images.folder(path)
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"rubbish")
    with pytest.raises(DataError, match=r"bad.jpg: expected an image that Pillow can read, got"):
        images.folder(tmp_path)
    bad.write_bytes(jpeg(np.zeros((3, 5, 3), np.uint8)))
    monkeypatch.setattr(formats, "_MOST_PIXELS", 14)
    with pytest.raises(DataError, match=r"bad.jpg: .* got 5 x 3 pixels, too many"):
        images.folder(tmp_path)
    bad.unlink()
    bad.symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"cannot read .*bad.jpg: No such file"):
        images.folder(tmp_path)


@pytest.mark.realdata
def test_the_small_form_of_tiny_imagenet_is_what_its_jpegs_reduce_to(monkeypatch):
    """The shipped array was made from the same JPEGs by 2 x 2 averages, with another rounding."""
    small = images.tiny_imagenet()
    assert small.extent == "all 10,000 validation images of Tiny ImageNet"
    assert np.bincount(small.y).tolist() == [50] * 200
    monkeypatch.setattr(photographs, "_TINY_SMALL", photographs._TINY_SOME)
    some = images.tiny_imagenet()
    assert np.bincount(some.y).tolist() == [10] * 200
    for k in range(0, 200, 20):
        theirs = small.x[np.flatnonzero(small.y == k)[:10]].astype(int)
        for x in some.x[some.y == k]:
            assert np.abs(theirs - x).max(axis=(1, 2, 3)).min() <= 1


@pytest.mark.realdata
def test_real_sample_of_imagenet():
    loaded = images.imagenet_sample()
    assert loaded.x.shape == (1000, 64, 64, 3)
    assert loaded.y.tolist() == list(range(1000))
