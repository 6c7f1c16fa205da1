"""Files: what is saved comes back bit for bit, and what is damaged or hostile is refused.

Hostile means: made to run code, to fill the memory, or to give a network that is not one. Every
refusal is a `DataError` that names the file; for the absurd sizes the memory is watched as well.
"""

import copy
import io
import json
import os
import pickle
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mstheft.errors import DataError
from mstheft.nn import Network, storage, zoo
from mstheft.nn.layers import Activation

SPEC = {
    "format": 1,
    "shape": [3],
    "dtype": "float64",
    "layers": [
        {"kind": "Dense", "inputs": 3, "outputs": 4},
        {"kind": "Activation", "name": "relu"},
        {"kind": "Dense", "inputs": 4, "outputs": 2},
    ],
}
ARRAYS = {"0.W": np.ones((4, 3)), "0.b": np.zeros(4), "2.W": np.ones((2, 4)), "2.b": np.zeros(2)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.npz"


def npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asarray(array), allow_pickle=True)
    return out.getvalue()


def header_only(descr, shape, version=1, tail=b""):
    """A .npy header that promises `shape` of `descr`, and then `tail`."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    size = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + tail


def write(path, entries=(), spec=SPEC, without=(), compression=zipfile.ZIP_STORED):
    """A file as Network.save writes it, but for the given entries (bytes)."""
    text = spec if isinstance(spec, str) else json.dumps(spec)
    whole = {"mstheft.npy": npy(np.array(text))} | {f"{n}.npy": npy(a) for n, a in ARRAYS.items()}
    whole |= dict(entries)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in whole.items():
            if name not in without:
                archive.writestr(name, data)


def refused(path, says):
    """Loading raises a DataError that names the file, without memory beyond 50 MB."""
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=says) as error:
            Network.load(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    message = str(error.value)
    assert str(path) in message
    assert len(message) < 600 + len(str(path))
    return message


def changed(**values):
    return {**SPEC, **values}


def layer(i, **values):
    layers = [dict(one) for one in SPEC["layers"]]
    layers[i] = {**layers[i], **values}
    return changed(layers=layers)


# ---- there and back


def test_the_helper_writes_what_load_takes(path):
    write(path)
    network = Network.load(path)
    np.testing.assert_array_equal(network.logits(np.ones((1, 3))), [[12, 12]])


@settings(max_examples=30)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    activation=st.sampled_from(sorted(Activation.FUNCTIONS)),
    dtype=st.sampled_from([np.float64, np.float32]),
    seed=st.integers(0, 2**32 - 1),
)
def test_round_trip(tmp_path_factory, widths, activation, dtype, seed):
    path = tmp_path_factory.mktemp("round") / "net.npz"
    network = zoo.mlp(widths, activation=activation, bias=1.0, rng=seed, dtype=dtype)
    network.save(path)
    again = Network.load(path)
    assert repr(again) == repr(network)
    assert again.dtype == dtype
    for name, p in network.parameters().items():
        other = again.parameters()[name]
        assert other.tobytes() == p.tobytes()
        assert other.dtype == p.dtype
        assert other.flags.writeable


def test_extreme_but_finite_numbers_survive(path):
    network = zoo.mlp([2, 2], rng=0)
    network.parameters()["0.W"][...] = [[5e-324, -0.0], [1.7976931348623157e308, 1 / 3]]
    network.save(path)
    want = network.parameters()["0.W"].tobytes()
    assert Network.load(path).parameters()["0.W"].tobytes() == want


def test_any_name_and_kind_of_path(tmp_path):
    network = zoo.mlp([2, 2], rng=0)
    for name in (tmp_path / "no-suffix", str(tmp_path / "text.npz"), tmp_path / "ünïcödé name"):
        network.save(name)
        assert repr(Network.load(name)) == repr(network)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_file_is_plain_numpy(path):
    zoo.mlp([3, 2], rng=0).save(path)
    with np.load(path, allow_pickle=False) as file:
        assert set(file) == {"mstheft", "0.W", "0.b"}
        assert json.loads(str(file["mstheft"]))["format"] == 1


# ---- whole or not at all


def test_a_failed_save_leaves_the_old_file(path):
    zoo.mlp([3, 2], rng=0).save(path)
    before = path.read_bytes()

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storage.replace_file(path, fail)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_saving_replaces(path):
    zoo.mlp([3, 2], rng=0).save(path)
    zoo.mlp([4, 2], rng=0).save(path)
    assert Network.load(path).shape == (4,)
    assert path.stat().st_mode & 0o777 == 0o644


def test_saving_into_nowhere(tmp_path):
    with pytest.raises(
        DataError, match=r"expected a folder .*nowhere to save net.npz in; create it"
    ):
        zoo.mlp([3, 2]).save(tmp_path / "nowhere" / "net.npz")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_network_that_is_not_finite_is_neither_saved_nor_loaded(path, bad):
    network = zoo.mlp([3, 2], rng=0)
    network.parameters()["0.W"][1, 2] = bad
    with pytest.raises(
        ValueError, match=r"expected finite numbers in 0\.W to save, got NaN or infinity"
    ):
        network.save(path)
    assert not path.exists()
    write(path, {"2.W.npy": npy([[1, 2, 3, bad], [1, 2, 3, 4.0]])})
    refused(path, "expected finite numbers in 2.W, got NaN or infinity")


# ---- not a file of ours


def test_no_such_file(tmp_path):
    refused(tmp_path / "nothing.npz", "expected a saved network at .* but there is no such file")
    refused(tmp_path, "expected a saved network at .* but that is a folder")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"\x93NUMPY", b"not a zip at all" * 100, pickle.dumps([1, 2]), npy(np.ones(3))],
    ids=["empty", "PK", "npy magic", "text", "pickle", "npy"],
)
def test_not_a_zip(path, content):
    path.write_bytes(content)
    refused(path, "expected an .npz file written by Network.save, got a damaged or another file")


def test_somebody_elses_npz(path):
    np.savez(path, a=np.ones(3))
    refused(path, "expected an entry 'mstheft', got none")


def test_every_truncation_is_refused(path):
    write(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        refused(path, "a damaged or another file")


@pytest.mark.slow
def test_every_damaged_byte_is_refused_or_harmless(path):
    """One byte flipped, all over the file: a DataError, or the same numbers. Nothing else."""
    write(path)
    whole = path.read_bytes()
    want = {name: p.tobytes() for name, p in Network.load(path).parameters().items()}
    refusals = 0
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ (1 << i % 8)]) + whole[i + 1 :])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of zipfile, on a doubled name
            try:
                got = Network.load(path)
            except DataError:
                refusals += 1
            else:
                assert {name: p.tobytes() for name, p in got.parameters().items()} == want
    assert 0.7 * len(whole) < refusals < len(whole)


def test_encrypted_entries(path):
    write(path)
    data = bytearray(path.read_bytes())
    for signature, flag in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            data[at + flag] |= 1
    path.write_bytes(data)
    refused(path, "a damaged or another file .*encrypted")


# ---- the description


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("not json", "JSONDecodeError"),
        ("[" * 100_000, "a damaged or another file"),
        ("[1, 2]", "expected a JSON object as description, got list"),
        ("{}", "expected file format 1, got None"),
        (changed(format=2), "expected file format 1, got 2"),
        (changed(dtype="float16"), "expected dtype float64 or float32, got 'float16'"),
        (changed(dtype=["float64"]), "expected dtype float64 or float32, got"),
        (changed(dtype="float32"), "expected 0.W as float32 .*, got float64"),
        ({k: v for k, v in SPEC.items() if k != "layers"}, "KeyError: 'layers'"),
        ({k: v for k, v in SPEC.items() if k != "shape"}, "KeyError: 'shape'"),
        (changed(layers=7), "TypeError"),
        (changed(layers=["Dense"]), "makes no sense"),
        (changed(layers=[{}]), "KeyError: 'kind'"),
        (changed(layers=[]), "nothing else, got .*'0.W'.* too many"),
        (layer(0, kind="Banana"), r"expected layers of the kinds \['Activation', .*got 'Banana'"),
        (layer(0, kind="__class__"), "expected layers of the kinds"),
        (layer(0, kind=["Dense"]), "TypeError"),
        (layer(0, rng=1), r"expected \['inputs', 'outputs'\] to describe a Dense, got .*'rng'"),
        (layer(0, dtype="S2000000000"), "to describe a Dense, got .*'dtype'"),
        (changed(layers=[{"kind": "Dense", "inputs": 3}]), "to describe a Dense, got .'inputs'"),
        (layer(1, name="swish"), "expected an activation from"),
        (layer(1, name=["relu"]), "TypeError"),
        (changed(shape=[4]), r"layer 0 does not fit: .*\(3,\) for Dense, got \(4,\)"),
        (changed(shape=[]), "expected a shape of positive whole numbers"),
        (changed(shape=[-3]), "expected a shape of positive whole numbers"),
        (changed(shape=[3.5]), "TypeError"),
        (changed(shape=None), "TypeError"),
        (layer(0, inputs=5), r"expected 0.W as float64 of shape \(4, 5\), got .* \(4, 3\)"),
        (layer(0, inputs=3.0), "expected inputs of Dense as a positive whole number, got 3.0"),
        (layer(0, inputs=None), "makes no sense"),
        (layer(0, inputs=-3), r"expected 0.W as float64 of shape \(4, -3\)"),
        (layer(0, inputs=float("inf")), "expected parameters that fit"),
        (layer(0, inputs=float("nan")), "expected parameters that fit"),
    ],
)
def test_descriptions_that_make_no_sense(path, spec, says):
    write(path, spec=spec)
    refused(path, says)


def test_a_width_of_zero_with_arrays_to_match(path):
    """Once a ZeroDivisionError from He's sqrt(2 / inputs)."""
    spec = changed(shape=[3], layers=[{"kind": "Dense", "inputs": 0, "outputs": 2}])
    entries = {"0.W.npy": npy(np.zeros((2, 0))), "0.b.npy": npy(np.zeros(2))}
    write(path, entries, spec=spec, without=("2.W.npy", "2.b.npy"))
    refused(path, "expected inputs of Dense as a positive whole number, got 0")


