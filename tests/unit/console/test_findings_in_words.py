"""Findings, hints and errors on a Chinese page: whoever adds one to the code says it in Chinese, too."""

from __future__ import annotations

import pytest

from kairos.apps.console.words import say_in
from tests.unit.console.sentences import english_beside_names_in, modules, reads_as_sentence, sentences

say = say_in("zh")
FOUND = modules(
    "engine/rule/lint", "engine/rule/text", "engine/rule/content", "engine/rule/fields/hints",
    "engine/rule/fields/reading", "engine/rule/fields/types.py", "engine/rule/files.py", "engine/rule/load.py",
    "engine/expression", "engine/pattern/check.py", "engine/plan", "engine/warehouse/select.py",
)  # fmt: skip
MEANT = modules(
    *(f"engine/rule/fields/{name}.py" for name in ("activity", "trigger", "schedule", "journey", "own_events"))
)
"""What the fields of a form mean."""
REFUSED = modules(
    "engine/rule/changes", "usecases/control", "usecases/crowds", "usecases/people", "usecases/rules",
    "usecases/operation", "usecases/results/measure.py", "usecases/results/evidence.py", "usecases/scheduler",
    "usecases/shop", "apps/console", "apps/api/body.py", "apps/api/oidc.py", "apps/api/session.py", "apps/api/who.py",
)  # fmt: skip
AWAY = modules(
    "engine/alarm/kinds.py", "engine/alarm/levels.py", "engine/alarm/series.py", "adapters/alarms", "adapters/channels",
    "adapters/control", "adapters/coupons", "adapters/crowds", "adapters/database", "adapters/delivery",
    "adapters/kafka", "adapters/output/dead_letters.py", "adapters/output/decision_log_kafka.py",
    *(f"adapters/profiles/{name}.py" for name in ("ahead", "consents", "imports", "lists", "opening", "person")),
    "adapters/rules", "adapters/search", "adapters/settings", "adapters/sources", "adapters/files/run_folder.py",
    *(f"adapters/warehouse/{name}.py" for name in ("change", "folder", "opening", "trino", "sql")),
)  # fmt: skip
"""What is said of servers and files that a page asks, of providers, and by alarms."""
ELSEWHERE = {
    "adapters/alarms/flink.py", "adapters/alarms/letters.py", "adapters/channels/console.py",
    "adapters/control/webhook.py", "adapters/delivery/mailbox_kafka.py",
    "engine/expression/compile.py", "engine/expression/sql/functions.py", "engine/expression/sql/pieces.py",
    "usecases/control/verify.py", "usecases/operation/database.py", "usecases/operation/replay.py",
    "usecases/rules/tune.py",
}  # fmt: skip
"""Code that is made, logs, and commands that no page stands for."""
NO_SENTENCES = {
    "includes has instr strpos find", "false no", "to recipient address phone email", "expected outcomes",
    "end of stream", "expected key", "key: of x1", "of: purchase",
}  # fmt: skip
"""Words of other tools, of the reader of YAML, and YAML."""
OTHERS = "texts of the plan have the names of others here: x1"
RENAME = "with those it has errors: give these another name, in `template` too, and use the plan again"
PARTS = {
    ", counted together with those around it": "a loop of 9 turns, counted together with those around it: at most 5 "
    "are allowed",
    "The steps, in order; x1 at most.": "The steps, in order; 9 at most.",
    "What happens, in order; x1 at most in all.": "What happens, in order; 9 at most in all.",
    "a whole number from x1 to x1": "a whole number from 1 to 9",
    "a x1whole number, at least x1": "a positive whole number, at least 1",
    "a mapping with the keyx1 x1, x2 and x3": "a mapping with the keys x1 and x2",
    "x1text is quoted twice: '\"...\"'": "text is quoted twice: '\"...\"'",
    ", in the store or by --shadows": "x1: shadow: no version x1 is known, in the store or by --shadows",
    "; what was in the warehouse is there, nothing of this was added": "the file x1: x1; what was in the warehouse is "
    "there, nothing of this was added",
    "; x1, x2 and x3 sends them": f"{OTHERS}; x1 sends them; {RENAME}",
    f"texts of the plan have the names of others here: x1, x2 and x3x1; {RENAME}": f"{OTHERS}; {RENAME}",
    "x1: there is no x1": "policy.caps.x1: there is no policy.yaml",
    "x1: shadow: no version x1 is knownx1": "x1: shadow: no version x1 is known; known are x1",
}
"""What others are put together of -> such a sentence."""
NAMES = frozenset(
    {
        "Aliyun",
        "JavaScript",
        "Kafka",
        "Kairos",
        "Liquid",
        "Parquet",
        "Redis",
        "Trino",
        "Twilio",
        "Unicode",
        "AppID",
        "URL",
    }
    | {"admin", "apprise", "id", "kairos", "null", "true", "false", "not", "before", "after"}
)


@pytest.mark.parametrize("module", [module for module in (*FOUND, *MEANT, *REFUSED, *AWAY) if module not in ELSEWHERE])
def test_every_sentence_is_put_into_words(module: str) -> None:
    for text in sentences(module):
        if reads_as_sentence(text) and text not in NO_SENTENCES:
            said = say(PARTS.get(text, text))
            assert english_beside_names_in(said, NAMES) == set(), f"{text} -> {said}"
