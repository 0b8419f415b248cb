"""Conversations: follow-ups through the pipeline and the API, and those that are kept."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

import qa.conversations as kept_conversations
from qa.answer import REFUSAL
from qa.api import create_app
from qa.conversations import Conversations
from qa.errors import ConversationMissing, ConversationsOff, RecordsUnavailable
from qa.pipeline import QA
from qa.records import FILE
from qa.trace import Trace
from qa.types import AnswerEvent, Turn
from tests.conftest import MakeQA, serving
from tests.test_api import ask, check_problem, parse
from tests.test_pipeline import LIBRARY, build

LIGHT = (
    "Skerrow Light was built in 1871 by the engineer Ada Brandt. It stands 34 metres tall on the island of Skerrow. "
    "The lamp was electrified in 1959.\n\nAda Brandt was born in Holm. Holm Light was built in 1902.\n"
)
BUILT = {"question": "When was Skerrow Light built?", "answer": "Skerrow Light was built in 1871."}
DAY = 86_400.0


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def light(make_qa: MakeQA, now: Now) -> QA:
    """A service that keeps conversations for a week."""
    service = make_qa({"light.txt": LIGHT})
    service.conversations = Conversations(service.settings.data_dir, 7, now)
    return service


@pytest.fixture
def client(light: QA) -> Iterator[TestClient]:
    with TestClient(create_app(light)) as client:
        yield client


def begin(client: TestClient) -> str:
    response = client.post("/v1/conversations", json={})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


# -- follow-ups ------------------------------------------------------------------------------------------------------


def test_a_followup_is_answered_as_what_it_means(client: TestClient) -> None:
    alone = ask(client, "When was Holm Light built?")
    answer = ask(client, "And Holm Light?", history=[BUILT])
    assert (answer["question"], answer["standalone_question"]) == ("And Holm Light?", "When was Holm Light built?")
    assert answer["short_answer"] == alone["short_answer"] == "1902"
    assert (answer["quote"], answer["claims"], answer["passages"]) == (
        alone["quote"],
        alone["claims"],
        alone["passages"],
    )
    assert (alone["standalone_question"], answer["conversation_id"]) == (None, None)


def test_a_stream_says_it_too(client: TestClient) -> None:
    body = {"question": "Where was she born?", "history": [BUILT | {"answer": LIGHT[:60]}], "stream": True}
    events = parse(client.post("/v1/ask", json=body).text)
    assert [name for name, _ in events] == ["passages", "quote", "claim", "answer"]
    assert events[-1][1]["standalone_question"] == "Where was Ada Brandt born?"
    assert "Holm" in events[-1][1]["answer"]


@pytest.mark.parametrize("question", ["How tall is Skerrow Light?", "Who is he?", "Is it true that whales sleep?"])
def test_what_is_not_completed_is_asked_as_it_is(client: TestClient, question: str) -> None:
    answer = ask(client, question, history=[BUILT])
    assert answer["standalone_question"] is None
    volatile = {"id", "timings"}
    alone = ask(client, question)
    assert {k: v for k, v in answer.items() if k not in volatile} == {
        k: v for k, v in alone.items() if k not in volatile
    }


def test_the_trace_says_how_it_was_understood(light: QA) -> None:
    trace = Trace()
    light.ask("How tall is it?", history=[Turn(**BUILT)], trace=trace)
    assert trace.understood is not None
    assert (trace.understood.question, trace.understood.by) == ("How tall is Skerrow Light?", "rules")
    trace = Trace()
    light.ask("How tall is it?", trace=trace)
    assert trace.understood is None


@pytest.mark.parametrize(
    "history",
    [
        [BUILT] * 21,
        [{"question": "x" * 2001, "answer": ""}],
        [{"question": "x", "answer": "y" * 10_001}],
        [{"question": "x"}],
        [BUILT | {"role": "system"}],
        [{"question": "a\0b", "answer": ""}],
        [{"question": 1, "answer": ""}],
        "And to China?",
        {"question": "x", "answer": "y"},
        None,
    ],
)
def test_a_history_that_does_not_fit_is_refused(client: TestClient, history: Any) -> None:
    check_problem(client.post("/v1/ask", json={"question": "Why?", "history": history}), 422, "invalid-request")


def test_a_lone_surrogate_in_it_is_refused(client: TestClient) -> None:
    body = b'{"question": "Why?", "history": [{"question": "\\ud800", "answer": ""}]}'
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    check_problem(response, 422, "invalid-request")


def test_the_longest_history_is_taken(client: TestClient) -> None:
    history = [{"question": "🦉" * 2000, "answer": "🦉" * 10_000}] * 20
    content = json.dumps({"question": "How tall is Skerrow Light?", "history": history})
    response = client.post("/v1/ask", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 200
    assert response.json()["standalone_question"] is None


@settings(max_examples=25)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=80)), max_size=3), st.text(max_size=30))
def test_no_history_breaks_an_answer(library: Callable[[], QA], turns: list[tuple[str, str]], more: str) -> None:
    history = [Turn.model_construct(question=q, answer=a) for q, a in turns]
    answer = library().ask(f"When does the library open? {more}".strip(), history=history)
    assert answer.question.startswith("When does the library open?")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], QA]:
    service = build(tmp_path_factory.mktemp("library"), LIBRARY)
    return lambda: service


# -- kept conversations ----------------------------------------------------------------------------------------------


def test_a_kept_conversation_is_gone_on_with_and_replayed(client: TestClient) -> None:
    id = begin(client)
    first = ask(client, "When was Skerrow Light built?", conversation_id=id)
    second = ask(client, "How tall is it?", conversation_id=id)
    third = ask(client, "Who was the king of Norway?", conversation_id=id)
    assert [answer["conversation_id"] for answer in (first, second, third)] == [id] * 3
    assert second["standalone_question"] == "How tall is Skerrow Light?"
    assert third["status"] == "not_answerable"
    response = client.get(f"/v1/conversations/{id}")
    assert "no-store" in response.headers["cache-control"]
    replayed = response.json()
    assert replayed["turns"] == [first, second, third]
    for citation in first["citations"]:
        assert client.get(f"/v1/citations/{citation['id']}").json()["cited_text"] == citation["cited_text"]


def test_a_stream_is_kept_as_it_was_sent(client: TestClient) -> None:
    id = begin(client)
    body = {"question": "When was Skerrow Light built?", "conversation_id": id, "stream": True}
    sent = parse(client.post("/v1/ask", json=body).text)[-1][1]
    assert client.get(f"/v1/conversations/{id}").json()["turns"] == [sent]


def test_it_survives_a_restart(light: QA, client: TestClient) -> None:
    id = begin(client)
    answer = ask(client, "When was Skerrow Light built?", conversation_id=id)
    light.conversations = Conversations(light.settings.data_dir, 7, light.conversations._now)
    with serving(create_app(light)) as url:
        assert httpx.get(f"{url}/v1/conversations/{id}").json()["turns"] == [answer]
        body = {"question": "How tall is it?", "conversation_id": id}
        again = httpx.post(f"{url}/v1/ask", json=body, timeout=60).json()
    assert again["standalone_question"] == "How tall is Skerrow Light?"


def test_deleted_it_is_gone_from_the_disk(light: QA, client: TestClient) -> None:
    id = begin(client)
    ask(client, "When was Skerrow Light built by zanzibarians?", conversation_id=id)
    path = light.settings.data_dir / FILE
    assert b"zanzibarians" in path.read_bytes()
    assert client.delete(f"/v1/conversations/{id}").status_code == 204
    assert b"zanzibarians" not in b"".join(file.read_bytes() for file in path.parent.glob(f"{FILE}*"))
    for response in (
        client.get(f"/v1/conversations/{id}"),
        client.delete(f"/v1/conversations/{id}"),
        client.post("/v1/ask", json={"question": "Why?", "conversation_id": id}),
        client.post("/v1/ask", json={"question": "Why?", "conversation_id": id, "stream": True}),
    ):
        assert "POST /v1/conversations" in check_problem(response, 404, "conversation-not-found")["help"]


def test_it_expires_after_its_last_turn(light: QA, client: TestClient, now: Now) -> None:
    id, other = begin(client), begin(client)
    now.seconds += 6 * DAY
    ask(client, "When was Skerrow Light built?", conversation_id=id)
    now.seconds += 6 * DAY
    check_problem(client.get(f"/v1/conversations/{other}"), 404, "conversation-not-found")
    assert len(client.get(f"/v1/conversations/{id}").json()["turns"]) == 1
    now.seconds += DAY
    check_problem(client.get(f"/v1/conversations/{id}"), 404, "conversation-not-found")
    assert light.conversations.forget_expired() == 2
    assert light.conversations.forget_expired() == 0
    db = sqlite3.connect(light.settings.data_dir / FILE)
    assert db.execute("SELECT (SELECT count(*) FROM conversations) + (SELECT count(*) FROM turns)").fetchone() == (0,)
    db.close()


def test_ids_cannot_be_guessed(light: QA) -> None:
    ids = {light.conversations.begin().id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(id) >= 32 for id in ids)


@pytest.mark.parametrize("id", ["conv_nobody", "x' OR '1'='1", "%25", "новый", "conv_%00"])
def test_an_unknown_one_says_what_to_do(client: TestClient, id: str) -> None:
    begin(client)
    check_problem(client.get(f"/v1/conversations/{id}"), 404, "conversation-not-found")
    if "%" not in id:
        response = client.post("/v1/ask", json={"question": "Why?", "conversation_id": id})
        check_problem(response, 404, "conversation-not-found")


def test_history_and_conversation_id_exclude_each_other(client: TestClient) -> None:
    body = {"question": "Why?", "history": [BUILT], "conversation_id": begin(client)}
    problem = check_problem(client.post("/v1/ask", json=body), 422, "invalid-request")
    assert "not both" in problem["errors"][0]["message"]


def test_where_none_is_kept_nothing_is_written(make_qa: MakeQA) -> None:
    service = make_qa({"light.txt": LIGHT})
    files = {path: path.read_bytes() for path in service.settings.data_dir.rglob("*") if path.is_file()}
    with TestClient(create_app(service)) as client:
        problem = check_problem(client.post("/v1/conversations", json={}), 403, "conversations-not-kept")
        assert "QA_KEEP_CONVERSATIONS" in problem["help"]
        body = {"question": "Why?", "conversation_id": "conv_AbC"}
        check_problem(client.post("/v1/ask", json=body), 403, "conversations-not-kept")
        check_problem(client.get("/v1/conversations/conv_AbC"), 404, "conversation-not-found")
        check_problem(client.delete("/v1/conversations/conv_AbC"), 404, "conversation-not-found")
        ask(client, "And Holm Light?", history=[BUILT])
        ask(client, "Who was the king of Norway?")
    assert {path: path.read_bytes() for path in service.settings.data_dir.rglob("*") if path.is_file()} == files


def test_without_an_id_nothing_is_kept_even_where_it_could_be(light: QA, client: TestClient) -> None:
    ask(client, "When was Skerrow Light built?")
    assert not (light.settings.data_dir / FILE).exists()


def test_what_was_kept_before_can_still_be_read_and_deleted(light: QA, client: TestClient, now: Now) -> None:
    id = begin(client)
    ask(client, "When was Skerrow Light built?", conversation_id=id)
    light.conversations = Conversations(light.settings.data_dir, 0, now)
    assert len(client.get(f"/v1/conversations/{id}").json()["turns"]) == 1
    assert client.delete(f"/v1/conversations/{id}").status_code == 204


def test_turns_and_conversations_are_bounded(
    light: QA, client: TestClient, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_conversations, "MOST_KEPT_TURNS", 2)
    monkeypatch.setattr(kept_conversations, "MOST_CONVERSATIONS", 3)
    id = begin(client)
    for _ in range(2):
        ask(client, "When was Skerrow Light built?", conversation_id=id)
    response = client.post("/v1/ask", json={"question": "How tall is it?", "conversation_id": id})
    check_problem(response, 422, "conversation-full")
    later = []
    for _ in range(3):
        now.seconds += 60
        later.append(begin(client))
    check_problem(client.get(f"/v1/conversations/{id}"), 404, "conversation-not-found")
    assert all(client.get(f"/v1/conversations/{other}").status_code == 200 for other in later)


def test_writers_at_the_same_time_lose_nothing(light: QA) -> None:
    answer = light.ask("When was Skerrow Light built?")
    ids = [light.conversations.begin().id for _ in range(3)]

    def write(number: int) -> None:
        store = Conversations(light.settings.data_dir, 7, light.conversations._now)
        store.keep(ids[number % 3], answer.model_copy(update={"id": f"ans_{number}"}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(30)))
    kept = [[turn.id for turn in light.conversations.get(id).answers] for id in ids]
    assert sorted(turn for turns in kept for turn in turns) == sorted(f"ans_{number}" for number in range(30))
    assert [len(turns) for turns in kept] == [10, 10, 10]


def test_a_crash_in_the_middle_leaves_whole_turns(light: QA, now: Now) -> None:
    id = light.conversations.begin().id
    answer = light.ask("When was Skerrow Light built?")
    light.conversations.keep(id, answer)
    script = f"""
