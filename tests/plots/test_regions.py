"""The folds of a network on a plane, as they are drawn."""

import matplotlib
import numpy as np
from matplotlib.contour import QuadContourSet
from pictures import a_slice, fresh

from mstheft.nn import zoo
from mstheft.nn.regions import slice_regions
from mstheft.plots import regions, style


def test_regions_draws_every_region_and_every_boundary():
    s = a_slice()
    ax = regions.regions(s, ax=fresh())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), s.active[s.region] % len(style.REGIONS))
    contours = [c for c in ax.collections if isinstance(c, QuadContourSet)]
    kinks = [c for c in contours if matplotlib.colors.to_hex(c.get_edgecolor()[0]) == style.KINK]
    assert len(kinks) == len(s.boundaries)
    for contour, boundary in zip(kinks, s.boundaries, strict=True):
        for x, y in np.concatenate([path.vertices for path in contour.get_paths()])[::7]:
            i, j = np.searchsorted(s.x, x) - 1, np.searchsorted(s.y, y) - 1
            around = boundary.values[max(j, 0) : j + 3, max(i, 0) : i + 3]
            assert around.min() <= 0 <= around.max()
    (arrows,) = (c for c in ax.collections if hasattr(c, "U"))
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], axis=1), s.gradient)
    np.testing.assert_allclose(arrows.get_offsets(), s.gradient_at)
    assert f"{len(s.patterns)} linear regions" in ax.get_title(loc="left")
    assert len(ax.texts) >= 2, "classes too small for a name have none"
    for name in ax.texts:
        x, y = name.get_position()
        assert name.get_text() == f"class {s.label[s.y == y, s.x == x].item()}"


def test_regions_of_a_linear_model_and_of_a_dead_network():
    network = zoo.softmax(2, 2, rng=0)
    s = slice_regions(network, [0, 0], [1, 0], [0, 1], points=20)
    assert "1 linear region, 0 hyperplanes" in regions.regions(s).get_title(loc="left")
    dead = zoo.mlp([2, 3, 2])
    for p in dead.parameters().values():
        p[:] = 0
    regions.regions(slice_regions(dead, [0, 0], [1, 0], [0, 1], points=20)).figure.canvas.draw()
