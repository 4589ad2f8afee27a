"""What measures.yaml asks, as data: durations in ms, shares 0..1; expressions stay text."""

from __future__ import annotations

from typing import Literal

import msgspec

DAY = 86_400_000

StartKind = Literal["first", "first_in_range", "each"]
MetricKind = Literal["goal", "rate", "count", "sum"]


class Happening(msgspec.Struct, frozen=True):
    """Events of these types of which `where` is true. `value` is an expression, `place` the name of a prop."""

    types: tuple[str, ...]
    where: str | None = None
    value: str | None = None
    place: str | None = None


class Start(msgspec.Struct, frozen=True):
    kind: StartKind
    event: Happening


class Reach(msgspec.Struct, frozen=True):
    activity: str


class Lift(msgspec.Struct, frozen=True):
    """`event` None: the activity's goal. `within` None: that of the goal."""

    activity: str
    metric: MetricKind = "goal"
    event: Happening | None = None
    within: int | None = None
    cuped: int | None = None
    decide_at: int = 5_000


class Retention(msgspec.Struct, frozen=True):
    start: Start
    back: Happening
    days: tuple[int, ...] = ()
    unbounded: tuple[int, ...] = ()
    brackets: tuple[tuple[int, int], ...] = ()
    mode: Literal["calendar", "rolling"] = "calendar"


class Activation(msgspec.Struct, frozen=True):
    start: Start
    event: Happening
    within: int
    times: int = 1


class Lifecycle(msgspec.Struct, frozen=True):
    active: Happening
    period: Literal["1d", "1w"] = "1w"


class Churn(msgspec.Struct, frozen=True):
    active: Happening
    after: int


class Repurchase(msgspec.Struct, frozen=True):
    """`days`: a second purchase day counts within so many days of the first."""

    event: Happening
    days: int


class Visits(msgspec.Struct, frozen=True):
    """`ping.place` and `purchase.place` are set. Durations in ms."""

    ping: Happening
    gap: int
    dwell: int
    again_after: int
    purchase: Happening | None = None


class Attribution(msgspec.Struct, frozen=True):
    """`windows`: kind of touch (delivered, clicked) -> ms before the conversion."""

    conversion: Happening
    windows: dict[str, int]
    models: tuple[str, ...]
    half_life: int = 7 * DAY


class Money(msgspec.Struct, frozen=True):
    activity: str
    within: int | None = None


class Matching(msgspec.Struct, frozen=True):
    """`policy`: "best", "even", or the activity that is to win. `event.value` None: whether it happened at all."""

    group: str
    policy: str
    event: Happening
    within: int


Measure = (
    Reach | Lift | Retention | Activation | Lifecycle | Churn | Repurchase | Visits | Attribution | Money | Matching
)


def kind_of(measure: Measure) -> str:
    """The word for it in measures.yaml."""
    return type(measure).__name__.lower()


class Costs(msgspec.Struct, frozen=True):
    """`messages`: channel -> (price, whether a segment). `coupon`: the redeeming event, its `value` being the cost."""

    messages: dict[str, tuple[float, bool]] = {}
    coupon: Happening | None = None


class Measures(msgspec.Struct, frozen=True):
    """A whole measures.yaml."""

    currency: str = ""
    costs: Costs = Costs()
    margin: float = 1.0
    purchase: Happening | None = None
    measures: dict[str, Measure] = {}
