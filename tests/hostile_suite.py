"""A hostile language model asks to be believed: every answer it can give, and what of it reaches the client.

    python -m tests.hostile_suite

prints the rates by kind of lie. `tests/test_hostile.py` holds them.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from index.embed import Embedder
from qa.api import create_app
from qa.decide import Calibration
from qa.llm import LanguageModel
from qa.read import Reader
from qa.remote import hang_up, openai_compatible
from qa.wording import collapse
from tests.conftest import qa_over, serving
from tests.hostile import Behaviour, HostileServer, Reply, hostile_server

DATA = Path(__file__).parent / "data" / "hostile"
BUDGET = 1.5
"""Seconds the model has for an answer, and half of it for the first piece."""
BEHAVIOURS: tuple[Behaviour, ...] = (
    "empty", "endless", "broken_json", "stall", "stall_midway", "disconnect", "disconnect_midway", "leak", "slow",
    "not_json", "wrong_shape",
)  # fmt: skip
STATUSES = (400, 401, 404, 429, 500, 503)


@dataclass(frozen=True, slots=True)
class Case:
    """A question, what the model does with it, and which of its sentences are true."""

    question: str
    reply: Reply
    kind: str
    said: tuple[str, ...] = ()  # by a model that then misbehaves: may be shown, need not
    true: tuple[str, ...] = ()
    lies: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """What reached the client, by kind: answers, lies told and shown, truths told and shown; and the slowest answer."""

    answers: Counter[str] = field(default_factory=Counter)
    lies: Counter[str] = field(default_factory=Counter)
    shown_lies: list[tuple[str, str]] = field(default_factory=list)
    truths: Counter[str] = field(default_factory=Counter)
    shown_truths: Counter[str] = field(default_factory=Counter)
    other: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def __str__(self) -> str:
        leaked = Counter(kind for kind, _ in self.shown_lies)
        lines = [f"{'kind':<20} answers  lies shown/told  truths shown/told"]
        for kind in self.answers:
            lines.append(
                f"{kind:<20} {self.answers[kind]:>7}  {leaked[kind]:>5}/{self.lies[kind]:<9}  "
                f"{self.shown_truths[kind]:>5}/{self.truths[kind]}"
            )
        told, shown = self.truths.total(), self.shown_truths.total()
        lines.append(
            f"{self.answers.total()} answers; lies shown {leaked.total()} of {self.lies.total()}; truths shown {shown} "
            f"of {told} ({shown / max(1, told):.0%}); slowest answer {self.slowest:.1f} s"
        )
        return "\n".join(lines)


def cases(seed: int = 1) -> Iterator[Case]:
    """One answer for every lie, among truths of the same question; then every other way to misbehave."""
    rng = random.Random(seed)
    records = [json.loads(line) for line in (DATA / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    for record in records:
        for lie in record["false"]:
            true = rng.sample(record["true"], 2)
            said = [*true, lie["text"]]
            rng.shuffle(said)
            reply = Reply(" ".join(said), chunk=16)
            yield Case(record["question"], reply, lie["lie"], true=tuple(true), lies=(lie["text"],))
    for record in records[::3]:
        text = " ".join([*record["true"], ""])
        for behaviour in BEHAVIOURS:
            pause = {"endless": 0.002, "slow": 0.02}.get(behaviour, 0.0)
            reply = Reply(text, behaviour, chunk=24, pause=pause)
            yield Case(record["question"], reply, behaviour, said=tuple(record["true"]))
        for status in STATUSES:
            yield Case(record["question"], Reply("key sk-secret-123", "status", status=status), f"HTTP {status}")


@contextmanager
def hostile_qa(models: tuple[Embedder, Reader, Calibration], folder: Path, texts: dict[str, str]) -> Iterator[Any]:
    """A service over `texts` whose language model is the hostile server: both."""
    with hostile_server() as server:
        qa = qa_over(texts, models, folder)
        qa.settings = qa.settings.model_copy(
            update={"llm_timeout": BUDGET, "llm_first_timeout": BUDGET / 2, "queue": 64}
        )
        llm = openai_compatible("hostile", server.url, None, BUDGET)
        qa.llm = LanguageModel("hostile", lambda: llm, hang_up=hang_up)
        yield qa, server
        llm._get_client().close()


def run(models: tuple[Embedder, Reader, Calibration], folder: Path) -> Report:
    """Ask every case through the HTTP API, by turns as one object and as a stream."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((DATA / "documents").glob("*.txt"))}
    report = Report()
    todo = list(cases())
    # One question at a time: the server hands its replies out in turn.
    with (
        hostile_qa(models, folder, texts) as (qa, server),
        serving(create_app(qa)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for number, case in enumerate(todo):
            _note(report, case, *_ask(client, server, case, stream=bool(number % 2)))
    return report


def _ask(client: httpx.Client, server: HostileServer, case: Case, *, stream: bool) -> tuple[dict[str, Any], float]:
    server.say(case.reply)
    began = time.monotonic()
    body = {"question": case.question, "mode": "generative", "stream": stream}
    response = client.post("/v1/ask", json=body)
    took = time.monotonic() - began
    assert response.status_code == 200, response.text
    if not stream:
        return response.json(), took
    events = [block.partition("data: ") for block in response.text.strip().split("\n\n")]
    data = [json.loads(payload) for _, _, payload in events]
    answer = data[-1]
    claims = [item["claim"] for item in data if "claim" in item]
    assert claims == answer["claims"], "what was streamed stands"
    return answer, took


def _note(report: Report, case: Case, answer: dict[str, Any], took: float) -> None:
    report.answers[case.kind] += 1
    report.slowest = max(report.slowest, took)
    assert "sk-secret" not in json.dumps(answer)
    shown = {collapse(claim["text"]) for claim in answer["claims"]}
    report.lies[case.kind] += len(case.lies)
    report.shown_lies += [(case.kind, lie) for lie in case.lies if collapse(lie) in shown]
    report.truths[case.kind] += len(case.true)
    report.shown_truths[case.kind] += sum(collapse(sentence) in shown for sentence in case.true)
    quoted = {collapse(citation["cited_text"]) for citation in answer["citations"]}
    report.other += [
        text for text in shown if text not in quoted | set(map(collapse, (*case.said, *case.true, *case.lies)))
    ]


if __name__ == "__main__":
    from qa.build import build_qa
    from qa.settings import Settings

    built = build_qa(Settings(llm="none"))
    with tempfile.TemporaryDirectory() as temporary:
        found = run((built.embedder, built.reader, built.calibration), Path(temporary))
    sys.stdout.write(f"{found}\n")
    for kind, text in found.shown_lies:
        sys.stdout.write(f"  shown, {kind}: {text}\n")
    for text in found.other:
        sys.stdout.write(f"  shown, though neither said nor quoted: {text}\n")
