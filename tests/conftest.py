"""What all tests share: a clean environment, and whole services over texts of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from index.embed import Embedder
from index.ingest import ingest
from index.store import Collections
from qa.build import build_qa
from qa.decide import Calibration
from qa.pipeline import QA
from qa.read import MODEL_DIR, Reader
from qa.settings import Settings
from qa.support import SupportModel

# No deadlines: this is no place to measure time. In CI the same examples every time: a new one is found at a desk.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

JUDGE = SupportModel(threads=1)
"""The real support model, loaded when it is first asked."""

MakeQA = Callable[[Mapping[str, str]], QA]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of whoever runs the tests reaches them, and nothing they write outlives them."""
    for name in list(os.environ):
        if name.upper().startswith("QA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("QA_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A question-answering checkpoint as transformers writes it, untrained and tiny."""
    import torch
    from transformers import BertConfig, BertForQuestionAnswering

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("readers") / "tiny"
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertForQuestionAnswering(BertConfig(**sizes)).save_pretrained(folder)
    shutil.copy(MODEL_DIR / "tokenizer.json", folder)
    return folder


@pytest.fixture(scope="session")
def models() -> tuple[Embedder, Reader, Calibration]:
    """The real embedder, reader and calibration, loaded once."""
    qa = build_qa(Settings(llm="none"))
    return qa.embedder, qa.reader, qa.calibration


@pytest.fixture
def make_qa(models: tuple[Embedder, Reader, Calibration], tmp_path: Path) -> MakeQA:
    """Make a service, with the real models and without an LLM, over texts by file name."""
    return lambda texts: qa_over(texts, models, tmp_path)


def qa_over(texts: Mapping[str, str], models: tuple[Embedder, Reader, Calibration], folder: Path) -> QA:
    """A service over texts by file name; a name as `other/notes.txt` puts one into the collection `other`."""
    settings = Settings(llm="none", data_dir=folder / "data")
    qa = QA(Collections(settings.data_dir), *models, None, settings, judge=JUDGE)
    for name, text in texts.items():
        put(qa, folder, name, text)
    return qa


def put(qa: QA, folder: Path, name: str, text: str) -> str:
    """Write a text as `folder/sources/[collection/]name`, ingest it, and return the document's id."""
    path = folder / "sources" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))  # as bytes: line ends are part of the text
    index = qa.collections.get(name.rpartition("/")[0] or "default")
    report = ingest(index, qa.embedder, [path])
    assert not report.failed, report.failed
    with index.snapshot() as snapshot:
        return next(row.id for row in snapshot.documents() if row.source == str(path.resolve()))


@contextmanager
def serving(app: object) -> Iterator[str]:
    """Serve an application with uvicorn on a free port, in a thread, and give its address."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)
        listening.close()
    assert not thread.is_alive(), "the server did not stop"
