"""The plots of a report, as SVG text without a time or a random id in it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from qa.errors import ModelMissing
from qa.evaluation import metrics
from qa.evaluation.ranking import EXTRA
from qa.evaluation.report import by_kind
from qa.evaluation.scoring import Line
from qa.evaluation.summary import curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#2f6db3", "#c8641e", "#8a8f98"


def plots(lines: Sequence[Line], timings: Mapping[str, Any] | None) -> dict[str, str]:
    """SVG by caption; a plot for which there is nothing to show is left out."""
    drawn = {
        "Risk and coverage": risk_coverage(lines),
        "Reliability of the probability": reliability(lines),
        "Recall of the evidence among the first k passages": recall(lines),
        "By type of question": types(lines),
        "Time until quote, first claim and answer": latency(timings) if timings else None,
    }
    return {caption: svg for caption, svg in drawn.items() if svg}


def risk_coverage(lines: Sequence[Line]) -> str:
    """Risk over coverage, with the point at which the service answers."""
    probabilities, right = curve(lines)
    answered = [line["status"] == "answered" for line in lines]

    def draw(axes: Axes) -> None:
        axes.plot(*metrics.risk_coverage(probabilities, right), color=BLUE)
        if any(answered):
            share = sum(answered) / len(lines)
            wrong = 1 - sum(r for r, a in zip(right, answered, strict=True) if a) / sum(answered)
            axes.plot([share], [wrong], "o", color=ORANGE, label="as answered")
            axes.legend(frameon=False)
        axes.set(xlabel="coverage: share of the questions answered", ylabel="risk: share of the answers wrong")
        axes.set(xlim=(0, 1), ylim=(0, 1))

    return _svg(draw)


def reliability(lines: Sequence[Line]) -> str:
    """Share right over mean probability in ten bins, with standard errors and how many questions are in each."""
    probabilities, right = curve(lines)

    def draw(axes: Axes) -> None:
        mean, share, n = map(np.array, zip(*metrics.reliability(probabilities, right), strict=True))
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="ideal")
        axes.errorbar(mean, share, yerr=np.sqrt(share * (1 - share) / n), fmt="o-", capsize=3, color=BLUE, label="here")
        for x, y, count in zip(mean, share, n, strict=True):
            axes.annotate(str(count), (x, y), textcoords="offset points", xytext=(6, -10), fontsize=8, color=GREY)
        axes.set(xlabel="answerable_probability", ylabel="share right", xlim=(0, 1), ylim=(-0.02, 1.02))
        axes.legend(frameon=False, loc="upper left")

    return _svg(draw)


def recall(lines: Sequence[Line]) -> str | None:
    """Recall at each k, as retrieved and as the reader ordered the passages."""
    found: dict[str, dict[int, float]] = {"retrieved": {}, "reranked": {}}
    for order, values in found.items():
        for name in dict.fromkeys(name for line in lines for name in line["scores"]):
            match = re.fullmatch(rf"{order}_recall@(\d+)", name)
            if match:
                scores = [line["scores"][name] for line in lines if name in line["scores"]]
                values[int(match[1])] = float(np.mean(scores))
    if not found["retrieved"]:
        return None

    def draw(axes: Axes) -> None:
        for (order, values), colour in zip(found.items(), (GREY, BLUE), strict=True):
            axes.plot(list(values), list(values.values()), "o-", color=colour, label=order)
        axes.set(xlabel="k passages", ylabel="recall", ylim=(0, 1.02), xticks=list(found["retrieved"]))
        axes.legend(frameon=False, loc="lower right")

    return _svg(draw)


def types(lines: Sequence[Line]) -> str:
    """Share right and mean F1 by type of question."""
    rows = by_kind(lines)

    def draw(axes: Axes) -> None:
        at = np.arange(len(rows))
        axes.barh(at - 0.2, [right for *_, right, _ in rows], 0.38, color=BLUE, label="right")
        axes.barh(at + 0.2, [f1 for *_, f1 in rows], 0.38, color="#a9c6e6", label="F1")
        axes.set_yticks(at, [f"{name} ({n})" for name, n, *_ in rows])
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xlabel="share of the questions")
        axes.grid(visible=False, axis="y")
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)

    return _svg(draw, height=max(2.2, 0.42 * len(rows) + 1.1))


def latency(timings: Mapping[str, Any]) -> str | None:
    """The share of the questions that had their quote, their first claim and their answer within a time."""
    rows = list(timings["questions"].values())
    found = {name: np.sort([row[name] for row in rows if name in row]) for name in ("quote", "claim", "answer")}
    if not any(len(values) for values in found.values()):
        return None

    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    def draw(axes: Axes) -> None:
        for (name, values), style in zip(found.items(), ("-", "--", "-"), strict=True):
            if len(values):
                colour = ORANGE if name == "answer" else BLUE
                axes.plot(values, np.arange(1, len(values) + 1) / len(values), style, color=colour, label=name)
        axes.set(xlabel="milliseconds", ylabel="share of the questions", ylim=(0, 1.02), xscale="log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.legend(frameon=False, loc="lower right")

    return _svg(draw)


def require_matplotlib() -> None:
    """Raise `ModelMissing`, before any work is done, where plots cannot be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ModelMissing("evaluation needs matplotlib for its plots, which is not installed", help=EXTRA) from error


def _svg(draw: Callable[[Axes], None], height: float = 3.3) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: Any = {"svg.hashsalt": "cited-qa", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10,
             "axes.grid": True, "grid.alpha": 0.3, "axes.spines.top": False, "axes.spines.right": False}  # fmt: skip
    with mpl.rc_context(style):
        figure = Figure(figsize=(5.2, height), layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = file.getvalue()
    return svg[svg.index("<svg") :]
