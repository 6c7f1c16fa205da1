"""A data folder of the test's own."""

import hashlib

import pytest

from mstheft.data import registry


@pytest.fixture
def put(tmp_path, monkeypatch):
    """put(name, content, at=name) writes a data file whose checksum is the registered one."""
    monkeypatch.setattr(registry, "FILES", dict(registry.FILES))
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))

    def write(name, content, at=None):
        path = tmp_path / (at or name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        checksum = "sha256:" + hashlib.sha256(content).hexdigest()
        registry.FILES[name] = registry.DataFile(name, len(content), "", checksum)
        return path

    return write
