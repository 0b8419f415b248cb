"""The second straight line: retrieve -> read -> decide -> compose -> verify -> cite."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from index.embed import Embedder
from index.store import Collections, Snapshot
from qa.answer import Clock, Draft, passage_result
from qa.compose import phrase
from qa.decide import Calibration
from qa.errors import InvalidQuestion, QAError
from qa.explain import explained, wants_explanation
from qa.find import Found, find, wants_several
from qa.read import Reader
from qa.rerank import ReadPassage, rerank
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

    read: list[ReadPassage] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
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
            return [passage_result(item, None, collection) for item in self._retrieve(snapshot, question, top_k)]

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
            ranked = self._retrieve(snapshot, question, top_k)
            clock.lap("retrieve_ms")
            several = wants_several(question)
            trace.read = rerank(self.reader, question, ranked, self.calibration, several=several)
            passages = [passage_result(item.ranked, item.score, collection) for item in trace.read]
            clock.lap("read_ms")
            yield PassagesEvent(passages=passages)
            trace.threshold = self._threshold()
            trace.found = find(
                question,
                trace.read,
                self.reader,
                self.calibration,
                trace.threshold,
                snapshot.passage_before,
                several=several,
            )
        clock.lap("read_ms")

        draft = Draft(question, collection, passages, trace.found[0].probability if trace.found else 0.0)
        if draft.probability < trace.threshold or not trace.found:
            yield AnswerEvent(answer=draft.refused(self._models(), clock))
            return

        if wants_explanation(question):
            best = trace.found[0]
            trace.found[0] = replace(best, excerpt=explained(question, best.excerpt, self.reader, self.embedder))
            clock.lap("read_ms")
        draft.quote(trace.found)
        clock.lap("compose_ms")
        yield QuoteEvent(quote=draft.quoted, citations=draft.citations)

        if mode == "auto" and self.llm and len(trace.found) == 1:  # several answers stand better as they are
            self._phrase(self.llm, draft, trace.found[0].excerpt.evidence(), trace, clock)
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

    def _threshold(self) -> float:
        threshold = self.settings.answer_threshold
        return self.calibration.threshold if threshold is None else threshold

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