def test_neighbours_that_disagree(path):
    """Each array fits its own layer, but 5 numbers go in where 4 come out."""
    write(path, {"2.W.npy": npy(np.ones((2, 5)))}, spec=layer(2, inputs=5))
    refused(path, r"layer 2 does not fit: .*\(5,\) for Dense, got \(4,\)")


# ---- absurd sizes


@pytest.mark.parametrize("digits", [6, 18, 4000])
def test_absurd_widths_in_the_description(path, digits):
    """Also where the .npy header tells the same lie, so that the two agree."""
    width = 10**digits
    spec = layer(0, inputs=width)
    write(path, spec=spec)
    refused(
        path, "expected parameters that fit into the file of .* bytes, got a description of more"
    )
    write(path, {"0.W.npy": header_only("<f8", (4, width), tail=b"\0" * 96)}, spec=spec)
    refused(
        path, "expected parameters that fit into the file of .* bytes, got a description of more"
    )


def test_many_entries_that_share_their_bytes_cannot_multiply(path):
    """1000 names for the same 32 kB: each fits into the file alone, their sum of 33 MB does not."""
    layers = [{"kind": "Dense", "inputs": 64, "outputs": 64}] * 1000
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "mstheft.npy", npy(np.array(json.dumps(changed(shape=[64], layers=layers))))
        )
        for name, array in (("W", np.ones((64, 64))), ("b", np.ones(64))):
            archive.writestr(f"0.{name}.npy", npy(array))
            for i in range(1, 1000):
                twin = copy.copy(archive.getinfo(f"0.{name}.npy"))
                twin.filename = f"{i}.{name}.npy"
                archive.filelist.append(twin)
                archive.NameToInfo[twin.filename] = twin
    assert path.stat().st_size < 1e6
    refused(path, "expected parameters that fit into the file|Overlapped entries")


