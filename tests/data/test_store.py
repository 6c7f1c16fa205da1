"""The store finds files, says where it looked, and believes nothing unchecked."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from mstheft.data import store
from mstheft.errors import DataError

CONTENT = b"what was published"
GOOD = {
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "md5": hashlib.md5(CONTENT).hexdigest(),
}
NAME = "set/file.bin"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder with one known, good file."""
    known = store.KnownFile(NAME, "https://example.org/file.bin", len(CONTENT), **GOOD)
    monkeypatch.setattr(store, "KNOWN", {NAME: known})
    monkeypatch.setattr(store, "_checked", set())
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path))
    (tmp_path / "set").mkdir()
    (tmp_path / NAME).write_bytes(CONTENT)
    return tmp_path


def test_find_returns_the_checked_file(data):
    assert store.find(NAME) == data / NAME


def test_find_names_the_known_files(data):
    with pytest.raises(DataError, match=r"called 'set/other'.*set/file\.bin"):
        store.find("set/other")


def test_find_says_where_it_looked_and_what_to_do(data, monkeypatch):
    (data / NAME).unlink()
    expected = f"{re.escape(str(data))} .MSTHEFT_DATA is set to that folder.*example.org/file.bin"
    with pytest.raises(DataError, match=expected):
        store.find(NAME)
    monkeypatch.delenv("MSTHEFT_DATA")
    monkeypatch.setattr(store, "folder", lambda: data)
    with pytest.raises(DataError, match=r"MSTHEFT_DATA is not set.*set MSTHEFT_DATA to a folder"):
        store.find(NAME)


def test_a_folder_in_the_place_of_a_file_is_not_the_file(data):
    (data / NAME).unlink()
    (data / NAME).mkdir()
    with pytest.raises(DataError, match="not there"):
        store.find(NAME)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (CONTENT[:-1], "expected size in bytes 18, got 17"),
        (CONTENT + b"!", "expected size in bytes 18, got 19"),
        (b"", "expected size in bytes 18, got 0"),
        (CONTENT.upper(), f"expected sha256 {GOOD['sha256']}, got "),
    ],
)
def test_find_refuses_a_file_that_differs(data, content, says):
    (data / NAME).write_bytes(content)
    with pytest.raises(DataError, match=says):
        store.find(NAME)


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_check_compares_each_checksum(data, kind):
    store.check(data / NAME, **{kind: GOOD[kind].upper()})
    with pytest.raises(DataError, match=f"expected {kind} 00ff, got {GOOD[kind]}"):
        store.check(data / NAME, **{kind: "00ff"})
    both = {**GOOD, kind: "00ff"}
    with pytest.raises(DataError, match=f"expected {kind} 00ff"):
        store.check(data / NAME, **both)


def test_check_needs_something_to_compare_with(data):
    with pytest.raises(ValueError, match="give sha256= or md5="):
        store.check(data / NAME, size=18)


def test_check_of_what_cannot_be_read(data):
    with pytest.raises(DataError, match=r"cannot read .*No such file"):
        store.check(data / "nothing", md5=GOOD["md5"])
    with pytest.raises(DataError, match="cannot read"):
        store.check(data, md5=GOOD["md5"])


def test_a_file_is_read_once_until_it_changes(data, monkeypatch):
    reads = []
    digests = store._digests
    monkeypatch.setattr(store, "_digests", lambda *a: reads.append(a) or digests(*a))
    for _ in range(3):
        store.find(NAME)
    assert len(reads) == 1
    (data / NAME).write_bytes(CONTENT.upper())
    os.utime(data / NAME, ns=(1, 1))
    for _ in range(2):  # a bad file never becomes a good one
        with pytest.raises(DataError, match="not the published file"):
            store.find(NAME)
    with pytest.raises(DataError, match="expected size in bytes 99"):
        store.check(data / NAME, size=99, **GOOD)
    assert len(reads) == 3


def test_a_checked_file_still_has_to_have_the_size_asked_for(data):
    store.check(data / NAME, **GOOD)
    with pytest.raises(DataError, match="expected size in bytes 99, got 18"):
        store.check(data / NAME, size=99, **GOOD)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"MSTHEFT_DATA": "/there"}, "/there"),
        ("linux", {"MSTHEFT_DATA": "~/there"}, "/home/me/there"),
        ("win32", {"MSTHEFT_DATA": "/there"}, "/there"),
        ("linux", {}, "/home/me/.cache/mstheft"),
        ("linux", {"MSTHEFT_DATA": ""}, "/home/me/.cache/mstheft"),
        ("linux", {"XDG_CACHE_HOME": "/cache"}, "/cache/mstheft"),
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
    monkeypatch.setattr(store.sys, "platform", platform)
    assert store.folder() == Path(expected)


