"""A path leads into the file that it names: an activity's, a journey's, or one of the folder."""

from __future__ import annotations

import pytest

from kairos.adapters.rules.overrides import OverrideError, with_overrides

FILES = {
    "activities/a/order.yaml": b"activity: order\ntrigger: {event: a, within: 1h}\n",
    "journeys/a/welcome.yaml": b"journey: welcome\ntrigger: {event: a}\nsteps:\n  - {wait: 2d}\n",
}
PATHS = [
    ("activities.order.within", "2h", "activities/a/order.yaml", "within: 2h"),
    ("activity.priority", "7", "activities/a/order.yaml", "priority: 7"),
    ("journeys.welcome.steps.0.wait", "3d", "journeys/a/welcome.yaml", "wait: 3d"),
]


@pytest.mark.parametrize(("path", "value", "file", "said"), PATHS)
def test_a_path_leads_into_its_file(path: str, value: str, file: str, said: str) -> None:
    changed = with_overrides(FILES, {path: value})
    content = changed[file]
    assert isinstance(content, bytes)
    assert said in content.decode()
    assert {name for name in FILES if changed[name] != FILES[name]} == {file}


def test_an_activity_named_without_its_folder_is_told_with_it() -> None:
    with pytest.raises(OverrideError, match=r"did you mean 'activities.order.within'"):
        with_overrides(FILES, {"order.within": "2h"})
    with pytest.raises(OverrideError, match=r"did you mean 'journeys.welcome.steps.0.wait'"):
        with_overrides(FILES, {"welcome.steps.0.wait": "3d"})
    with pytest.raises(OverrideError, match=r"there is no policy.yaml$"):
        with_overrides(FILES, {"policy.caps": "[]"})


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(OverrideError, match="names none of the journeys welcome"):
        with_overrides(FILES, {"journeys.order.steps": "[]"})
