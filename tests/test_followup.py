"""Follow-ups become standalone questions; what stands by itself is never changed, what is uncertain neither."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer import REFUSAL
from qa.followup import standalone
from qa.types import Turn

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "followups.jsonl").read_text(encoding="utf-8").splitlines()
]
TURNS = {
    "person": Turn(question="Who founded the owl sanctuary?", answer="Rosa Linde founded the owl sanctuary in 1988."),
    "place": Turn(question="Where was Marie Curie born?", answer="Marie Curie was born in Warsaw."),
    "company": Turn(question="Which company runs the trams?", answer="Nordline has run the trams since 2011."),
    "number": Turn(question="How many chips will Nvidia supply to South Korea?", answer="More than 260,000."),
    "yes or no": Turn(question="Did the factory close?", answer="The factory closed in June 2019."),
    "plural": Turn(question="What are tardigrades?", answer="Tardigrades are tiny animals with eight legs."),
    "several": Turn(question="Who met?", answer="Angela Merkel and Theresa May met in Berlin."),
    "keywords": Turn(question="opening hours", answer="The library opens at nine on weekdays."),
    "refused": Turn(question="Who is the king of Norway?", answer=REFUSAL),
}
STANDALONE = """
    And how many people live in Oslo?
    But why do cats purr?
    And what does the new law say about fishing?
    So when does the library open on Sundays?
    What happened to the ship after it left the port?
    Did the mayor say why she resigned?
    Did the board explain why it sold the mill?
    Who said that the water is safe?
    Who said that it would rain in Bergen?
    Which countries have said that they will leave the union?
    Is it true that whales sleep?
    Is it possible to park at the museum?
    Is it raining in Bergen?
    How long does it take to fly to Rome?
    How much does it cost to send a letter to Peru?
    What does it mean to be a citizen?
    What time is it in Tokyo?
    How far is it from Oslo to Bergen?
    Why does it rain so much in Bergen?
    How do bees find their way home?
    How do plankton fertilize their eggs?
    Why do cats purr when they are happy?
    When did Tom Reiss sell his house?
    Did Napoleon write letters to his wife?
    Who sold his house to the council?
    Which firm lost its licence?
    Why does the moon change its shape?
    When he died, where did Mozart live?
    What did Ada Byrne say about her brother?
    Do the teachers like their new school?
    How small was the audience that the firm said it could not reach?
    Is there a car park?
    Are there any lifts in the tower?
    Who wrote the novel "It"?
    What does the word "they" mean?
    What is that museum in Oslo called?
    Which of these animals lay eggs: bats or platypuses?
    What about the weather makes farmers worry?
    What is the capital of Palau?
    Who is the head of the clinic?
    Where can I park my car?
    How do I get to the museum from the station?
    Can you tell me when the library opens?
    When was the library built?
    Why was the bridge closed?
    Which chips does Huang want to sell to China?
    Who won?
    What is a tardigrade?
    Who are you?
    How old is the oldest oak in the park?
    What area in South Africa accepted Huguenot colonists?
    What party formed in 2014?
    How many refugees emigrated to the Dutch Republic?
    What connections bind sponge cells?
    opening hours
    capital of Palau
    Samsung chips
    price of a day ticket
    Thank you, that helps
    Hello
    Please explain the new law
    Tell me about the owl sanctuary
