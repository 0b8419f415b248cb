"""Ask every question, several at a time, and keep each answer as it comes: a run that breaks off is gone on with."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from qa.evaluation.questions import Question
from qa.evaluation.systems import System, TimedOut

Row = dict[str, Any]
"""What became of a question, as JSON: `id`, `reply` (as `systems.Reply`) or `error` with the `status` that it gives."""


def ask_all(
    system: System,
    questions: Sequence[Question],
    collection_of: Callable[[Question], str],
    partial: Path,
    jobs: int = 1,
) -> list[Row]:
    """A row for each question, in their order. `partial` holds the rows until all are there; errors are asked again."""
    rows = answered(partial)
    missing = [question for question in questions if question.id not in rows]
    partial.parent.mkdir(parents=True, exist_ok=True)
    lock = threading.Lock()
    with partial.open("a", encoding="utf-8") as file:

        def one(question: Question) -> Row:
            row = _ask(system, question, collection_of(question))
            with lock:
                file.write(json.dumps(row) + "\n")
                file.flush()
            return row

        pool = ThreadPoolExecutor(jobs)
        try:
            futures = [pool.submit(one, question) for question in missing]
            bar = tqdm(total=len(questions), initial=len(rows), desc="ask", file=sys.stderr, disable=None)
            with bar:
                for future in as_completed(futures):
                    row = future.result()
                    rows[row["id"]] = row
                    bar.update()
        finally:
            pool.shutdown(cancel_futures=True)  # what is being answered is waited for, and kept
    return [rows[question.id] for question in questions]


def _ask(system: System, question: Question, collection: str) -> Row:
    try:
        reply = system.ask(question.question, collection)
    except TimedOut as error:
        return {"id": question.id, "status": "timeout", "error": str(error)}
    except Exception as error:  # counted, not skipped
        return {"id": question.id, "status": "error", "error": f"{type(error).__name__}: {error}"}
    return {"id": question.id, "status": reply.answer["status"], "reply": asdict(reply)}


def answered(partial: Path) -> dict[str, Row]:
    """The rows of an earlier run that are answers; a line that was cut off is not."""
    if not partial.exists():
        return {}
    rows: dict[str, Row] = {}
    text = partial.read_text(encoding="utf-8", errors="replace")
    if text and not text.endswith("\n"):
        partial.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
    for line in text.split("\n"):
        try:
            row: Row = json.loads(line)
            rows[row["id"]] = row
        except (ValueError, KeyError, TypeError):
            continue
    return {key: row for key, row in rows.items() if "error" not in row}
