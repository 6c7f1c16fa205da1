"""Smooth activations: gradients in a subspace, and directions that make Hessians diagonal."""

from exact import case, document, formula, logits, mp, oracle, plus, times, turned
from kinks import A0, A1, B0, B1, ORACLE


def central(net, axes, point, step):
    """(f(Q(y + c e_j)) - f(Qy)) / c for each column of Q, (K, q)."""
    here = times(axes, point)
    return turned([[(a - h) / step for a, h in zip(logits(net, plus(here, way, step)),
                                                   logits(net, here), strict=True)]
                   for way in turned(axes)])  # fmt: skip


def crosstalk(stack):
    """√ of the largest Σ_k (T_k[i,j])² / √(Σ_k T_k[i,i]² Σ_k T_k[j,j]²), i ≠ j."""
    h = len(stack[0])
    own = [mp.sqrt(mp.fsum(t[i][i] ** 2 for t in stack)) for i in range(h)]
    return max(mp.sqrt(mp.fsum(t[i][j] ** 2 for t in stack) / (own[i] * own[j]))
               for i in range(h) for j in range(h) if i != j)  # fmt: skip


def build():
    hidden_tanh = [(A0, B0), (A1, B1)]
    return document(
        "smooth",
        "Smooth activations: gradients in a subspace, and crosstalk of Hessians",
        formula(
            "smooth/subspace-gradient", central,
            "∂_j f ≈ (f(x + c Q_j) - f(x)) / c at x = Q y",
            {**ORACLE, "axes": "(d, q) Q, orthonormal columns", "point": "(q,) y", "step": "c"},
            "(K, q)", "this project: smooth activations",
            case("gradient-tanh", {"oracle": oracle(hidden_tanh, "logits", "tanh"),
                                   "axes": [[0.6, 0.0], [0.8, 0.0], [0.0, 1.0], [0.0, 0.0]],
                                   "point": [0.5, -1.0], "step": 2.0**-12},
                 "y is moved along the inputs in place of the columns of Q"),
            rel=1e-8, abs=1e-10,
        ),
        formula(
            "smooth/hessian-crosstalk", crosstalk,
            "max_ij √(Σ_k T_k[i,j]² / (√Σ_k T_k[i,i]² √Σ_k T_k[j,j]²)), T_k = Wᵀ H_k W, i ≠ j",
            {"turned": "(n, h, h) T_k"}, "0 where W makes all Hessians diagonal",
            "this project: smooth activations; Ziehe et al. 2004",
            case("crosstalk-two", {"turned": [[[2.0, 0.1], [0.1, -1.0]],
                                              [[-1.0, 0.05], [0.05, 3.0]]]},
                 "each Hessian by itself: a small one looks crooked"),
        ),
    )  # fmt: skip
