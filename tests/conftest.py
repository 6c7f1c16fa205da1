"""What every test shares: real data only where it is there, the same examples in every run."""

import os

import pytest
from hypothesis import settings

settings.register_profile("mstheft", derandomize=True, deadline=None, database=None)
settings.load_profile("mstheft")


def pytest_configure(config):
    """Workers inherit this: one process a core, for more BLAS threads only wait for one another."""
    if config.getoption("numprocesses", None):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("MSTHEFT_DATA"):
        return
    skip = pytest.mark.skip(reason="set MSTHEFT_DATA to the folder that holds mnist/ and the rest")
    for item in items:
        if "realdata" in item.keywords:
            item.add_marker(skip)


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """run(*arguments) -> (status, what it printed, what it complained of), in an empty folder."""
    from mstheft import cli

    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        status = cli.main([str(each) for each in arguments])
        return (status, *capsys.readouterr())

    return call
