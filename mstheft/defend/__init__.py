"""The other side: what a prediction service can do against those who copy it."""

from mstheft.defend import mechanisms, named, pate, prada, rdp, responses

__all__ = ["mechanisms", "named", "pate", "prada", "rdp", "responses"]