@pytest.fixture
def two(data, monkeypatch):
    """The same, and the complete set that it is a subset of, which is not there."""
    complete = store.KnownFile("set/complete.bin", "https://example.org/c", 4, md5="0" * 32)
    sets = {"some set": (complete, store.KNOWN[NAME])}
    monkeypatch.setattr(store, "SETS", sets)
    monkeypatch.setattr(store, "KNOWN", {f.name: f for f in sets["some set"]})
    return data


def test_the_first_that_is_there_is_found(two, monkeypatch):
    names = ("set/complete.bin", NAME)
    assert store.find_any(*names) == two / NAME
    (two / "set/complete.bin").write_bytes(b"1234")
    # It is there and differs: an error, where falling back to the subset would hide it.
    with pytest.raises(DataError, match=r"complete.bin is not .* expected md5 0000.*, got 81dc9b"):
        store.find_any(*names)
    (two / "set/complete.bin").unlink()
    (two / NAME).unlink()
    says = r"expected set/complete.bin or set/file.bin in .*holds set/file.bin, or put .*/c at .*"
    with pytest.raises(DataError, match=says + r"`mstheft data fetch some set` does that"):
        store.find_any(*names)
    with pytest.raises(DataError, match="no known data file is called 'x'"):
        store.find_any(NAME, "x")


def test_a_file_without_a_checksum_is_believed(two, monkeypatch):
    monkeypatch.setattr(store, "KNOWN", {NAME: store.KnownFile(NAME, None)})
    (two / NAME).write_bytes(b"anything")
    assert store.find(NAME) == two / NAME


def test_listing_says_what_is_here(two):
    complete, here = store.listing()
    assert (complete.belongs_to, complete.path) == ("some set", two / "set/complete.bin")
    assert (complete.here, here.here) == (False, True)
    assert here.file is store.KNOWN[NAME]
    assert not here.checked
    (two / NAME).write_bytes(b"damaged")
    assert store.listing()[1].here  # it looks at names only


def test_verify_reads_everything_anew(two, monkeypatch):
    [row] = store.verify()
    assert (row.path, row.checked, row.problem) == (two / NAME, True, None)
    stamp = (two / NAME).stat()
    (two / NAME).write_bytes(CONTENT.upper())  # of the same size, and with the same time of change
    os.utime(two / NAME, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    [row] = store.verify()
    assert re.search(f"is not the published file: expected sha256 {GOOD['sha256']}", row.problem)
    (two / "set/complete.bin").write_bytes(b"12345")
    assert [bool(row.problem) for row in store.verify()] == [True, True]
    monkeypatch.setattr(store, "SETS", {"a": (store.KnownFile(NAME, None),)})
    monkeypatch.setattr(store, "KNOWN", {NAME: store.KnownFile(NAME, None)})
    [row] = store.verify()
    assert (row.checked, row.problem) == (False, None)


def test_the_table_is_well_formed():
    assert len(store.KNOWN) == sum(map(len, store.SETS.values())) == 23
    for name, file in store.KNOWN.items():
        assert file.name == name
        assert re.fullmatch(r"(mnist|cifar10|gtsrb|text|thief)/[\w/.-]+", name)
        assert file.size is None or file.size > 0
        assert file.md5 is None or re.fullmatch("[0-9a-f]{32}", file.md5)
        assert file.sha256 is None or re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert re.match("[0-9a]", file.holds) or "labels" in file.holds
        if file.address:
            assert re.fullmatch(r"https?://\S+", file.address)
            # The original of MR has other bytes than the file in UTF-8, so another name.
            assert file.address.rsplit("/", 1)[1].split(".")[0] in name
            assert file.md5 or file.name == "text/rt-polaritydata-original.tar.gz"
        else:
            assert file.size
            assert file.sha256
    addresses = [file.address for file in store.KNOWN.values() if file.address]
    assert len(set(addresses)) == len(addresses) == 14


@pytest.mark.realdata
@pytest.mark.parametrize("name", store.KNOWN)
def test_real_files_are_the_published_ones(name):
    if not (store.folder() / name).exists():
        pytest.skip("not in this data folder")
    assert store.find(name).is_file()


@pytest.mark.realdata
def test_every_data_set_is_here_in_some_form():
    rows = [row for row in store.listing() if row.here]
    assert {row.belongs_to for row in rows} == set(store.SETS)
