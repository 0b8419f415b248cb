"""The contract every `Reader` keeps, and the shipped one: real answers, windows, invariance."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.build import build_calibration, build_reader, calibration_path
from qa.decide import UNCALIBRATED
from qa.errors import SettingsError
from qa.read import MODEL_DIR, Reader, _within_brackets, huggingface_reader, onnx_reader
from qa.settings import Settings
from tests.fakes import FakeReader

READER = onnx_reader(threads=2)
PASSAGES = [
    "The library opens at nine on weekdays. Tea is served at four o'clock in the reading room.",
    "Ada Byrne founded the library in 1871 with a gift of 260,000 crowns.",
    "Dogs are welcome in the garden.",
]


@pytest.fixture(params=["fake", "onnx", "huggingface"])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "huggingface":
        return huggingface_reader(str(request.getfixturevalue("checkpoint")))
    return FakeReader() if request.param == "fake" else READER


def test_spans_lie_inside_their_passage_best_first(reader: Reader) -> None:
    for passage, found in zip(PASSAGES, reader.read("Who founded the library?", PASSAGES), strict=True):
        assert 0 < len(found) <= 3
        assert all(0 <= c.span.start < c.span.end <= len(passage) for c in found)
        assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
        assert len({c.span for c in found}) == len(found)


def test_a_passage_without_words_has_no_answer(reader: Reader) -> None:
    assert reader.read("Who founded the library?", ["", "   \n"]) == [[], []] or isinstance(reader, FakeReader)


def test_no_passages_give_no_answers(reader: Reader) -> None:
    assert reader.read("Who founded the library?", []) == []


def test_a_passage_is_read_the_same_alone_and_beside_others(reader: Reader) -> None:
    together = reader.read("Who founded the library?", PASSAGES * 3)
    alone = [reader.read("Who founded the library?", [passage])[0] for passage in PASSAGES]
    assert together == alone * 3


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who founded the library?", "Ada Byrne"),
        ("When did Ada Byrne found the library?", "1871"),
        ("When does the library open?", "nine"),
        ("Who is welcome in the garden?", "Dogs"),
        ("How many crowns was the gift?", "260,000"),
    ],
)
def test_it_finds_answers(question: str, answer: str) -> None:
    found = READER.read(question, PASSAGES)
    best = max(range(3), key=lambda i: found[i][0].score)
    assert answer in found[best][0].span.of(PASSAGES[best])


def test_an_absent_answer_scores_below_a_present_one() -> None:
    present = READER.read("Who founded the library?", PASSAGES)
    absent = READER.read("Who painted the ceiling of the cathedral?", PASSAGES)
    assert max(c[0].score for c in present) > max(c[0].score for c in absent)


def test_long_passages_are_read_to_their_end() -> None:
    filler = "Rain fell on the hills and the river rose a little. " * 120
    passage = filler + "Ada Byrne founded the library in 1871. " + filler
    best = READER.read("Who founded the library?", [passage])[0][0]
    assert best.span.of(passage) == "Ada Byrne"


def test_numbers_are_not_cut_in_two() -> None:
    for text in ("They sold 1,234,567.5 litres of milk.", "It grew by 3.75 percent in the spring."):
        for candidate in READER.read("How much was it?", [text])[0]:
            for number in re.finditer(r"\d[\d.,]*\d", text):
                assert not number.start() < candidate.span.start < number.end()
                assert not number.start() < candidate.span.end < number.end()


def test_addresses_and_letters_with_their_marks_are_not_cut_in_two() -> None:
    text = "The website is https://www.larkspur.example/a_b?c=d. It is new."
    (best,) = READER.read("What is the website?", [text], 1)[0]
    assert best.span.of(text) == "https://www.larkspur.example/a_b?c=d"
    text = "The library is in \u0926\u093f\u0932\u094d\u0932\u0940 \u092e\u0947\u0902."
    for candidate in READER.read("Where is the library?", [text])[0]:
        assert unicodedata.category((text + " ")[candidate.span.end])[0] != "M"


@pytest.mark.parametrize(
    ("text", "start", "answer"),
    [
        ("tapered (all angles stay the same) wedge", 9, "all angles stay the same"),
        ("tapered (all angles stay the same) wedge", 8, "(all angles stay the same) wedge"),
        ("tapered (at all angles ) wedge", 9, "at all angles"),
        ("(see) Ada Byrne [her pen name]", 6, "Ada Byrne [her pen name]"),
        ("Section 2) ends", 9, ") ends"),  # nothing would be left
    ],
)
def test_an_answer_does_not_leave_the_brackets_it_begins_in(text: str, start: int, answer: str) -> None:
    assert text[start : _within_brackets(text, start, len(text))] == answer


@given(
    question=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    passage=st.text(
        st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("🍵e\u0301\r\n\t\u202eا 1,.")), max_size=200
    ),
)
@settings(max_examples=60)
def test_no_text_breaks_it(question: str, passage: str) -> None:
    for candidate in READER.read(question, [passage])[0]:
        assert 0 <= candidate.span.start < candidate.span.end <= len(passage)


def test_a_long_question_is_cut_not_refused() -> None:
    assert READER.read("Who founded the library? " * 200, PASSAGES[:1])[0]


def test_the_card_names_the_model_that_is_shipped() -> None:
    checksum = hashlib.sha256((MODEL_DIR / "model.onnx").read_bytes()).hexdigest()
    assert checksum in (MODEL_DIR / "README.md").read_text(encoding="utf-8")
    assert (MODEL_DIR / "model.onnx").stat().st_size < 30_000_000


def test_a_checkpoint_reads_long_passages_through_the_same_windows(checkpoint: Path) -> None:
    passage = "Rain fell on the hills and the river rose a little. " * 120
    found = huggingface_reader(str(checkpoint)).read("What rose?", [passage], top=10)[0]
    assert len(found) == 10
    assert all(0 <= c.span.start < c.span.end <= len(passage) for c in found)


def test_a_checkpoint_without_an_answer_layer_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    from transformers import BertModel

    BertModel.from_pretrained(checkpoint).save_pretrained(tmp_path)
    shutil.copy(MODEL_DIR / "tokenizer.json", tmp_path)
    with pytest.raises(SettingsError, match="no answer layer") as caught:
        huggingface_reader(str(tmp_path)).read("Who?", PASSAGES)
    assert caught.value.help


def test_a_folder_without_a_model_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(SettingsError, match="cannot be loaded") as caught:
        huggingface_reader(str(tmp_path)).read("Who?", PASSAGES)
    assert "QA_READER" in caught.value.help


def test_the_settings_choose_the_reader_and_its_calibration(checkpoint: Path, tmp_path: Path) -> None:
    assert build_reader(Settings()).name == "minilm-l6-squad-int8"
    assert build_calibration(Settings()).made_from != UNCALIBRATED.made_from
    foreign = Settings(reader=str(checkpoint))
    assert build_reader(foreign).name == "tiny"
    assert build_calibration(foreign) is UNCALIBRATED
    trained = tmp_path / "trained"
    trained.mkdir()
    for name in ("model.onnx", "tokenizer.json", "calibration.json"):
        shutil.copy(MODEL_DIR / name, trained)
    own = Settings(reader=str(trained))
    assert build_reader(own).read("Who founded the library?", PASSAGES) == READER.read(
        "Who founded the library?", PASSAGES
    )
    assert build_calibration(own) == build_calibration(Settings())


def test_the_calibration_of_a_named_checkpoint_is_kept_with_the_data(tmp_path: Path) -> None:
    named = Settings(reader="somebody/their-reader", data_dir=tmp_path)
    shutil.copy(MODEL_DIR / "calibration.json", calibration_path(named))
    assert calibration_path(named).parent == tmp_path
    assert build_calibration(named) == build_calibration(Settings())
