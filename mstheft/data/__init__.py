"""Data to train victims on: made on the spot (`synthetic`) or read (`images`, `text`)."""

from mstheft.data import images, registry, synthetic, text, vocabulary

store = registry  # its name of before

__all__ = ["images", "registry", "store", "synthetic", "text", "vocabulary"]
