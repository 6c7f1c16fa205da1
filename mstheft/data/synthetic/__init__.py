"""Data made on the spot, of every kind that a victim or a thief needs.

    toy clouds  `blobs` `moons` `spirals` `linear`   in `clouds`
    glyphs      `glyphs` `letters`                   in `glyphs`
    images      `signs` `textures`                   in `signs`
    texts       `texts`                              in `texts`
    programs    `programs`                           in `programs`

Nothing here is downloaded or written. The same seed gives the same data, so that lessons and tests
can quote numbers.
"""

from mstheft.data.synthetic.clouds import blobs, linear, moons, spirals
from mstheft.data.synthetic.glyphs import glyphs, letters
from mstheft.data.synthetic.programs import programs
from mstheft.data.synthetic.signs import signs, textures
from mstheft.data.synthetic.texts import texts

__all__ = ["blobs", "glyphs", "letters", "linear", "moons", "programs", "signs", "spirals"]
__all__ += ["texts", "textures"]
