"""Counters of a process, told in Prometheus' text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

_Key = tuple[str, tuple[tuple[str, str], ...]]


class Counters:
    """`helps`: metric -> what it counts. Only these can be counted, under labels that the caller keeps few."""

    def __init__(self, helps: Mapping[str, str]) -> None:
        self._helps = helps
        self._counts: Counter[_Key] = Counter()

    def add(self, metric: str, by: int = 1, **labels: str) -> None:
        if metric not in self._helps:
            raise KeyError(metric)
        self._counts[metric, tuple(sorted(labels.items()))] += by

    def value(self, metric: str, **labels: str) -> int:
        """The sum over all that have these labels."""
        wanted = labels.items()
        return sum(n for (name, found), n in self._counts.items() if name == metric and wanted <= dict(found).items())

    def text(self) -> str:
        lines = []
        for metric, help_ in self._helps.items():
            lines += [f"# HELP {metric} {help_}", f"# TYPE {metric} counter"]
            for (name, labels), count in sorted(self._counts.items()):
                if name == metric:
                    shown = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels)
                    lines.append(f"{metric}{{{shown}}} {count}" if shown else f"{metric} {count}")
        return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
