"""Inputs changed a little so that a network's answer changes: FGSM, PGD, DeepFool, and transfer."""

from mstheft.adversarial.deepfool import DeepFool, deepfool
from mstheft.adversarial.fgsm_pgd import fgsm, pgd
from mstheft.adversarial.transfer import Transfer, transferability

__all__ = ["DeepFool", "Transfer", "deepfool", "fgsm", "pgd", "transferability"]
