"""GTSRB: signs are cut out, scaled and split by track; tables that make no sense are refused."""

import numpy as np
import pytest
from archive_files import tgz, zipped

from mstheft.data import images, traffic_signs


def ppm(image):
    h, w, _ = image.shape
    return f"P6 {w} {h} 255 ".encode() + image.tobytes()


COLUMNS = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"
TRAINING = "GTSRB/Final_Training/Images"


def signs(tracks, frames=2, top=TRAINING, seed=0):
    """Make the files of an archive: {class: number of tracks}, and the images by short name."""
    rng = np.random.default_rng(seed)
    files, pictures = {}, {}
    for k, n in tracks.items():
        table = COLUMNS
        for track in range(n):
            for frame in range(frames):
                image = rng.integers(0, 256, (40, 36, 3), dtype=np.uint8)
                name = f"{track:05d}_{frame:05d}.ppm"
                files[f"{top}/{k:05d}/{name}"] = ppm(image)
                table += f"{name};36;40;2;5;34;37;{k}\n"
                pictures[f"{k:05d}/{name}"] = image
        files[f"{top}/{k:05d}/GT-{k:05d}.csv"] = table.encode()
    return files, pictures


TRAINING_ZIP, TRAINING_SUBSET = traffic_signs._TRAINING
FULL_TEST, FULL_LABELS = traffic_signs._OFFICIAL


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_gtsrb_is_cut_out_and_split_by_track(put, form):
    files, pictures = signs({0: 4, 7: 8, 42: 2})
    if form == "zip":
        renamed = {name.replace(TRAINING, "GTSRB/Training"): c for name, c in files.items()}
        put(TRAINING_ZIP, zipped(renamed))
    else:
        put(TRAINING_SUBSET, tgz(files))
    train, test = images.gtsrb("train"), images.gtsrb("test")
    assert test.y.tolist() == [0, 0, 7, 7, 7, 7]
    assert train.y.tolist() == [0] * 6 + [7] * 12 + [42] * 4
    assert train.extent == (
        "22 images for 'train', of 28 of 26,640 training images: some of every track"
    )
    # 32 x 32 pixels are cut out, [2, 34) x [5, 37), so nothing is scaled.
    expected = {name: image[5:37, 2:34] / 255 for name, image in pictures.items()}
    chosen = ["00000/00002", "00007/00002", "00007/00006"]
    names = [n for n in pictures if n[:11] in chosen]
    np.testing.assert_allclose(test.x, [expected[n] for n in names], atol=1e-7)
    names = [n for n in pictures if n[:11] not in chosen]
    np.testing.assert_allclose(train.x, [expected[n] for n in names], atol=1e-7)
    assert images.gtsrb("test", flat=True, dtype=np.float64).x.shape == (6, 3072)


def test_gtsrb_official_test_images(put):
    image = np.random.default_rng(0).integers(0, 256, (16, 64, 3), dtype=np.uint8)
    folder = "GTSRB/Final_Test/Images"
    no_labels = COLUMNS.replace(";ClassId", "") + "00000.ppm;64;16;0;0;64;16\n"
    test = {
        f"{folder}/GT-final_test.test.csv": no_labels.encode(),
        f"{folder}/00000.ppm": ppm(image),
    }
    put(FULL_TEST, zipped(test))
    put(
        FULL_LABELS,
        zipped({"GT-final_test.csv": (COLUMNS + "00000.ppm;64;16;0;0;64;16;9\n").encode()}),
    )
    loaded = images.gtsrb("official")
    assert loaded.y.tolist() == [9]
    assert loaded.extent == "1 of 12,630 official test images: not the original"
    halves = image.reshape(16, 32, 2, 3).mean(axis=2) / 255
    # Interpolated between rows at 1/4 and 3/4, and averaged over pairs of columns.
    np.testing.assert_allclose(loaded.x[0, 0], halves[0], atol=1e-6)
    np.testing.assert_allclose(loaded.x[0, 1], 0.75 * halves[0] + 0.25 * halves[1], atol=1e-6)


def test_the_split_is_by_track_deterministic_and_of_a_quarter():
    names = [
        f"{k:05d}/{t:05d}_{f:05d}.ppm" for k in range(43) for t in range(5 + k) for f in range(3)
    ]
    chosen = traffic_signs.test_tracks(names)
    assert chosen == traffic_signs.test_tracks(names[::-1])
    assert chosen == traffic_signs.test_tracks(names[::3])  # a subset with some of each track
    for k in range(43):
        share = sum(track.startswith(f"{k:05d}/") for track in chosen) / (5 + k)
        assert 1 / 6 <= share <= 2 / 7
    assert 0.23 < len(chosen) / sum(range(5, 48)) < 0.27
    assert traffic_signs.test_tracks(["00001/00000_00000.ppm"]) == set()


@pytest.mark.realdata
def test_real_gtsrb():
    train, test = images.gtsrb("train"), images.gtsrb("test")
    assert len(train.y) + len(test.y) in (3_651, 26_640)
    assert 0.2 < len(test.y) / (len(train.y) + len(test.y)) < 0.25
    counts = np.bincount(train.y), np.bincount(test.y)
    assert len(counts[0]) == len(counts[1]) == 43
    assert min(counts[1]) >= 10
    for x in (train.x, test.x):
        assert x.shape[1:] == (32, 32, 3)
        assert 0 <= x.min() < 0.1 < 0.9 < x.max() <= 1
    # No track is on both sides: its frames are nearly the same picture, others are not.
    a, b = (x[y == 0].reshape(-1, 3072) for x, y in (train, test))
    assert np.abs(a[:, None] - b).mean(axis=2).min() > 0.02
