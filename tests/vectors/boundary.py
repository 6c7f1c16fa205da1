"""Labels only: the boundary of a linear victim from where its label changes."""

from exact import case, document, dot, formula, length, logits, mpf, oracle, plus

LOWD = "Lowd and Meek 2005, section 4"
PLANE = oracle([([[1.0, -2.0, 0.5]], [0.75])], "label")


def on_segment(net, inside, outside):
    g = [logits(net, x)[0] for x in (inside, outside)]
    share = -g[1] / (g[0] - g[1])
    return plus(outside, plus(inside, outside, -1), share)


def sides_of_axes(net, start, label, reach):
    (row,) = net.weights[0][0]
    towards = -1 if label else 1
    return [0 if w == 0 else towards * (1 if w > 0 else -1) for w in row]


def crossings(net, start, *others):
    ((row,), (bias,)) = net.weights[0]
    return [mpf("inf") if w == 0 else -(dot(row, start) + bias) / w for w in row]


def hyperplane(start, label, crossings, on, precision):
    weights = [(-1 if label else 1) / t for t in crossings]
    weights = [w / length(weights) for w in weights]
    return {"weights": weights, "bias": -dot(weights, on)}


def build():
    return document(
        "boundary",
        "Labels only: the boundary of a linear victim from where its label changes",
        formula(
            "boundary/boundary-point", on_segment,
            "label((low + high) / 2) tells which half of the segment holds w·x + β = 0",
            {"oracle": "oracle.query(x): (n, d) -> labels (n,)",
             "inside": "(d,) of label 1", "outside": "(d,) of label 0"},
            "(d,)", LOWD,
            case("boundary_point-segment", {"oracle": PLANE, "inside": [2.0, 0.0, 1.0],
                                            "outside": [-1.0, 3.0, 0.5]},
                 "the wrong half is kept, or an end is returned in place of the middle"),
            rel=1e-12, abs=1e-12,
        ),
        formula(
            "boundary/axis-signs", sides_of_axes,
            "label(start + s T e_j) ≠ label(start) for a large T: t_j has the sign s",
            {"oracle": "oracle.query(x): (n, d) -> labels (n,)", "start": "(d,)",
             "label": "is its label 1?", "reach": "distance at which the boundary was seen"},
            "(d,) +1, -1, or 0 where the axis never meets the boundary", LOWD,
            case("sign_witnesses-inside",
                 {"oracle": oracle([([[1.0, -2.0, 0.0]], [0.75])], "label"),
                  "start": [2.0, 0.0, 1.0], "label": True, "reach": 1.0},
                 "the sign of w_j in place of that of t_j; a weight of 0 gets a sign", rel=0),
            case("sign_witnesses-outside", {"oracle": PLANE, "start": [-1.0, 3.0, 0.5],
                                            "label": False, "reach": 1.0},
                 "right from inside only", rel=0),
        ),
        formula(
            "boundary/axis-crossings", crossings,
            "w·(start + t_j e_j) + β = 0",
            {"oracle": "oracle.query(x): (n, d) -> labels (n,)", "start": "(d,)",
             "label": "is its label 1?", "signs": "(d,) of t_j",
             "reach": "distance at which the boundary was seen", "precision": "relative, of t_j"},
            "(d,), infinite where the axis never meets the boundary", LOWD,
            case("line_searches-inside",
                 {"oracle": oracle([([[1.0, -2.0, 0.0]], [0.75])], "label"),
                  "start": [2.0, 0.0, 1.0], "label": True, "signs": [-1, 1, 0], "reach": 1.0,
                  "precision": 1e-9},
                 "the sign of t_j is lost, or an axis without a crossing loops for ever"),
            rel=2e-9,
        ),
        formula(
            "boundary/hyperplane", hyperplane,
            "w_j = -g / t_j, g = w·start + β; β = -w·on; ‖w‖ = 1",
            {"start": "(d,)", "label": "is its label 1?", "crossings": "(d,) t_j",
             "on": "(d,) a point of the boundary", "precision": "relative, of t_j"},
            "weights (d,) of length 1, bias", LOWD,
            case("hyperplane-inside", {"start": [2.0, 0.0, 1.0], "label": True,
                                       "crossings": [-3.25, 1.625, -6.5],
                                       "on": [-1.25, 0.0, 1.0], "precision": 1e-9},
                 "w_j = t_j in place of its inverse"),
            case("hyperplane-outside", {"start": [-1.0, 3.0, 0.5], "label": False,
                                        "crossings": [6.0, -3.0, 12.0],
                                        "on": [5.0, 3.0, 0.5], "precision": 1e-9},
                 "the label is forgotten: w points to the wrong side; β from the target"),
            rel=1e-12,
        ),
    )  # fmt: skip
