"""The composition root: the only place that knows which classes stand behind the seams."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from index.embed import Embedder, MiniLM, SentenceTransformerEmbedder
from index.store import Collections
from qa.bundled import bundled_model_path
from qa.decide import Calibration
from qa.errors import SettingsError
from qa.pipeline import QA, LanguageModel
from qa.read import MODEL_DIR, OnnxReader
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
        reader=OnnxReader(threads=settings.thread_count()),
        calibration=Calibration.load(MODEL_DIR / "calibration.json"),
        llm=llm or build_llm(settings),
        settings=settings,
    )


def build_embedder(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    if settings.embedder == "minilm":
        return MiniLM(threads=settings.thread_count())
    return SentenceTransformerEmbedder(settings.embedder)


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
