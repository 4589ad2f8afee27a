"""The section `coupons` of a configuration, which every process reads alike."""

from __future__ import annotations

import msgspec


class Coupons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where codes are kept: `redis` (a URL), or `file` (SQLite, one machine). Neither: the Redis of `profiles`; without
    any a bounded run gives out the codes of its rules anew each time."""

    redis: str | None = None
    file: str | None = None

    def beside(self, profiles: str | None) -> Coupons | None:
        """Where they are, if the profiles are in this Redis; None: nowhere."""
        if self.file or self.redis:
            return self
        return Coupons(redis=profiles) if profiles else None
