"""Text archives: read exactly, cleaned as documented, subsets said to be subsets."""

import hashlib

import numpy as np
import pytest
from archive_files import tgz, zipped

from mstheft.data import text
from mstheft.errors import DataError

MR = "text/rt-polaritydata.tar.gz"
MR_ORIGINAL = "text/rt-polaritydata-original.tar.gz"
IMDB = "text/aclImdb-subset.tar.gz"
AG = "text/ag_news_csv-subset.tar.gz"
WIKI = "text/wikitext-2-valid-test.tar.gz"


def mr_archive(negative, positive, encoding="utf-8"):
    parts = {"neg": negative, "pos": positive}
    files = {f"rt-polaritydata/rt-polarity.{k}": v.encode(encoding) for k, v in parts.items()}
    return tgz({"rt-polaritydata/README": "not this", **files})


def test_mr_splits_every_sentence_once(put):
    bad, good = ([f"{word} film {i} ." for i in range(500)] for word in ("bad", "good"))
    put(MR, mr_archive(" \n".join(bad) + "\n\n", " \r\n".join(good)))
    (train, y), (test, z) = text.mr("train"), text.mr("test")
    assert sorted([*train, *test]) == sorted([*bad, *good])
    assert not set(train) & set(test)
    assert 70 < len(test) < 130  # 100 expected, deviation 9.5
    which = f"{len(test)} of 1,061 test sentences: rt-polaritydata.tar.gz"
    assert text.mr("test").extent == which
    put(MR, tgz({"rt-polaritydata/rt-polarity.pos": "x"}))
    with pytest.raises(DataError, match=r"expected rt-polarity\.neg and .*, got 1 of them"):
        text.mr()
    for texts, labels in ((train, y), (test, z)):
        assert labels.dtype == np.int64
        assert [t.startswith("good") for t in texts] == labels.tolist()
        assert np.all(np.diff(labels) >= 0)


def test_mr_split_is_what_it_says():
    """By hand: the last digit of the number whose hexadecimal form sha256sum prints."""
    for sentence in [f"clichés {i} ." for i in range(300)]:
        number = int(hashlib.sha256(sentence.encode()).hexdigest(), 16)
        assert text._is_test(sentence) == (str(number)[-1] == "0")


def test_mr_in_its_first_encoding_is_the_same(put):
    bad = "\n".join(f"clichés — bender {i} \x85" for i in range(60)).replace("\x85", "…")
    put(MR, mr_archive(bad, "naïve"))
    modern = text.mr("train")
    put(MR_ORIGINAL, mr_archive(bad, "naïve", "cp1252"))
    original = text.mr("train")
    assert original[0] == modern[0]
    assert "clichés — bender" in original[0][0]


def test_imdb_reads_its_folders_in_order(put):
    files = {
        "aclImdb/README": "nothing",
        "aclImdb/train/pos/10_9.txt": "ten<br /><br />good",
        "aclImdb/train/neg/7_1.txt": "seven <br/> bad<br>",
        "aclImdb/train/pos/9_10.txt": "nine",
        "aclImdb/train/unsup/3_0.txt": "never",
        "aclImdb/train/urls_pos.txt": "never",
        "aclImdb/test/neg/1_2.txt": "one",
        "aclImdb/test/pos/1_8.txt": " uno \n",
    }
    put(IMDB, tgz(files))
    texts, y = text.imdb("train")
    assert texts == ["seven bad<br>", "nine", "ten good"]
    assert y.tolist() == [0, 1, 1]
    assert y.dtype == np.int64
    assert text.imdb("test")[0] == ["one", "uno"]


