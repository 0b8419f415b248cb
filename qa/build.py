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
from qa.pipeline import QA, LanguageModel
from qa.read import MODEL_DIR, Reader, huggingface_reader, onnx_reader
from qa.settings import Settings, load_settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM


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
    if settings.llm == "none":
        return None
    if settings.llm == "bundled":
        path = bundled_model_path()
        if path is None:
            return None
    elif kind == "gguf" and rest:
        path = Path(rest).expanduser()
        if not path.is_file():
            raise SettingsError(f"QA_LLM names a file that is not there: {path}", help="Give the path of a GGUF file.")
    else:
        raise SettingsError(f"QA_LLM cannot be {settings.llm!r}", help="Use bundled, none or gguf:PATH.")
    return LanguageModel(name=path.stem, load=partial(_llama_cpp, path))


@cache
def _llama_cpp(path: Path) -> LLM:
    from qa.llm import LlamaCpp

    return LlamaCpp(model_path=path)
