"""Ratings and refusals: kept, listed, and exported as cases that the evaluation reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

import qa.feedback as kept_feedback
from qa.api import create_app
from qa.cli import main
from qa.feedback import Feedback, Rated, cases
from qa.pipeline import QA
from qa.records import FILE
from tests.conftest import MakeQA, put
from tests.test_api import ask, check_problem

ROOT = Path(__file__).parent.parent
LIGHT = "Skerrow Light was built in 1871 by Ada Brandt. It stands 34 metres tall. The lamp was electrified in 1959.\n"
BAKERY = "Ole Madsen bakes rye bread at Holm every Tuesday. He sells about 140 loaves a week.\n"
TEXTS = {"light.txt": LIGHT, "bakery.txt": BAKERY, "other/light.txt": LIGHT}
REFUSED = "Who was the king of Norway?"


@pytest.fixture
def service(make_qa: MakeQA, monkeypatch: pytest.MonkeyPatch) -> QA:
    made = make_qa(TEXTS)
    monkeypatch.setenv("QA_DATA_DIR", str(made.settings.data_dir))
    return made


@pytest.fixture
def client(service: QA) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as client:
        yield client


def thumb(answer: dict[str, Any], rating: str, **more: Any) -> dict[str, Any]:
    """A rating as a client sends it."""
    same = ("question", "standalone_question", "collection", "status", "answer", "short_answer")
    citations = [citation["id"] for citation in answer["citations"]]
    return {"answer_id": answer["id"], "rating": rating, "citations": citations} | {n: answer[n] for n in same} | more


def rate(client: TestClient, answer: dict[str, Any], rating: str, **more: Any) -> None:
    response = client.post("/v1/feedback", json=thumb(answer, rating, **more))
    assert response.status_code == 204, response.text


def cli(*arguments: str, input: str | None = None) -> Result:
    return CliRunner(env={"QA_LLM": "none"}).invoke(main, ["feedback", *arguments], input=input, catch_exceptions=False)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# -- keeping ---------------------------------------------------------------------------------------------------------


def test_ratings_are_kept_and_listed(client: TestClient, service: QA) -> None:
    rate(client, ask(client, "When was Skerrow Light built?"), "up")
    rate(client, ask(client, "How many loaves does Ole Madsen sell?"), "down", reason="He sells more.")
    rate(client, ask(client, "When was Skerrow Light built?", collection="other"), "up")
    listed = [(item.rating, item.collection, item.reason) for item in service.feedback.all()]
    assert listed == [("up", "other", ""), ("down", "default", "He sells more."), ("up", "default", "")]
    shown = cli().output
    assert shown.index("other") < shown.index("reason: He sells more.")
    assert "Skerrow" not in cli("--rating", "down").output
    assert "loaves" not in cli("--collection", "other").output
    assert [json.loads(line)["rating"] for line in cli("--json").output.splitlines()] == ["up", "down", "up"]


def test_a_second_rating_takes_the_place_of_the_first(client: TestClient, service: QA) -> None:
    answer = ask(client, "When was Skerrow Light built?")
    rate(client, answer, "up")
    rate(client, answer, "down", reason="No.")
    assert [(item.rating, item.reason) for item in service.feedback.all()] == [("down", "No.")]


def test_a_followup_is_kept_as_what_it_means(client: TestClient, service: QA) -> None:
    history = [{"question": "When was Skerrow Light built?", "answer": "In 1871."}]
    rate(client, ask(client, "How tall is it?", history=history), "up")
    assert service.feedback.all()[0].question == "How tall is Skerrow Light?"


@pytest.mark.parametrize(
    "change",
    [
        {"rating": "sideways"}, {"rating": None}, {"status": "maybe"}, {"secret": 1}, {"answer_id": ""},
        {"answer_id": "a" * 101}, {"question": ""}, {"question": "x" * 2001}, {"question": "a\0b"},
        {"reason": "x" * 1001}, {"answer": "x" * 10_001}, {"citations": ["x"] * 101}, {"citations": ["x" * 301]},
        {"citations": "cit_AbC"}, {"question": 3},
    ],
    ids=lambda change: str(change)[:30],
)  # fmt: skip
def test_what_does_not_fit_is_refused(client: TestClient, service: QA, change: dict[str, Any]) -> None:
    body = {"answer_id": "ans_1", "question": "Why?", "rating": "up", "status": "answered"} | change
    check_problem(client.post("/v1/feedback", json=body), 422, "invalid-request")
    assert not (service.settings.data_dir / FILE).exists()


def test_collections_are_checked(client: TestClient) -> None:
    body = {"answer_id": "ans_1", "question": "Why?", "rating": "up", "status": "answered"}
    check_problem(client.post("/v1/feedback", json=body | {"collection": "nowhere"}), 404, "collection-not-found")
    check_problem(client.post("/v1/feedback", json=body | {"collection": "../x"}), 422, "invalid-collection-name")
    response = client.post("/v1/feedback", content=json.dumps(body), headers={"content-type": "text/plain"})
    check_problem(response, 415, "unsupported-media-type")


def test_a_lone_surrogate_is_refused(client: TestClient) -> None:
    for field in ("question", "answer", "standalone_question", "reason", "short_answer"):
        body = {"answer_id": "a", "question": "q?", "rating": "up", "status": "answered"} | {field: "\ud800"}
        response = client.post("/v1/feedback", content=json.dumps(body), headers={"content-type": "application/json"})
        check_problem(response, 422, "invalid-request")


@settings(max_examples=30)
@given(st.text(max_size=50).filter(lambda text: "\0" not in text), st.text(max_size=50))
def test_any_text_is_kept_as_it_is(tmp_path_factory: pytest.TempPathFactory, question: str, reason: str) -> None:
    store = Feedback(tmp_path_factory.mktemp("feedback"))
    store.rate(Rated("ans_1", "up", question, "default", "answered", reason=reason))
    assert [(item.question, item.reason) for item in store.all()] == [(question, reason)]
    assert store.all(collection="x' OR 1=1 --") == []


def test_refusals_are_kept_only_where_that_is_set(client: TestClient, service: QA) -> None:
    ask(client, REFUSED)
    assert service.feedback.all() == []
    service.settings = service.settings.model_copy(update={"keep_refusals": True})
    ask(client, "When was Skerrow Light built?")
    answer = ask(client, REFUSED)
    (kept,) = service.feedback.all()
    assert (kept.rating, kept.question, kept.answer, kept.reason) == ("refused", REFUSED, "", "")
    nearest = [passage["viewer_url"].rpartition("#")[2] for passage in answer["passages"]]
    assert list(kept.citations) == nearest
    rate(client, answer, "up")
    assert [item.rating for item in service.feedback.all()] == ["up"], "a person's word takes the place of it"


def test_only_so_many_are_kept(service: QA, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_feedback, "MOST_OF_A_KIND", 3)
    for number in range(5):
        service.feedback.rate(Rated(f"up_{number}", "up", "?", "default", "answered"))
    service.feedback.rate(Rated("down", "down", "?", "default", "answered"))
    assert [item.answer_id for item in service.feedback.all()] == ["down", "up_4", "up_3", "up_2"]


def test_writers_at_the_same_time_lose_nothing(service: QA) -> None:
    def write(number: int) -> None:
        Feedback(service.settings.data_dir).rate(Rated(f"ans_{number}", "up", "?", "default", "answered"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(30)))
    assert len(service.feedback.all()) == 30


def test_it_is_cleared_only_after_asking(client: TestClient, service: QA) -> None:
    rate(client, ask(client, "When was Skerrow Light built?"), "up", reason="zanzibarian")
    rate(client, ask(client, "When was Skerrow Light built?", collection="other"), "up")
    cli("--clear", input="n\n")
    cli("--clear", input="")
    assert len(service.feedback.all()) == 2
    assert "1 deleted" in cli("--clear", "--collection", "default", input="y\n").output
    assert [item.collection for item in service.feedback.all()] == ["other"]
    assert b"zanzibarian" not in (service.settings.data_dir / FILE).read_bytes()
    assert cli("--clear", "--rating", "up").exit_code == 2


# -- cases -----------------------------------------------------------------------------------------------------------


def test_what_was_confirmed_is_a_case_and_the_rest_is_open(client: TestClient, service: QA, tmp_path: Path) -> None:
    service.settings = service.settings.model_copy(update={"keep_refusals": True})
    built = ask(client, "When was Skerrow Light built?")
    rate(client, built, "up")
    rate(client, ask(client, "How many loaves does Ole Madsen sell?"), "down", reason="Per week!")
    rate(client, ask(client, "When was Skerrow Light built?", collection="other"), "up")
    rate(client, ask(client, REFUSED), "up")
    ask(client, "Who won the chess championship?")
    to = tmp_path / "cases.jsonl"
    result = cli("--export", str(to))
    assert "2 cases of collection default" in result.output
    refused, answered = lines(to)
    assert set(answered) == {"id", "question", "answerable", "answers", "evidence"}
    assert (refused["question"], refused["answerable"], refused["answers"], refused["evidence"]) == (
        REFUSED, False, [], [],
    )  # fmt: skip
    assert (answered["question"], answered["answerable"]) == ("When was Skerrow Light built?", True)
    assert answered["answers"] == [built["short_answer"]]
    (evidence,) = answered["evidence"]
    assert (evidence["document"], evidence["text"]) == ("light", built["citations"][0]["cited_text"])
    assert LIGHT[evidence["start_char_index"] : evidence["end_char_index"]] == evidence["text"]
    chess, loaves = lines(tmp_path / "cases.open.jsonl")
    assert (chess["answerable"], chess["rating"], bool(chess["nearest"])) == (None, "refused", True)
    assert (loaves["answerable"], loaves["rating"], loaves["reason"]) == (None, "down", "Per week!")
    assert loaves["cited"][0]["document"] == "bakery"
    assert cli("--export", str(to)).exit_code == 2, "nothing is overwritten"
    assert "cannot write" in cli("--export", str(tmp_path / "nowhere" / "cases.jsonl")).output


def test_the_evaluation_reads_them(client: TestClient, tmp_path: Path) -> None:
    rate(client, ask(client, "When was Skerrow Light built?"), "up")
    rate(client, ask(client, REFUSED), "up")
    to, documents = tmp_path / "cases.jsonl", tmp_path / "documents"
    assert cli("--export", str(to)).exit_code == 0
    documents.mkdir()
    (documents / "light.txt").write_text(LIGHT)
    (documents / "bakery.txt").write_text(BAKERY)
    command = [sys.executable, ROOT / "scripts" / "evaluate.py", "--questions", to, "--documents", documents]
    command += ["--output", tmp_path / "report"]
    environment = os.environ | {"QA_LLM": "none", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["metrics"]
    assert (metrics["answerable_right"], metrics["unanswerable_refused"], metrics["errors"]) == (1, 1, 0)


def test_a_question_rated_both_ways_is_open(client: TestClient, service: QA) -> None:
    for rating in ("up", "down"):
        rate(client, ask(client, "When was Skerrow Light built?"), rating)
    made = cases(service.feedback.all(), "default", service.collections)
    assert (len(made.judged), len(made.open)) == (0, 1)


def test_evidence_moves_along_with_the_document_or_is_open(client: TestClient, service: QA, tmp_path: Path) -> None:
    rate(client, ask(client, "When was Skerrow Light built?"), "up")
    put(service, tmp_path, "light.txt", "A lighthouse.\n\n" + LIGHT)
    (case,) = cases(service.feedback.all(), "default", service.collections).judged
    assert case["evidence"][0]["start_char_index"] == len("A lighthouse.\n\n")
    put(service, tmp_path, "light.txt", LIGHT + "\n" + LIGHT)
    assert cases(service.feedback.all(), "default", service.collections).judged == []
    put(service, tmp_path, "light.txt", "A lighthouse.")
    made = cases(service.feedback.all(), "default", service.collections)
    assert (made.judged, made.open[0]["cited"]) == ([], [])


def test_made_up_citations_make_no_evidence(client: TestClient, service: QA) -> None:
    answer = ask(client, "When was Skerrow Light built?")
    foreign = ask(client, "When was Skerrow Light built?", collection="other")["citations"][0]["id"]
    for cited in ("cit_AbC", "x' OR 1=1", foreign):
        rate(client, answer, "up", citations=[cited])
        assert cases(service.feedback.all(), "default", service.collections).judged == []


def test_nothing_rated_says_so(service: QA, tmp_path: Path) -> None:
    assert "Nothing has been rated" in cli().output
    assert cli("--json").output == ""
    assert "0 cases" in cli("--export", str(tmp_path / "none.jsonl")).output
    assert not (service.settings.data_dir / FILE).exists()
