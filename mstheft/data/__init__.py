"""Data to train victims on: made on the spot (`synthetic`) or read (`images`, `text`)."""

from mstheft.data import images, store, synthetic, text, vocabulary

__all__ = ["images", "store", "synthetic", "text", "vocabulary"]
