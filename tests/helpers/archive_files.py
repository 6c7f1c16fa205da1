"""Archives made on the spot, for the tests of what reads them."""

import gzip
import io
import tarfile
import zipfile


def entry(name, content=b"", **attributes):
    """One member of a tar archive, with attributes that an honest one would not have."""
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


def tgz(files, form=tarfile.GNU_FORMAT):
    """Pack {name: bytes or text} as a .tar.gz."""
    contents = {n: c.encode() if isinstance(c, str) else c for n, c in files.items()}
    return gzip.compress(tar(*(entry(*file) for file in contents.items()), form=form), 1)


def zipped(files, kind=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