@pytest.mark.parametrize(
    "shape", [(10**12, 3), (4, 10**12), (2**40, 2**40), (-4, -3), (4, 3, 1), 12]
)
def test_absurd_shapes_in_a_header(path, shape):
    write(path, {"0.W.npy": header_only("<f8", shape, tail=b"\0" * 96)})
    refused(path, "expected 0.W as float64 of shape|makes no sense")


@pytest.mark.parametrize("descr", ["<U1000000000", "|S2000000000", "<f8", "|O", "<U4000"])
@pytest.mark.parametrize("shape", [(), (10**12,)])
def test_absurd_sizes_in_the_header_of_the_description(path, descr, shape):
    write(path, {"mstheft.npy": header_only(descr, shape, tail=b"{}")})
    refused(path, "expected mstheft as text|bytes in mstheft, got 2;|not a valid dtype")


def test_a_description_of_many_megabytes(path):
    write(path, spec=json.dumps(changed(comment="x" * 1_100_000)))
    refused(path, "expected mstheft uncompressed and of at most 4,000,000 bytes")


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_bombs(path, compression):
    """Network.save never compresses, so nothing that could grow a thousandfold is unpacked."""
    write(path, {"0.W.npy": npy(np.zeros((4, 3_000)))}, compression=compression)
    refused(path, "expected mstheft uncompressed")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mstheft.npy", npy(np.array(json.dumps(SPEC))))
        for name, array in ARRAYS.items():
            archive.writestr(f"{name}.npy", npy(array), compression)
    refused(path, "expected 0.W uncompressed")


