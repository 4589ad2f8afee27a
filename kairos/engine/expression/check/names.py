"""What the names of an expression stand for, and of which types that is; names that stand for nothing here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kairos.engine.expression.check.kinds import KINDS, said
from kairos.engine.expression.check.notes import Notes
from kairos.engine.expression.mistakes import NAMES, ROOTS
from kairos.engine.expression.problem import did_you_mean
from kairos.engine.expression.scope import Names
from kairos.engine.expression.tree import (
    Aggregate,
    Code,
    Field,
    Inside,
    Item,
    Node,
    Progress,
    Prop,
    StepCount,
    StepProp,
)

_EVENT_TYPES = {"type": "string", "time": "integer", "id": "string", "source": "string"}


class NameTypes:
    """`as_values`: nodes that something is compared with; `whole`: the root of the expression."""

    def __init__(
        self,
        notes: Notes,
        names: Names,
        type_of: Callable[[Node], str],
        as_values: set[Node],
        whole: Node | None,
    ) -> None:
        self._problem, self._warn, self._quote = notes.problem, notes.warn, notes.quote
        self._text = notes.text
        self._names = names
        self._type_of = type_of
        self._as_values = as_values
        self._whole = whole

    def type_of_name(self, node: Node) -> str:
        match node:
            case Prop(name=name):
                return self._bare(node, name)
            case StepProp(step=step, prop=prop):
                if self._is_inside(node, step):
                    return self._inside(node, Prop(node.start, node.start + len(step), step), (prop,))
                return self._step_prop(node, step, prop)
            case Inside(value=value, path=path):
                return self._inside(node, value, path)
            case Code(pool=pool):
                return self._code(node, pool)
            case Item(catalog=catalog, key=key, name=name):
                return self._item(node, catalog, key, name)
            case StepCount(step=step):
                return "integer" if self._is_step(node, step) else "any"
            case Progress(message=message):
                return self._progress(node, message)
            case Aggregate(function=function, step=step, prop=prop):
                return self._aggregate(node, function, step, prop)
            case Field(root="event", name=name):
                if not self._names.event:
                    return self._problem(node, "no-event", "there is no event to read here")
                return _EVENT_TYPES[name]
            case Field(root=root, name=name):
                return self._state(node, root, name)
        raise TypeError(node)

    def _bare(self, node: Node, name: str) -> str:
        names = self._names
        if not names.bare:
            message = f"'{name}' is a bare name, and there is no event here whose prop it could be"
            return self._problem(node, "no-event", message, self._as_text(node, name, self._qualified(name)))
        if names.props is None:
            if name in names.steps or name in names.forbidden:
                message = f"'{name}' is read as a prop of that name here, though a step is called so"
                self._warn(node, "step-as-prop", message, f"a step's prop is {name}.prop")
            return "any"
        if name in names.props:
            return names.props[name]
        owner = f" of {names.props_of}" if names.props_of else " here"
        if name in names.forbidden or name in names.steps:
            message = f"'{name}' is a step, and no prop{owner}"
            return self._problem(node, "unknown-prop", message, f"a step's props are read as {name}.prop")
        hint = did_you_mean(name, names.props) or self._qualified(name)
        message = f"'{name}' is not a prop{owner}"
        return self._problem(node, "unknown-prop", message, self._as_text(node, name, hint))

    def _as_text(self, node: Node, name: str, hint: str | None) -> str | None:
        """Where another name is compared with this one, it may be meant as text."""
        if known := NAMES.get(name.lower()):
            return known
        if node not in self._as_values:
            return hint
        return f'text is quoted: "{name}"' + (f"; {hint}" if hint else "")

    def _qualified(self, name: str) -> str | None:
        """The same name elsewhere: as a profile's field or a metric."""
        if name in (self._names.profile or ()):
            return f"did you mean 'profile.{name}'?"
        return f"did you mean 'metric.{name}'?" if name in self._names.metrics else None

    def _is_inside(self, node: Node, name: str) -> bool:
        """Whether `name.x` is what lies inside of a prop: there is no such step, and there may be such a prop."""
        names = self._names
        if name in names.steps or name in names.forbidden or not names.bare:
            return False
        if len(self._text[node.start : node.end].split(".")) > 2:  # step.first.x, step.last.x
            return False
        if names.props is not None:
            return name in names.props
        if ROOTS.get(name.lower()) or did_you_mean(name, [*names.steps, "event", "profile", "metric", "prior"]):
            return False
        message = f"'{name}' is no step here: what lies inside of the prop '{name}' is read"
        self._warn(node, "inside-of-prop", message, "declare it in sources.yaml, as an object")
        return True

    def _inside(self, node: Node, value: Node, path: tuple[str, ...]) -> str:
        """Nothing is declared of what lies inside; but whether anything can."""
        type_ = self._type_of(value)
        if not KINDS[type_] & {"list", "object"}:
            return self._problem(node, "type-mismatch", f"{self._quote(value)} is {said(type_)}: nothing lies inside")
        if type_ == "list" and not path[0].isdecimal():
            hint = f"say which one, from 0: {self._text[value.start : value.end]}.0.{path[0]}"
            return self._problem(node, "type-mismatch", f"{self._quote(value)} is a list", hint)
        return "any"

    def _code(self, node: Node, pool: str) -> str:
        known = self._names.coupons
        if known is None or node is not self._whole:
            message = f"{self._quote(node)} is taken when the message leaves: it stands in its `data`, and alone"
            return self._problem(node, "coupon-place", message, f"data: {{code: 'coupon(\"{pool}\")'}}")
        if pool not in known:
            hint = did_you_mean(pool, known) or "define it in coupons.yaml"
            return self._problem(node, "unknown-coupon", f"there is no pool of coupons '{pool}'", hint)
        return "string"

    def _item(self, node: Node, catalog: str, key: Node, name: str) -> str:
        self._type_of(key)
        catalogs = self._names.catalogs
        if not self._names.state or self._names.history is not None:
            return self._problem(node, "props-only", f"'{catalog}[..].{name}' cannot be read here")
        if catalogs is None:
            return "any"
        if catalog not in catalogs:
            message = f"there is no catalog '{catalog}' whose items could be read with [..]"
            hint = did_you_mean(catalog, catalogs) or "what lies inside of a prop is read with dots: items.0.sku"
            return self._problem(node, "unknown-catalog", message, hint)
        return self.declared(node, name, catalogs[catalog], f"a field of the catalog {catalog}", "unknown-field")

    def _is_step(self, node: Node, step: str) -> bool:
        names = self._names
        if step in names.steps:
            return True
        if step in names.forbidden:
            self._problem(node, "unknown-step", f"'{step}' cannot be read here: {names.forbidden[step]}")
        elif names.props is not None and step in names.props:
            message = f"'{step}' is a prop, not a step: what is inside of it cannot be read"
            self._problem(node, "unknown-step", message)
        else:
            known = [*names.steps, "event", "profile", "metric", "prior"]
            hint = ROOTS.get(step.lower()) or did_you_mean(step, known)
            self._problem(node, "unknown-step", f"there is no earlier step '{step}'", hint)
        return False

    def _step_prop(self, node: Node, step: str, prop: str) -> str:
        if not self._is_step(node, step):
            return "any"
        props = self._names.steps[step].props
        return self.declared(node, prop, props, f"a prop of step '{step}'", "unknown-prop")

    def declared(self, node: Node, name: str, known: Mapping[str, str] | None, what: str, code: str) -> str:
        if known is None:
            return "any"
        if name not in known:
            return self._problem(node, code, f"'{name}' is not {what}", did_you_mean(name, known))
        return known[name]

    def _progress(self, node: Node, message: str) -> str:
        messages = self._names.messages
        if messages is None:
            said = f"{self._quote(node)} asks about a message of a journey, and there is none here"
            return self._problem(node, "no-journey", said, "a trigger can wait for it: {clicked: <activity>}")
        if message not in messages:
            hint = did_you_mean(message, messages)
            return self._problem(node, "unknown-message", f"the journey has no message '{message}'", hint)
        if messages[message]:
            return self._problem(node, "never-true", f"'{message}' cannot be asked about here: {messages[message]}")
        return "integer"

    def _aggregate(self, node: Node, function: str, step: str, prop: str) -> str:
        type_ = self._step_prop(node, step, prop)
        if not KINDS[type_] & KINDS["number"]:
            return self._problem(node, "type-mismatch", f"{function}() takes numbers; '{step}.{prop}' is {said(type_)}")
        return "integer" if type_ == "integer" and function != "avg" else "number"

    def _state(self, node: Node, root: str, name: str) -> str:
        if not self._names.state:
            return self._problem(node, "props-only", f"'{root}.{name}' cannot be read here: only props can")
        if root == "profile":
            return self.declared(
                node, name, self._names.profile, "a declared field of the profile", "unknown-profile-field"
            )
        return self.declared(node, name, self._names.metrics, "a metric", "unknown-metric")
