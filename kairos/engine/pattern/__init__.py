"""Complex event patterns with the semantics of Flink CEP.

A pattern (spec.py) becomes a graph of states (graph.py), the graph a decision tree for each state and event type
(decision_tree.py), and a `Matcher` runs it over the `Runs` of one partition. `check_pattern` says what cannot work.
"""

from kairos.engine.pattern.check import PatternProblem, check_pattern
from kairos.engine.pattern.compile import compile_pattern, pattern_shape
from kairos.engine.pattern.matcher import Matcher
from kairos.engine.pattern.runs import Match, Progress, Run, Runs
from kairos.engine.pattern.span import longest_match
from kairos.engine.pattern.spec import AfterMatch, Pattern, Step, Times

__all__ = [
    "AfterMatch",
    "Match",
    "Matcher",
    "Pattern",
    "PatternProblem",
    "Progress",
    "Run",
    "Runs",
    "Step",
    "Times",
    "check_pattern",
    "compile_pattern",
    "longest_match",
    "pattern_shape",
]
