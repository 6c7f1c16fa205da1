"""Archives from strangers: sound ones are read in full, hostile and damaged ones are refused."""

import gzip
import os
import stat
import tarfile
import tracemalloc
import zipfile

import pytest
from archive_files import entry, tar, tgz, zipped

from mstheft.data import archives
from mstheft.errors import DataError

FILES = {"top/a.txt": b"first", "top/empty": b"", "top/deep/b.bin": b"0123456789abcdef" * 144}
WHOLE = tar(*(entry(*file) for file in FILES.items()))
SOUND = {
    "gnu": tgz(FILES),
    "pax": tgz(FILES, tarfile.PAX_FORMAT),
    "zip": zipped(FILES),
    "zip stored": zipped(FILES, zipfile.ZIP_STORED),
}


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read them as an archive, which writes nothing anywhere."""

    def write_and_read(content, *args):
        path = tmp_path / "archive"
        path.write_bytes(content)
        try:
            return list(archives.members(path, *args))
        finally:
            assert os.listdir(tmp_path) == ["archive"]

    return write_and_read


@pytest.mark.parametrize("kind", SOUND)
def test_sound_archives_are_read_in_order(read, kind):
    assert read(SOUND[kind]) == list(FILES.items())
    assert read(SOUND[kind], lambda name: name.endswith(".bin")) == [list(FILES.items())[2]]
    assert read(SOUND[kind], lambda name: False) == []


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_folders_and_a_leading_dot(read, form):
    long = "/".join(["a folder with a long name"] * 12) + "/é.txt"
    folders = [entry(name, type=tarfile.DIRTYPE) for name in ("./", "./top")]
    packed = tar(*folders, entry("./top/x", b"1"), entry(long, b"2"), form=form)
    assert read(gzip.compress(packed)) == [("top/x", b"1"), (long, b"2")]
    assert read(zipped({"./top/x": b"1", "folder/": b""})) == [("top/x", b"1")]


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/passwd", "C:x", "\\x", "a\\..\\x", ".."]
)
def test_names_that_lead_outside(read, name):
    for packed in (tgz({"good": b"1", name: b"2"}), zipped({"good": b"", name: b"2"})):
        # Also where nobody wants it: an archive that tries is not to be trusted.
        for wanted in (lambda name: True, lambda name: name == "good"):
            with pytest.raises(DataError, match=r"expected names that stay inside .* got '"):
                read(packed, wanted)


def test_a_name_in_an_extended_header_is_judged_too(read):
    harmless = entry("harmless", b"1", pax_headers={"path": "../../evil"})
    with pytest.raises(DataError, match=r"stay inside the archive, got '\.\./\.\./evil'"):
        read(gzip.compress(tar(harmless, form=tarfile.PAX_FORMAT)))
    with pytest.raises(DataError, match="stay inside the archive, got '/xxx"):
        read(tgz({"/" + "x" * 200: b"1"}))


KINDS = {
    "hard link": tarfile.LNKTYPE,
    "symbolic link": tarfile.SYMTYPE,
    "character device": tarfile.CHRTYPE,
    "pipe": tarfile.FIFOTYPE,
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_files_and_folders(read, kind):
    odd = entry("odd", type=KINDS[kind], linkname="good")
    with pytest.raises(DataError, match=r"plain files .* got 'odd' .* of another kind"):
        read(gzip.compress(tar(entry("good", b"1"), odd)), lambda name: name == "good")


def test_zip_links_encrypted_files_and_other_compressions(read):
    link = zipfile.ZipInfo("odd")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    encrypted = bytearray(zipped({"odd": b"text"}))
    encrypted[encrypted.index(b"PK\1\2") + 8] |= 1
    packed_otherwise = zipped({"odd": b"text"}, zipfile.ZIP_BZIP2)
    for packed in (zipped({link: b"good"}), bytes(encrypted), packed_otherwise):
        with pytest.raises(DataError, match=r"got 'odd' .* of another kind"):
            read(packed)


@pytest.mark.parametrize("kind", ["gnu", "zip"])
def test_each_limit(read, kind, monkeypatch):
    content = FILES["top/deep/b.bin"]  # the last and largest of three
    in_all = WHOLE.index(content) + len(content) if kind == "gnu" else len(content) + 5
    limits = {"MOST_MEMBERS": 3, "MOST_IN_ONE": len(content), "MOST_IN_ALL": in_all}
    for name, limit in limits.items():
        for wanted in (lambda name: True, lambda name: False):
            with monkeypatch.context() as patch:
                patch.setattr(archives, name, limit - 1)
                says = rf"at most .*{limit - 1:,}\b.*, got 'top/deep/b.bin' of 2,304 bytes"
                with pytest.raises(DataError, match=says):
                    read(SOUND[kind], wanted)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    assert len(read(SOUND[kind])) == 3


def refused_within(megabytes, read, packed, says):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=says):
            read(packed)
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
    finally:
        tracemalloc.stop()


def test_bombs_are_not_unpacked(read):
    """65 MB of zeros in 65 KB, one more byte than a member may have: refused by its header."""
    bomb = {"bomb": bytes((1 << 26) + 1)}
    for packed in (tgz(bomb), zipped(bomb)):
        refused_within(4, read, packed, "at most .* got 'bomb' of 67,108,865 bytes")


def headers(kind, size):
    info = tarfile.TarInfo("note")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g"])
def test_a_long_name_that_is_too_long(read, kind):
    """tarfile alone would read 68 MB as a name."""
    content = gzip.compress(headers(kind, 68_000_000) + bytes(68_000_000), 1)
    refused_within(4, read, content, "got a part of 68000256 bytes")


def test_a_tail_that_goes_on_is_refused(read, monkeypatch):
    monkeypatch.setattr(archives, "MOST_IN_ALL", 4_000_000)
    refused_within(8, read, gzip.compress(WHOLE + bytes(1 << 24), 1), "more behind its last member")


@pytest.mark.parametrize("size", [-1, -512, 1 << 62])
def test_sizes_that_make_no_sense(read, size):
    block = bytearray(tarfile.TarInfo("odd").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = (b"\x80" if size >= 0 else b"\xff") + (size % (1 << 88)).to_bytes(11, "big")
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(DataError, match=r"archive: expected "):
        read(gzip.compress(bytes(block) + bytes(1024)))


@pytest.mark.parametrize("kind", ["gnu", "pax", "zip"])
def test_every_truncation_is_noticed(read, kind):
    packed = SOUND[kind]
    for length in range(len(packed)):
        with pytest.raises(DataError, match=r"archive: expected .*, got .*; get the file again"):
            read(packed[:length])


def test_a_damaged_header_in_the_middle_is_not_the_end(read):
    whole = bytearray(tar(entry("a", b"1"), entry("b", b"2")))
    whole[1024] ^= 1
    with pytest.raises(DataError, match="got more behind its last member"):
        read(gzip.compress(bytes(whole)))


def test_what_is_no_archive(read, tmp_path):
    for content in (b"", b"<html>", b"P", b"PK\3\4" + bytes(100)):
        with pytest.raises(DataError, match=r"expected a whole \.tar\.gz or \.zip archive, got "):
            read(content)
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(DataError, match=r"expected a whole .* got .*(No such|directory)"):
            list(archives.members(path))
