"""No hidden layer: logistic and softmax regression by equations, one hyperplane from labels."""

from mstheft.direct.linear.attack import extract

__all__ = ["extract"]
