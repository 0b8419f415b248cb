"""Why and how: a second sentence where it explains better than the one with the words found."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.explain import explained, wants_explanation
from tests.fakes import FakeEmbedder, FakeReader
from tests.test_extract import excerpt_of
from tests.test_pipeline import build, check_invariants


@pytest.mark.parametrize(
    "question",
    [
        "Why did the ferry stop?",
        "why are the gates red",
        "How does the lock work?",
        "How did they raise the money?",
        "What happened to the old bridge?",
        "What caused the fire?",
        "For what reason was it closed?",
        "Explain the rise of the river.",
    ],
)
def test_questions_for_an_explanation(question: str) -> None:
    assert wants_explanation(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many gates are there?",
        "how much did it cost",
        "How long is the bridge?",
        "How old is the captain?",
        "What is the height of the gates?",
        "Who knows why the ferry stopped?",
        "When did it happen?",
        "Whylove?",
    ],
)
def test_questions_for_a_thing(question: str) -> None:
    assert not wants_explanation(question)


TEXT = "The ferry stopped in spring. Tea is served at four. The ferry stopped because the ferry engine broke in spring."


def test_the_better_sentence_is_shown_too_in_reading_order() -> None:
    quoted = excerpt_of(TEXT, "spring")
    both = explained("Why was the ferry stopped because of the engine?", quoted, FakeReader(), FakeEmbedder())
    assert both.text() == "The ferry stopped in spring. The ferry stopped because the ferry engine broke in spring."
    assert both.evidence() == quoted.evidence()


def test_where_the_sentence_found_is_the_best_it_stands_alone() -> None:
    quoted = excerpt_of(TEXT, "engine")
    alone = explained("Why was the ferry stopped because of the engine?", quoted, FakeReader(), FakeEmbedder())
    assert alone.text() == quoted.text()


def test_a_heading_explains_nothing() -> None:
    text = "Why the ferry stopped because of the engine\n\nThe ferry stopped in spring. Tea is served at four."
    alone = explained(
        "Why was the ferry stopped because of the engine?", excerpt_of(text, "spring"), FakeReader(), FakeEmbedder()
    )
    assert alone.text() == "The ferry stopped in spring."
    words = explained("Why?", excerpt_of("Why the ferry stopped", "ferry"), FakeReader(), FakeEmbedder())
    assert words.also is None


def test_each_sentence_of_an_explanation_is_cited(tmp_path: Path) -> None:
    qa = build(tmp_path, {"ferry": TEXT}, answer_threshold=0.0)
    answer = check_invariants(qa, list(qa.stream("Why was the ferry stopped by the engine that broke?")))
    assert len(answer.citations) == len(answer.claims) >= 1
