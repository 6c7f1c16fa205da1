"""The course in Chinese: the same check, other words."""

import shutil

from mstheft import cli
from mstheft.course import manifest, messages


def test_messages_come_in_the_language_that_is_set(monkeypatch):
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    assert messages.say("begin") == "别担心"
    assert messages.cause("sign").startswith("符号")
    assert "{number" not in messages.say("check_done", number=2, all=5)
    monkeypatch.setenv("MSTHEFT_LANG", "en")
    assert messages.say("begin") == "no worry"


def test_a_sentence_that_is_not_translated_stays_english(monkeypatch):
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    assert "submissions judged" in messages.say("graded", count=1, seed=2, path="p")


def test_a_check_speaks_chinese(tmp_path, monkeypatch, capsys):
    home = tmp_path / "tutorials"
    skipped = shutil.ignore_patterns("progress.json*", "notebooks", "__pycache__")
    shutil.copytree(manifest.find().home, home, ignore=skipped)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MSTHEFT_LANG", "zh-CN")
    cli.main(["learn", "reset", "2"])
    capsys.readouterr()
    assert cli.main(["learn", "check", "2"]) == 1
    out = capsys.readouterr().out
    assert "没有出错" in out
    assert "mstheft learn check 2" in out


def test_the_chinese_manifest_speaks_of_what_is_there():
    course = manifest.find()
    for name, words in manifest.read(course.home / "course.zh-CN.toml").items():
        lesson = course.named(name)
        assert lesson, name
        for function, own in words.items():
            if function == "title":
                continue
            known = lesson.function(function)
            assert known, (name, function)
            assert set(own) <= {"does", "hints", "mistakes"}
            assert len(own.get("hints", known.hints)) == len(known.hints)
            assert set(own.get("mistakes", {})) <= set(known.mistakes)
