"""The second straight line: understand -> retrieve -> read -> decide -> compose -> verify -> cite."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from index.embed import Embedder
from index.store import Collections, Snapshot
from qa.answer import Clock, Draft, passage_result
from qa.compound import Part, parts, same_event
from qa.conversations import Conversations
from qa.decide import Calibration, Odds, answer_odds
from qa.errors import InvalidQuestion, QAError
from qa.explain import explained, wants_explanation
from qa.extract import Before
from qa.feedback import Feedback
from qa.find import Found, find, wants_several
from qa.followup import standalone
from qa.grounding import Fact, Grounding, checked, ground, of_collection, of_facts
from qa.llm import Budget, LanguageModel
from qa.plan import plan
from qa.read import Reader
from qa.rerank import ReadPassage, merged, rerank
from qa.retrieve import RankedPassage, retrieve
from qa.rewrite import rewritten, stands
from qa.settings import Settings
from qa.support import Judge
from qa.trace import Trace, Understood
from qa.types import (
    Answer,
    AnswerEvent,
    AskedMode,
    Claim,
    ClaimEvent,
    Event,
    Models,
    PassageResult,
    PassagesEvent,
    QuoteEvent,
    Turn,
)
from qa.writer import HALF, Writer

log = logging.getLogger(__name__)

NOTE = "The language model {}."


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
        judge: Judge | None = None,
    ) -> None:
        self.collections = collections
        self.embedder = embedder
        self.reader = reader
        self.calibration = calibration
        self.llm = llm
        self.settings = settings
        self.conversations = Conversations(settings.data_dir, settings.keep_conversations)
        self.feedback = Feedback(settings.data_dir)
        self.judge = judge

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        conversation_id: str | None = None,
        collection: str = "default",
        mode: AskedMode = "auto",
        top_k: int | None = None,
        trace: Trace | None = None,
    ) -> Answer:
        """The answer: the last event of `stream`."""
        for event in self.stream(
            question,
            history=history,
            conversation_id=conversation_id,
            collection=collection,
            mode=mode,
            top_k=top_k,
            trace=trace,
        ):
            if isinstance(event, AnswerEvent):
                return event.answer
        raise AssertionError("a stream ends with its answer")

    def check(
        self,
        text: str,
        *,
        facts: Sequence[Fact] | None = None,
        collection: str = "default",
        threshold: float | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Grounding:
        """Which sentences of `text` the facts support, or without facts the documents of the collection.

        `threshold` is the score from which a sentence cites what supports it; once it is `cancelled`, no further one is
        looked at. Raises `InvalidText`, and what opening the collection raises (`IndexingError`).
        """
        checked(text, facts)
        least = self.settings.support_threshold if threshold is None else threshold
        if facts is not None:
            return ground(text, of_facts(facts, self.embedder), self.embedder, self.judge, least, cancelled)
        with self.collections.get(collection).snapshot(self.embedder.name) as snapshot:
            source = of_collection(
                collection, lambda claim: [item.passage for item in self.retrieve(snapshot, claim, None)]
            )
            return ground(text, source, self.embedder, self.judge, least, cancelled)

    def search(self, question: str, *, collection: str = "default", top_k: int | None = None) -> list[PassageResult]:
        """The passages retrieved for a question, not read."""
        question = self._checked(question)
        with self.collections.get(collection).snapshot(self.embedder.name) as snapshot:
            return [passage_result(item, None, collection) for item in self.retrieve(snapshot, question, top_k)]

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        conversation_id: str | None = None,
        collection: str = "default",
        mode: AskedMode = "auto",
        top_k: int | None = None,
        trace: Trace | None = None,
    ) -> Iterator[Event]:
        """The events of one answer: passages, quote, claims, answer; a refusal has no quote and no claim.

        A follow-up is completed from `history`, the latest turn last, or from the kept conversation, which the answer
        then becomes part of. Raises `InvalidQuestion`, what opening the collection raises (`IndexingError`), and what
        the conversation does (`ConversationMissing`, `ConversationsOff`, `ConversationFull`, `RecordsUnavailable`).
        """
        inquiry = self.begin(
            question,
            history=history,
            conversation_id=conversation_id,
            collection=collection,
            mode=mode,
            top_k=top_k,
            trace=trace,
        )
        yield from inquiry.read()
        yield from inquiry.write()

    def begin(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        conversation_id: str | None = None,
        collection: str = "default",
        mode: AskedMode = "auto",
        top_k: int | None = None,
        trace: Trace | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Inquiry:
        """The same in steps, `understand`, `read` and `write`, for whoever gives reading and writing their turns.

        `read` begins with `understand` where that was not called. A language model stops writing soon after `cancelled`
        says so. Raises `InvalidQuestion`, and what the conversation raises.
        """
        question = self._checked(question)
        if conversation_id is not None:
            history = self.conversations.turns(conversation_id)
        return Inquiry(self, question, history, conversation_id, collection, mode, top_k, trace or Trace(), cancelled)

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

    def retrieve(self, snapshot: Snapshot, question: str, top_k: int | None) -> list[RankedPassage]:
        """The passages for a question, fused from both searches."""
        wanted = top_k or self.settings.top_k
        return retrieve(snapshot, self.embedder, question, top_k=wanted, candidates=self.settings.candidates)

    def threshold(self) -> float:
        """The answerable probability from which the reader's answer is given."""
        threshold = self.settings.answer_threshold
        return self.calibration.threshold if threshold is None else threshold

    def models(self) -> Models:
        """The models at work, by name."""
        return Models(
            embedder=self.embedder.name,
            reader=self.reader.name,
            llm=self.llm.name if self.llm else None,
            support=self.judge.name if self.judge else None,
        )


