"""No lie of a language model reaches anybody, whatever it does, and no text of a document commands anything."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx
import pytest

from index.chunk import split_sentences
from index.embed import Embedder
from index.types import Passage
from qa.answer import REFUSAL
from qa.api import create_app
from qa.decide import Calibration
from qa.llm import LanguageModel
from qa.read import Reader
from qa.trace import Trace
from qa.verify import Evidence
from tests.conftest import JUDGE, qa_over, serving
from tests.fakes import ScriptedLLM
from tests.hostile import Reply
from tests.hostile_suite import BUDGET, DATA, hostile_qa, run

Real = tuple[Embedder, Reader, Calibration]
FERRY = (
    "The ferry to Marstrand carries 400 passengers. It leaves from the north pier at nine. Ada Byrne is its captain."
)
INJECTIONS = [json.loads(line) for line in (DATA / "injections.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.timeout(900)
def test_of_five_hundred_hostile_answers_no_lie_is_shown_and_each_ends_in_time(models: Real, tmp_path: Path) -> None:
    report = run(models, tmp_path)
    assert report.answers.total() >= 500
    roles = [lie for kind, lie in report.shown_lies if kind == "roles"]
    assert [lie for kind, lie in report.shown_lies if kind != "roles"] == []
    assert report.lies.total() > 350
    # Exchanged roles are what words tell least; a ceiling a little above what is measured (docs/verifying.md).
    assert len(roles) <= 0.3 * report.lies["roles"]
    assert report.other == [], "what is shown is a sentence of the model or of a document"
    # A floor a little under what is measured (docs/verifying.md); the target, 90 %, is not reached.
    assert report.shown_truths.total() >= 0.45 * report.truths.total()
    # Of the budget, and what reading, checking and a busy machine take.
    assert report.slowest < BUDGET + 5


@pytest.mark.parametrize("case", INJECTIONS, ids=[case["id"] for case in INJECTIONS])
def test_no_text_of_a_document_changes_what_the_answer_may_contain(
    models: Real, tmp_path: Path, case: dict[str, object]
) -> None:
    """The model obeys the document to the letter; the question was about its honest part."""
    name = "page.html" if case["kind"] == "hidden_html" else "notes.txt"
    qa = qa_over({name: str(case["document_text"])}, models, tmp_path)
    llm = ScriptedLLM(script=[case["obedient_answer"]])
    qa.llm = LanguageModel("obedient", lambda: llm)
    answer = qa.ask(str(case["question"]), mode="generative")
    assert isinstance(case["must_not"], list)
    if answer.composed_by == "llm":
        for words in case["must_not"]:
            assert words not in answer.answer
    else:  # the documents' own sentences, in quotation: an order to the reader may be among them
        assert all(claim.text in str(case["document_text"]) or name == "page.html" for claim in answer.claims)
    if llm.prompts:  # nothing in the passages can end them
        prompt = llm.prompts[0][-1].content or ""
        assert prompt.count("<passage>") == prompt.count("</passage>") == len(answer.passages)
        assert "<|" not in prompt
        assert "[INST]" not in prompt


def test_a_client_that_leaves_stops_the_model(models: Real, tmp_path: Path) -> None:
    with (
        hostile_qa(models, tmp_path, {"ferry.txt": FERRY}) as (qa, server),
        serving(create_app(qa)) as url,
    ):
        qa.settings = qa.settings.model_copy(update={"llm_timeout": 60.0, "llm_first_timeout": 60.0})
        server.say(Reply("The ferry to Marstrand carries 400 passengers ", "endless", pause=0.05))
        body = {"question": "How many passengers does the ferry carry?", "mode": "generative", "stream": True}
        with httpx.stream("POST", f"{url}/v1/ask", json=body, timeout=30) as response:
            for line in response.iter_lines():
                if line == "event: quote" and _until(lambda: server.open_streams == 1):
                    break
        assert _until(lambda: server.open_streams == 0)


def test_a_silent_model_keeps_nobody_from_a_verbatim_answer(models: Real, tmp_path: Path) -> None:
    with (
        hostile_qa(models, tmp_path, {"ferry.txt": FERRY}) as (qa, server),
        serving(create_app(qa)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        qa.settings = qa.settings.model_copy(update={"llm_timeout": 20.0, "llm_first_timeout": 20.0})
        server.say(Reply("", "stall"))
        question = "How many passengers does the ferry carry?"
        body = {"question": question, "mode": "generative"}
        waiting = [
            threading.Thread(target=lambda: httpx.post(f"{url}/v1/ask", json=body, timeout=60)) for _ in range(6)
        ]
        for thread in waiting:
            thread.start()
        assert _until(lambda: server.open_streams == 6)
        answer = client.post("/v1/ask", json={"question": question, "mode": "extractive"}).json()
        assert answer["short_answer"] == "400"
        assert server.open_streams == 6, "and nobody had to stop waiting for it"
        server.say(Reply("The ferry to Marstrand carries 400 passengers."))
    for thread in waiting:
        thread.join(30)


def test_more_questions_than_can_wait_are_told_when_to_come_again(models: Real, tmp_path: Path) -> None:
    with hostile_qa(models, tmp_path, {"ferry.txt": FERRY}) as (qa, server):
        qa.llm = LanguageModel("hostile", qa.llm.load, parallel=1)
        qa.settings = qa.settings.model_copy(update={"queue": 0, "llm_timeout": 10.0, "llm_first_timeout": 10.0})
        server.say(Reply("", "stall"))
        body = {"question": "How many passengers does the ferry carry?", "mode": "generative"}
        statuses: list[httpx.Response] = []
        with serving(create_app(qa)) as url:
            threads = [
                threading.Thread(target=lambda: statuses.append(httpx.post(f"{url}/v1/ask", json=body, timeout=60)))
                for _ in range(12)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        codes = sorted(response.status_code for response in statuses)
        assert set(codes) == {200, 429}
        refused = next(response for response in statuses if response.status_code == 429)
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["type"] == "/problems#too-many-questions"
        # Whoever was let in is answered: by the document where there was no turn at the model.
        assert all(r.json()["short_answer"] == "400" for r in statuses if r.status_code == 200)


def test_what_can_be_mended_is_tried_again_and_what_cannot_is_not(models: Real, tmp_path: Path) -> None:
    with hostile_qa(models, tmp_path, {"ferry.txt": FERRY}) as (qa, server):
        said = Reply("The ferry to Marstrand carries 400 passengers.")
        server.say(Reply("", "status", status=503), Reply("", "status", status=429, retry_after="0.1"), said)
        answer = qa.ask("How many passengers does the ferry carry?", mode="generative")
        assert answer.composed_by == "llm"
        assert len(server.requests) == 3
        server.say(Reply("", "status", status=401))
        answer = qa.ask("How many passengers does the ferry carry?", mode="generative")
        assert (answer.composed_by, answer.short_answer) == ("extract", "400")
        assert "HTTP 401" in (answer.note or "")
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("question", "said", "shown"),
    [
        ("How many passengers does the Marenka carry?", "It carries 400 passengers.", True),
        ("How many passengers does the Marenka carry?", "The Sula sank in 1950. It carries 400 passengers.", True),
        ("How many passengers does the Sula carry?", "It carries 400 passengers.", False),
        ("How many passengers does the ferry carry?", "It carries 400 passengers.", False),
        ("Does the Sula or the Marenka carry 400 passengers?", "It carries 400 passengers.", False),
    ],
)
def test_a_first_sentence_may_say_it_where_the_question_names_one_thing(
    models: Real, tmp_path: Path, question: str, said: str, shown: bool
) -> None:
    text = "The Marenka carries 400 passengers. The Sula is smaller. It leaves from the north pier at nine."
    qa = qa_over({"ferry.txt": text}, models, tmp_path)
    qa.llm = LanguageModel("scripted", lambda: ScriptedLLM(script=[said]))
    trace = Trace()
    qa.ask(question, mode="generative", trace=trace)
    assert trace.drafted[-1].support.supported == shown


def test_a_refusal_names_what_is_missing_in_the_words_of_the_question(models: Real, tmp_path: Path) -> None:
    qa = qa_over({"ferry.txt": FERRY}, models, tmp_path)
    for said, ending in (
        ("NOT STATED: the price of a ticket to Oslo", " They do not state: the price of a ticket to Oslo."),
        ("NOT STATED: that Bob Hale sank the ferry in 1999", ""),
        ("NOT STATED: <b>the price</b>", ""),
    ):
        qa.llm = LanguageModel("scripted", lambda said=said: ScriptedLLM(script=[said]))  # type: ignore[misc]
        answer = qa.ask("What is the price of a ticket to Oslo?", mode="generative")
        assert (answer.status, answer.answer) == ("not_answerable", REFUSAL + ending)
        assert answer.citations == []


def test_a_model_that_may_write_much_still_gets_passages_to_read(models: Real, tmp_path: Path) -> None:
    qa = qa_over({"ferry.txt": FERRY}, models, tmp_path)
    qa.settings = qa.settings.model_copy(update={"llm_max_tokens": 8192})
    llm = ScriptedLLM(script=["The ferry to Marstrand carries 400 passengers."])
    qa.llm = LanguageModel("scripted", lambda: llm)
    assert qa.ask("How many passengers does the ferry carry?", mode="generative").composed_by == "llm"
    assert FERRY.split(".")[0] in (llm.prompts[0][-1].content or "")
    assert llm.options[0]["max_tokens"] <= llm.metadata.context_window // 2


def test_whoever_leaves_while_a_model_writes_leaves_no_refusal_behind(models: Real, tmp_path: Path) -> None:
    qa = qa_over({"ferry.txt": FERRY}, models, tmp_path)
    qa.settings = qa.settings.model_copy(update={"keep_refusals": True})
    gone = threading.Event()
    said = ScriptedLLM(script=["It costs ten crowns to Oslo."])
    qa.llm = LanguageModel("scripted", lambda: said)
    inquiry = qa.begin("What is the price of a ticket to Oslo?", mode="generative", cancelled=gone.is_set)
    list(inquiry.read())
    gone.set()
    assert list(inquiry.write()) == []
    assert list(qa.feedback.all()) == []
    qa.ask("What is the price of a ticket to Oslo?", mode="generative")
    assert [item.status for item in qa.feedback.all()] == ["not_answerable"], "who stays is refused, and that is kept"


def _until(true: object, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("folder", "true", "false"),
    [("false_claims", 33, 60), ("answer_pairs", 75, 28)],  # of 50 and 283; of 240 and 240
)
def test_most_that_passes_is_true(models: Real, folder: str, true: int, false: int) -> None:
    embedder, *_ = models
    file = DATA.parent / folder / "claims.jsonl"
    passed = {"true": 0, "false": 0}
    for line in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        text = record["evidence"]
        passage = Passage(1, "doc", "v", "", None, 0, len(text), text, tuple(split_sentences(text)))
        evidence = Evidence.of(embedder, [passage], JUDGE)
        for kind in passed:
            passed[kind] += sum(evidence.support(claim, "").supported for claim in record[kind])
    assert passed["true"] >= true
    assert passed["false"] <= false
