"""The expressions and scripts of rules: parse, check, compile."""

from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.expression import Expression, parse, parse_history
from kairos.engine.expression.javascript import check_script, compile_condition, script_reads
from kairos.engine.expression.problem import ExpressionError, Problem
from kairos.engine.expression.reads import Reads
from kairos.engine.expression.scope import Names, Scope, StepNames
from kairos.sandbox import JavaScript

__all__ = [
    "Condition",
    "Expression",
    "ExpressionError",
    "JavaScript",
    "Names",
    "Problem",
    "Reads",
    "Scope",
    "Script",
    "StepNames",
    "check_script",
    "compile_condition",
    "parse",
    "parse_history",
    "script_reads",
]
