"""Every data file that this package knows: what it holds, where it came from, its checksums.

A data set is in one or several files, and often there are two ways to have it: the complete
one from its publisher, which can be fetched, and a subset (or a reduced copy) that was put into
the data folder by hand. The complete one stands first and is preferred where both are there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KNOWN", "SETS", "KnownFile"]


@dataclass(frozen=True)
class KnownFile:
    """A published file: where it lies in the folder, where it came from, what is in it.

    name : path below the data folder, with forward slashes
    address : canonical address of the original; None if it cannot be fetched from anywhere
    size : bytes, if known
    md5, sha256 : hexadecimal checksums; None if none was published
    holds : what is in it, and of how much
    """

    name: str
    address: str | None
    size: int | None = None
    md5: str | None = None
    sha256: str | None = None
    holds: str = ""


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_GTSRB = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
_AG_NEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"


def _subset(name: str, size: int, sha256: str, holds: str) -> KnownFile:
    """Describe a file that somebody made and put into the folder."""
    return KnownFile(name, None, size, None, sha256, holds)


# Sizes stand where the publisher gives them; a checksum implies the size anyway.
SETS: dict[str, tuple[KnownFile, ...]] = {
    "mnist": (
        KnownFile(
            "mnist/train-images-idx3-ubyte.gz",
            _MNIST + "train-images-idx3-ubyte.gz",
            9_912_422,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "all 60,000 training images",
        ),
        KnownFile(
            "mnist/train-labels-idx1-ubyte.gz",
            _MNIST + "train-labels-idx1-ubyte.gz",
            28_881,
            "d53e105ee54ea40749a09fcbcd1e9432",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "all 60,000 training labels",
        ),
        KnownFile(
            "mnist/t10k-images-idx3-ubyte.gz",
            _MNIST + "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "9fb629c4189551a2d022fa330f9573f3",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "all 10,000 test images",
        ),
        KnownFile(
            "mnist/t10k-labels-idx1-ubyte.gz",
            _MNIST + "t10k-labels-idx1-ubyte.gz",
            4_542,
            "ec29112dd5afa0611ce80d1b7f02629c",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "all 10,000 test labels",
        ),
    ),
    "cifar10": (
        KnownFile(
            "cifar10/cifar-10-python.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
            None,
            "c58f30108f718f92721af3b95e74349a",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            "all 50,000 training and 10,000 test images",
        ),
        _subset(
            "cifar10/cifar-10-python-subset.tar.gz",
            56_616_062,
            "6e99d2c92054b7d928d65cb5ad9e18b684852e2129a7d29eaa6df675c5aeae11",
            "10,000 of 50,000 training images and all 10,000 test images",
        ),
    ),
    "gtsrb": (
        KnownFile(
            "gtsrb/GTSRB-Training_fixed.zip",
            _GTSRB + "GTSRB-Training_fixed.zip",
            None,
            "513f3c79a4c5141765e10e952eaa2478",
            None,
            "all 26,640 training images of 2011",
        ),
        KnownFile(
            "gtsrb/GTSRB_Final_Test_Images.zip",
            _GTSRB + "GTSRB_Final_Test_Images.zip",
            None,
            "c7e4e6327067d32654124b0fe9e82185",
            None,
            "all 12,630 official test images",
        ),
        KnownFile(
            "gtsrb/GTSRB_Final_Test_GT.zip",
            _GTSRB + "GTSRB_Final_Test_GT.zip",
            None,
            "fe31e9c9270bbcd7b84b7f21a9d9d9e5",
            None,
            "the labels of the official test images",
        ),
        _subset(
            "gtsrb/GTSRB_Final_Training-subset.tar.gz",
            27_356_613,
            "b1a3ca29065d581bac0e7547dc10c83aecf6d838465f9d5fa4e27505a8cbc7c5",
            "3,651 of 26,640 training images of 2011, some of every track",
        ),
    ),
    "mr": (
        # The same texts in UTF-8: other bytes than the original, so it has a name of its own.
        KnownFile(
            "text/rt-polaritydata-original.tar.gz",
            "https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz",
            holds="all 10,662 snippets, in their first encoding",
        ),
        _subset(
            "text/rt-polaritydata.tar.gz",
            485_208,
            "990ef9a9de1b77f2486a05c1257245cc763cad6bae88865a089cb85bbbf831e7",
            "all 10,662 snippets, in UTF-8",
        ),
    ),
    "imdb": (
        KnownFile(
            "text/aclImdb_v1.tar.gz",
            "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            None,
            "7c2ac02c03563afcf9b574c7e56c153a",
            None,
            "all 25,000 training and 25,000 test reviews",
        ),
        _subset(
            "text/aclImdb-subset.tar.gz",
            5_683_096,
            "a6b35156f6351195d5d8cbb10dd66ab0a72bc3755c2c4be5d27282e56330b9bc",
            "5,000 of 25,000 training and 5,000 of 25,000 test reviews",
        ),
    ),
    "ag-news": (
        KnownFile(
            "text/ag_news_csv/train.csv",
            _AG_NEWS + "train.csv",
            None,
            "b1a00f826fdfbd249f79597b59e1dc12",
            None,
            "all 120,000 training rows",
        ),
        KnownFile(
            "text/ag_news_csv/test.csv",
            _AG_NEWS + "test.csv",
            None,
            "d52ea96a97a2d943681189a97654912d",
            None,
            "all 7,600 test rows",
        ),
        _subset(
            "text/ag_news_csv-subset.tar.gz",
            1_970_411,
            "0e4fc6e73f7afb9a63f7404388e361950ab6cf727b171f819bd14be28752aa45",
            "11,997 of 120,000 training rows and all 7,600 test rows",
        ),
    ),
    "wikitext-2": (
        KnownFile(
            "text/wikitext-2-v1.zip",
            "https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip",
            None,
            "542ccefacc6c27f945fb54453812b3cd",
            None,
            "all training, validation and test text",
        ),
        _subset(
            "text/wikitext-2-valid-test.tar.gz",
            783_932,
            "49e21dea6ab9376e1518aa5e50ae4f80656466d74f2982565df070551aa17f27",
            "all validation and test text, no training text",
        ),
    ),
    "tiny-imagenet": (
        KnownFile(
            "thief/tiny-imagenet-200.zip",
            "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
            248_100_043,
            "90528d7ca1a48142e341f4ef8d21d0de",
            None,
            "all 100,000 training, 10,000 validation and 10,000 test images, 64 x 64",
        ),
        _subset(
            "thief/tiny-imagenet-200-val-32px.npz",
            28_650_252,
            "a7f1c9da9574068667d0106923bbc1bb9b3202c2a9ed8ef415a168c2f016e808",
            "all 10,000 validation images, reduced to 32 x 32, no training images",
        ),
        _subset(
            "thief/tiny-imagenet-200-val-jpeg-subset.tar.gz",
            3_726_079,
            "2e8421f30121cf1bc0ee983007a71acbd093df2568e7e7df735e60467a210ddb",
            "2,000 of 10,000 validation images, 64 x 64, no training images",
        ),
    ),
    "imagenet-sample": (
        _subset(
            "thief/imagenet-sample-1000-64px.npz",
            10_664_521,
            "7b672fb699fbdc1a7ef71414d070a4b22b7a20cb7be4119edd49b23b686c2fa0",
            "1,000 images, one of each ILSVRC 2012 class, 64 x 64",
        ),
    ),
}
KNOWN: dict[str, KnownFile] = {file.name: file for files in SETS.values() for file in files}
