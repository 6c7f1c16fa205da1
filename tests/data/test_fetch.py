"""Downloads against a server on this machine that does everything a network can do wrong."""

import contextlib
import errno
import hashlib
import http.server
import os
import re
import threading
from pathlib import Path

import pytest

from mstheft.data import fetch, http_get, sources, store
from mstheft.errors import DataError

CONTENT = bytes(range(256)) * 12_000  # 3,072,000 bytes, so that progress of a megabyte exists
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by what is left of `server.script`: one entry a request, the last one for ever."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, dict(self.headers)))
        move = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        self.close_connection = True
        with contextlib.suppress(ConnectionError):  # the other side may have had enough
            getattr(self, move[0])(*move[1:])

    def head(self, code, **headers):
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.send_header("Connection", "close")
        self.end_headers()

    def whole(self, content=CONTENT, sent=None, **headers):
        """All of it, whatever was asked for; `sent` bytes only, if given."""
        self.head(200, Content_Length=len(content), **headers)
        self.wfile.write(content[:sent])

    def good(self, content=CONTENT, sent=None, tag='"one"', stall=False):
        """An orderly server, which stops after `sent` bytes if told so."""
        headers = {"ETag": tag} if tag else {}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or self.headers.get("If-Range", tag) != tag:
            self.whole(content, sent, **headers)
        elif int(asked[1]) >= len(content):
            self.head(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
        else:
            start = int(asked[1])
            range_ = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.head(206, Content_Range=range_, Content_Length=len(content) - start, **headers)
            self.wfile.write(content[start:][:sent])
        if stall:
            self.server.released.wait(10)

    def code(self, code, **headers):
        self.head(code, Content_Length=0, **headers)

    def to(self, address, code=302):
        self.head(code, Location=address, Content_Length=0)

    def partial(self, range_, content):
        self.head(206, Content_Range=range_, Content_Length=len(content))
        self.wfile.write(content)

    def unannounced(self, content):
        self.head(200)
        self.wfile.write(content)

    def chunked(self, content, end=True):
        self.head(200, Transfer_Encoding="chunked")
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content) + (b"0\r\n\r\n" if end else b""))

    def silent(self):
        self.server.released.wait(10)

    def rubbish(self):
        self.wfile.write(b"what?\r\n\r\n")

    def nothing(self):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.script, server.asked = [("good",)], []
        server.released = threading.Event()
        server.address = f"http://127.0.0.1:{server.server_port}/file.bin"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are counted instead of waited for."""
    waited = []
    monkeypatch.setattr(fetch.time, "sleep", waited.append)
    monkeypatch.setattr(http_get, "_TIMEOUT", 0.3)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return waited


@pytest.fixture
def get(server, tmp_path):
    """Download the file by a script of answers."""
    path = tmp_path / "set" / "file.bin"

    def download(*script, **known):
        server.script = list(script)
        known = known or {"size": len(CONTENT), "sha256": SHA256, "md5": MD5}
        return fetch.download(server.address, path, **known)

    download.path, download.part = path, path.with_name("file.bin.part")
    download.tag = path.with_name("file.bin.part.tag")
    return download


def installed(get):
    """The file is there, whole, and alone."""
    return get.path.read_bytes() == CONTENT and os.listdir(get.path.parent) == ["file.bin"]


def leave(get, content, tag=None):
    """An earlier download left this."""
    get.part.parent.mkdir()
    get.part.write_bytes(content)
    if tag:
        get.tag.write_text(tag)


def test_a_plain_download(get, server, quick):
    assert get(("good",)) == get.path
    assert installed(get)
    assert quick == []
    [(path, headers)] = server.asked
    assert path == "/file.bin"
    assert "Range" not in headers
    assert headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("known", [{"sha256": SHA256}, {"md5": MD5}, {"size": len(CONTENT)}])
def test_whatever_is_known_is_enough(get, known):
    get(("good",), **known)
    assert installed(get)


@pytest.mark.parametrize("move", [("unannounced", CONTENT), ("chunked", CONTENT)])
def test_a_server_that_does_not_announce_a_length(get, move):
    get(move, sha256=SHA256)
    assert installed(get)


def test_a_broken_download_goes_on_where_it_stopped(get, server, quick):
    get(("good", CONTENT, 1000), ("good", CONTENT, 10), ("good",))
    assert installed(get)
    assert [headers.get("Range") for _, headers in server.asked] == [
        None,
        "bytes=1000-",
        "bytes=1010-",
    ]
    assert server.asked[1][1]["If-Range"] == '"one"'
    assert quick == [1, 2]


def test_a_megabyte_more_is_worth_another_try_at_once(get, server, quick):
    get(*[("good", CONTENT, 1 << 20)] * 2, ("good",))
    assert installed(get)
    assert len(server.asked) == 3
    assert quick == []


def test_an_earlier_download_is_continued(get, server):
    leave(get, CONTENT[:1_000_000], '"one"')
    get(("good",))
    assert installed(get)
    [(_, headers)] = server.asked
    assert (headers["Range"], headers["If-Range"]) == ("bytes=1000000-", '"one"')


def test_an_earlier_download_without_a_tag_is_continued_if_a_checksum_guards_it(get, server):
    leave(get, CONTENT[:1_000_000])
    get(("good", CONTENT, None, None))
    assert installed(get)
    assert server.asked[0][1]["Range"] == "bytes=1000000-"
    assert "If-Range" not in server.asked[0][1]


def test_without_tag_and_checksum_it_starts_anew(get, server):
    leave(get, b"of another version")
    get(("good",), size=len(CONTENT))
    assert installed(get)
    assert "Range" not in server.asked[0][1]


def test_a_file_that_changed_in_between_is_fetched_whole(get, server):
    leave(get, b"an old version", '"zero"')
    get(("good",))
    assert installed(get)
    assert len(server.asked) == 1


def test_a_date_serves_as_tag_and_a_weak_one_does_not(get):
    date = "Mon, 01 Jan 2024 00:00:00 GMT"
    for headers, tag in (
        ({"Last_Modified": date}, date),
        ({"ETag": 'W/"x"', "Last_Modified": date}, date),
        ({"ETag": '"x"', "Last_Modified": date}, '"x"'),
        ({"ETag": 'W/"x"'}, None),
    ):
        Handler.cut_with = lambda self, headers=headers: self.whole(CONTENT, 99, **headers)
        with pytest.raises(DataError, match="only 99 of 3,072,000 bytes"):
            get(("cut_with",))
        assert (get.tag.read_text() if get.tag.exists() else None) == tag
        get.part.unlink()
        get.tag.unlink(missing_ok=True)


def test_a_server_that_ignores_ranges(get, server):
    leave(get, b"x" * 1000, '"zero"')
    get(("whole",))
    assert installed(get)
    assert "Range" in server.asked[0][1]


def test_two_halves_of_different_files_are_noticed(get, server):
    """The server says it has not changed, but the bytes say so: once more, in one go."""
    leave(get, b"x" * 1000, '"one"')
    get(("good",))
    assert installed(get)
    assert [headers.get("Range") for _, headers in server.asked] == ["bytes=1000-", None]


def test_a_complete_part_is_installed(get, server):
    leave(get, CONTENT, '"one"')
    get(("good",))
    assert installed(get)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [("good",), ("code", 416)])
def test_a_part_that_is_too_long_is_thrown_away(get, answer, server, quick):
    leave(get, CONTENT + b"more", '"one"')
    get(answer, ("good",))
    assert installed(get)
    assert quick == [1]  # noticed at once, not by its checksum


@pytest.mark.parametrize("range_", ["bytes 0-9/3072000", "bytes 2000-3071999/3072000", "what?", ""])
def test_another_range_than_asked_for(get, range_, server, quick):
    leave(get, CONTENT[:1000], '"one"')
    get(("partial", range_, b"0123456789"), ("good",))
    assert installed(get)
    assert "Range" not in server.asked[1][1]
    assert quick == [1]


def test_a_range_that_nobody_asked_for(get):
    get(("partial", "bytes 0-3071999/3072000", CONTENT), ("good",))
    assert installed(get)


def test_a_range_without_a_total(get):
    leave(get, CONTENT[:1000], '"one"')
    get(("partial", f"bytes 1000-{len(CONTENT) - 1}/*", CONTENT[1000:]), sha256=SHA256)
    assert installed(get)


def test_a_corrupt_file_is_not_installed(get, server):
    bad = CONTENT[:-1] + b"\0"
    says = rf"expected the published file, .*expected sha256 {SHA256}, got .*nothing was installed"
    with pytest.raises(DataError, match=says):
        get(("good", bad))
    assert os.listdir(get.path.parent) == []
    assert len(server.asked) == 1
    with pytest.raises(DataError, match=f"expected md5 {MD5}"):
        get(("good", bad), md5=MD5)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!", b"<html>Sign in</html>"])
def test_another_size_is_refused_before_it_is_downloaded(get, content):
    says = f"expected 3,072,000 bytes as published, got an announcement of {len(content):,}"
    with pytest.raises(DataError, match=says):
        get(("good", content))
    assert os.listdir(get.path.parent) == []


def test_more_than_announced_is_cut_off(get, quick):
    with pytest.raises(DataError, match="got more bytes than announced, 5 times"):
        get(("unannounced", CONTENT + b"!"))
    assert os.listdir(get.path.parent) == []
    assert len(quick) == 4


def test_an_endless_file_of_unknown_size_is_cut_off(get, monkeypatch):
    monkeypatch.setattr(fetch, "_MOST_BYTES", 1_000_000)
    with pytest.raises(DataError, match="more bytes than announced"):
        get(("unannounced", CONTENT), sha256=SHA256)
    assert os.listdir(get.path.parent) == []


BROKEN = {
    "truncated": (("whole", CONTENT, 1000), "only 1,000 of 3,072,000 bytes"),
    "truncated chunks": (("chunked", CONTENT[:1000], False), "a broken connection"),
    "stalls in the middle": (("good", CONTENT, 1000, None, True), "nothing for 0.3 seconds"),
    "never answers": (("silent",), "nothing for 0.3 seconds"),
    "hangs up": (("nothing",), "a broken connection"),
    "is no web server": (("rubbish",), "a broken connection"),
    "500": (("code", 500), "HTTP 500 Internal Server Error"),
    "503": (("code", 503), "HTTP 503 Service Unavailable"),
    "429": (("code", 429), "HTTP 429 Too Many Requests"),
    "204": (("code", 204), "HTTP 204 No Content"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_may_pass_is_tried_again_and_given_up_in_the_end(get, quick, server, name):
    move, says = BROKEN[name]
    with pytest.raises(DataError, match=rf"expected the file, got {says}.*, 5 times; check the ne"):
        get(move)
    assert quick == [1, 2, 4, 8]
    assert not get.path.exists()
    get(("good",))  # what was left over does not hurt
    assert installed(get)


@pytest.mark.parametrize("name", BROKEN)
def test_what_passes_is_forgotten(get, name, quick):
    get(BROKEN[name][0], ("good",))
    assert installed(get)
    assert quick == [1]


def test_nobody_there(tmp_path, quick, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match=r"got a broken connection \(.*refused.*\), 5 times"):
        fetch.download(server.address, tmp_path / "x", sha256=SHA256)
    assert len(quick) == 4


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 501])
def test_what_will_not_pass_is_not_tried_again(get, server, quick, code):
    with pytest.raises(
        DataError, match=f"expected the file, got HTTP {code}; look for its new add"
    ):
        get(("code", code))
    assert len(server.asked) == 1
    assert quick == []


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(get, server, code):
    get(("to", "/a", code), ("to", f"{server.address}?b", code), ("good",))
    assert installed(get)
    assert [path for path, _ in server.asked] == ["/file.bin", "/a", "/file.bin?b"]


def test_a_range_survives_a_redirect(get, server):
    leave(get, CONTENT[:1000], '"one"')
    get(("to", "/a"), ("good",))
    assert installed(get)
    assert server.asked[1][1]["Range"] == "bytes=1000-"


def test_redirects_in_a_circle_end(get, server, quick):
    with pytest.raises(DataError, match="expected the file, got redirects in a circle"):
        get(("to", "/file.bin"))
    assert len(server.asked) <= 6
    server.asked.clear()
    with pytest.raises(DataError, match="got redirects in a circle"):
        get(*[("to", f"/{k}") for k in range(20)])
    assert len(server.asked) == 6
    assert quick == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "x-y:z"])
def test_redirects_to_something_else_are_not_followed(get, target, server):
    with pytest.raises(DataError, match=rf"expected an address with http or https, got '{target}"):
        get(("to", target))
    assert len(server.asked) == 1


def test_a_redirect_from_https_to_http_is_not_followed():
    request = http_get.urllib.request.Request("https://example.org/x")
    with pytest.raises(
        DataError, match=r"expected an address with https, got 'http://example\.org"
    ):
        http_get._Redirects().http_error_302(
            request, None, 302, "", {"location": "http://example.org"}
        )


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://x/y", "", "http://", "http://[x", "http://127.0.0.1/a b"],
)
def test_addresses_that_are_none(tmp_path, address):
    with pytest.raises(DataError, match="expected an address"):
        fetch.download(address, tmp_path / "x", md5=MD5)
    assert os.listdir(tmp_path) == []


def test_ctrl_c_keeps_what_came(get, monkeypatch, server):
    read, seen = http_get.read, []

    def interrupted(answer, most):
        if seen:
            raise KeyboardInterrupt
        seen.append(read(answer, 100_000))
        return seen[0]

    monkeypatch.setattr(http_get, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        get(("good",))
    assert get.part.read_bytes() == seen[0]
    assert not get.path.exists()
    monkeypatch.setattr(http_get, "read", read)
    get(("good",))
    assert installed(get)
    assert server.asked[1][1]["Range"] == f"bytes={len(seen[0])}-"


def test_a_full_disk(get, monkeypatch, server, quick):
    opened = Path.open

    def full(self, *args, **kwargs):
        file = opened(self, *args, **kwargs)
        write = file.write
        if self.name.endswith(".part"):
            file = type("Full", (), {})()
            file.write = lambda content: write(content[:10]) and fail()
            file.__class__.__enter__ = lambda self: self
            file.__class__.__exit__ = lambda *_: write.__self__.close()
        return file

    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DataError, match=r"cannot write .*part: No space left .*; make room or set"):
        get(("good",))
    assert quick == []
    monkeypatch.setattr(Path, "open", opened)
    get(("good",))
    assert installed(get)
    assert server.asked[-1][1]["Range"] == "bytes=10-"


def test_a_folder_that_cannot_be_made(tmp_path, server):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot write"):
        fetch.download(server.address, tmp_path / "file" / "x", md5=MD5)


def test_progress_is_counted_in_megabytes(get, monkeypatch):
    seen = []

    class Bar:
        total = None
        update = staticmethod(seen.append)
        set_postfix_str = staticmethod(seen.append)

    bar = Bar()
    monkeypatch.setattr(fetch.progress, "bar", lambda *a, **k: contextlib.nullcontext(bar))
    get(("good", CONTENT, 1_500_000), ("good",))
    assert bar.total == 3
    numbers = [n for n in seen if not isinstance(n, str)]
    assert sum(numbers) == 3
    assert all(n >= 0 for n in numbers)
    get.path.unlink()
    seen.clear()
    get(("whole", CONTENT, 900_000), ("whole",))
    assert "only 900,000 of 3,072,000 bytes, trying again" in seen
    assert sum(n for n in seen if not isinstance(n, str)) == 3  # it goes back and starts anew


@pytest.fixture
def known(server, tmp_path, monkeypatch):
    """A data set of two files that can be fetched and a subset that cannot."""
    files = (
        sources.KnownFile("set/a", server.address + "?a", len(CONTENT), MD5, SHA256),
        sources.KnownFile("set/b", server.address + "?b"),
        sources.KnownFile("set/subset", None, 3, None, SHA256),
    )
    alone = (sources.KnownFile("lone/file", None, 3, None, SHA256),)
    sets = {"set": files, "lone": alone}
    for module in (fetch, store):
        monkeypatch.setattr(module, "SETS", sets)
        monkeypatch.setattr(module, "KNOWN", {f.name: f for f in files + alone})
    monkeypatch.setenv("MSTHEFT_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_fetch_gets_what_has_an_address(known, server):
    assert fetch.fetch("set") == [known / "set/a", known / "set/b"]
    assert sorted(os.listdir(known / "set")) == ["a", "b"]
    assert len(server.asked) == 2
    fetch.fetch("set")  # nothing is asked again
    fetch.fetch("set/a")
    assert len(server.asked) == 2


def test_fetch_does_not_replace_what_differs(known, server):
    (known / "set").mkdir(parents=True)
    (known / "set/a").write_bytes(b"my own")
    with pytest.raises(DataError, match="is not the published file"):
        fetch.fetch("set")
    assert (known / "set/a").read_bytes() == b"my own"
    assert server.asked == []


def test_fetch_of_what_cannot_be_fetched(known):
    with pytest.raises(DataError, match=r"expected a data set \(set, lone\) .* got 'other'"):
        fetch.fetch("other")
    for name in ("lone", "lone/file"):
        with pytest.raises(
            DataError, match=r"with a public address, got 'lone.* put lone/file into"
        ):
            fetch.fetch(name)
    with pytest.raises(DataError, match="with a public address, got 'set/subset'"):
        fetch.fetch("set/subset")


def test_a_server_that_is_wrong_twice_is_not_asked_for_ever(get, server):
    """The first part goes on wrongly, the whole after it is wrong too, although in two pieces."""
    bad = CONTENT[:-1] + b"\0"
    leave(get, bad[:1000], '"one"')
    with pytest.raises(DataError, match=r"expected the published file, got another or a damaged"):
        get(("good", bad), ("good", bad, 1 << 20), ("good", bad))
    assert len(server.asked) == 3
    assert os.listdir(get.path.parent) == []
