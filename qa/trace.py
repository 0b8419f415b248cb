"""What happened at every stage of one question, for `qa ask --explain` and evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

from qa.find import Found
from qa.rerank import ReadPassage
from qa.verify import Support


@dataclass(frozen=True, slots=True)
class Drafted:
    """A sentence that a language model wrote, what was found to support it, and how long that took in seconds."""

    sentence: str
    support: Support
    shown: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Understood:
    """What became of a question that was asked in a conversation: `by` what, `rules` or a language model's name."""

    question: str
    by: str
    changed: bool


@dataclass(slots=True)
class Trace:
    """The stages, filled in as they are passed."""

    understood: Understood | None = None
    parts: list[str] = field(default_factory=list)
    read: list[ReadPassage] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    threshold: float = 0.0
    drafted: list[Drafted] = field(default_factory=list)
    missing: str = ""
