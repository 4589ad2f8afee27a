"""What `to_sql` calls and no engine of SQL has: each written once an engine, in the engine's own words.

A *JSON value* is the JSON text of a value, NULL for null: its first character tells its kind. DuckDB gets these as
macros; for Trino they are put in place of their calls.
"""

from __future__ import annotations

from typing import NamedTuple


class SqlFunction(NamedTuple):
    """`duckdb` and `trino` are expressions over the parameters; they may call other functions of this table."""

    parameters: tuple[str, ...]
    duckdb: str
    trino: str


def _both(parameters: str, body: str) -> SqlFunction:
    return SqlFunction(tuple(parameters.split()), body, body)


_LARGEST_EXACT = "9007199254740992"  # 2^53: from here on a double does not hold every integer

SQL_FUNCTIONS: dict[str, SqlFunction] = {
    "kairos_json": SqlFunction(  # the JSON value at a path such as '$.amount' in a JSON text
        ("doc", "path"),
        "nullif(CAST(json_extract(doc, path) AS VARCHAR), 'null')",
        "nullif(json_format(json_extract(doc, path)), 'null')",
    ),
    "kairos_last": SqlFunction(  # the last element of the list at a path
        ("doc", "path"),
        "nullif(CAST(json_extract(json_extract(doc, path), '$[#-1]') AS VARCHAR), 'null')",
        "nullif(json_format(json_array_get(json_extract(doc, path), -1)), 'null')",
    ),
    "kairos_number": _both("j", "TRY_CAST(j AS DOUBLE)"),  # NULL where it is no number; texts stand in quotes
    "kairos_text": SqlFunction(
        ("j",),
        "CASE WHEN starts_with(j, '\"') THEN json_extract_string(j, '$') END",
        "CASE WHEN starts_with(j, '\"') THEN json_extract_scalar(j, '$') END",
    ),
    "kairos_of_text": SqlFunction(("t",), "CAST(to_json(t) AS VARCHAR)", "json_format(CAST(t AS JSON))"),
    "kairos_of_number": SqlFunction(("n",), "CAST(to_json(n) AS VARCHAR)", "json_format(CAST(n AS JSON))"),
    "kairos_of_boolean": _both("b", "CASE WHEN b THEN 'true' ELSE 'false' END"),
    "kairos_kind": _both(  # one letter
        "j",
        "CASE WHEN j IS NOT NULL THEN CASE substr(j, 1, 1) WHEN '\"' THEN 't' WHEN '{' THEN 'o' WHEN '[' THEN 'l'"
        " WHEN 't' THEN 'b' WHEN 'f' THEN 'b' ELSE 'n' END END",
    ),
    "kairos_same": _both(
        "a b",
        "coalesce(CASE WHEN kairos_kind(a) = 'n' AND kairos_kind(b) = 'n' THEN kairos_number(a) = kairos_number(b)"
        f" AND (a = b OR abs(kairos_number(a)) < {_LARGEST_EXACT}) ELSE a = b END, false)",
    ),
    "kairos_less": _both(
        "a b",
        "coalesce(kairos_number(a) < kairos_number(b), kairos_text(a) < kairos_text(b), false)",
    ),
    "kairos_less_or_same": _both(
        "a b",
        "coalesce(kairos_number(a) <= kairos_number(b), kairos_text(a) <= kairos_text(b), false)",
    ),
    "kairos_inside": SqlFunction(  # `a in b` of two JSON values
        ("a", "b"),
        "coalesce(CASE kairos_kind(b) WHEN 'l' THEN"
        " len(list_filter(CAST(json_extract(b, '$[*]') AS VARCHAR[]), lambda x : kairos_same(a, x))) > 0"
        " WHEN 't' THEN strpos(kairos_text(b), kairos_text(a)) > 0 ELSE false END, false)",
        "coalesce(CASE kairos_kind(b) WHEN 'l' THEN"
        " any_match(CAST(json_parse(b) AS ARRAY(JSON)), x -> kairos_same(a, json_format(x)))"
        " WHEN 't' THEN strpos(kairos_text(b), kairos_text(a)) > 0 ELSE false END, false)",
    ),
    "kairos_holds": _both(  # whether `in` can be asked of two JSON values
        "a b", "coalesce(kairos_kind(b) = 'l' OR (kairos_kind(a) = 't' AND kairos_kind(b) = 't'), false)"
    ),
    "kairos_length": SqlFunction(
        ("j",),
        "CASE kairos_kind(j) WHEN 't' THEN length(kairos_text(j)) WHEN 'l' THEN json_array_length(j)"
        " WHEN 'o' THEN len(json_keys(j)) END",
        "CASE kairos_kind(j) WHEN 't' THEN length(kairos_text(j)) WHEN 'l' THEN json_array_length(j)"
        " WHEN 'o' THEN cardinality(CAST(json_parse(j) AS MAP(VARCHAR, JSON))) END",
    ),
    "kairos_finite": SqlFunction(
        ("n",), "CASE WHEN isfinite(n) THEN n END", "CASE WHEN is_finite(n) THEN n END"
    ),
    "kairos_modulo": SqlFunction(  # with the divisor's sign
        ("a", "b"),
        "CASE WHEN b <> 0 THEN CASE WHEN fmod(a, b) <> 0 AND (fmod(a, b) < 0) <> (b < 0) THEN fmod(a, b) + b"
        " ELSE fmod(a, b) END END",
        "CASE WHEN b <> 0 THEN CASE WHEN mod(a, b) <> 0 AND (mod(a, b) < 0) <> (b < 0) THEN mod(a, b) + b"
        " ELSE mod(a, b) END END",
    ),
    "kairos_round": _both(  # halves to the even neighbour
        "n",
        "CASE WHEN n - floor(n) < 5e-1 THEN floor(n) WHEN n - floor(n) > 5e-1 THEN floor(n) + 1"
        " ELSE 2 * floor((floor(n) + 1) / 2) END",
    ),
    "kairos_exact": _both(  # billionths as an integer: sums of these are the same in any order
        "n", "CASE WHEN abs(n) < 1e28 THEN CAST(round(n * 1e9) AS DECIMAL(38, 0)) END"
    ),
}  # fmt: skip
