"""Inputs changed a little so that a network's answer changes: FGSM, PGD, DeepFool, and transfer."""

from mstheft.adversarial.bounded import fgsm, pgd
from mstheft.adversarial.nearest import DeepFool, deepfool
from mstheft.adversarial.transfer import Transfer, transferability

__all__ = ["DeepFool", "Transfer", "deepfool", "fgsm", "pgd", "transferability"]