def test_ag_news_undoes_its_quoting(put):
    rows = [
        '"3","Oil, gas ""up""","A deal of \\$5\\at Shell\'s"',
        '"1","Two\nlines","& quot;R&D quot; AT&T"',
        '"4","it #39;s &lt;b&gt;bold&lt;/b&gt;","He  quot;no quot;, 5 &lt; 6 hellip;  #151; end"',
    ]
    put(AG, tgz({"ag_news_csv/train.csv": "\n".join(rows), "ag_news_csv/test.csv": rows[0]}))
    texts, y = text.ag_news("train")
    assert texts[0] == 'Oil, gas "up" A deal of $5 at Shell\'s'
    assert texts[1].startswith("Two lines")
    assert texts[1].endswith('R&D" AT&T')
    assert texts[2] == 'it\'s bold He "no", 5 < 6… — end'
    assert y.tolist() == [2, 0, 3]
    assert y.dtype == np.int64
    assert text.ag_news("test")[1].tolist() == [2]


def test_ag_news_in_single_files(put):
    put("text/ag_news_csv/train.csv", b'"2","A","B"\n')
    put(AG, tgz({"ag_news_csv/test.csv": '"1","C","D"'}))
    assert text.ag_news("train")[0] == ["A B"]
    assert text.ag_news("test")[0] == ["C D"]


ARTICLE = """
 = A lobster =

 The lobster is well @-@ known . It weighs 4 @.@ 5 kg , or 1 @,@ 000 pounds ! Yes .
 \n = = Life = =\x20
 The lobster is well @-@ known . Is it ? It lives in the <unk> Sea = home
"""


def test_wikitext_becomes_sentences(put):
    put(WIKI, tgz({"wikitext-2/README": "x", "wikitext-2/valid.txt": ARTICLE}))
    assert text.wikitext2() == [
        "The lobster is well-known .",
        "It weighs 4.5 kg , or 1,000 pounds !",
        "It lives in the <unk> Sea = home",
    ]
    cut = text.wikitext2(n_words=4)
    assert cut == ["The lobster is well-known", "It weighs 4.5 kg", "It lives in the"]


def test_wikitext_complete_archive(put):
    files = {
        "wikitext-2/wiki.test.tokens": " Last of the test . \n",
        "wikitext-2/wiki.train.tokens": " First of the training . \n",
    }
    put("text/wikitext-2-v1.zip", zipped(files))
    assert text.wikitext2() == ["First of the training .", "Last of the test ."]


def test_arguments_outside_their_range():
    with pytest.raises(ValueError, match="split must be one of train, test; got 'valid'"):
        text.imdb("valid")
    with pytest.raises(ValueError, match=r"n_words must be at least 4, .* got 3"):
        text.wikitext2(n_words=3)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("load", "split", "counts"),
    [
        (text.mr, "train", [4784, 4817]),
        (text.mr, "test", [547, 514]),
        (text.imdb, "train", [2500, 2500]),
        (text.imdb, "test", [2500, 2500]),
        (text.ag_news, "train", [2967, 3044, 3027, 2959]),
        (text.ag_news, "test", [1900, 1900, 1900, 1900]),
    ],
)
def test_real_counts(load, split, counts):
    """As the data folder's README gives them; MR's as split here, 5,331 of each in all."""
    texts, y = load(split)
    assert np.bincount(y).tolist() == counts
    assert len(texts) == sum(counts)
    assert all(texts)
    joined = " ".join(texts)
    assert "<br" not in joined
    assert "�" not in joined
    if load is text.ag_news:
        assert "#39;" not in joined
        assert "\\" not in joined


@pytest.mark.realdata
def test_real_subsets_say_so():
    assert text.mr("test").extent == "all 1,061 test sentences"
    assert text.ag_news("train").extent.startswith("11,997 of 120,000 training articles: ag_news")
    assert text.imdb("test").extent == "5,000 of 25,000 test reviews: aclImdb-subset.tar.gz"


@pytest.mark.realdata
def test_real_wikitext_is_a_pool_of_sentences():
    pool = text.wikitext2(n_words=20)
    lengths = [len(sentence.split()) for sentence in pool]
    assert max(lengths) == 20
    assert min(lengths) == 4
    assert 15_000 < len(pool) <= 17_050
    assert len(set(pool)) == len(pool)
    assert not any(" @" in sentence or sentence.startswith("= =") for sentence in pool)
