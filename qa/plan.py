"""Who writes the answer: the documents, a model that phrases what was found, or one that reads and writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qa.llm import LanguageModel
from qa.types import AskedMode, Mode

_VERBATIM = re.compile(
    r"\b(?:verbatim|word\s+for\s+word|exact\s+(?:words?|wording|quote|sentence)|quote\s+(?:the|from|what))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the answer is made, and why so."""

    mode: Mode
    reason: str


def plan(question: str, asked: AskedMode, llm: LanguageModel | None) -> Plan:
    """What is asked for, as far as the model can do it; with `auto` what suits question and model best."""
    if asked == "extractive":
        return Plan("extractive", "asked for")
    if llm is None:
        return Plan("extractive", "no language model is set up (QA_LLM)")
    if asked == "generative" and llm.capable:
        return Plan("generative", "asked for")
    if _VERBATIM.search(question):
        return Plan("extractive", "the question asks for the very words")
    if llm.capable:
        return Plan("generative", f"{llm.name} can read the passages")
    only = f"{llm.name} only phrases what the reader finds"
    if asked == "generative":
        only += "; QA_LLM=openai:MODEL, anthropic:MODEL or gguf:PATH names one that answers by itself"
    return Plan("phrasing", only)
