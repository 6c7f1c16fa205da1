"""The other side: what a prediction service can do against those who copy it."""

from mstheft.defend import pate, prada, rdp, responses

__all__ = ["pate", "prada", "rdp", "responses"]
