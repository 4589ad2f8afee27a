"""The page that benchmarks write their last result into."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def note(page: str, name: str, text: str) -> str:
    """The page with the text in the place that is kept for this benchmark. Raises ValueError where there is none."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in page or end not in page:
        raise ValueError(f"{PAGE.name} keeps no place for {name}")
    return f"{page.partition(begin)[0]}{begin}\n{text}\n{end}{page.partition(end)[2]}"
