"""Question files of both forms, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.types import Span
from qa.evaluation.questions import Evidence, InvalidDataset, kind, load_dataset

DATA = Path(__file__).parent / "data"


def test_a_question_file_of_ours() -> None:
    dataset = load_dataset(DATA / "article_dev.jsonl")
    assert len(dataset.questions) == 30
    assert sum(question.answerable for question in dataset.questions) == 20
    assert not dataset.paragraphs
    text = (DATA.parent.parent / "seeds" / "nvidia-south-korea.txt").read_text(encoding="utf-8")
    records = map(json.loads, (DATA / "article_dev.jsonl").read_text(encoding="utf-8").splitlines())
    for question, record in zip(dataset.questions, records, strict=True):
        assert [item.span.of(text) for item in question.evidence] == [item["text"] for item in record["evidence"]]


def test_a_squad_file_brings_its_paragraphs() -> None:
    dataset = load_dataset(DATA / "squad" / "sample.json")
    texts = {paragraph.uri: paragraph.text for paragraph in dataset.paragraphs}
    assert len(dataset.questions) == 252
    assert len(texts) == 126
    for question in dataset.questions:
        for item in question.evidence:
            assert item.document == question.paragraph
            assert item.span.of(texts[item.document]) in question.golds


def test_squad_one_has_no_unanswerable_question(tmp_path: Path) -> None:
    qa = {"id": "q", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]}
    file = tmp_path / "squad.json"
    file.write_text(json.dumps({"data": [{"title": "A_b", "paragraphs": [{"context": "Ada did.", "qas": [qa]}]}]}))
    (question,) = load_dataset(file).questions
    assert (question.golds, question.evidence) == (("Ada",), (Evidence("A_b/0", Span(0, 3)),))


def test_articles_of_one_title_keep_their_paragraphs_apart(tmp_path: Path) -> None:
    paragraphs = [{"context": context, "qas": []} for context in ("Ada did.", "Per did.")]
    paragraphs[1]["qas"] = [{"id": "q", "question": "Who?", "answers": [{"text": "Per", "answer_start": 0}]}]
    articles = [{"title": "Same", "paragraphs": [paragraph]} for paragraph in paragraphs]
    file = tmp_path / "squad.json"
    file.write_text(json.dumps({"data": articles}))
    found = load_dataset(file)
    assert [document.uri for document in found.paragraphs] == ["Same/0", "Same/1"]
    assert found.questions[0].paragraph == "Same/1"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no question"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "not UTF-8"),
        (b'{"id": "1"', "line 1"),
        (b'{"id": "1", "question": "Who?"}', "no field 'answerable'"),
        (b'{"id": "1", "question": "Who?", "answerable": true, "answers": []}', "needs `answers`"),
        (b'\n\n["a"]', "line 3"),
        (b'{"data": [{"title": "x"}]}', "no field 'paragraphs'"),
        (b'{"data": 1}', "no SQuAD file"),
        (b'{"id": 1, "question": "A?", "answerable": true, "answers": "Ada"}', "no list of texts"),
        (b'{"id": 1, "question": "A?", "answerable": "false", "answers": []}', "somebody has to say true or false"),
        (b'{"id": 1, "question": "A?", "answerable": null, "answers": ["Ada"]}', "somebody has to say true or false"),
        (
            b'{"id": 1, "question": "A?", "answerable": true, "answers": ["Ada"], "evidence": '
            b'[{"document": "d", "start_char_index": 5, "end_char_index": 5}]}',
            "ends before it starts",
        ),
        (
            b'{"title": "t", "data": [{"title": "A", "paragraphs": [{"context": "Ada did.", "qas": '
            b'[{"id": "q", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 50}]}]}]}]}',
            "lies outside of its paragraph",
        ),
        (b'{"id": 1, "question": "A?", "answerable": false, "answers": []}\n' * 2, "two questions with the id 1"),
    ],
)
def test_what_is_no_question_file_says_where_and_why(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(content)
    with pytest.raises(InvalidDataset) as raised:
        load_dataset(file)
    assert said in str(raised.value)
    assert raised.value.help


def test_a_sample_is_drawn_with_its_seed_and_keeps_the_order() -> None:
    dataset = load_dataset(DATA / "article_dev.jsonl")
    drawn = [question.id for question in dataset.sample(10, 1).questions]
    assert len(drawn) == 10
    assert drawn == sorted(drawn) == [question.id for question in dataset.sample(10, 1).questions]
    assert drawn != [question.id for question in dataset.sample(10, 2).questions]
    assert dataset.sample(100, 1) is dataset
    assert dataset.sample(None, 1) is dataset


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who founded it?", "who"),
        ("In what year did it open?", "when"),
        ("When, and who opened it?", "when"),
        ("How many people came?", "how many"),
        ("How did it end?", "how"),
        ("Why did she leave?", "why"),
        ("The bridge was built in which town?", "which"),
        ("To whom was it sold?", "who"),
        ("Does the whole town know?", "other"),
        ("", "other"),
    ],
)
def test_questions_by_type(question: str, expected: str) -> None:
    assert kind(question) == expected
