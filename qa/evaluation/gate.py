"""Floors under metrics: what a change must not fall below."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from qa.evaluation.questions import InvalidDataset


def load_floors(path: Path) -> dict[str, float]:
    """A JSON object, metric to least value. Raises `InvalidDataset` for anything else."""
    try:
        floors = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): float(floor) for name, floor in floors.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InvalidDataset(f"{path} holds no floors: {error}", help='Write {"metric": 0.5, …}.') from error


def below(measured: Mapping[str, float], floors: Mapping[str, float]) -> dict[str, tuple[float | None, float]]:
    """The metrics that are under their floor, or not there: (measured, floor) by name."""
    found = {name: (measured.get(name), floor) for name, floor in floors.items()}
    return {name: (value, floor) for name, (value, floor) in found.items() if value is None or value < floor}
