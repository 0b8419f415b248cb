import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunk import MAX_SENTENCE, chunk_text, split_sentences
from index.types import Chunk, Span

GOLD = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "segmentation.jsonl").read_text(encoding="utf-8").splitlines()
]

PIECES = st.sampled_from(
    [
        *[
            "Mr. Huang left.",
            "It works. ",
            "U.S. ",
            "$5.2 trillion",
            "3.5%",
            "word ",
            "He said “yes. No.” ",
            "(a. b.) ",
        ],
        *["\n", "\r\n", "\n\n", "\t", " ", "\x0b", "\x0c", "\u2028", "\u2029", "\u00a0", "\x00", "\x1c", "\u200b"],
        *[
            "\n- item",
            "\n1. item",
            "• ",
            "====",
            "Heading\n",
            "é",
            "e\u0301",
            "\u0301",
            "👩‍👩‍👧",
            "👍🏽",
            "🇰🇷",
            "\u200d",
            "\ud800",
        ],
        *[
            "وصل الوزير. ",
            "هل وصل؟ ",
            "שלום. ",
            "会議です。",
            "본다. ",
            "है। ",
            "der 3. Oktober ist nicht das ",
            "…",
            "?!",
            '"',
            "'",
        ],
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=300))


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def sentences_of(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


def assert_covers(text: str, spans: Sequence[Span]) -> None:
    position = 0
    for span in spans:
        assert position <= span.start < span.end <= len(text)
        assert not text[position : span.start].strip(), "text between two sentences"
        assert span.of(text) == span.of(text).strip()
        assert span.end - span.start <= MAX_SENTENCE
        position = span.end
    assert not text[position:].strip(), "text after the last sentence"


@given(TEXTS)
def test_every_visible_code_point_is_in_exactly_one_sentence(text: str) -> None:
    assert_covers(text, split_sentences(text))


@given(TEXTS, st.integers(1, 60))
def test_every_sentence_is_in_exactly_one_chunk(text: str, max_tokens: int) -> None:
    chunks = chunk_text(text, words, max_tokens)
    assert [span for chunk in chunks for span in chunk.sentences] == split_sentences(text)
    for chunk in chunks:
        assert (chunk.start, chunk.end) == (chunk.sentences[0].start, chunk.sentences[-1].end)
        total = sum(max(1, count) for count in words([span.of(text) for span in chunk.sentences]))
        assert total <= max_tokens or len(chunk.sentences) == 1


@given(TEXTS)
def test_repeated_text_has_its_sentences_at_each_place(text: str) -> None:
    doubled = f"{text}\n\n{text}"
    once, twice = split_sentences(text), split_sentences(doubled)
    shift = len(text) + 2
    assert twice == once + [Span(span.start + shift, span.end + shift) for span in once]


@given(TEXTS, st.lists(st.integers(0, 400), max_size=10))
def test_any_segmenter_leaves_the_text_covered(text: str, cuts: list[int]) -> None:
    assert_covers(text, split_sentences(text, lambda prose: sorted({min(cut, len(prose)) for cut in cuts})))


def test_gold_cases_stay_right() -> None:
    wrong = [case for case in GOLD if sentences_of(case["text"]) != case["sentences"]]
    # What is left wrong is listed in docs/segmentation.md; this number may fall, not rise.
    assert len(wrong) <= 11, "\n".join(case["text"] for case in wrong)


@pytest.mark.parametrize("category", ["headings", "bullets", "hard-wrapped prose", "initials", "U.S. and U.K."])
def test_gold_categories_without_an_error(category: str) -> None:
    for case in GOLD:
        if case["category"] == category:
            assert sentences_of(case["text"]) == case["sentences"]


@pytest.mark.parametrize(
    "text", ["Write to Ms. Teague, not to him.", "It is told in vol. 12 of the annals.", "It is approx. 40 m long."]
)
def test_abbreviations_before_a_name_or_a_number_end_no_sentence(text: str) -> None:
    assert sentences_of(f"{text} Then it ended.") == [text, "Then it ended."]


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t\u2028 "])
def test_nothing_gives_nothing(text: str) -> None:
    assert split_sentences(text) == []
    assert chunk_text(text, words) == []


def test_the_mark_of_a_footnote_stays_with_its_sentence() -> None:
    text = "It opened in 2019.¹ It has 10¹¹ rooms.⁽²⁾ It shut.³"
    assert [span.of(text) for span in split_sentences(text)] == [
        "It opened in 2019.¹", "It has 10¹¹ rooms.⁽²⁾", "It shut.³",
    ]  # fmt: skip


def test_line_break_styles_make_no_difference() -> None:
    text = (
        "A Heading\n\nThe first line of a paragraph that was\nwrapped by hand. Another one.\n- an item\n- and one more"
    )
    expected = sentences_of(text)
    assert expected[1] == "The first line of a paragraph that was\nwrapped by hand."
    for style in ("\r\n", "\r", "\u2028"):
        found = sentences_of(text.replace("\n", style))
        assert [" ".join(s.split()) for s in found] == [" ".join(s.split()) for s in expected]


def test_table_rows_are_not_run_together() -> None:
    rows = ["Name of the country | Capital city | Inhabitants in 2020", "South Korea | Seoul | 51 million, nearly 52"]
    assert sentences_of("\n".join(rows)) == rows


def test_long_quotations_are_opened_and_short_ones_kept() -> None:
    short = "“We came. We saw,” he said."
    assert sentences_of(short) == [short]
    long = "He said: “" + "We came here. Mr. Smith saw the U.S. fleet. " * 30 + "We left.” Then he sat down."
    found = sentences_of(long)
    assert found[:3] == ["He said: “We came here.", "Mr. Smith saw the U.S. fleet.", "We came here."]
    assert found[-2:] == ["We left.”", "Then he sat down."]


def test_endless_sentences_are_cut_between_words_and_never_before_a_combining_mark() -> None:
    assert all(len(part) <= MAX_SENTENCE and part.endswith("word") for part in sentences_of("word " * 5000))
    parts = sentences_of("x" + "e\u0301" * 3000)
    assert len(parts) == 7
    assert all(not part.startswith("\u0301") for part in parts)
    assert [len(part) for part in sentences_of("A" * 2500)] == [1000, 1000, 500]


@pytest.mark.parametrize(
    "base",
    [
        "Mr. Huang left at 3.5 p.m. today. ",
        "会議は月曜日に始まります。",
        "word ",
        "! ",
        "a",
        "( (",
        "He said “yes. No. ",
        "\n",
    ],
)
def test_time_grows_with_the_length_only(base: str) -> None:
    text = (base * (200_000 // len(base) + 1))[:200_000]
    began = time.perf_counter()
    assert_covers(text, split_sentences(text))
    assert time.perf_counter() - began < 3  # 0.1 s here; a quadratic pass takes minutes


def test_tokens_are_counted_once_for_all_sentences() -> None:
    calls: list[list[str]] = []

    def count(texts: Sequence[str]) -> list[int]:
        calls.append(list(texts))
        return words(texts)

    chunk_text("One two. Three four. Five six.", count, 4)
    assert calls == [["One two.", "Three four.", "Five six."]]


def chunks_of(text: str, max_tokens: int) -> list[str]:
    return [text[chunk.start : chunk.end] for chunk in chunk_text(text, words, max_tokens)]


def test_a_heading_goes_with_what_follows_it() -> None:
    text = "One two three four. Five six seven eight.\n\nA Heading\n\nNine ten eleven. Twelve."
    assert chunks_of(text, 10) == [
        "One two three four. Five six seven eight.",
        "A Heading\n\nNine ten eleven. Twelve.",
    ]


def test_a_paragraph_is_not_opened_for_its_first_words() -> None:
    text = "A b c d e f g h. A b c d e f g.\n\nNew one.\nIt goes on with more words."
    assert chunks_of(text, 18) == ["A b c d e f g h. A b c d e f g.", "New one.\nIt goes on with more words."]


def test_a_sentence_beyond_the_limit_is_a_chunk_of_its_own() -> None:
    long = " ".join(["word"] * 20) + "."
    assert chunks_of(f"Short one. {long} Short two.", 8) == ["Short one.", long, "Short two."]


def test_many_lines_that_look_like_headings_are_packed() -> None:
    text = "\n\n".join(f"Name {i}" for i in range(100))
    assert len(chunks_of(text, 20)) == 10


def test_the_first_collection_is_split_into_its_sentences() -> None:
    text = (Path(__file__).parent.parent / "seeds" / "nvidia-south-korea.txt").read_text(encoding="utf-8")
    found = sentences_of(text)
    assert len(found) == 24
    assert {"Caught in the Middle", "AI Power", "Now we're at 0% share."} <= set(found)
    chunks = chunk_text(text, words, 110)
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    assert not any(text[chunk.start : chunk.end].endswith(("Middle", "AI Power")) for chunk in chunks)
