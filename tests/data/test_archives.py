"""Archives from strangers: sound ones are read in full, hostile and damaged ones are refused."""

import gzip
import io
import stat
import tarfile
import tracemalloc
import zipfile

import pytest

from mstheft.data import archives
from mstheft.data.archives import Limits
from mstheft.errors import DataError

FILES = {"top/a.txt": b"first", "top/empty": b"", "top/deep/b.bin": b"0123456789abcdef" * 144}


def entry(name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def tar(*entries, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def tgz(*entries, form=tarfile.GNU_FORMAT):
    return gzip.compress(tar(*entries, form=form), 1)


def zipped(entries, kind=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def read(tmp_path):
    """Write bytes to a file and read them as an archive."""

    def write_and_read(content, *args, **kwargs):
        path = tmp_path / "archive"
        path.write_bytes(content)
        return list(archives.members(path, *args, **kwargs))

    return write_and_read


SOUND = {
    "gnu": tgz(*(entry(*file) for file in FILES.items())),
    "pax": tgz(*(entry(*file) for file in FILES.items()), form=tarfile.PAX_FORMAT),
    "ustar": tgz(*(entry(*file) for file in FILES.items()), form=tarfile.USTAR_FORMAT),
    "zip": zipped(FILES),
    "zip stored": zipped(FILES, zipfile.ZIP_STORED),
    "two gzip members": b"".join(
        gzip.compress(part)
        for part in (lambda t: (t[:700], t[700:]))(tar(*(entry(*file) for file in FILES.items())))
    ),
}


@pytest.mark.parametrize("kind", SOUND)
def test_sound_archives_are_read_in_order(read, kind):
    assert read(SOUND[kind]) == list(FILES.items())
    assert read(SOUND[kind], lambda name: name.endswith(".bin")) == [list(FILES.items())[2]]
    assert read(SOUND[kind], lambda name: False) == []


LONG = "/".join(["a folder with a long name"] * 12) + "/é.txt"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_folders_and_a_leading_dot(read, form):
    packed = tgz(
        entry("./", type=tarfile.DIRTYPE),
        entry("./top", type=tarfile.DIRTYPE),
        entry("./top/x", b"1"),
        entry(LONG, b"2"),
        entry("y", b"3"),
        form=form,
    )
    assert read(packed) == [("top/x", b"1"), (LONG, b"2"), ("y", b"3")]
    assert read(zipped({"./top/x": b"1", "folder/": b""})) == [("top/x", b"1")]


def test_pax_sizes_and_a_comment_on_the_whole(read):
    info, content = entry("x", b"12345")
    info.pax_headers = {"comment": "anything", "size": "5"}
    assert read(tgz((info, content), form=tarfile.PAX_FORMAT)) == [("x", b"12345")]
    out = io.BytesIO()
    whole = {"comment": "0123456789"}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers=whole) as t:
        t.addfile(tarfile.TarInfo("x"))
    assert read(gzip.compress(out.getvalue())) == [("x", b"")]


OUTSIDE = ["../x", "a/../../x", "/etc/passwd", "C:x", "c:/x", "\\x", "a\\..\\x", "..", "//x"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_that_lead_outside(read, name):
    for packed in (tgz(entry("good", b"1"), entry(name, b"2")), zipped({"good": b"", name: b"2"})):
        # Also where nobody wants it: an archive that tries is not to be trusted.
        for wanted in (None, lambda name: name == "good"):
            with pytest.raises(DataError, match=r"expected names that stay inside .* got '"):
                read(packed, wanted)


def test_a_name_in_an_extended_header_is_judged_too(read):
    info, content = entry("harmless", b"1")
    info.pax_headers = {"path": "../../evil"}
    with pytest.raises(DataError, match=r"stay inside the archive, got '\.\./\.\./evil'"):
        read(tgz((info, content), form=tarfile.PAX_FORMAT))
    long = "/" + "x" * 200
    with pytest.raises(DataError, match="stay inside the archive, got '/xxx"):
        read(tgz(entry(long, b"1")))


KINDS = {
    "hard link": tarfile.LNKTYPE,
    "symbolic link": tarfile.SYMTYPE,
    "character device": tarfile.CHRTYPE,
    "block device": tarfile.BLKTYPE,
    "pipe": tarfile.FIFOTYPE,
    "sparse": tarfile.GNUTYPE_SPARSE,
    "unknown": b"Z",
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_plain_files_and_folders(read, kind):
    odd = entry("odd", type=KINDS[kind], linkname="good")
    with pytest.raises(DataError, match=r"plain files and folders only, got a link, device or spe"):
        read(tgz(entry("good", b"1"), odd), lambda name: name == "good")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFBLK, stat.S_IFIFO])
def test_zip_links_and_devices(read, mode):
    info = zipfile.ZipInfo("odd")
    info.external_attr = (mode | 0o777) << 16
    with pytest.raises(DataError, match="plain files and folders only, got a link or device"):
        read(zipped({info: b"good"}))


def test_zip_encrypted_or_packed_otherwise(read):
    packed = bytearray(zipped({"a": b"text"}))
    packed[packed.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(DataError, match="got an encrypted file called 'a'"):
        read(bytes(packed))
    for kind in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(DataError, match=f"got a file with compression {kind} called 'a'"):
            read(zipped({"a": b"text"}, kind))


@pytest.mark.parametrize("kind", ["gnu", "zip"])
def test_each_limit(read, kind):
    packed, sizes = SOUND[kind], [len(content) for content in FILES.values()]
    nobody = lambda name: False  # noqa: E731
    exact = Limits(members=3, each=max(sizes), total=sum(sizes))
    assert len(read(packed, limits=exact)) == 3
    for wanted in (None, nobody):
        with pytest.raises(DataError, match="expected at most 2 members, got more"):
            read(packed, wanted, limits=Limits(members=2))
        with pytest.raises(DataError, match="at most 2,303 bytes a member, got 2,304 in 'top/deep"):
            read(packed, wanted, limits=Limits(each=max(sizes) - 1))
        with pytest.raises(DataError, match="expected at most 2,308 bytes in all, got more"):
            read(packed, wanted, limits=Limits(total=sum(sizes) - 1))


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
    zeros = bytes((1 << 26) + 1)
    for packed in (gzip.compress(tar(entry("bomb", zeros)), 1), zipped({"bomb": zeros})):
        says = "at most 67,108,864 bytes a member, got 67,108,865 in 'bomb'"
        refused_within(4, read, packed, says)


def test_a_tail_that_goes_on_is_refused(read):
    whole = tar(entry("a", b"1"))
    refused_within(8, read, gzip.compress(whole + bytes(1 << 24), 1), "expected zeros behind the")
    refused_within(8, read, gzip.compress(whole + b"more"), "expected zeros behind the last member")


def headers(kind, size):
    info = tarfile.TarInfo("note")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g"])
def test_a_long_name_that_is_too_long(read, kind):
    """tarfile would read 60 MB as a name."""
    content = gzip.compress(headers(kind, 60_000_000) + bytes(60_000_000), 1)
    refused_within(4, read, content, "extended headers of 65,536 bytes, got 60,000,000")


@pytest.mark.parametrize("size", [-1, -512, 1 << 62])
def test_sizes_that_make_no_sense(read, size):
    info = tarfile.TarInfo("odd")
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = (b"\x80" if size >= 0 else b"\xff") + (size % (1 << 88)).to_bytes(11, "big")
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(DataError, match=r"expected at most 67,108,864 bytes a member, got "):
        read(gzip.compress(bytes(block) + bytes(1024)))


BAD_NOTES = [
    b"xx path=a\n",
    b"9 path=a\n",
    b"99 path=a\n",
    b"12 path=abc;",
    b"0 path=a\n",
    b"\0" * 9,
]


@pytest.mark.parametrize("note", BAD_NOTES)
def test_extended_headers_that_make_no_sense(read, note):
    content = headers(b"x", len(note)) + note.ljust(512, b"\0") + tar(entry("a", b"1"))
    if note == b"9 path=a\n":  # this one is sound
        assert read(gzip.compress(content)) == [("a", b"1")]
        return
    with pytest.raises(DataError, match="expected extended headers 'length key=value'"):
        read(gzip.compress(content))


@pytest.mark.parametrize("note", [b"22 GNU.sparse.major=1\n", b"11 size=-1\n", b"12 size=1e3\n"])
def test_sparse_files_and_odd_sizes_in_extended_headers(read, note):
    content = headers(b"x", len(note)) + note.ljust(512, b"\0") + tar(entry("a", b"1"))
    with pytest.raises(DataError, match="a sparse file or a size that is no number"):
        read(gzip.compress(content))


@pytest.mark.parametrize("kind", ["gnu", "pax", "zip"])
def test_every_truncation_is_noticed(read, kind):
    packed = SOUND[kind]
    for length in range(len(packed)):
        with pytest.raises(DataError, match=r"archive: expected .*, got .*; get the archive again"):
            read(packed[:length])


def test_a_tar_that_was_cut_before_it_was_packed(read):
    """Its gzip is sound. tarfile takes some of these for whole."""
    whole = tar(*(entry(*file) for file in FILES.items()))
    end = len(whole.rstrip(b"\0")) + 512
    for length in range(0, end - 512, 64):
        with pytest.raises(DataError, match="archive: expected "):
            read(gzip.compress(whole[:length], 1))


def test_a_damaged_header_in_the_middle_is_not_the_end(read):
    """tarfile stops there without a word."""
    whole = bytearray(tar(entry("a", b"1"), entry("b", b"2")))
    whole[1024] ^= 1
    with pytest.raises(DataError, match="expected the header of a member, got damaged data"):
        read(gzip.compress(bytes(whole)))


@pytest.mark.parametrize("kind", ["gnu", "zip"])
def test_flipped_content_is_noticed_at_the_latest_at_the_end(read, kind):
    packed = SOUND[kind]
    start = 10 if kind == "gnu" else packed.index(b"top/a.txt") + 9
    for at in range(start, start + 6):  # the 5 bytes of the first member take 50 bits in the zip
        bad = bytearray(packed)
        bad[at] ^= 0x55
        with pytest.raises(DataError, match="archive: expected "):
            read(bytes(bad))


def test_what_is_no_archive(read, tmp_path):
    for content, got in ((b"", "an empty file"), (b"<html>", "3c 68 74 6d"), (b"P", "50")):
        with pytest.raises(DataError, match=rf"expected a \.tar\.gz .* archive, got {got}"):
            read(content)
    with pytest.raises(DataError, match="where there is no file"):
        list(archives.members(tmp_path / "nothing"))
    with pytest.raises(DataError, match="where there is no file"):
        list(archives.members(tmp_path))
    with pytest.raises(DataError, match="expected a whole archive, got damaged data"):
        read(b"PK\3\4" + bytes(100))


def test_members_come_one_at_a_time(tmp_path):
    """What lies behind a bad member was never reached, what lies before it was given out."""
    (tmp_path / "a").write_bytes(tgz(entry("good", b"1"), entry("../bad", b"2")))
    found = archives.members(tmp_path / "a")
    assert next(found) == ("good", b"1")
    with pytest.raises(DataError, match="stay inside"):
        next(found)
