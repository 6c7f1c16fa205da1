"""The pictures of an attack, for the tour and for `mstheft steal --plot`: data in, Pictures out."""

from mstheft.report.pictures.arena import adaptive_picture, arena_pictures
from mstheft.report.pictures.deep import deep_pictures
from mstheft.report.pictures.exact import (
    exact_pictures,
    label_pictures,
    labels_pictures,
    linear_pictures,
    relu_pictures,
)
from mstheft.report.pictures.learned import learned_pictures, strategy_pictures
from mstheft.report.pictures.polish import polish_pictures
from mstheft.report.pictures.sweep import smooth_pictures, sweep_pictures

__all__ = ["adaptive_picture", "arena_pictures", "deep_pictures", "exact_pictures"]
__all__ += ["label_pictures", "labels_pictures", "learned_pictures", "linear_pictures"]
__all__ += ["polish_pictures", "relu_pictures", "smooth_pictures", "strategy_pictures"]
__all__ += ["sweep_pictures"]
