"""One answer or several: what is shown for what was read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qa.find import MOST_ANSWERS, wants_several
from qa.pipeline import Trace
from tests.fakes import FAKE_CALIBRATION
from tests.test_pipeline import build, check_invariants


@pytest.mark.parametrize(
    "question",
    [
        "Which companies will get the chips?",
        "Which companies run the ferries?",
        "Which large wooden ships were lost?",
        "What countries does the river cross?",
        "Which of the firms are based in Seoul?",
        "What countries have signed?",
        "What are the opening hours of the two libraries?",
        "Who were the founders?",
        "List the members of the board.",
        "Please list all rivers",
        "Name all cities that were visited.",
        "Name the councillors who opposed it.",
        "Tell me the names of the boats",
        "Who else came?",
        "which rooms can be hired",
    ],
)
def test_questions_for_several_things(question: str) -> None:
    assert wants_several(question)


@pytest.mark.parametrize(
    "question",
    [
        "Which company will get the chips?",
        "Who founded the library?",
        "What is the name of the boat?",
        "What is the business of the firm?",
        "Which business was sold?",
        "Which bakery sells bread in Alder?",
        "What happens when the ships are late?",
        "What causes the tides?",
        "Which is the oldest of the houses?",
        "What does the law say about dogs?",
        "What was said about prices?",
        "When does the library open?",
        "How many companies are there?",
        "Name the councillor who opposed it.",
        "What does the address say?",
        "Why are the ships late?",
        "library opening hours",
        "",
    ],
)
def test_questions_for_one_thing(question: str) -> None:
    assert not wants_several(question)


BAKERIES = {
    "rye": "Rye Street Bakery sells bread in Alder. It was built in 1901.",
    "oat": "Oat Lane Bakery sells bread in Alder. Its owner is Per Lund.",
    "fish": "The harbour is deep. Ships come at night.",
}


def test_several_answers_each_with_its_own_citation(tmp_path: Path) -> None:
    qa = build(tmp_path, BAKERIES)
    qa.calibration = replace(FAKE_CALIBRATION, intercept=-3)
    trace = Trace()
    answer = check_invariants(
        qa, list(qa.stream("Which bakeries sell bread in Alder?", mode="extractive", trace=trace))
    )
    assert sorted(c.cited_text for c in answer.citations) == [
        "Oat Lane Bakery sells bread in Alder.",
        "Rye Street Bakery sells bread in Alder.",
    ]
    assert all(found.probability >= trace.threshold for found in trace.found)
    assert len(answer.claims) == 2


def test_what_two_documents_say_alike_is_shown_once(tmp_path: Path) -> None:
    qa = build(tmp_path, {**BAKERIES, "copy": BAKERIES["rye"]})
    qa.calibration = replace(FAKE_CALIBRATION, intercept=-3)
    answer = qa.ask("Which bakeries sell bread in Alder?", mode="extractive")
    assert sorted(claim.text for claim in answer.claims) == [
        "Oat Lane Bakery sells bread in Alder.",
        "Rye Street Bakery sells bread in Alder.",
    ]


def test_a_question_for_one_thing_gets_one_answer(tmp_path: Path) -> None:
    answer = build(tmp_path, BAKERIES).ask("Which bakery sells bread in Alder?", mode="extractive")
    assert len(answer.claims) == 1


def test_no_more_answers_than_somebody_would_read(tmp_path: Path) -> None:
    texts = {f"d{i}": f"Bakery number {i} sells fresh bread in Alder." for i in range(9)}
    qa = build(tmp_path, texts)
    answer = check_invariants(qa, list(qa.stream("Which bakeries sell bread in Alder?", top_k=9)))
    assert len(answer.claims) == MOST_ANSWERS
