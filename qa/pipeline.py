"""The second straight line: retrieve -> read -> decide -> compose -> verify -> cite."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from index.embed import Embedder
from index.store import Collections, Snapshot
from index.types import Passage, Span
from qa.answer import Clock, Draft, passage_results
from qa.compose import phrase
from qa.decide import Calibration
from qa.errors import InvalidQuestion, QAError
from qa.extract import Excerpt, excerpt
from qa.read import Candidate, Reader
from qa.retrieve import RankedPassage, retrieve
from qa.settings import Settings
from qa.types import (
    Answer,
    AnswerEvent,
    ClaimEvent,
    Event,
    Mode,
    Models,
    PassageResult,
    PassagesEvent,
    QuoteEvent,
)
from qa.verify import Verdict, check_sentence

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The LLM that the settings name: importing and loading it wait until it is first needed."""

    name: str
    load: Callable[[], LLM]


@dataclass(slots=True)
class Trace:
    """What happened at every stage of one question, for `qa ask --explain` and evaluation."""

    ranked: list[RankedPassage] = field(default_factory=list)
    candidates: list[list[Candidate]] = field(default_factory=list)
    best: int | None = None
    quote_score: float = 0.0
    probability: float = 0.0
    threshold: float = 0.0
    draft: str | None = None
    verdict: Verdict | None = None