class Inquiry:
    """One question on its way: `read` ends with the verbatim answer, `write` with the whole one."""

    def __init__(
        self,
        qa: QA,
        question: str,
        history: Sequence[Turn],
        conversation_id: str | None,
        collection: str,
        mode: AskedMode,
        top_k: int | None,
        trace: Trace,
        cancelled: Callable[[], bool],
    ) -> None:
        self.qa = qa
        self.trace = trace
        self.draft = Draft(question, collection, plan(question, mode, qa.llm))
        self.draft.conversation_id = conversation_id
        self._history = history
        self._mode = mode
        self._understood = False
        self._top_k = top_k
        self._cancelled = cancelled
        self._clock = Clock()
        self._deadline = time.monotonic() + min(qa.settings.llm_first_timeout, qa.settings.llm_timeout)

    @property
    def rewrites(self) -> bool:
        """Whether a language model has a part in understanding it: a capable one, and a question that leans on others.

        Not in extractive mode, where the same words always get the same answer.
        """
        capable = self.qa.llm is not None and self.qa.llm.capable and self._mode != "extractive"
        return capable and bool(self._history) and not self._understood and not stands(self.draft.asked)

    def understand(self, *, turned_away: bool = False) -> None:
        """Complete a follow-up from the conversation; by rules where there is no capable model, or it brings nothing.

        What cannot be completed with some certainty stays as it was asked.
        """
        if self._understood or not self._history:
            return
        draft, found, by = self.draft, None, "rules"
        if self.rewrites and not turned_away:
            found = self._rewritten()
            by = self.qa.llm.name if self.qa.llm and found else by
        self._understood = True
        found = found or standalone(draft.asked, self._history)
        if found and found != draft.asked and len(found) <= self.qa.settings.max_question_chars:
            draft.understood(found, plan(found, self._mode, self.qa.llm))
        self.trace.understood = Understood(draft.question, by, draft.question != draft.asked)
        self._clock.lap("understand_ms")

    def _rewritten(self) -> str | None:
        """What a capable model makes of the follow-up; an answer never fails because of a model."""
        llm, settings = self.qa.llm, self.qa.settings
        assert llm is not None  # noqa: S101 - `rewrites` says so
        budget = Budget(self._deadline, self._deadline, settings.llm_max_tokens, self._cancelled)
        try:
            return rewritten(llm, self.draft.asked, self._history, budget)
        except Exception as error:  # whatever is wrong with it
            if not isinstance(error, QAError):
                log.exception("completing a follow-up failed")
            return None

    @property
    def writes(self) -> bool:
        """Whether a language model has a part in it; known once it has been read."""
        mode = self.draft.plan.mode
        if mode == "generative":
            return bool(self.draft.passages)
        # Several answers stand better as they are, and what is refused is not phrased.
        return mode == "phrasing" and self.draft.quoted is not None and len(self.trace.found) == 1

    def read(self) -> Iterator[Event]:
        """Understand, retrieve, read, decide: the passages, and the verbatim answer where there is one."""
        self.understand()
        qa, draft, trace, clock = self.qa, self.draft, self.trace, self._clock
        asked = parts(draft.question)
        with qa.collections.get(draft.collection).snapshot(qa.embedder.name) as snapshot:
            ranked = {topic: qa.retrieve(snapshot, topic, self._top_k) for topic in {part.topic for part in asked}}
            clock.lap("retrieve_ms")
            before = snapshot.passage_before
            odds = [answer_odds(part.question, qa.judge, qa.calibration) for part in asked]
            read: list[list[ReadPassage]] = []
            for part, borne_out in zip(asked, odds, strict=True):
                items = ranked[part.topic]
                if part.follows and read[-1]:
                    about = read[-1][0].ranked.passage.document_id
                    items = [item for item in items if item.passage.document_id == about]
                several = wants_several(part.question)
                read.append(rerank(qa.reader, part.question, items, qa.calibration, borne_out, before, several=several))
            trace.read = merged(read)
            draft.passages = [passage_result(item.ranked, item.score, draft.collection) for item in trace.read]
            clock.lap("read_ms")
            yield PassagesEvent(passages=draft.passages)
            trace.threshold = qa.threshold()
            found = [
                self._found(part.question, items, borne_out, before)
                for part, items, borne_out in zip(asked, read, odds, strict=True)
            ]
        trace.parts = [part.question for part in asked]
        answered = [answers for answers in found if answers and answers[0].probability >= trace.threshold]
        trace.found = [answer for answers in answered or found for answer in answers]
        clock.lap("read_ms")
        draft.probability = min((answers[0].probability for answers in answered or found if answers), default=0.0)
        if answered:
            draft.unanswered = [
                part.question
                for part, answers in zip(asked, found, strict=True)
                if answers not in answered and not self._shown_anyway(part, answers, trace.found)
            ]
            quote = draft.quote(trace.found)
            clock.lap("compose_ms")
            yield QuoteEvent(quote=quote, citations=draft.citations)
        self._deadline = time.monotonic() + qa.settings.llm_timeout

    def _found(self, question: str, read: Sequence[ReadPassage], odds: Odds, before: Before) -> list[Found]:
        """The answers to one question; what explains is shown with the sentence that explains best."""
        qa, threshold = self.qa, self.trace.threshold
        several = wants_several(question)
        found = find(question, read, qa.reader, qa.calibration, odds, threshold, before, several=several)
        if found and found[0].probability >= threshold and wants_explanation(question):
            found[0] = replace(found[0], excerpt=explained(question, found[0].excerpt, qa.reader, qa.embedder))
        return found

    def _shown_anyway(self, part: Part, answers: Sequence[Found], shown: Sequence[Found]) -> bool:
        """Whether what was found for a part, though not surely enough by itself, stands in the answer to another.

        Only where both ask about one event (`Where and when did X speak?`): of what is said of X in one sentence, when
        it was built says nothing of who painted it.
        """
        sentences = {
            sentence for other in shown if same_event(part.question, other.question) for sentence in other.excerpt.shown
        }
        likely = bool(answers) and answers[0].probability >= HALF * self.trace.threshold
        return likely and sentences.issuperset(answers[0].excerpt.holding)

    def time_left(self) -> float:
        """Seconds that are left for the language model's part that comes next, waiting for its turn included."""
        return self._deadline - time.monotonic()

    def write(self, *, turned_away: bool = False) -> Iterator[Event]:
        """Compose, verify, cite: the claims, and the whole answer.

        The verbatim answer stands where the language model brings nothing, or was `turned_away` for want of a turn.
        """
        qa, draft = self.qa, self.draft
        if self.writes and turned_away:
            draft.note = NOTE.format("is busy with other answers")
        elif self.writes and qa.llm:
            yield from self._written(qa.llm)
            if self._cancelled():  # nobody is there to be told that there is no answer, and nothing of it is kept
                return
        if not draft.claims and draft.quoted is None:
            answer = draft.refused(qa.models(), self._clock, self.trace.missing)
        else:
            for claim in draft.claim_quote() if not draft.claims else ():
                yield self._event(claim)
            answer = draft.answered(qa.models(), self._clock)
        yield AnswerEvent(answer=self._kept(answer))

    def _kept(self, answer: Answer) -> Answer:
        """The answer, kept where that was asked for; it is given all the same where it cannot be kept."""
        qa = self.qa
        try:
            if qa.settings.keep_refusals and answer.status == "not_answerable":
                qa.feedback.refused(answer)
            if answer.conversation_id is not None:
                qa.conversations.keep(answer.conversation_id, answer)
        except QAError as error:
            log.error("an answer could not be kept: %s", error)
            return answer.model_copy(update={"conversation_id": None})
        return answer

    def _written(self, llm: LanguageModel) -> Iterator[Event]:
        """What the model writes and the sources support; an answer never fails because of a model."""
        qa, draft, trace = self.qa, self.draft, self.trace
        settings = qa.settings
        budget = Budget(
            deadline=self._deadline,
            first_by=time.monotonic() + settings.llm_first_timeout,
            max_tokens=settings.llm_max_tokens,
            cancelled=self._cancelled,
        )
        writer = Writer(llm, qa.embedder, qa.reader, qa.calibration, qa.judge, settings.support_threshold, trace)
        try:
            if draft.plan.mode == "phrasing":
                found = trace.found[0]
                written = writer.phrased(found.question, found.excerpt, draft.short_answer, budget)
            else:
                ranked = [item.ranked for item in trace.read]
                written = writer.generated(draft.question, ranked, budget, answered=draft.quoted is not None)
            for sentence, support in written:
                yield self._event(draft.claim_written(sentence, support.score, support.sentences))
        except Exception as error:  # whatever is wrong with it
            if not isinstance(error, QAError):
                log.exception("writing an answer failed")
            draft.note = NOTE.format(f"failed: {error}" if isinstance(error, QAError) else "failed")
        checked = sum(item.seconds for item in trace.drafted)
        self._clock.lap("compose_ms", verify_ms=1000 * checked)
        if draft.claims and draft.plan.mode == "generative":
            draft.unanswered = []  # the model has seen the whole question, and its sentences are not told apart
        if draft.claims and draft.quoted is None:
            self._read_cited()
        elif not draft.claims and trace.drafted and draft.note is None:
            stands = "; these are their own words" if draft.quoted else ""
            draft.note = NOTE.format(f"wrote nothing that answers and that the sources support{stands}")

    def _read_cited(self) -> None:
        """The short answer and its probability where the reader had found none: from what the claims cite."""
        draft, qa = self.draft, self.qa
        texts = [citation.cited_text for citation in draft.citations]
        found = [
            (read[0], text) for read, text in zip(qa.reader.read(draft.question, texts, 1), texts, strict=True) if read
        ]
        if found:
            best, text = max(found, key=lambda pair: pair[0].score)
            draft.short_answer = best.span.of(text)
            odds = answer_odds(draft.question, qa.judge, qa.calibration)(text, draft.short_answer)
            draft.probability = max(draft.probability, qa.calibration.probability(best.score, best.score, odds))

    def _event(self, claim: Claim) -> ClaimEvent:
        return ClaimEvent(claim=claim, citations=[self.draft.citations[i] for i in claim.citation_indices])
