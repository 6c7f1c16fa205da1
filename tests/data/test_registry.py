"""The registry finds files where people put them, believes nothing unchecked, and downloads."""

import contextlib
import errno
import hashlib
import http.server
import io
import os
import re
import sys
import threading
from pathlib import Path

import pytest

from mstheft.data import registry
from mstheft.errors import DataError

CONTENT = bytes(range(256)) * 400  # 102,400 bytes, which take pooch two turns
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
NAME, COMPLETE = "set/file.bin", "set/complete.bin"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder with one sound file, a subset of a complete one that is not there."""
    use(
        monkeypatch,
        registry.DataFile(COMPLETE, 4, "all", "md5:" + "0" * 32, "https://example.org/c"),
        registry.DataFile(NAME, len(CONTENT), "some", SHA256),
    )
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    (tmp_path / "set").mkdir()
    (tmp_path / NAME).write_bytes(CONTENT)
    return tmp_path


def use(monkeypatch, *files):
    monkeypatch.setattr(registry, "SETS", {"some set": files})
    monkeypatch.setattr(registry, "FILES", {file.name: file for file in files})
    monkeypatch.setattr(registry, "_checked", set())


def test_the_first_file_that_is_there(data):
    assert registry.find(NAME) == data / NAME
    assert registry.find(COMPLETE, NAME) == data / NAME
    (data / COMPLETE).write_bytes(b"1234")
    # It is there and differs: an error, where falling back to the subset would hide it.
    with pytest.raises(DataError, match=r"complete.bin: expected md5:0000.*, got md5:81dc9b"):
        registry.find(COMPLETE, NAME)


def test_a_missing_file_is_named_with_what_to_do(data):
    (data / NAME).unlink()
    (data / NAME).mkdir()  # a folder in its place is not the file
    says = f"expected {COMPLETE} or {NAME} in {re.escape(str(data))}, .* fetch some set`, or set "
    with pytest.raises(DataError, match=says + "MSTHEFT_DATA"):
        registry.find(COMPLETE, NAME)
    with pytest.raises(DataError, match="got none; set MSTHEFT_DATA"):
        registry.find(NAME)


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"!", b"", CONTENT.upper()])
def test_a_file_that_differs_is_refused(data, content):
    (data / NAME).write_bytes(content)
    with pytest.raises(DataError, match=f"expected {SHA256[:23]}…, got sha256:.*; delete"):
        registry.find(NAME)


def test_a_file_is_read_once_until_it_changes(data, monkeypatch):
    reads = []
    checksum = registry._checksum
    monkeypatch.setattr(registry, "_checksum", lambda *a: reads.append(a) or checksum(*a))
    for _ in range(3):
        registry.find(NAME)
    assert len(reads) == 1
    (data / NAME).write_bytes(CONTENT[::-1])
    os.utime(data / NAME, ns=(1, 1))
    for _ in range(2):  # a bad file never becomes a good one
        with pytest.raises(DataError, match="expected sha256"):
            registry.find(NAME)
    assert len(reads) == 3


PLACES = {
    "mnist/train-images-idx3-ubyte.gz": (
        *("mnist/train-images-idx3-ubyte.gz", "mnist/train-images.idx3-ubyte.gz"),
        *("MNIST/raw/train-images-idx3-ubyte.gz", "MNIST/raw/train-images.idx3-ubyte.gz"),
    ),
    "mnist/t10k-labels-idx1-ubyte": (
        *("mnist/t10k-labels.idx1-ubyte", "MNIST/raw/t10k-labels-idx1-ubyte"),
    ),
    "cifar10/cifar-10-batches-py/data_batch_4": ("cifar-10-batches-py/data_batch_4",),
    "cifar10/cifar-10-python.tar.gz": ("cifar-10-python.tar.gz",),
}


@pytest.mark.parametrize("name", PLACES)
def test_files_are_found_where_torchvision_and_others_put_them(put, name, tmp_path):
    for place in PLACES[name]:
        path = put(name, place.encode(), at=place)
        assert registry.find(name) == path
        path.write_bytes(b"other")
        with pytest.raises(DataError, match=f"{re.escape(place)}: expected sha256"):
            registry.find(name)
        path.unlink()
    assert registry.locate(name) is None


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"MSTHEFT_DATA": "/there"}, "/there"),
        ("linux", {"MSTHEFT_DATA": "~/there"}, "/home/me/there"),
        ("linux", {"XDG_CACHE_HOME": "not/absolute"}, "/home/me/.cache/mstheft"),
        ("darwin", {"XDG_CACHE_HOME": "/cache"}, "/home/me/Library/Caches/mstheft"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/mstheft/Cache"),
        ("win32", {}, "/home/me/AppData/Local/mstheft/Cache"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the expected paths are written as POSIX has them")
def test_folder(monkeypatch, platform, variables, expected):
    for name in ("MSTHEFT_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(registry.sys, "platform", platform)
    assert registry.folder() == Path(expected)


def test_listing_looks_and_verify_reads_everything_anew(data, monkeypatch):
    complete, some = registry.listing()
    assert (complete.data_set, complete.path) == ("some set", data / COMPLETE)
    assert (complete.is_present, some.is_present, some.is_checked) == (False, True, False)
    [row] = registry.verify()
    assert (row.path, row.is_checked, row.problem) == (data / NAME, True, None)
    stamp = (data / NAME).stat()
    (data / NAME).write_bytes(CONTENT[::-1])  # of the same size, and with the same time of change
    os.utime(data / NAME, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    [row] = registry.verify()
    assert f"expected {SHA256[:23]}" in row.problem
    use(monkeypatch, registry.DataFile(NAME, None, "no checksum"))
    [row] = registry.verify()
    assert (row.is_checked, row.problem) == (False, None)


def test_the_table_is_well_formed():
    assert len(registry.FILES) == sum(map(len, registry.SETS.values())) == 33
    for name, file in registry.FILES.items():
        assert re.fullmatch(r"(mnist|cifar10|gtsrb|text|thief)/[\w/.-]+", name)
        original = "text/rt-polaritydata-original.tar.gz"  # the only one without a checksum
        checksum = re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", file.checksum or "")
        assert bool(checksum) == (name != original)
        assert re.match("[0-9a]", file.holds) or "labels" in file.holds
        assert re.fullmatch(r"https?://\S+", file.address or "http://nowhere")
    assert len({file.address for file in registry.FILES.values() if file.address}) == 14


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends what is next in `server.script`, or what is left of it for ever: status and bytes."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.requests.append(dict(self.headers))
        script = self.server.script
        status, content, announced = script.pop(0) if len(script) > 1 else script[0]
        self.send_response(status)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the other side may have had enough
            self.wfile.write(content)


GOOD = (200, CONTENT, len(CONTENT))
BROKEN = {
    "cut short": (200, CONTENT[:1000], len(CONTENT)),
    "damaged": (200, CONTENT[:-1] + b"\0", len(CONTENT)),
    "another page": (200, b"<html>", 6),
    "not found": (404, b"", 0),
    "busy": (503, b"", 0),
}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server on this machine for a data set of one file and of a subset without an address."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path / "data"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.script, server.requests = [GOOD], []
        address = f"http://127.0.0.1:{server.server_port}/file.bin"
        use(
            monkeypatch,
            registry.DataFile(NAME, len(CONTENT), "all", SHA256, address),
            registry.DataFile("set/subset", 3, "some", SHA256),
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def installed():
    """What a download left, the unfinished files too."""
    return {p.name: p.read_bytes() for p in registry.folder().glob("**/*") if p.is_file()}


def test_fetch_downloads_once(server, capfd):
    path = registry.folder() / NAME
    assert registry.fetch("some set") == registry.fetch(NAME) == [path]
    assert installed() == {"file.bin": CONTENT}
    [headers] = server.requests
    assert headers["Accept-Encoding"] == "identity"
    assert capfd.readouterr() == ("", "")


def test_fetch_shows_a_bar_to_who_wants_one(server, capfd):
    with registry.progress.shown():
        registry.fetch(NAME)
    assert "102k/102k" in capfd.readouterr().err


@pytest.mark.parametrize("name", BROKEN)
def test_what_passes_is_forgotten_and_what_stays_installs_nothing(server, name):
    server.script = [BROKEN[name], GOOD]
    registry.fetch(NAME)
    assert installed() == {"file.bin": CONTENT}
    (registry.folder() / NAME).unlink()
    server.script = [BROKEN[name]]
    with pytest.raises(DataError, match=r"cannot download http://127.0.0.1.*; nothing was inst"):
        registry.fetch(NAME)
    assert installed() == {}
    assert len(server.requests) == 2 + 1 + registry._RETRIES


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_ctrl_c_and_a_full_disk_leave_nothing(server, monkeypatch, error):
    class Disk(io.FileIO):
        def write(self, chunk):
            if self.tell():
                raise error
            return super().write(chunk)

    monkeypatch.setattr("pooch.downloaders.open", Disk, raising=False)
    with pytest.raises((KeyboardInterrupt, DataError)) as caught:
        registry.fetch(NAME)
    assert isinstance(error, KeyboardInterrupt) or "No space left" in str(caught.value)
    assert installed() == {}
    assert len(server.requests) == 1


def test_fetch_does_not_replace_what_differs(server):
    (registry.folder() / "set").mkdir(parents=True)
    (registry.folder() / NAME).write_bytes(b"my own")
    with pytest.raises(DataError, match="expected sha256"):
        registry.fetch("some set")
    assert installed() == {"file.bin": b"my own"}
    assert server.requests == []


def test_fetch_of_what_cannot_be_fetched(server, monkeypatch):
    with pytest.raises(DataError, match=r"expected a data set \(some set\), got 'other'"):
        registry.fetch("other")
    with pytest.raises(DataError, match=r"set/subset has no public address; put set/subset into"):
        registry.fetch("set/subset")
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match=r"pip install 'mstheft\[data\]'$"):
        registry.fetch(NAME)


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(DataError, match="cannot download"):
        registry.fetch(NAME)


@pytest.mark.realdata
def test_real_files_are_the_published_ones_and_every_set_is_here_in_some_form():
    rows = list(registry.verify())
    assert not [row.problem for row in rows if row.problem]
    assert {row.data_set for row in rows} == set(registry.SETS)
