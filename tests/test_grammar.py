"""The shallow grammar: what a question asks, and a statement asked again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.grammar import asked_of_statement, question
from qa.phrases import Text, first_sentence, nouns


@pytest.mark.parametrize(
    ("asked", "asks", "subject", "predicate"),
    [
        ("Where was Marie Curie born?", "where", "Marie Curie", "born"),
        ("How many passengers did the ferry carry to Arran?", "how many", "the ferry", "carry to Arran"),
        ("What is the capital of Palau?", "what", "the capital of Palau", ""),
        ("Who founded the owl sanctuary?", "who", None, "founded the owl sanctuary"),
        ("Which languages are taught at the school?", "which", None, "are taught at the school"),
        ("How much of the revenue of Nvidia came from China?", "how much", None, "came from China"),
        ("By whom was the lamp made?", "whom", "the lamp", "made"),
        ("Did Huang express his desire?", "", "Huang", "express his desire"),
        ("And what did Samsung announce?", "what", "Samsung", "announce"),
        ("Is the water safe to drink?", "", "the water", "safe to drink"),
        ("How many people work for the mill?", "how many", None, "work for the mill"),
    ],
)
def test_what_is_asked(asked: str, asks: str, subject: str | None, predicate: str) -> None:
    found = question(asked)
    assert found is not None
    assert found.asks == asks
    assert (found.subject and found.of.phrase(*found.subject)) == subject
    assert found.of.phrase(found.predicate, len(found.of)) == predicate


@pytest.mark.parametrize(
    "text", ["", "?!", "opening hours", "Thank you", "And to China?", "The library opens at nine."]
)
def test_what_is_no_question(text: str) -> None:
    assert question(text) is None


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        ("Anna Holm resigned on Tuesday.", "Why did Anna Holm resign on Tuesday?"),
        ("The bridge was closed, said Dr Lee.", "Why was the bridge closed?"),
        ("On Friday, Samsung announced a new factory.", "Why did Samsung announce a new factory?"),
        ("Spinach contains vitamin A.", "Why does spinach contain vitamin A?"),
        ("Children cannot enter the mine.", "Why can children not enter the mine?"),
        ("The lamp won't burn because it is wet.", "Why will the lamp not burn?"),
        ("He resigned.", None),
        ("More than 260,000.", None),
        ("", None),
    ],
)
def test_a_statement_is_asked_again(statement: str, asked: str | None) -> None:
    made = asked_of_statement("Why", statement)
    assert made == asked


def test_names_dates_and_countries_are_told_apart() -> None:
    of = Text.of("How many chips did the US buy from Ada Byrne in May 2019, in 2020 and in South Korea?")
    kinds = {item.text: item.kind for item in nouns(of, 0, len(of))}
    assert kinds["Ada Byrne"] == "name"
    assert (kinds["May 2019"], kinds["2020"], kinds["South Korea"]) == ("date", "year", "country")


def test_names_are_put_together() -> None:
    of = Text.of("the founders are Lena Koch, Ann Lee and Tom Reiss")
    assert nouns(of, 3, len(of))[0].text == "Lena Koch, Ann Lee and Tom Reiss"
    assert nouns(of, 3, len(of))[0].plural


def test_the_first_sentence_knows_titles() -> None:
    assert first_sentence("Dr. Lee said so. It is wet.") == "Dr. Lee said so."


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    question(text)
    asked_of_statement("Why", text)
    of = Text.of(text)
    assert all(0 <= item.a < item.b <= len(of) for item in nouns(of, 0, len(of)))
