"""The invariants of DESIGN hold for any document and question; fakes at the seams, real SQLite and FAISS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunk import CHUNKER, chunk_text
from index.errors import CollectionMissing
from index.store import ChunkedDocument, Collections
from index.types import Document, Span, content_hash
from qa.answer import REFUSAL
from qa.compound import parts
from qa.errors import InvalidQuestion, LLMError
from qa.explain import wants_explanation
from qa.find import MOST_ANSWERS, wants_several
from qa.llm import LanguageModel
from qa.pipeline import QA
from qa.read import Candidate
from qa.retrieve import fuse
from qa.settings import Settings
from qa.trace import Trace
from qa.types import Answer, AnswerEvent, ClaimEvent, Event, PassagesEvent, QuoteEvent
from tests.fakes import FAKE_CALIBRATION, FakeEmbedder, FakeReader, ScriptedLLM

LIBRARY = {
    "library": "The library opens at nine on weekdays. Ada Byrne founded it in 1871.\n\nIt lends 12,000 books.",
    "tea": "Tea is served at four in the reading room. Cakes are not.",
    "dogs": "Dogs are welcome in the garden. Dogs are welcome in the garden.",
}


def build(folder: Path, texts: dict[str, str], llm: Any = None, *, capable: bool = False, **changes: Any) -> QA:
    embedder = FakeEmbedder()
    collections = Collections(folder)
    items = []
    for uri, text in texts.items():
        document = Document(uri, uri.title(), text, f"/source/{uri}")
        items.append(ChunkedDocument(document, tuple(chunk_text(text, embedder.count_tokens))))
    index = collections.get("default")
    chunks = [item.document.text[c.start : c.end] for item in items for c in item.chunks]
    index.save_vectors(embedder.name, {content_hash(t): embedder.embed_query(t) for t in chunks})
    index.commit(items, [], embedder=embedder.name, dim=embedder.dim, chunker=CHUNKER)
    model = LanguageModel("scripted", lambda: llm, capable=capable) if llm else None
    return QA(collections, embedder, FakeReader(), FAKE_CALIBRATION, model, Settings(data_dir=folder, **changes))


def check_invariants(qa: QA, events: list[Event]) -> Answer:
    assert isinstance(events[-1], AnswerEvent)
    answer = events[-1].answer
    assert [type(event) for event in events[:1]] == [PassagesEvent]
    with qa.collections.get("default").snapshot() as snapshot:
        for citation in answer.citations:  # 1: exact
            text = snapshot.document(citation.document_id, citation.document_version).text
            assert text[citation.start_char_index : citation.end_char_index] == citation.cited_text
        for passage in answer.passages:
            text = snapshot.document(passage.document_id).text
            assert text[passage.start_char_index : passage.end_char_index] == passage.text
    quotes = [event.quote for event in events if isinstance(event, QuoteEvent)]
    claims = [event.claim for event in events if isinstance(event, ClaimEvent)]
    if answer.status == "not_answerable":  # 2: a refusal cites nothing
        assert (answer.quote, answer.claims, answer.citations, answer.short_answer) == (None, [], [], None)
        assert (quotes, claims, answer.answer, answer.support_score) == ([], [], REFUSAL, None)
    else:
        assert answer.claims
        assert answer.short_answer
        assert quotes == [answer.quote]
        if wants_several(answer.question) or len(parts(answer.question)) > 1:
            assert all(words in answer.quote.text for words in answer.short_answer.split("; "))
        else:
            assert answer.short_answer in answer.quote.text
    for claim in answer.claims:  # 3: supported, and cited
        assert claim.citation_indices
        assert claim.score >= qa.settings.support_threshold
        assert answer.answer[claim.start : claim.end] == claim.text
        if answer.composed_by == "extract":
            assert claim.score == 1
            assert [answer.citations[i].cited_text for i in claim.citation_indices] == [claim.text]
    assert claims == answer.claims  # 8: what was emitted stands, in order
    for event in events:
        if isinstance(event, QuoteEvent | ClaimEvent):
            shown = event.quote if isinstance(event, QuoteEvent) else event.claim
            assert event.citations == [answer.citations[i] for i in shown.citation_indices]
    asked = [part.question for part in parts(answer.question)]
    assert set(answer.unanswered) < set(asked)
    most = sum((2 * MOST_ANSWERS if wants_several(part) else 2) + wants_explanation(part) for part in asked)
    assert len(answer.citations) <= most
    return answer


PIECES = ["🍵", "e\u0301", "\r\n", "\t", "\u202e", "שלום", "\u200d", ". ", "! ", "\n\n", "Tea ", "He "]
TEXT = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), st.sampled_from(PIECES)
    ),
    max_size=60,
).map("".join)
QUESTIONS = ["When is Tea served?", "Who is he?", "Tea", "When is Tea served, and who is the cook?"]
QUESTION = st.one_of(TEXT, st.sampled_from(QUESTIONS))


@given(documents=st.lists(TEXT.filter(str.strip), min_size=1, max_size=4), question=QUESTION)
@settings(max_examples=150)
def test_the_invariants_hold_for_any_text_and_question(documents: list[str], question: str) -> None:
    with TemporaryDirectory() as folder:
        qa = build(Path(folder), {f"d{i}": text for i, text in enumerate(documents)})
        try:
            events = list(qa.stream(question, mode="extractive"))
        except InvalidQuestion:
            return
        check_invariants(qa, events)


@given(document=TEXT.filter(str.strip), question=QUESTION, draft=st.one_of(TEXT, st.just("Tea is served at four.")))
@settings(max_examples=100)
def test_the_invariants_hold_whatever_a_language_model_writes(document: str, question: str, draft: str) -> None:
    with TemporaryDirectory() as folder:
        qa = build(Path(folder), {"d": document}, ScriptedLLM(script=[draft]))
        try:
            events = list(qa.stream(question, mode="auto"))
        except InvalidQuestion:
            return
        check_invariants(qa, events)


def test_an_answer_is_the_sentence_with_its_citation(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    answer = check_invariants(qa, list(qa.stream("When is tea served?", mode="extractive")))
    assert answer.answer == "Tea is served at four in the reading room."
    assert answer.composed_by == "extract"
    assert answer.citations[0].document_title == "Tea"
    assert answer.models.llm is None


def test_repeated_sentences_are_cited_where_they_stand(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    answer = check_invariants(qa, list(qa.stream("Are dogs welcome?", mode="extractive")))
    assert (answer.citations[0].start_char_index, answer.citations[0].end_char_index) == (0, 31)


def test_what_the_documents_do_not_say_is_refused(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    answer = check_invariants(qa, list(qa.stream("Quo vadis?")))
    assert answer.status == "not_answerable"
    assert answer.passages


def test_what_would_be_shown_is_read_again_and_has_to_answer(tmp_path: Path) -> None:
    """A passage may look like an answer by what stands around the sentence; the sentence itself decides."""
    qa = build(tmp_path, LIBRARY)
    qa.calibration = replace(FAKE_CALIBRATION, slope=0, quote_slope=1)
    assert qa.ask("When is tea served?").status == "answered"
    trace = Trace()
    qa.ask("Which library founded by Ada Byrne lends books on weekdays?", trace=trace)
    assert trace.found[0].quote_score < trace.found[0].score


def test_the_threshold_is_a_setting(tmp_path: Path) -> None:
    assert build(tmp_path, LIBRARY, answer_threshold=0.0).ask("Quo vadis?").status == "answered"
    assert build(tmp_path, LIBRARY, answer_threshold=1.0).ask("When is tea served?").status == "not_answerable"


def test_ask_is_the_last_event_of_stream(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    last = list(qa.stream("When is tea served?"))[-1]
    assert isinstance(last, AnswerEvent)
    volatile = {"id", "timings"}
    assert qa.ask("When is tea served?").model_dump(exclude=volatile) == last.answer.model_dump(exclude=volatile)


def test_the_same_question_gets_the_same_answer_alone_and_beside_others(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    questions = ["When is tea served?", "Who founded the library?", "Are dogs welcome?", "Quo vadis?"]

    def dump(question: str) -> dict[str, Any]:
        return qa.ask(question, mode="extractive").model_dump(exclude={"id", "timings"})

    alone = [dump(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(dump, questions * 10)) == alone * 10


def test_a_verified_sentence_of_the_model_is_shown_with_the_quote_it_rests_on(tmp_path: Path) -> None:
    llm = ScriptedLLM(script=["Tea is served at four."])
    qa = build(tmp_path, {"tea": "Tea is served at four."}, llm)
    qa.reader = FakeReader()
    answer = check_invariants(qa, list(qa.stream("When is tea served?")))
    assert answer.composed_by == "llm"
    assert answer.claims[0].text == "Tea is served at four."
    assert answer.models.llm == "scripted"
    assert answer.note is None


@pytest.mark.parametrize(
    "draft", ["Tea is served at five.", "Bob serves tea at four.", "Tea is not served at four.", "", "Yes.", "🍵"]
)
def test_what_the_source_does_not_say_is_not_shown(tmp_path: Path, draft: str) -> None:
    qa = build(tmp_path, LIBRARY, ScriptedLLM(script=[draft]))
    trace = Trace()
    answer = check_invariants(qa, list(qa.stream("When is tea served?", trace=trace)))
    assert answer.composed_by == "extract"
    assert answer.answer == "Tea is served at four in the reading room."
    assert answer.note
    assert all(drafted.support.reasons for drafted in trace.drafted)


def test_a_sentence_that_leads_up_to_the_answer_supports_nothing(tmp_path: Path) -> None:
    """The quote has two sentences, and a false claim can be put together from their words."""
    text = "Mr. Byrne did not name the price of the new pool. This follows a gift of 5,000 crowns for the library."
    qa = build(tmp_path, {"pool": text}, ScriptedLLM(script=["The new pool is worth 5,000 crowns."]))
    at = text.index("5,000 crowns")
    candidate = Candidate(Span(at, at + len("5,000 crowns")), 9.0)
    qa.reader = type("Fixed", (FakeReader,), {"read": lambda self, question, passages, top=3: [[candidate]]})()
    answer = check_invariants(qa, list(qa.stream("How much is the new pool worth?")))
    assert len(answer.citations) == 2
    assert answer.composed_by == "extract"


def test_a_model_that_fails_does_not_fail_the_answer(tmp_path: Path) -> None:
    def broken() -> Any:
        raise LLMError("it is down", help="start it")

    qa = build(tmp_path, LIBRARY)
    qa.llm = LanguageModel("broken", broken, capable=False)
    answer = check_invariants(qa, list(qa.stream("When is tea served?")))
    assert answer.composed_by == "extract"
    assert "it is down" in (answer.note or "")


def test_a_refusal_never_asks_the_model(tmp_path: Path) -> None:
    llm = ScriptedLLM(script=["Tea is served at four."])
    build(tmp_path, LIBRARY, llm).ask("Quo vadis?")
    assert llm.prompts == []


def test_extractive_mode_never_asks_the_model(tmp_path: Path) -> None:
    llm = ScriptedLLM(script=["Tea is served at four."])
    build(tmp_path, LIBRARY, llm).ask("When is tea served?", mode="extractive")
    assert llm.prompts == []


@pytest.mark.parametrize("question", ["", "  \n", "?!", "…", "x" * 2001, "\ud800 what?"])
def test_what_is_no_question_is_an_error_that_says_what_to_do(tmp_path: Path, question: str) -> None:
    with pytest.raises(InvalidQuestion) as caught:
        build(tmp_path, LIBRARY).ask(question)
    assert caught.value.help
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "question", ["Wann gibt es Tee?", "お茶はいつですか", "متى يقدم الشاي؟", "когда подают чай", "🍵?a"]
)
def test_other_languages_are_answered_or_refused(tmp_path: Path, question: str) -> None:
    qa = build(tmp_path, LIBRARY)
    check_invariants(qa, list(qa.stream(question)))


def test_a_collection_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CollectionMissing):
        build(tmp_path, LIBRARY).ask("When is tea served?", collection="other")


def test_an_emptied_collection_refuses(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    index = qa.collections.get("default")
    with index.snapshot() as snapshot:
        ids = [document.id for document in snapshot.documents()]
    index.commit([], ids, embedder=qa.embedder.name, dim=qa.embedder.dim, chunker=CHUNKER)
    answer = check_invariants(qa, list(qa.stream("When is tea served?")))
    assert (answer.status, answer.passages) == ("not_answerable", [])


@pytest.mark.parametrize("word", ["Hauptstraße", "Müller", "Mu\u0308ller", "İstanbul", "ISTANBUL", "gräßle"])
def test_a_word_is_found_as_it_is_written(tmp_path: Path, word: str) -> None:
    qa = build(tmp_path, {"a": "Frau Müller of Istanbul and Herr Gräßle live in Hauptstraße.", "b": "İstanbul is big."})
    with qa.collections.get("default").snapshot() as snapshot:
        assert snapshot.lexical(word, 5)


def test_search_gives_the_passages_of_an_answer_unread(tmp_path: Path) -> None:
    qa = build(tmp_path, LIBRARY)
    found = qa.search("When is tea served?", top_k=2)
    read = qa.ask("When is tea served?", top_k=2).passages
    assert [p.model_copy(update={"reader_score": None}) for p in read] == found
    assert found[0].dense_rank
    assert found[0].lexical_rank == 1


def test_fusion_by_hand() -> None:
    dense, lexical = [(7, 0.8), (3, 0.4)], [(3, 5.0), (9, 1.0)]
    every = {3: 0.6 / 2 + 0.4, 7: 0.6, 9: 0.4 / 5}
    assert dict(fuse(dense, lexical, 3)) == pytest.approx(every)
    # There may be more than the two that each search was asked for: hardly worse ones than the last.
    more = {3: 0.6 / 2 + 0.4, 7: 0.6 + 0.4 / 5, 9: 0.6 / 2 + 0.4 / 5}
    assert dict(fuse(dense, lexical, 2)) == pytest.approx(more)
    assert [i for i, _ in fuse(dense, lexical, 2)] == [3, 7, 9]
    assert fuse([(2, 0.5), (1, 0.5)], [], 5) == [(1, 0.6), (2, 0.6)]  # ties by id
    assert fuse([(2, -0.1)], [], 5) == [(2, 0.0)]
    assert fuse([], [], 5) == []


SEARCH = st.dictionaries(st.integers(0, 20), st.floats(-1, 50, allow_nan=False), max_size=8).map(
    lambda found: sorted(found.items(), key=lambda item: -item[1])
)


@given(SEARCH, SEARCH, st.integers(8, 12))
def test_what_both_searches_like_best_has_one_and_nothing_has_more(
    dense: list[tuple[int, float]], lexical: list[tuple[int, float]], candidates: int
) -> None:
    fused = fuse(dense, lexical, candidates)
    assert {i for i, _ in fused} == {i for i, _ in dense} | {i for i, _ in lexical}
    assert all(0 <= score <= 1 + 1e-9 for _, score in fused)
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)
    if dense and lexical and dense[0][0] == lexical[0][0] and min(dense[0][1], lexical[0][1]) > 0:
        assert dict(fused)[dense[0][0]] == pytest.approx(1)
