"""The composition root: the only place that knows which classes stand behind the seams."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from index.embed import Embedder, MiniLM, SentenceTransformerEmbedder
from index.store import Collections
from qa.bundled import bundled_model_path
from qa.decide import UNCALIBRATED, Calibration
from qa.errors import SettingsError
from qa.llm import LanguageModel
from qa.pipeline import QA
from qa.read import MODEL_DIR, Reader, huggingface_reader, onnx_reader
from qa.remote import hang_up
from qa.settings import Settings, load_settings
from qa.support import Judge, SupportModel

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

IN_PROCESS, AT_AN_ADDRESS = 2, 8
"""Answers written at once by default: two share the cores of a small machine, a server batches more."""
BUNDLED_CONTEXT, GGUF_CONTEXT = 1536, 4096
"""Tokens of one answer's prompt and reply: `qa/prompts/phrase.txt` with the longest texts, and five long passages."""


def build_qa(settings: Settings | None = None, *, llm: LanguageModel | None = None) -> QA:
    """The whole service in this process. Nothing heavy is loaded before it is used.

    With `llm`, any model behind LlamaIndex's `LLM` interface takes the place of the one in the settings.
    """
    settings = settings or load_settings()
    return QA(
        collections=Collections(settings.data_dir),
        embedder=build_embedder(settings),
        reader=build_reader(settings),
        calibration=build_calibration(settings),
        llm=llm or build_llm(settings),
        settings=settings,
        judge=build_judge(settings),
    )


def build_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    if settings.embedder == "minilm":
        return MiniLM(threads=settings.thread_count())
    return SentenceTransformerEmbedder(settings.embedder)


def build_reader(settings: Settings) -> Reader:
    """The reader that the settings name."""
    if settings.reader == "minilm":
        return onnx_reader(threads=settings.thread_count())
    folder = Path(settings.reader).expanduser()
    if (folder / "model.onnx").is_file():
        return onnx_reader(folder, threads=settings.thread_count())
    return huggingface_reader(str(folder) if folder.is_dir() else settings.reader, threads=settings.thread_count())


def build_judge(settings: Settings) -> Judge:
    """The support model."""
    return SupportModel(threads=settings.thread_count())


def build_calibration(settings: Settings) -> Calibration:
    """What the scores of that reader are worth, or a guess that names itself one."""
    stored = calibration_path(settings)
    return Calibration.load(stored) if stored.is_file() else UNCALIBRATED


def calibration_path(settings: Settings) -> Path:
    """Where the calibration of the reader is kept: beside it, or in the data directory where that is no folder."""
    folder = MODEL_DIR if settings.reader == "minilm" else Path(settings.reader).expanduser()
    if folder.is_dir():
        return folder / "calibration.json"
    return settings.data_dir / f"calibration-{settings.reader.replace('/', '--')}.json"


def build_llm(settings: Settings) -> LanguageModel | None:
    """The language model that the settings name; None for `none`, and where the bundled one is not installed."""
    kind, _, rest = settings.llm.partition(":")
    parallel = settings.llm_parallel
    if settings.llm == "none":
        return None
    if settings.llm == "bundled":
        bundled = bundled_model_path()
        if bundled is None:
            return None
        load = partial(_llama_cpp, bundled, BUNDLED_CONTEXT, parallel or IN_PROCESS)
        return LanguageModel(bundled.stem, load, capable=False, parallel=parallel or IN_PROCESS)
    if kind == "gguf" and rest:
        path = Path(rest).expanduser()
        if not path.is_file():
            raise SettingsError(f"QA_LLM names a file that is not there: {path}", help="Give the path of a GGUF file.")
        load = partial(_llama_cpp, path, GGUF_CONTEXT, parallel or IN_PROCESS)
        return LanguageModel(path.stem, load, parallel=parallel or IN_PROCESS)
    if kind in ("openai", "anthropic") and rest:
        key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
        if key is None and (kind == "anthropic" or settings.llm_base_url is None):
            raise SettingsError(
                f"QA_LLM={settings.llm} needs a key",
                help="Set QA_LLM_API_KEY, or QA_LLM_BASE_URL to a server that needs none.",
            )
        if settings.llm_base_url and not settings.llm_base_url.startswith(("http://", "https://")):
            raise SettingsError(
                f"QA_LLM_BASE_URL cannot be {settings.llm_base_url!r}",
                help="Give the whole address, as in http://localhost:11434/v1.",
            )
        load = partial(_remote, kind, rest, settings.llm_base_url, key, settings.llm_timeout)
        return LanguageModel(rest, load, parallel=parallel or AT_AN_ADDRESS, hang_up=hang_up)
    raise SettingsError(
        f"QA_LLM cannot be {settings.llm!r}",
        help="Use bundled, none, gguf:PATH, openai:MODEL or anthropic:MODEL.",
    )


@cache
def _llama_cpp(path: Path, context_window: int, parallel: int) -> LLM:
    from qa.llama_cpp import LlamaCpp

    return LlamaCpp(model_path=path, context_window=context_window, parallel=parallel)


@cache
def _remote(kind: str, model: str, base_url: str | None, api_key: str | None, timeout: float) -> LLM:
    from qa import remote

    return (remote.anthropic if kind == "anthropic" else remote.openai_compatible)(model, base_url, api_key, timeout)