import os
from pathlib import Path
from qa.records import FILE, writing
with writing(Path({str(light.settings.data_dir)!r}) / FILE) as db:
    db.execute("UPDATE conversations SET expires = 0")
    db.execute("INSERT INTO turns (conversation, answer) VALUES (?, '{{')", ({id!r},))
    os._exit(9)
"""  # noqa: S608
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert light.conversations.get(id).answers == (answer,)
    light.conversations.keep(id, answer)
    assert len(light.conversations.get(id).answers) == 2


def test_one_deleted_while_its_answer_is_made_is_not_made_again(light: QA) -> None:
    id = light.conversations.begin().id
    inquiry = light.begin("When was Skerrow Light built?", conversation_id=id)
    list(inquiry.read())
    light.conversations.delete(id)
    (*_, last) = inquiry.write()
    assert isinstance(last, AnswerEvent)
    assert (last.answer.status, last.answer.conversation_id) == ("answered", None)
    with pytest.raises(ConversationMissing):
        light.conversations.get(id)


def test_a_damaged_file_is_a_problem_and_answers_go_on(light: QA, client: TestClient) -> None:
    id = begin(client)
    (light.settings.data_dir / FILE).write_bytes(b"this is no database" * 500)
    problem = check_problem(client.get(f"/v1/conversations/{id}"), 503, "records-unavailable")
    assert str(light.settings.data_dir) not in json.dumps(problem)
    with pytest.raises(RecordsUnavailable):
        light.conversations.begin()
    assert ask(client, "When was Skerrow Light built?")["status"] == "answered"


def test_hostile_text_is_kept_as_it_is(light: QA, client: TestClient) -> None:
    id = begin(client)
    question = "When was Skerrow Light built'; DROP TABLE turns; -- <script>alert(1)</script> \u202e🦉?"
    ask(client, question, conversation_id=id)
    ask(client, "How tall is it?", conversation_id=id)
    assert client.get(f"/v1/conversations/{id}").json()["turns"][0]["question"] == question


def test_a_refusal_in_it_is_no_answer_to_lean_on(light: QA) -> None:
    id = light.conversations.begin().id
    refused = light.ask("Who was the king of Norway?", conversation_id=id)
    assert refused.answer.startswith(REFUSAL)
    assert light.conversations.turns(id) == [Turn(question="Who was the king of Norway?", answer="")]


def test_off_is_an_error_in_python(make_qa: MakeQA) -> None:
    with pytest.raises(ConversationsOff):
        make_qa({"light.txt": LIGHT}).ask("When was it built?", conversation_id="conv_AbC")
