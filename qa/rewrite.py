"""A follow-up, made a question that stands by itself by a capable language model; code decides whether it may.

What the model writes counts only when it is one question, of a reasonable length, whose names and numbers all occur in
the question or the conversation. Otherwise, and when the model is slow or fails, the rules of `qa.followup` stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from qa.answer import REFUSAL
from qa.generate import THINKING, quote
from qa.grammar import question
from qa.llm import Budget, LanguageModel
from qa.phrases import Text
from qa.reference import leans
from qa.types import Turn

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

MOST_TURNS, LONGEST_ANSWER = 6, 600
"""Turns of the conversation, and characters of each answer, that the model is shown."""
LONGEST, LONGEST_ADDED = 600, 200
"""Characters of a question that is taken from it, and by how many it may be longer than what was asked."""

# What points backwards besides pronouns: `Which one?`, `and there?`, `the same`.
_BACKWARDS = re.compile(
    r"\b(?:ones?|there|then|the\s+same|the\s+(?:former|latter|others?)|others?|else|another|so|too|also|either|neither|"
    r"this|these|those|that(?=\W*$))\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\W*(?:(?:standalone|rewritten)\s+)?question\s*:\s*", re.IGNORECASE)


def stands(asked: str) -> bool:
    """Whether a question stands by itself as far as its form shows, so that no model need be asked."""
    return question(asked) is not None and not leans(asked) and not _BACKWARDS.search(asked)


def rewritten(llm: LanguageModel, asked: str, history: Sequence[Turn], budget: Budget) -> str | None:
    """The question as the model completes it, or as it was asked where the model repeats it; None where what it writes
    cannot be taken.

    Raises `LLMError`.
    """
    reply = "".join(llm.write(_conversation(asked, history), budget, temperature=0.0))
    lines = [line.strip() for line in THINKING.sub("", reply, count=1).splitlines() if line.strip()]
    if len(lines) != 1:
        return None
    said = " ".join(_LABEL.sub("", lines[0]).strip("\"'“”‘’*` ").split())
    if _plain(said) == _plain(asked):
        return asked
    return said if acceptable(said, asked, history) else None


def acceptable(said: str, asked: str, history: Sequence[Turn]) -> bool:
    """Whether this may stand for the question: one question, and no name or number that nobody has spoken of."""
    if not said.endswith("?") or len(said) > min(LONGEST, len(asked) + LONGEST_ADDED) or re.search(r"[.!?]\s", said):
        return False
    of = Text.of(said)
    spoken = {_bare(word) for text in (asked, *(t for turn in history for t in (turn.question, turn.answer)))
              for word in Text.of(text).lower}  # fmt: skip
    for at, word in enumerate(of.words):
        named = word[0].isdigit() or (word[0].isupper() and at > 0)
        if named and _bare(of.lower[at]) not in spoken:
            return False
    return any(character.isalpha() for character in said)


def _conversation(asked: str, history: Sequence[Turn]) -> list[ChatMessage]:
    from llama_index.core.llms import ChatMessage, MessageRole

    turns = []
    for turn in history[-MOST_TURNS:]:
        answer = "" if turn.answer.startswith(REFUSAL) else turn.answer[:LONGEST_ANSWER]
        turns.append(f"<question>{_line(turn.question)}</question>\n<answer>{_line(answer) or '(none)'}</answer>")
    values = {"conversation": "\n".join(turns), "question": _line(asked)}
    return [
        ChatMessage(role=MessageRole.SYSTEM, content=_prompt("standalone_system")),
        ChatMessage(role=MessageRole.USER, content=_prompt("standalone_user").format_map(values)),
    ]


def _line(text: str) -> str:
    return " ".join(quote(text).split())


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.replace("’", "'"))


def _plain(text: str) -> str:
    return " ".join(Text.of(text).lower)


@cache
def _prompt(name: str) -> str:
    return resources.files("qa").joinpath("prompts", f"{name}.txt").read_text(encoding="utf-8").strip()