def test_a_directory_that_lies_about_the_size(path):
    """The zip directory promises a terabyte for an entry of 200 bytes."""
    write(path)
    data = bytearray(path.read_bytes())
    at = data.find(b"0.W.npy", data.find(b"PK\x01\x02"))
    data[at - 46 + 20 : at - 46 + 28] = b"\xf0\xff\xff\x7f" * 2  # compressed and real size: 2 GB
    path.write_bytes(data)
    refused(path, "expected 0.W uncompressed and of at most")


# ---- the arrays


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.ones((4, 3), np.float32), r"expected 0.W as float64 of shape \(4, 3\), got float32"),
        (np.ones((4, 3), ">f8"), "got >f8"),
        (np.ones((4, 3), int), "got int64"),
        (np.full((4, 3), "1.0"), "got <U3"),
        (np.ones((3, 4)), r"got float64 of shape \(3, 4\)"),
        (np.ones((4, 3, 1)), r"got float64 of shape \(4, 3, 1\)"),
    ],
)
def test_arrays_of_another_dtype_or_shape(path, array, says):
    write(path, {"0.W.npy": npy(array)})
    refused(path, says)


def test_numpy_is_never_allowed_to_unpickle(path, monkeypatch):
    """Behind the check of the dtype stands a second wall."""
    calls, read_array = [], np.lib.format.read_array

    def watching(*args, **kwargs):
        calls.append(kwargs)
        return read_array(*args, **kwargs)

    write(path)
    monkeypatch.setattr(np.lib.format, "read_array", watching)
    Network.load(path)
    assert calls == [{"allow_pickle": False}] * 5


class Boom:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.makedirs, (self.target, 0o777, True)


@pytest.mark.parametrize("entry", ["0.W.npy", "mstheft.npy"])
def test_pickles_are_refused_and_never_run(path, entry):
    target = str(path.parent / "executed")
    array = np.empty((4, 3) if entry == "0.W.npy" else (), object)
    array.fill(Boom(target))
    np.load(io.BytesIO(npy(array)), allow_pickle=True)  # the trap works
    assert os.path.exists(target)
    os.rmdir(target)
    write(path, {entry: npy(array)})
    refused(path, "expected .* got object of shape")
    assert not os.path.exists(target)
    write(path, {entry: pickle.dumps(Boom(target))})
    refused(path, "the magic string is not correct|nothing else|bytes")
    assert not os.path.exists(target)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "EOF|magic"),
        (b"\x93NUMPX" + npy(ARRAYS["0.W"])[6:], "magic string is not correct"),
        (npy(ARRAYS["0.W"])[:-8], "expected 96 bytes in 0.W, got 88"),
        (npy(ARRAYS["0.W"]) + b"\0" * 8, "expected 96 bytes in 0.W, got 104"),
        (npy(ARRAYS["0.W"])[:40], "EOF"),
        (
            header_only("<f8", (4, 3), version=2, tail=bytes(96)),
            "in version .1, 0. of .npy, got .2, 0.",
        ),
        (header_only("<f8", "__import__('os')", tail=bytes(96)), "makes no sense"),
    ],
)
def test_entries_that_are_damaged_inside_a_whole_zip(path, data, says):
    write(path, {"0.W.npy": data})
    refused(path, says)


def test_missing_entries(path):
    for name in ("0.W.npy", "2.b.npy"):
        write(path, without=(name,))
        refused(path, rf"got \[\] too many and \['{name[:3]}'\] too few")
    write(path, without=("mstheft.npy",))
    refused(path, "expected an entry 'mstheft'")


@pytest.mark.parametrize(
    "name", ["../../evil.npy", "/etc/evil", "a/../../b.npy", "..\\evil", "1.W.npy"]
)
def test_entries_that_nobody_described(path, name):
    """Nothing is ever extracted to disk; a stranger in the file still means it is not ours."""
    write(path, {name: npy(np.ones(1))})
    refused(path, "too many and .. too few")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_link_is_followed_and_a_device_is_written_through(tmp_path):
    """Only an ordinary file is ever replaced: not the link to it, and not a device."""
    real, link = tmp_path / "real.npz", tmp_path / "link.npz"
    link.symlink_to(real)
    network = zoo.mlp([3, 2], rng=0)
    network.save(link)
    assert link.is_symlink()
    np.testing.assert_array_equal(Network.load(real).dense()[0][0], network.dense()[0][0])
    before = os.stat(os.devnull).st_mode
    storage.replace_file(os.devnull, lambda file: file.write(b"gone"))
    assert os.stat(os.devnull).st_mode == before
