"""Write the known-answer vectors: python tests/vectors/write.py [FOLDER]."""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SUBJECTS = (
    "activations",
    "adversarial",
    "boundary",
    "deep",
    "detection",
    "equations",
    "kinks",
    "labels",
    "learning",
    "losses",
    "networks",
    "polish",
    "privacy",
    "responses",
    "scoring",
    "selection",
    "signs",
    "smooth",
    "sweep",
    "symmetry",
)


def main(folder):
    from exact import text

    for name in SUBJECTS:
        found = importlib.import_module(name).build()
        (folder / f"{name}.json").write_text(text(found), encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[1] / "mstheft" / "vectors")
