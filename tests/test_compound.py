"""A question that asks two things gets both answers, each with its own citation, and says what it leaves open."""

from __future__ import annotations

import pytest

from qa.compound import MOST_PARTS, parts
from qa.trace import Trace
from tests.conftest import MakeQA

TAKEN_APART = [
    ("Who built the mill, and when did it burn down?", ["Who built the mill?", "When did the mill burn down?"]),
    ("Who runs Alder Mill and what does it sell?", ["Who runs Alder Mill?", "What does Alder Mill sell?"]),
    ("When and where was Ada Byrne born?", ["When was Ada Byrne born?", "Where was Ada Byrne born?"]),
    ("how and why did the dam fail", ["how did the dam fail", "Why did the dam fail"]),
    ("How many boats sank, and was anyone hurt?", ["How many boats sank?", "Was anyone hurt?"]),
    ("Who owns the pier? And who paid for the pier?", ["Who owns the pier?", "Who paid for the pier?"]),
    ("What does the pass cost; where is it sold?", ["What does the pass cost?", "Where is the pass sold?"]),
    (
        "Who won the race, who lost the race, and who paid for the prize?",
        ["Who won the race, who lost the race, and who paid for the prize?"],
    ),
    ("Who owns Alder Farm? Also, when was it built?", ["Who owns Alder Farm?", "When was Alder Farm built?"]),
    ("Who owns Alder Farm?! When was it built?!", ["Who owns Alder Farm?", "When was Alder Farm built?"]),
    ("Who owns Alder Farm?When was it built? Thanks!", ["Who owns Alder Farm?", "When was Alder Farm built?"]),
    ("1. Who owns Alder Farm? 2. When was it built?", ["Who owns Alder Farm?", "When was Alder Farm built?"]),
    ("Who owns Alder Farm & when was it built?", ["Who owns Alder Farm?", "When was Alder Farm built?"]),
    ("In which year was Alder built and who owns it?", ["In which year was Alder built?", "Who owns Alder?"]),
]  # fmt: skip
LEFT_WHOLE = [
    "Who founded the library?",
    "Who wrote and who directed the film?",
    "Who won and who lost the 2020 final?",
    "Who fought in the French and Indian war?",
    "What does it cost between May and September?",
    "Which firm sold the mill and was fined?",
    "What did Ada Byrne and Tom Hale say about the pier?",
    "Who was the engineer who built the pier and who drowned?",
    "Tell me how the lock works and how it is opened.",
    "What did the report say about when the pier opens and how it is paid for?",
    "library opening hours and prices",
    'Who wrote "Who goes there?" and when was it published?',
    "Who pays for R&D at Alder?",
    "When was the pier built and",
    "and",
    "",
    "?",
]


@pytest.mark.parametrize(("asked", "expected"), TAKEN_APART)
def test_taken_apart(asked: str, expected: list[str]) -> None:
    assert [part.question for part in parts(asked)] == expected


@pytest.mark.parametrize("asked", LEFT_WHOLE)
def test_left_whole(asked: str) -> None:
    assert [part.question for part in parts(asked)] == [asked]


def test_a_part_without_a_name_is_of_what_the_part_before_it_is_about() -> None:
    asked = "Who won the Alder Cup, and who was the referee?"
    first, second = parts(asked)
    assert (first.topic, first.follows) == ("Who won the Alder Cup?", False)
    assert (second.topic, second.follows) == (asked, True)


def test_no_more_than_a_few_parts() -> None:
    asked = " ".join(f"Who owns Pier {n}?" for n in range(MOST_PARTS + 1))
    assert [part.question for part in parts(asked)] == [asked]
    assert len(parts(" ".join(f"Who owns Pier {n}?" for n in range(MOST_PARTS)))) == MOST_PARTS


TEXTS = {
    "cup.txt": "Alder Rovers won the Alder Cup in 2020. The referee was Ines Dole.",
    "shield.txt": "Bram Town won the Bram Shield in 2019. Their referee was Tom Hale, and nobody was hurt.",
}


def test_each_part_is_answered_and_cited(make_qa: MakeQA) -> None:
    answer = make_qa(TEXTS).ask("Who won the Alder Cup, and who was the referee?", mode="extractive")
    cited = [citation.cited_text for citation in answer.citations]
    assert cited == ["Alder Rovers won the Alder Cup in 2020.", "The referee was Ines Dole."]
    assert [claim.citation_indices for claim in answer.claims] == [[0], [1]]
    assert answer.short_answer == "Alder Rovers; Ines Dole"
    assert answer.unanswered == []


def test_what_is_left_open_is_named_and_not_taken_from_another_document(make_qa: MakeQA) -> None:
    trace = Trace()
    asked = "Who won the Alder Cup, and was anyone hurt?"
    answer = make_qa(TEXTS).ask(asked, mode="extractive", trace=trace)
    assert [citation.cited_text for citation in answer.citations] == ["Alder Rovers won the Alder Cup in 2020."]
    assert answer.unanswered == ["Was anyone hurt?"]
    assert trace.parts == ["Who won the Alder Cup?", "Was anyone hurt?"]


def test_what_stands_in_the_answer_to_another_part_is_not_called_open(make_qa: MakeQA) -> None:
    qa = make_qa({"cup.txt": "On Friday Ines Dole spoke in Alder, as the mayor of Bram had on Monday."})
    asked, trace = "Where and when did Ines Dole speak?", Trace()
    qa.ask(asked, mode="extractive", trace=trace)
    surest = max(found.probability for found in trace.found)
    qa.settings = qa.settings.model_copy(update={"answer_threshold": surest})
    answer = qa.ask(asked, mode="extractive", trace=trace)
    assert len(trace.found) == 1
    assert (answer.status, answer.unanswered) == ("answered", [])


def test_a_near_miss_in_the_answer_to_another_part_stays_open(make_qa: MakeQA) -> None:
    qa = make_qa({"light.txt": "Skerrow Light was built in 1871 by the engineer Ada Brandt."})
    answer = qa.ask("When was Skerrow Light built, and who painted it?", mode="extractive")
    assert answer.short_answer is not None
    assert "1871" in answer.short_answer
    assert answer.unanswered == ["Who painted Skerrow Light?"]


def test_where_no_part_is_answered_it_is_refused(make_qa: MakeQA) -> None:
    answer = make_qa(TEXTS).ask("Who painted the town hall, and what did it cost?", mode="extractive")
    assert (answer.status, answer.citations, answer.unanswered) == ("not_answerable", [], [])
