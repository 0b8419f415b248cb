"""Settings: from the environment, frozen, strict, and documented."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from qa.errors import SettingsError
from qa.settings import Settings, load_settings, settings_table

ROOT = Path(__file__).parent.parent


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOP_K", "7")
    monkeypatch.setenv("QA_DATA_DIR", "/somewhere/else")
    assert load_settings().top_k == 7
    assert load_settings().data_dir == Path("/somewhere/else")
    assert load_settings(top_k=3).top_k == 3


def test_an_unknown_variable_fails_and_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_TOPK", "7")
    with pytest.raises(SettingsError, match="QA_TOPK") as caught:
        load_settings()
    assert "QA_TOP_K" in caught.value.help


@pytest.mark.parametrize(("name", "value"), [("QA_TOP_K", "many"), ("QA_TOP_K", "0"), ("QA_ANSWER_THRESHOLD", "2")])
def test_an_impossible_value_fails_and_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_they_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings().top_k = 9  # type: ignore[misc]


def test_the_readme_has_the_table_as_generated() -> None:
    assert settings_table() in (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(field.description for field in Settings.model_fields.values())
