"""The verbatim answer: which sentences are shown for the words found."""

from __future__ import annotations

import pytest

from index.chunk import split_sentences
from index.types import Passage, Span
from qa.extract import Excerpt, excerpt


def passage(text: str, start: int = 0, number: int = 1) -> Passage:
    spans = tuple(Span(s.start + start, s.end + start) for s in split_sentences(text))
    return Passage(number, "doc_0", "0" * 32, "Title", None, start, start + len(text), text, spans)


def excerpt_of(text: str, words: str) -> Excerpt:
    at = text.index(words)
    return excerpt(passage(text), Span(at, at + len(words)), lambda _: None)


def shown(text: str, words: str, before: Passage | None = None, start: int = 0) -> list[str]:
    whole = passage(text, start)
    at = start + text.index(words)
    return [p.slice(s) for p, s in excerpt(whole, Span(at, at + len(words)), lambda _: before).shown]


def test_the_sentence_that_holds_the_words() -> None:
    text = "The library opens at nine. Tea is served at four. Dogs are welcome."
    assert shown(text, "four") == ["Tea is served at four."]


@pytest.mark.parametrize(
    "second",
    [
        "He founded it in 1871.",
        "They met in 1871.",
        "But she left in 1871.",
        "The company moved in 1871.",
        "“It closed in 1871.”",
        "Its doors opened in 1871.",
        "This happened in 1871.",
    ],
)
def test_a_sentence_that_cannot_stand_alone_brings_the_one_before_it(second: str) -> None:
    text = f"Ada Byrne loved books. {second}"
    assert shown(text, "1871") == ["Ada Byrne loved books.", second]


@pytest.mark.parametrize(
    "second",
    ["Heather Lind founded it in 1871.", "Items arrived in 1871.", "Theory came in 1871.", "In 1871 it rained."],
)
def test_a_sentence_that_stands_alone_is_shown_alone(second: str) -> None:
    assert shown(f"Ada Byrne loved books. {second}", "1871") == [second]


def test_at_most_one_sentence_is_brought() -> None:
    text = "Ada Byrne loved books. She read much. She founded it in 1871."
    assert shown(text, "1871") == ["She read much.", "She founded it in 1871."]


def test_the_sentence_before_may_lie_in_the_passage_before() -> None:
    first = passage("Ada Byrne loved books.")
    second = "She founded it in 1871. It rained."
    assert shown(second, "1871", before=first, start=24) == ["Ada Byrne loved books.", "She founded it in 1871."]


def test_a_heading_resolves_nothing() -> None:
    assert shown("History\n\nShe founded it in 1871.", "1871") == ["She founded it in 1871."]


def test_the_first_sentence_of_a_document_stands_as_it_is() -> None:
    assert shown("She founded it in 1871.", "1871") == ["She founded it in 1871."]


def test_words_across_a_boundary_bring_both_sentences() -> None:
    text = "Tea is served at four. Dogs are welcome. Cats are not."
    assert shown(text, "four. Dogs") == ["Tea is served at four.", "Dogs are welcome."]


def test_words_over_many_lines_are_shown_whole() -> None:
    text = "Members:\n\n- Anna Holm\n- Bert Lind\n- Carla Moreno\n- Dmitri Volkov\n\nThe club owns nine boats."
    found = shown(text, "Anna Holm\n- Bert Lind\n- Carla Moreno\n- Dmitri Volkov")
    assert [line.lstrip("- ") for line in found] == ["Anna Holm", "Bert Lind", "Carla Moreno", "Dmitri Volkov"]


def test_what_is_read_again_is_what_is_shown_or_that_with_its_lead() -> None:
    whole = passage("The library is old. Ada Byrne founded it in 1871. She loved books.")
    alone = excerpt(whole, Span(44, 48), lambda _: None)
    assert alone.readings() == ["Ada Byrne founded it in 1871.", "The library is old. Ada Byrne founded it in 1871."]
    assert alone.evidence() == "Ada Byrne founded it in 1871."
    led = excerpt(whole, Span(60, 65), lambda _: None)
    assert led.readings() == [led.text()] == ["Ada Byrne founded it in 1871. She loved books."]
    assert led.evidence() == "She loved books."
    first = excerpt(whole, Span(4, 11), lambda _: None)
    assert first.readings() == ["The library is old."]
