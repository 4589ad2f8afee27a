"""The questions of benchmarks/measure.py by hand, in Polars: `python -m benchmarks.peers.with_polars WAREHOUSE`."""

from __future__ import annotations

import sys

import polars as pl

from benchmarks.peers.shop import CHURN_MS, DAY_MS, DAYS, LIMIT_MS, REPURCHASE_DAYS, WEEK_MS, Answers, tell


def ask(warehouse: str) -> Answers:
    events = pl.scan_parquet(f"{warehouse}/events/*/*.parquet", hive_partitioning=False)
    as_of = events.select(pl.col("time_ms").max()).collect().item()
    limit = as_of - LIMIT_MS
    day = pl.col("time_ms") // DAY_MS
    starts = events.filter(pl.col("type") == "home").group_by("user_id").agg(start=pl.col("time_ms").min())
    weeks = lifecycle(events, day)
    return Answers(
        as_of,
        retention(events, starts, day, limit),
        activation(events, starts, limit),
        weeks,
        churn(events, as_of),
        repurchase(events, day, limit),
    )


def retention(events: pl.LazyFrame, starts: pl.LazyFrame, day: pl.Expr, limit: int) -> tuple[int, ...]:
    back = events.filter(pl.col("type").is_in(["home", "catalog"]))
    returns = back.group_by("user_id", day.alias("day")).agg(time=pl.col("time_ms").max())
    gap = pl.col("day") - pl.col("start") // DAY_MS
    hits = (
        starts.join(returns, on="user_id")
        .filter(pl.col("time") > pl.col("start"))
        .group_by("user_id")
        .agg(*((gap == d).any().alias(f"d{d}") for d in DAYS), (gap >= 7).any().alias("later"))
    )
    age = limit // DAY_MS - pl.col("start") // DAY_MS - 1
    counted = [(d, f"d{d}") for d in DAYS] + [(7, "later")]
    told = starts.join(hits, on="user_id", how="left").select(
        expression.alias(f"{place}{name}")
        for d, name in counted
        for place, expression in enumerate(((age >= d).sum(), ((age >= d) & pl.col(name).fill_null(False)).sum()))
    )
    return told.collect().row(0)


def activation(events: pl.LazyFrame, starts: pl.LazyFrame, limit: int) -> tuple[int, ...]:
    mature = starts.filter(pl.col("start") + WEEK_MS <= limit)
    bought = (
        mature.join(events.filter(pl.col("type") == "purchase"), on="user_id")
        .filter((pl.col("time_ms") > pl.col("start")) & (pl.col("time_ms") < pl.col("start") + WEEK_MS))
        .select(pl.col("user_id").n_unique())
    )
    return mature.select(pl.len()).collect().item(), bought.collect().item()


def lifecycle(events: pl.LazyFrame, day: pl.Expr) -> list[tuple[int, ...]]:
    week = pl.col("week")
    active = events.select("user_id", ((day + 3) // 7).alias("week")).unique().sort("user_id", "week")
    before, after = week.shift(1).over("user_id"), week.shift(-1).over("user_id")
    named = active.with_columns(before=before, after=after)
    counts = named.group_by("week").agg(
        pl.col("before").is_null().sum().alias("new"),
        (pl.col("before") == week - 1).sum().alias("returning"),
        (pl.col("before") < week - 1).sum().alias("resurrecting"),
        (pl.col("after").is_null() | (pl.col("after") > week + 1)).sum().alias("leaving"),
    )
    return counts.sort("week").collect().rows()


def churn(events: pl.LazyFrame, as_of: int) -> tuple[int, ...]:
    time = pl.col("time_ms")
    users = (
        events.filter((time >= as_of - 2 * CHURN_MS) & (time < as_of))
        .group_by("user_id")
        .agg(first=time.min(), last=time.max())
        .filter(pl.col("first") < as_of - CHURN_MS)
    )
    return users.select(pl.len().alias("n"), (pl.col("last") < as_of - CHURN_MS).sum()).collect().row(0)


def repurchase(events: pl.LazyFrame, day: pl.Expr, limit: int) -> tuple[int, ...]:
    amount = pl.col("props").str.json_path_match("$.amount").cast(pl.Float64)
    days = events.filter((pl.col("type") == "purchase") & (amount > 10)).select("user_id", day.alias("day")).unique()
    first = pl.col("day").min()
    buyers = days.group_by("user_id").agg(first=first, again=pl.col("day").bottom_k(2).max())
    mature = limit // DAY_MS > pl.col("first") + REPURCHASE_DAYS
    gap = pl.col("again") - pl.col("first")
    back = mature & (gap > 0) & (gap <= REPURCHASE_DAYS)
    return buyers.select(pl.len().alias("n"), mature.sum().alias("m"), back.sum().alias("b")).collect().row(0)


if __name__ == "__main__":
    tell(ask, sys.argv[1])
