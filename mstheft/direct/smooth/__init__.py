"""One hidden layer of tanh, sigmoid or softplus."""

from mstheft.direct.smooth.attack import ACTIVATIONS, assemble, extract

__all__ = ["ACTIVATIONS", "assemble", "extract"]
