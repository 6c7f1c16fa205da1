"""What every check is given: the learner's functions, and a fresh generator of inputs.

pytest tutorials/checks                        judges tutorials/exercises
MSTHEFT_LEARNER=folder pytest tutorials/checks judges the files of that folder
MSTHEFT_SEED=7 pytest tutorials/checks         draws the same inputs again
"""

import os
import secrets
from pathlib import Path

import numpy as np
import pytest

from mstheft.course import learner as learners
from mstheft.course import manifest


@pytest.fixture(scope="session")
def seed():
    """The seed of all inputs of this run."""
    given = os.environ.get("MSTHEFT_SEED")
    return int(given) if given else secrets.randbelow(10**6)


@pytest.fixture
def rng(seed):
    """A generator of inputs that nobody can know beforehand."""
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def learner(request, seed):
    """The learner's functions of the exercise whose check this is."""
    here = Path(__file__).resolve().parent
    lesson = manifest.find(here.parent).named(Path(request.path).stem.removeprefix("test_"))
    given = Path(os.environ.get("MSTHEFT_LEARNER") or lesson.exercise)
    path = given / lesson.exercise.name if given.is_dir() else given
    judged = learners.Learner(lesson, path, seed, walled=os.environ.get("MSTHEFT_WALL") == "1")
    yield judged
    judged.close()
