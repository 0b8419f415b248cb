"""Who writes is chosen by what is asked for, what the question wants, and what the model can do."""

from __future__ import annotations

import pytest

from qa.llm import LanguageModel
from qa.plan import plan


def model(*, capable: bool) -> LanguageModel:
    return LanguageModel("m", lambda: None, capable=capable)  # type: ignore[arg-type, return-value]


LARGE, SMALL = model(capable=True), model(capable=False)


@pytest.mark.parametrize(
    ("question", "asked", "llm", "mode"),
    [
        ("Who sails?", "extractive", LARGE, "extractive"),
        ("Who sails?", "auto", None, "extractive"),
        ("Who sails?", "generative", None, "extractive"),
        ("Who sails?", "auto", LARGE, "generative"),
        ("Why does it sail?", "auto", LARGE, "generative"),
        ("What are the captain's exact words?", "auto", LARGE, "extractive"),
        ("What are the captain's exact words?", "generative", LARGE, "generative"),
        ("Who sails?", "auto", SMALL, "phrasing"),
        ("Who sails?", "generative", SMALL, "phrasing"),
    ],
)
def test_the_plan_and_its_reason(question: str, asked: str, llm: LanguageModel | None, mode: str) -> None:
    chosen = plan(question, asked, llm)  # type: ignore[arg-type]
    assert chosen.mode == mode
    assert chosen.reason


def test_a_model_that_cannot_do_what_was_asked_is_named_with_what_could() -> None:
    assert "QA_LLM=openai:MODEL" in plan("Who sails?", "generative", SMALL).reason