""".strip().splitlines()


def normalised(text: str) -> str:
    """Without case, punctuation and the word that leads in."""
    return re.sub(r"^(and|but|so) ", "", " ".join(re.sub(r"[^\w\s]", "", text.casefold()).split()))


def understood(case: dict[str, Any]) -> str | None:
    return standalone(case["question"], [Turn(**turn) for turn in case["history"]])


def resolved(cases: list[dict[str, Any]]) -> int:
    right = [(got := understood(c)) and normalised(got) in map(normalised, c["standalone"]) for c in cases]
    return sum(map(bool, right))


@pytest.mark.parametrize(("split", "floor"), [("development", 20), ("held_out", 20), ("after", 18), ("last", 18)])
def test_hand_written_followups_are_completed(split: str, floor: int) -> None:
    cases = [case for case in CASES if case["split"] == split and case["standalone"] is not None]
    assert len(cases) == 20
    assert resolved(cases) >= floor


@pytest.mark.parametrize("case", [case for case in CASES if case["standalone"] is None], ids=lambda case: case["id"])
def test_what_stands_by_itself_or_is_uncertain_stays(case: dict[str, Any]) -> None:
    assert understood(case) is None


@pytest.mark.parametrize("question", [question.strip() for question in STANDALONE])
@pytest.mark.parametrize("turn", list(TURNS.values()), ids=list(TURNS))
def test_a_standalone_question_is_never_changed(question: str, turn: Turn) -> None:
    assert standalone(question, [turn]) is None
    assert standalone(question, [TURNS["person"], turn]) is None


_SUBJECTS = ("the north tower", "Ada Byrne", "tardigrades", "the company", "South Korea", "the head of the clinic")
_FRAMES = (
    "When did {} begin to grow?",
    "Why was {} in the news?",
    "What did {} lose in 2019?",
    "How many friends does {} have?",
    "Who spoke to {} on Friday?",
    "Which paper wrote about {} first?",
    "Is {} older than the town?",
    "And where can I read about {}?",
    "What do people say about {} when it rains?",
)


@pytest.mark.parametrize(("frame", "subject"), list(product(_FRAMES, _SUBJECTS)))
def test_nor_is_a_generated_one(frame: str, subject: str) -> None:
    for turn in TURNS.values():
        assert standalone(frame.format(subject), [turn]) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_without_a_conversation_nothing_is_changed(case: dict[str, Any]) -> None:
    assert standalone(case["question"], []) is None


def test_what_it_makes_stands_by_itself() -> None:
    for case in CASES:
        completed = understood(case)
        if completed:
            assert standalone(completed, [Turn(**turn) for turn in case["history"]]) is None, completed


def test_a_refusal_is_no_answer_but_its_question_counts() -> None:
    turn = Turn(question="How many chips will Nvidia supply to Japan?", answer=REFUSAL)
    assert standalone("And to China?", [turn]) == "How many chips will Nvidia supply to China?"
    assert standalone("Who said that?", [turn]) is None


def test_followups_of_followups() -> None:
    history = [
        Turn(question="Who founded the owl sanctuary?", answer="Rosa Linde founded the owl sanctuary in 1988."),
        Turn(question="Where was she born?", answer="Rosa Linde was born in Holm."),
        Turn(question="Thanks!", answer=REFUSAL),
    ]
    assert standalone("And when?", history) == "When was Rosa Linde born?"
    assert standalone("What did she study?", history) == "What did Rosa Linde study?"


def test_a_noun_that_the_dictionary_has_as_a_verb_alone_is_part_of_a_name() -> None:
    turn = Turn(question="When did the Dunmore dam fail?", answer="The Dunmore dam failed on 3 May 1968.")
    assert standalone("And who built it?", [turn]) == "Who built the Dunmore dam?"
    assert standalone("But why did it fail?", [turn]) == "Why did the Dunmore dam fail?"


@pytest.mark.parametrize(
    ("turn", "question"),
    [
        (TURNS["several"], "What did she say?"),
        (TURNS["company"], "What about parking?"),
        (TURNS["number"], "And Japan and Samsung and the other one?"),
        (Turn(question="Who founded it?", answer="Ada Byrne founded it. Her brother paid."), "Where did he live?"),
        (Turn(question="Thanks", answer=REFUSAL), "And to China?"),
    ],
)
def test_what_could_mean_several_things_stays(turn: Turn, question: str) -> None:
    assert standalone(question, [turn]) is None


@given(
    st.text(max_size=60) | st.sampled_from([case["question"] for case in CASES]),
    st.lists(st.tuples(st.text(max_size=60) | st.sampled_from(STANDALONE), st.text(max_size=200)), max_size=3),
)
def test_any_text_is_taken(question: str, turns: list[tuple[str, str]]) -> None:
    history = [Turn.model_construct(question=asked, answer=answer) for asked, answer in turns]
    completed = standalone(question, history)
    assert completed is None or any(character.isalnum() for character in completed)


@pytest.mark.parametrize("piece", ["his ", "it take ", "Ada and ", "John Smith's ", "of the ", "A.B-c, ", "that "])
def test_long_ones_come_to_an_end(piece: str) -> None:
    """They would not within the time limit of a test, were their length not bounded."""
    for length in (290, 2000):
        long = (piece * length)[: length - 60]
        turn = Turn(question=f"When was {long} built?", answer=(piece * 1000)[:10_000])
        standalone(f"When did {long} sell it?", [turn] * 3)
        standalone(f"What about {long}?", [turn] * 3)


def test_the_longest_turn_is_taken() -> None:
    turn = Turn(question="who " * 500, answer="Ada Byrne met Rosa Linde and " * 300)
    assert standalone("And where is it?", [turn] * 20) is None
