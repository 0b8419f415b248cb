"""The HTTP API: the wire, its errors, and what an answer keeps on its way through."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.catalog import writing
from index.embed import Embedder
from index.errors import CatalogUnreadable
from index.ingest import remove
from qa.api import create_app
from qa.api.app import max_body_bytes
from qa.api.problems import KINDS
from qa.cite import Place, decode, encode
from qa.decide import Calibration
from qa.pipeline import QA, Inquiry
from qa.read import Reader
from qa.types import Event, PassagesEvent
from tests.conftest import MakeQA, put, qa_over, serving

LIGHT = """Skerrow Light

Skerrow Light was built in 1871 by the engineer Ada Brandt. It stands 34 metres tall on the island of Skerrow. The \
lamp was electrified in 1959.

Today the tower is a museum. It opens from April to October, and a ticket costs 6 euros.
"""
BAKERY = """The bakery at Holm

Ole Madsen bakes rye bread at Holm every Tuesday. He sells about 140 loaves a week. The oven was a gift of his aunt.
"""
OWLS = "🦉🦉 Owls 🏝️\r\n\r\n🦉 The owl sanctuary was founded by Rosa Linde in 1988.\r\nIt keeps 52 owls.\r\n"
TEXTS = {"light.txt": LIGHT, "bakery.txt": BAKERY, "owls.txt": OWLS, "other/bakery.txt": BAKERY.replace("140", "95")}

ANSWERED = ("When was Skerrow Light built?", "How many loaves does he sell a week?", "Who founded the owl sanctuary?")
REFUSED = ("What is the capital of Mongolia?", "Who won the chess championship?")

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def qa(models: tuple[Embedder, Reader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> QA:
    """A service that no test changes."""
    return qa_over(TEXTS, models, tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def client(qa: QA) -> Iterator[TestClient]:
    with TestClient(create_app(qa)) as client:
        yield client


def ask(client: TestClient, question: str, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def parse(body: str) -> list[tuple[str, dict[str, Any]]]:
    """Server-sent events as (name, data), with nothing else in between."""
    assert body.endswith("\n\n")
    found = []
    for block in body.removesuffix("\n\n").split("\n\n"):
        name, data = re.fullmatch(r"event: (\w+)\ndata: (.+)", block).groups()  # type: ignore[union-attr]
        found.append((name, json.loads(data)))
    return found


def stream(client: TestClient, question: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    response = client.post("/v1/ask", json={"question": question, "stream": True, **more})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return parse(response.text)


def check_problem(response: Any, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"/problems#{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["help"]
    assert len(response.content) < 12_000, "what was sent is not sent back"
    assert "Traceback" not in response.text
    return problem


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ANSWERED)
def test_citations_are_exact_through_the_api(client: TestClient, question: str) -> None:
    answer = ask(client, question)
    assert answer["status"] == "answered"
    assert answer["composed_by"] == "extract"
    assert answer["citations"]
    for citation in answer["citations"]:
        span = slice(citation["start_char_index"], citation["end_char_index"])
        document = client.get(
            f"/v1/documents/{citation['document_id']}", params={"version": citation["document_version"]}
        ).json()
        assert document["text"][span] == citation["cited_text"]
        again = client.get(f"/v1/citations/{citation['id']}").json()
        assert {name: again[name] for name in citation} == citation
        assert (again["collection"], again["stale"]) == ("default", False)
        assert again["current_version"] == citation["document_version"]
    for claim in answer["claims"]:
        assert answer["answer"][claim["start"] : claim["end"]] == claim["text"]
        assert claim["citation_indices"]


@pytest.mark.parametrize("question", REFUSED)
def test_a_refusal_cites_nothing(client: TestClient, question: str) -> None:
    answer = ask(client, question)
    assert answer["status"] == "not_answerable"
    assert (answer["quote"], answer["claims"], answer["citations"]) == (None, [], [])
    assert answer["passages"]
    assert [name for name, _ in stream(client, question)] == ["passages", "answer"]


@pytest.mark.parametrize("question", ANSWERED)
def test_what_is_emitted_stands_in_the_final_answer(client: TestClient, question: str) -> None:
    events = stream(client, question)
    names = [name for name, _ in events]
    final = events[-1][1]
    assert names == ["passages", "quote", *["claim"] * len(final["claims"]), "answer"]
    shapes = {name: set(data) for name, data in events[:-1]}
    assert shapes == {"passages": {"passages"}, "quote": {"quote", "citations"}, "claim": {"claim", "citations"}}
    assert events[0][1]["passages"] == final["passages"]
    assert events[1][1]["quote"] == final["quote"]
    assert [data["claim"] for name, data in events if name == "claim"] == final["claims"]
    for name, data in events[1:-1]:
        indices = data[name]["citation_indices"]
        assert data["citations"] == [final["citations"][i] for i in indices]


@pytest.mark.parametrize("question", [*ANSWERED, *REFUSED])
def test_stream_and_json_give_the_same_answer(client: TestClient, question: str) -> None:
    changing = {"id", "timings"}
    streamed = stream(client, question, mode="extractive")[-1][1]
    whole = ask(client, question, mode="extractive")
    assert {k: v for k, v in streamed.items() if k not in changing} == {
        k: v for k, v in whole.items() if k not in changing
    }


def test_collections_are_apart(client: TestClient) -> None:
    question = "How many loaves does he sell a week?"
    assert ask(client, question)["short_answer"].removeprefix("about ") == "140"
    other = ask(client, question, collection="other")
    assert other["short_answer"].removeprefix("about ") == "95"
    assert "collection=other" in other["citations"][0]["viewer_url"]
    assert client.get(f"/v1/citations/{other['citations'][0]['id']}").json()["collection"] == "other"


def test_top_k_limits_what_is_read(client: TestClient) -> None:
    assert len(ask(client, ANSWERED[0], top_k=1)["passages"]) == 1


# -- documents and collections ---------------------------------------------------------------------------------------


def test_collections_are_listed(client: TestClient, qa: QA) -> None:
    rows = client.get("/v1/collections").json()["collections"]
    assert [(row["name"], row["documents"]) for row in rows] == [("default", 3), ("other", 1)]
    assert {row["embedder"] for row in rows} == {qa.embedder.name}
    assert rows[0]["generation"] == 3


def test_documents_are_listed_without_where_they_came_from(client: TestClient) -> None:
    response = client.get("/v1/documents")
    assert [row["uri"] for row in response.json()["documents"]] == ["bakery.txt", "light.txt", "owls.txt"]
    assert "sources" not in response.text
    document = client.get(f"/v1/documents/{response.json()['documents'][2]['id']}")
    assert set(document.json()) == {
        "id", "title", "uri", "version", "text", "source_url", "current", "current_version", "generation",
    }  # fmt: skip
    assert document.json()["text"] == OWLS
    assert "sources" not in document.text


def test_a_citation_outlives_an_update_and_ends_with_the_document(make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({"light.txt": LIGHT})
    client = TestClient(create_app(qa))
    citation = ask(client, ANSWERED[0])["citations"][0]
    old = client.get(f"/v1/documents/{citation['document_id']}").json()

    put(qa, tmp_path, "light.txt", "A new first line.\n\n" + LIGHT)
    stale = client.get(f"/v1/citations/{citation['id']}").json()
    assert stale["stale"]
    assert stale["cited_text"] == citation["cited_text"]
    current = client.get(f"/v1/documents/{citation['document_id']}").json()
    assert current["current"]
    assert stale["current_version"] == current["version"] != old["version"]
    cited = client.get(f"/v1/documents/{citation['document_id']}", params={"version": old["version"]}).json()
    assert not cited["current"]
    assert cited["text"] == LIGHT
    assert cited["current_version"] == current["version"]

    assert client.delete(f"/v1/documents/{citation['document_id']}").status_code == 204
    page = f"/documents/{citation['document_id']}"
    for path in (f"/v1/citations/{citation['id']}", f"/v1/documents/{citation['document_id']}"):
        check_problem(client.get(path), 410, "document-deleted")
    check_problem(client.delete(f"/v1/documents/{citation['document_id']}"), 410, "document-deleted")
    gone = client.get(page)
    assert gone.status_code == 410
    assert gone.headers["content-type"].startswith("text/html")
    assert 'href="../"' in gone.text
    assert client.get("/v1/documents").json()["documents"] == []
    assert ask(client, ANSWERED[0])["status"] == "not_answerable"


def test_delete_does_not_wait_for_an_ingest(make_qa: MakeQA) -> None:
    qa = make_qa({"light.txt": LIGHT})
    client = TestClient(create_app(qa))
    path = f"/v1/documents/{client.get('/v1/documents').json()['documents'][0]['id']}"
    with qa.collections.get("default").lock():
        begun = time.monotonic()
        response = client.delete(path)
        assert time.monotonic() - begun < 5
    check_problem(response, 409, "ingest-running")
    assert response.headers["retry-after"]
    assert client.delete(path).status_code == 204


def test_delete_takes_no_version_and_makes_no_collection(make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({"light.txt": LIGHT})
    client = TestClient(create_app(qa))
    document = client.get("/v1/documents").json()["documents"][0]
    path = f"/v1/documents/{document['id']}"
    check_problem(client.delete(path, params={"version": document["version"]}), 422, "invalid-request")
    check_problem(client.delete(path, params={"colection": "other"}), 422, "invalid-request")
    check_problem(client.delete(path, params={"collection": "nowhere"}), 404, "collection-not-found")
    check_problem(client.delete("/v1/documents/doc_0000000000000000"), 404, "document-not-found")
    assert client.get(path).status_code == 200
    assert [f.name for f in (tmp_path / "data" / "collections").iterdir()] == ["default"]


def test_a_collection_that_is_being_made_is_not_there_yet(make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({"light.txt": LIGHT})
    with writing(tmp_path / "data" / "collections" / "half" / "catalog.sqlite"):
        pass  # a catalogue without a generation: what an interrupted first ingest leaves
    client = TestClient(create_app(qa))
    assert [row["name"] for row in client.get("/v1/collections").json()["collections"]] == ["default"]
    check_problem(client.get("/v1/documents?collection=half"), 404, "collection-not-found")
    problem = check_problem(
        client.post("/v1/ask", json={"question": "Who?", "collection": "half"}), 404, "collection-not-found"
    )
    assert str(tmp_path) not in json.dumps(problem)
    assert client.get("/").status_code == 200


def test_a_damaged_collection_leaves_the_others_alone(make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({"light.txt": LIGHT})
    damaged = tmp_path / "data" / "collections" / "damaged"
    damaged.mkdir()
    (damaged / "catalog.sqlite").write_bytes(b"no database " * 100)
    client = TestClient(create_app(qa))
    assert [row["name"] for row in client.get("/v1/collections").json()["collections"]] == ["default"]
    assert client.get("/").status_code == 200
    problem = check_problem(client.get("/v1/documents?collection=damaged"), 503, "index-unavailable")
    assert str(tmp_path) not in json.dumps(problem)


# -- errors ----------------------------------------------------------------------------------------------------------


JSON = {"content-type": "application/json"}
BODIES = {
    "no JSON": (b"{", 400, "invalid-json"),
    "no object": (b"[1, 2]", 422, "invalid-request"),
    "empty": (b"", 422, "invalid-request"),
    "not UTF-8": (b'{"question": "\xff\xfe"}', 400, "bad-request"),
    "too deep": (b'{"question": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400, "bad-request"),
    "rather deep": (b'{"question": ' + b"[" * 500 + b"]" * 500 + b"}", 422, "invalid-request"),
    "huge number": (b'{"question": "Who?", "top_k": ' + b"9" * 5000 + b"}", 400, "bad-request"),
    "not a number": (b'{"question": "Who?", "top_k": NaN}', 422, "invalid-request"),
    "unknown key": (b'{"question": "Who?", "topk": 3}', 422, "invalid-request"),
    "surrogate key": (b'{"question": "Who?", "\\ud800": 3}', 422, "invalid-request"),
    "many keys": (json.dumps({f"key{i}": i for i in range(3000)}).encode(), 422, "invalid-request"),
    "surrogate": (b'{"question": "Who is \\ud800?"}', 422, "invalid-question"),
    "surrogate collection": (b'{"question": "Who?", "collection": "\\udfff"}', 422, "invalid-collection-name"),
    "NUL": (b'{"question": "Who is\\u0000 it?"}', 422, "invalid-request"),
    "NUL collection": (b'{"question": "Who?", "collection": "a\\u0000"}', 422, "invalid-collection-name"),
    "path as collection": (b'{"question": "Who?", "collection": "../../etc"}', 422, "invalid-collection-name"),
    "no such collection": (b'{"question": "Who?", "collection": "nowhere"}', 404, "collection-not-found"),
    "no question": (b"{}", 422, "invalid-request"),
    "empty question": (b'{"question": " ?! "}', 422, "invalid-question"),
    "long question": (json.dumps({"question": "who " * 600}).encode(), 422, "invalid-question"),
    "number as question": (b'{"question": 42}', 422, "invalid-request"),
    "unknown mode": (b'{"question": "Who?", "mode": "creative"}', 422, "invalid-request"),
    "too many": (b'{"question": "Who?", "top_k": 51}', 422, "invalid-request"),
    "too few": (b'{"question": "Who?", "top_k": 0}', 422, "invalid-request"),
    "text as flag": (b'{"question": "Who?", "stream": "yes"}', 422, "invalid-request"),
    "too large": (json.dumps({"question": "who " * 800_000}).encode(), 413, "body-too-large"),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_a_problem(client: TestClient, name: str) -> None:
    body, status, slug = BODIES[name]
    check_problem(client.post("/v1/ask", content=body, headers=JSON), status, slug)


@pytest.mark.parametrize("question", [" ?! ", "who " * 600])
def test_a_stream_that_cannot_begin_is_a_problem(client: TestClient, question: str) -> None:
    check_problem(client.post("/v1/ask", json={"question": question, "stream": True}), 422, "invalid-question")
    missing = client.post("/v1/ask", json={"question": "Who?", "stream": True, "collection": "nowhere"})
    check_problem(missing, 404, "collection-not-found")


def test_fields_are_named_and_input_is_not_repeated(client: TestClient) -> None:
    problem = check_problem(
        client.post("/v1/ask", json={"question": "Who?", "top_k": 99, "secret": "hunter2"}), 422, "invalid-request"
    )
    assert {error["field"] for error in problem["errors"]} == {"body.top_k", "body.secret"}
    assert "hunter2" not in json.dumps(problem)


def test_a_body_without_a_length_is_limited_too(client: TestClient) -> None:
    chunks = iter([b'{"question": "', *[b"who " * 1000] * 800])
    check_problem(client.post("/v1/ask", content=chunks, headers=JSON), 413, "body-too-large")


def test_the_longest_question_fits_the_body(qa: QA) -> None:
    limit = qa.settings.max_question_chars
    for question_limit in (1, limit, 50_000):
        body = json.dumps({"question": "🦉" * question_limit})
        assert len(body) <= max_body_bytes(question_limit)


@pytest.mark.parametrize("declared", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_is_not_declared_as_json_is_refused(client: TestClient, declared: str | None) -> None:
    headers = {"content-type": declared} if declared else {}
    response = client.post("/v1/ask", content=b'{"question": "Who?"}', headers=headers)
    check_problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/nothing", 404, "not-found"),
        ("GET", "/v1/ask/", 404, "not-found"),
        ("GET", "/docs", 404, "not-found"),
        ("GET", "/redoc", 404, "not-found"),
        ("GET", "/assets/index.html", 404, "not-found"),
        ("GET", "/v1/ask", 405, "method-not-allowed"),
        ("PUT", "/v1/documents/x", 405, "method-not-allowed"),
        ("GET", "/v1/documents/doc_0", 404, "document-not-found"),
        ("GET", "/v1/documents/doc%00%ff", 404, "document-not-found"),
        ("GET", "/v1/documents/" + "x" * 5000, 404, "document-not-found"),
        ("GET", "/v1/documents?collection=nowhere", 404, "collection-not-found"),
        ("GET", "/v1/documents?collection=%2e%2e%2f", 422, "invalid-collection-name"),
        ("GET", "/v1/documents?collection=%00", 422, "invalid-collection-name"),
        ("GET", "/v1/documents?limit=3", 422, "invalid-request"),
        ("GET", "/v1/collections?collection=default", 422, "invalid-request"),
        ("GET", "/v1/citations/cit_AbC", 404, "citation-not-found"),
        ("GET", "/v1/citations/%00%ed%a0%80", 404, "citation-not-found"),
        ("GET", "/v1/citations/" + "x" * 5000, 404, "citation-not-found"),
    ],
)
def test_a_bad_address_is_a_problem(client: TestClient, method: str, path: str, status: int, slug: str) -> None:
    check_problem(client.request(method, path), status, slug)


def test_an_unknown_version_is_not_found(client: TestClient) -> None:
    document = client.get("/v1/documents").json()["documents"][0]["id"]
    check_problem(client.get(f"/v1/documents/{document}?version=0"), 404, "document-not-found")


def test_made_up_citations_are_not_found(client: TestClient) -> None:
    real = decode(ask(client, ANSWERED[0])["citations"][0]["id"])
    length = len(LIGHT)

    def resolve(**changed: Any) -> Any:
        fields = {name: getattr(real, name) for name in Place.__slots__} | changed
        return client.get(f"/v1/citations/{encode(Place(**fields))}")

    assert resolve(start=0, end=length).json()["cited_text"] == LIGHT
    check_problem(resolve(end=length + 1), 404, "citation-not-found")
    check_problem(resolve(start=length + 5, end=length + 9), 404, "citation-not-found")
    check_problem(resolve(collection="nowhere"), 404, "collection-not-found")
    check_problem(resolve(collection="../x"), 422, "invalid-collection-name")
    check_problem(resolve(document_id="doc_" + "0" * 16), 404, "document-not-found")
    check_problem(resolve(document_version="0" * 32), 404, "document-not-found")


def test_405_names_the_methods(client: TestClient) -> None:
    assert client.get("/v1/ask").headers["allow"] == "POST"


class Scripted(QA):
    """A service whose stream a test writes."""

    def __init__(self, qa: QA, script: Callable[[], Iterator[Event]]) -> None:
        super().__init__(qa.collections, qa.embedder, qa.reader, qa.calibration, None, qa.settings)
        self.script = script

    def begin(self, question: str, **options: Any) -> Inquiry:
        inquiry = super().begin(question, **options)
        inquiry.read = self.script  # type: ignore[method-assign]
        inquiry.write = lambda **_: (event for event in ())  # type: ignore[method-assign]
        return inquiry


def test_the_unexpected_is_logged_and_not_told(qa: QA, caplog: pytest.LogCaptureFixture) -> None:
    def script() -> Iterator[Event]:
        raise RuntimeError("the secret of /home/someone")
        yield

    client = TestClient(create_app(Scripted(qa, script)))
    for more in ({}, {"stream": True}):
        response = client.post("/v1/ask", json={"question": "Who?", **more})
        problem = check_problem(response, 500, "internal-error")
        assert "secret" not in json.dumps(problem)
        assert "the secret of /home/someone" in caplog.text
        assert "content-security-policy" in response.headers
        caplog.clear()


def test_a_damaged_index_does_not_tell_its_path(qa: QA) -> None:
    def script() -> Iterator[Event]:
        raise CatalogUnreadable("/home/someone/catalog.sqlite is damaged", help="Delete /home/someone.")
        yield

    response = TestClient(create_app(Scripted(qa, script))).post("/v1/ask", json={"question": "Who?"})
    assert "/home" not in json.dumps(check_problem(response, 503, "index-unavailable"))


def test_an_error_in_mid_stream_becomes_an_event(qa: QA) -> None:
    def script() -> Iterator[Event]:
        yield PassagesEvent(passages=[])
        raise RuntimeError("secret")

    events = stream(TestClient(create_app(Scripted(qa, script))), "Who?")
    assert [name for name, _ in events] == ["passages", "error"]
    assert events[1][1]["type"] == "/problems#internal-error"
    assert "secret" not in json.dumps(events[1][1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=[])), inner),
    max_leaves=6,
)


@given(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {"question": json_values},
            optional={"collection": json_values, "mode": json_values, "top_k": json_values, "stream": json_values},
        ),
    )
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_no_body_breaks_it(client: TestClient, value: Any) -> None:
    response = client.post("/v1/ask", content=json.dumps(value).encode(), headers=JSON)
    assert response.status_code < 500, response.text
    response.content.decode("utf-8")
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"


# -- a real server ---------------------------------------------------------------------------------------------------


def test_over_a_real_connection(qa: QA) -> None:
    with serving(create_app(qa)) as address, httpx.Client(base_url=address, trust_env=False) as client:
        with client.stream("POST", "/v1/ask", json={"question": ANSWERED[0], "stream": True}) as response:
            assert response.headers["cache-control"] == "no-cache"
            assert response.headers["x-accel-buffering"] == "no"
            events = parse("".join(response.iter_text()))
        assert [name for name, _ in events] == ["passages", "quote", "claim", "answer"]
        answer = client.post("/v1/ask", json={"question": ANSWERED[0]}).json()
        assert answer["answer"] == events[-1][1]["answer"]
        check_problem(client.post("/v1/ask", content=b"x" * 3_200_000, headers=JSON), 413, "body-too-large")
        check_problem(client.post("/v1/ask", content=b"[" * 50_000, headers=JSON), 400, "bad-request")
        assert client.head("/").status_code == 200


def test_events_arrive_as_they_come_about(qa: QA) -> None:
    seen = threading.Event()

    def script() -> Iterator[Event]:
        yield PassagesEvent(passages=[])
        assert seen.wait(10), "the first event was held back"
        yield PassagesEvent(passages=[])

    with (
        serving(create_app(Scripted(qa, script))) as address,
        httpx.stream(
            "POST", f"{address}/v1/ask", json={"question": "Who?", "stream": True}, trust_env=False
        ) as response,
    ):
        chunks = response.iter_text()
        first = next(chunks)
        seen.set()
        assert [name for name, _ in parse(first + "".join(chunks))] == ["passages", "passages"]


@pytest.mark.parametrize("streaming", [True, False])
def test_a_client_that_leaves_stops_the_work(qa: QA, streaming: bool) -> None:
    begun, closed = threading.Event(), threading.Event()
    steps = []

    def script() -> Iterator[Event]:
        begun.set()
        try:
            for step in range(400):
                steps.append(step)
                yield PassagesEvent(passages=[])
                time.sleep(0.05)
        finally:
            closed.set()

    def leave() -> None:
        with (
            httpx.Client(trust_env=False, timeout=0.5) as client,
            client.stream("POST", f"{address}/v1/ask", json={"question": "Who?", "stream": streaming}) as response,
        ):
            next(response.iter_text())

    with serving(create_app(Scripted(qa, script))) as address:
        if streaming:
            leave()
        else:
            with pytest.raises(httpx.ReadTimeout):
                leave()
        assert begun.is_set()
        assert closed.wait(5), "the work went on for nobody"
    assert len(steps) < 100


def test_questions_wait_without_holding_up_the_rest(qa: QA) -> None:
    limit = max(2, os.cpu_count() or 1)
    lock, release = threading.Lock(), threading.Event()
    running, most = 0, 0

    def script() -> Iterator[Event]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        release.wait(10)
        with lock:
            running -= 1
        yield PassagesEvent(passages=[])

    with serving(create_app(Scripted(qa, script))) as address:

        def question() -> None:
            httpx.post(f"{address}/v1/ask", json={"question": "Who?", "stream": True}, timeout=20, trust_env=False)

        threads_before = threading.active_count()
        clients = [threading.Thread(target=question) for _ in range(limit + 30)]
        for thread in clients:
            thread.start()
        time.sleep(0.5)
        begun = time.monotonic()
        assert httpx.get(f"{address}/healthz", trust_env=False).json() == {"status": "ok"}
        assert httpx.get(f"{address}/v1/documents", trust_env=False).status_code == 200
        assert time.monotonic() - begun < 2
        assert threading.active_count() - threads_before - len(clients) <= limit + 8
        release.set()
        for thread in clients:
            thread.join(20)
    assert most == limit


# -- health ----------------------------------------------------------------------------------------------------------


def test_ready_when_the_models_answer_and_the_collection_opens(make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({})
    client = TestClient(create_app(qa))
    assert client.get("/healthz").json() == {"status": "ok"}
    check_problem(client.get("/readyz"), 503, "index-unavailable")
    document = put(qa, tmp_path, "light.txt", LIGHT)
    assert client.get("/readyz").json() == {"status": "ready", "collection": "default"}
    remove(qa.collections.get("default"), [document])
    assert client.get("/readyz").status_code == 200


def test_ready_asks_the_models_once(qa: QA, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(create_app(qa))
    assert client.get("/readyz").status_code == 200

    def fail(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(type(qa.reader), "read", fail)
    assert client.get("/readyz").status_code == 200
    check_problem(TestClient(create_app(qa)).get("/readyz"), 503, "model-unavailable")


# -- pages and headers -----------------------------------------------------------------------------------------------


def test_every_response_carries_the_security_headers(client: TestClient) -> None:
    responses = [
        client.get("/"),
        client.get("/assets/ask.js"),
        client.get("/widget.js"),
        client.get("/v1/collections"),
        client.get("/nothing"),
        client.post("/v1/ask", content=b"x" * 70_000, headers=JSON),
        client.post("/v1/ask", json={"question": ANSWERED[0], "stream": True}),
    ]
    for response in responses:
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "no-referrer"


def test_pages_have_no_dead_link_and_nothing_inline(client: TestClient) -> None:
    waiting, seen = ["/", "/problems", "/documents/doc_0"], set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path)
        assert response.status_code == (404 if path == "/documents/doc_0" else 200), path
        if response.headers["content-type"].startswith("text/html"):
            assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", response.text)
            assert not re.search(r"<script(?![^>]*\ssrc=)", response.text)
            links = re.findall(r'(?:href|src)="([^"#]+)', response.text)
            assert not [link for link in links if re.match(r"https?:|/", link)]
            waiting += [urljoin(path, link.replace("&amp;", "&")) for link in links]
        elif path.endswith(".js"):
            waiting += [urljoin(path, name) for name in re.findall(r'^import .* from "([^"]+)"', response.text, re.M)]
            assert "innerHTML" not in response.text
    assert {"/assets/ask.js", "/assets/read.js", "/assets/spans.js", "/assets/style.css"} <= seen
    assert {"/widget.js", "/widget/dom.js", "/widget/turn.js"} <= seen
    assert len([path for path in seen if path.startswith("/documents/")]) == 5


def test_a_page_shows_text_as_text_and_exactly(make_qa: MakeQA) -> None:
    hostile = "<script>alert(1)</script>\r\n</article>\r\n<b>bold &amp; bare\r\nline"
    client = TestClient(create_app(make_qa({"hostile.txt": hostile})))
    document = client.get("/v1/documents").json()["documents"][0]
    page = client.get(document["viewer_url"]).text
    assert "<script>alert" not in page
    assert "<b>" not in page
    shown = re.search(r"<article[^>]*>(.*)</article>", page, re.DOTALL).group(1)  # type: ignore[union-attr]
    assert "&#13;\n" in shown
    assert "<script>alert" not in client.get("/").text


def test_a_source_that_is_no_web_address_is_not_linked(make_qa: MakeQA) -> None:
    html = '<html><head><link rel="canonical" href="{}"><title>T</title></head><body><p>Some words.</p></body></html>'
    for address, linked in (("javascript:alert(1)", False), ("https://example.org/a", True), ("http://[", False)):
        client = TestClient(create_app(make_qa({"page.html": html.format(address)})))
        document = client.get("/v1/documents").json()["documents"][0]
        page = client.get(document["viewer_url"])
        assert page.status_code == 200
        assert ("Original" in page.text) == linked
        assert "javascript:" not in page.text


def test_a_person_gets_a_page_and_a_program_a_problem(client: TestClient) -> None:
    browser = {"accept": "text/html,application/xhtml+xml"}
    for path, home in (
        ("/nothing", "./"),
        ("/documents/doc_0", "../"),
        ("/documents/a/b", "../../"),
        ("/documents/a%2Fb", "../"),
    ):
        page = client.get(path, headers=browser)
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        assert f'href="{home}"' in page.text
    check_problem(client.get("/v1/nothing", headers=browser), 404, "not-found")


def test_assets_are_revalidated(client: TestClient) -> None:
    first = client.get("/assets/style.css")
    assert first.headers["cache-control"] == "no-cache"
    assert client.get("/assets/style.css", headers={"if-none-match": first.headers["etag"]}).status_code == 304


def test_the_first_page_without_documents_says_what_to_do(make_qa: MakeQA) -> None:
    page = TestClient(create_app(make_qa({}))).get("/")
    assert page.status_code == 200
    assert "qa ingest" in page.text


# -- the schema ------------------------------------------------------------------------------------------------------


def test_everything_in_the_schema_is_described(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    bare = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["operationId"]
            assert operation["tags"]
            assert operation["summary"]
            for parameter in operation.get("parameters", []):
                if not parameter.get("description") or not parameter["schema"].get("examples"):
                    bare.append(f"{where} {parameter['name']}")
            for status, response in operation["responses"].items():
                if not response["description"]:
                    bare.append(f"{where} {status}")
                if int(status) >= 400:
                    assert set(response["content"]) == {"application/problem+json"}
                    assert response["content"]["application/problem+json"]["examples"]
    for name, component in schema["components"]["schemas"].items():
        if not component.get("description"):
            bare.append(name)
        for field, about in component["properties"].items():
            if not about.get("description"):
                bare.append(f"{name}.{field}")
    assert not bare
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    text = json.dumps(schema)
    for name in re.findall(r'"#/components/schemas/(\w+)"', text):
        assert name in schema["components"]["schemas"]


def test_every_problem_is_explained_where_its_type_points(client: TestClient) -> None:
    page = client.get("/problems").text
    for kind in KINDS:
        assert f'id="{kind.slug}"' in page
    assert len({kind.slug for kind in KINDS}) == len(KINDS)
