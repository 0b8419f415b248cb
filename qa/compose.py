"""What the answer says: how a language model is asked to phrase what the reader found."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from qa.errors import LLMError
from qa.llm import FALLBACK, Budget, LanguageModel

if TYPE_CHECKING:
    from llama_index.core.llms import ChatMessage

MAX_TOKENS = 64
# Of the evidence, the question and the short answer; with the examples they stay inside a context of 2048 tokens.
MAX_CHARS = {"evidence": 1500, "question": 500, "short_answer": 500}
_REPLY = "Sentence:"


def phrase(
    llm: LanguageModel, *, question: str, evidence: str, short_answer: str, budget: Budget, **drawn: float
) -> str:
    """One sentence in which `llm` answers the question. Nothing in it is checked yet.

    `drawn` goes to the model: `temperature` and `seed` for another draft than the most probable one.

    Raises `LLMTimeout` when it is not written within the budget, `LLMError` for whatever else goes wrong.
    """
    messages = _messages({"question": question, "evidence": evidence, "short_answer": short_answer})
    line = (
        "".join(llm.write(messages, replace(budget, max_tokens=MAX_TOKENS), stop=["\n"], **drawn))
        .strip()
        .partition("\n")[0]
    )
    if not line:
        raise LLMError("it wrote nothing", help=FALLBACK)
    return line.strip()


def warm_up(llm: LanguageModel, seconds: float = 60) -> None:
    """Load a model that phrases, and read the prompt's examples into the cache of each of its slots."""
    until = time.monotonic() + seconds
    budget = Budget(deadline=until, first_by=until, max_tokens=MAX_TOKENS)

    def ready(_: int) -> str:
        return phrase(
            llm, question="Who is ready?", evidence="The reader is ready.", short_answer="The reader", budget=budget
        )

    with ThreadPoolExecutor(llm.parallel) as pool:  # at once, or they would all go to the same slot
        list(pool.map(ready, range(llm.parallel)))


def _messages(values: dict[str, str]) -> list[ChatMessage]:
    """The prompt file as a conversation: instructions, the examples as if they had been asked before, the question."""
    from llama_index.core.llms import ChatMessage, MessageRole

    instructions, *examples = _prompt().split("\n\n")
    messages = [ChatMessage(role=MessageRole.SYSTEM, content=instructions)]
    for example in examples:
        asked, _, reply = example.partition("\n" + _REPLY)
        if reply.strip():
            messages.append(ChatMessage(role=MessageRole.USER, content=asked))
            messages.append(ChatMessage(role=MessageRole.ASSISTANT, content=reply.strip()))
        else:
            filled = asked.format_map({name: _one_line(value, MAX_CHARS[name]) for name, value in values.items()})
            messages.append(ChatMessage(role=MessageRole.USER, content=filled))
    return messages


@cache
def _prompt() -> str:
    return resources.files("qa").joinpath("prompts", "phrase.txt").read_text(encoding="utf-8").strip()


def _one_line(text: str, limit: int) -> str:
    # A message is made of labelled lines: a text without line breaks cannot close one and begin another. The control
    # tokens of chat templates are spelled `<|name|>`; taken apart, they are read as text.
    return " ".join(text.split())[:limit].replace("<|", "< |").replace("|>", "| >")
