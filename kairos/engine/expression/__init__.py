"""The expressions of rules: parse, check, compile."""

from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.expression import Expression, parse
from kairos.engine.expression.problem import ExpressionError, Problem
from kairos.engine.expression.reads import Reads
from kairos.engine.expression.scope import Names, Scope, StepNames

__all__ = [
    "Condition",
    "Expression",
    "ExpressionError",
    "Names",
    "Problem",
    "Reads",
    "Scope",
    "Script",
    "StepNames",
    "parse",
]