class QA:
    """Answers questions over collections. Everything it works with is handed to it; `qa.build` chooses."""

    def __init__(
        self,
        collections: Collections,
        embedder: Embedder,
        reader: Reader,
        calibration: Calibration,
        llm: LanguageModel | None,
        settings: Settings,
    ) -> None:
        self.collections = collections
        self.embedder = embedder
        self.reader = reader
        self.calibration = calibration
        self.llm = llm
        self.settings = settings

    def ask(
        self,
        question: str,
        *,
        collection: str = "default",
        mode: Mode = "auto",
        top_k: int | None = None,
        trace: Trace | None = None,
    ) -> Answer:
        """The answer: the last event of `stream`."""
        for event in self.stream(question, collection=collection, mode=mode, top_k=top_k, trace=trace):
            if isinstance(event, AnswerEvent):
                return event.answer
        raise AssertionError("a stream ends with its answer")

    def search(self, question: str, *, collection: str = "default", top_k: int | None = None) -> list[PassageResult]:
        """The passages retrieved for a question, not read."""
        question = self._checked(question)
        with self.collections.get(collection).snapshot(self.embedder.name) as snapshot:
            ranked = self._retrieve(snapshot, question, top_k)
        return passage_results(ranked, [None] * len(ranked), collection)

    def stream(
        self,
        question: str,
        *,
        collection: str = "default",
        mode: Mode = "auto",
        top_k: int | None = None,
        trace: Trace | None = None,
    ) -> Iterator[Event]:
        """The events of one answer: passages, quote, claims, answer; a refusal has no quote and no claim.

        Raises `InvalidQuestion`, and what opening the collection raises (`IndexingError`).
        """
        question = self._checked(question)
        trace = trace or Trace()
        clock = Clock()
        with self.collections.get(collection).snapshot(self.embedder.name) as snapshot:
            trace.ranked = self._retrieve(snapshot, question, top_k)
            clock.lap("retrieve_ms")
            trace.candidates = self.reader.read(question, [ranked.passage.text for ranked in trace.ranked])
            passages = passage_results(trace.ranked, [c[0].score if c else None for c in trace.candidates], collection)
            clock.lap("read_ms")
            yield PassagesEvent(passages=passages)

            quoted = None
            if best := self._choose(trace):
                passage, found = best
                quoted = excerpt(passage, found, partial(snapshot.passage_before, passage))

        answers = quoted is not None and self._decide(question, quoted, trace)
        clock.lap("read_ms")
        draft = Draft(question, collection, passages, trace.probability)
        if quoted is None or not answers:
            yield AnswerEvent(answer=draft.refused(self._models(), clock))
            return

        draft.quote(quoted, passage.slice(found))
        clock.lap("compose_ms")
        yield QuoteEvent(quote=draft.quoted, citations=draft.citations)

        if mode == "auto" and self.llm:
            self._phrase(self.llm, draft, quoted.evidence(), trace, clock)
        if not draft.claims:
            draft.claim_quote()
        for claim in draft.claims:
            yield ClaimEvent(claim=claim, citations=[draft.citations[i] for i in claim.citation_indices])
        yield AnswerEvent(answer=draft.answered(self._models(), clock))

    def _checked(self, question: str) -> str:
        limit = self.settings.max_question_chars
        if len(question) > limit:
            raise InvalidQuestion(
                f"the question has {len(question):,} characters, at most {limit:,} are read",
                help="Ask a shorter question, or raise QA_MAX_QUESTION_CHARS.",
            )
        if not any(character.isalnum() for character in question):
            raise InvalidQuestion("the question is empty", help='Ask in words, as in: qa ask "When does it open?"')
        try:
            question.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidQuestion("the question is not valid Unicode text", help="Send it as UTF-8.") from None
        return question

    def _retrieve(self, snapshot: Snapshot, question: str, top_k: int | None) -> list[RankedPassage]:
        wanted = top_k or self.settings.top_k
        return retrieve(snapshot, self.embedder, question, top_k=wanted, candidates=self.settings.candidates)

    def _choose(self, trace: Trace) -> tuple[Passage, Span] | None:
        """Passage and document span that would answer, if there is a word to read. Ties go to the better rank."""
        read = [i for i, found in enumerate(trace.candidates) if found]
        if not read:
            return None
        trace.best = max(read, key=lambda i: (self._preference(trace, i), -i))
        span, passage = trace.candidates[trace.best][0].span, trace.ranked[trace.best].passage
        return passage, Span(passage.start + span.start, passage.start + span.end)

    def _preference(self, trace: Trace, i: int) -> float:
        return self.calibration.preference(trace.candidates[i][0].score, trace.ranked[i].cosine)

    def _decide(self, question: str, quoted: Excerpt, trace: Trace) -> bool:
        """Whether the excerpt answers. It is read once more by itself, as whoever is shown it will."""
        threshold = self.settings.answer_threshold
        trace.threshold = self.calibration.threshold if threshold is None else threshold
        trace.quote_score = max(found[0].score for found in self.reader.read(question, quoted.readings()))
        trace.probability = self.calibration.probability(trace.candidates[trace.best or 0][0].score, trace.quote_score)
        return trace.probability >= trace.threshold

    def _phrase(self, llm: LanguageModel, draft: Draft, evidence: str, trace: Trace, clock: Clock) -> None:
        """Let the LLM write one sentence, and keep it only if the sources support every word of it."""
        try:
            trace.draft = phrase(
                llm.load(),
                question=draft.question,
                evidence=draft.quoted.text,
                short_answer=draft.short_answer,
                timeout=self.settings.llm_timeout,
            )
        except Exception as error:  # an answer never fails because of a language model, whatever is wrong with it
            if not isinstance(error, QAError):
                log.exception("the language model failed")
            draft.note = f"The language model did not write an answer ({error}); these are the source's own words."
            clock.lap("compose_ms")
            return
        clock.lap("compose_ms")
        trace.verdict = check_sentence(
            trace.draft,
            question=draft.question,
            evidence=evidence,
            short_answer=draft.short_answer,
        )
        clock.lap("verify_ms")
        if trace.verdict.supported and trace.verdict.score >= self.settings.support_threshold:
            draft.claim_written(trace.draft, trace.verdict.score)
        else:
            draft.note = "The language model's sentence did not pass verification; these are the source's own words."

    def _models(self) -> Models:
        return Models(embedder=self.embedder.name, reader=self.reader.name, llm=self.llm.name if self.llm else None)
