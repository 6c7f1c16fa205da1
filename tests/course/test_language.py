"""The course in Chinese: the same check, other words."""

import shutil
from pathlib import Path
from string import Formatter

import pytest

from mstheft import cli
from mstheft.course import manifest, messages
from mstheft.files import read_toml

HOME = manifest.find().home
ENGLISH = {raw["name"]: raw for raw in read_toml(HOME / "course.toml")["lesson"]}
CHINESE = read_toml(HOME / "course.zh-CN.toml")
SENTENCES = [
    read_toml(Path(messages.__file__).with_name(name))
    for name in ("messages.toml", "messages.zh-CN.toml")
]


def functions(lesson):
    return {raw["name"]: raw for raw in ENGLISH[lesson].get("function", ())}


def is_chinese(text):
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def placeholders(text):
    return {(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None}


def test_messages_come_in_the_language_that_is_set(monkeypatch):
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    assert messages.say("begin").strip() == "别担心"
    assert messages.cause("sign").startswith("符号")
    assert "{number" not in messages.say("check_done", number=2, all=5)
    monkeypatch.setenv("MSTHEFT_LANG", "en")
    assert messages.say("begin") == "no worry"


def test_a_sentence_that_is_not_translated_stays_english(monkeypatch):
    # On purpose: the exercises are committed with this English text at their top.
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    assert "Edit this file only" in messages.say("starter", number=1, name="n", topic="t")


def test_a_check_speaks_chinese(tmp_path, monkeypatch, capsys):
    home = tmp_path / "tutorials"
    skipped = shutil.ignore_patterns("progress.json*", "notebooks", "__pycache__")
    shutil.copytree(HOME, home, ignore=skipped)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    cli.main(["learn", "reset", "2"])
    capsys.readouterr()
    assert cli.main(["learn", "check", "2"]) == 1
    out = capsys.readouterr().out
    assert "没有出错" in out
    assert "mstheft learn check 2" in out


def test_the_chinese_messages_keep_their_placeholders():
    english, chinese = SENTENCES
    assert set(chinese) <= set(english)
    for section, sentences in chinese.items():
        assert set(sentences) <= set(english[section])
        for key, text in sentences.items():
            assert placeholders(text) == placeholders(english[section][key]), (section, key)


def test_labels_of_feedback_are_equally_wide():
    """Chinese letters are two columns wide, so Feedback's padding fits only equal lengths."""
    words = SENTENCES[1]["say"]
    labels = [words[key] for key in ("called", "expected", "got", "cause", "begin", "next")]
    assert len({len(label) for label in labels}) == 1


def test_the_chinese_manifest_speaks_of_what_is_there():
    for lesson, words in CHINESE.items():
        assert lesson in ENGLISH
        for name, own in words.items():
            if name in ("title", "part"):
                continue
            known = functions(lesson).get(name)
            assert known, (lesson, name)
            assert set(own) <= {"does", "hints", "mistakes"}, (lesson, name)
            extra = set(own.get("mistakes", {})) - set(known.get("mistakes", {}))
            assert not extra, (lesson, name, extra)


@pytest.mark.parametrize("lesson", ENGLISH)
def test_every_function_is_told_in_chinese(lesson):
    assert is_chinese(CHINESE[lesson]["title"])
    assert is_chinese(CHINESE[lesson]["part"])
    for name, known in functions(lesson).items():
        own = CHINESE[lesson].get(name, {})
        assert is_chinese(own.get("does", "")), name
        assert len(own.get("hints", ())) == len(known["hints"]), name
        missing = set(known.get("mistakes", {})) - set(own.get("mistakes", {}))
        assert not missing, (name, missing)
        for text in (*own["hints"], *own.get("mistakes", {}).values()):
            assert is_chinese(text), (name, text)


def test_the_chinese_manifest_is_loaded(monkeypatch):
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    for lesson in manifest.find().lessons:
        words = CHINESE[lesson.name]
        assert (lesson.title, lesson.part) == (words["title"], words["part"])
        for function in lesson.functions:
            own, known = words[function.name], functions(lesson.name)[function.name]
            assert function.does == own["does"]
            assert function.hints == tuple(own["hints"])
            assert function.mistakes == {**known.get("mistakes", {}), **own.get("mistakes", {})}
            assert function.twin == known["twin"]
