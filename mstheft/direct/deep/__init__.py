"""Two or more hidden ReLU layers of any width, h1 > d among them, with one output or many.

Peeled from both ends where the first layer's rows are independent, and lifted elsewhere.
"""

from mstheft.direct.deep.attack import extract

__all__ = ["extract"]
