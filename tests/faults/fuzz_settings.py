"""What a fuzzer by hand may be told, by the environment: KAIROS_FUZZ_SECONDS, _SEED, _ONLY, _FLOOD, _GATHERED."""

from __future__ import annotations

import os


def setting(name: str, default: int) -> int:
    """Of the fuzzer, from the environment."""
    return int(os.environ.get(f"KAIROS_FUZZ_{name}", default))


def only(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `KAIROS_FUZZ_ONLY=tombstone,deep`; all of them without it."""
    named = os.environ.get("KAIROS_FUZZ_ONLY", "")
    return tuple(kind for kind in kinds if not named or kind in named.split(","))
