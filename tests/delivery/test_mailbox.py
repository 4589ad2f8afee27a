"""What may be acknowledged, and mailboxes of files."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kairos.adapters.delivery.mailbox import Unfinished
from kairos.adapters.delivery.mailbox_file import FileMailbox, FilePosts
from kairos.adapters.post import Post
from tests.delivery.kit import delivery, parcels
from tests.delivery.virtual_loop import run


@given(st.lists(st.integers(0, 3), max_size=30), st.randoms(use_true_random=False))
def test_the_lowest_unfinished_offset_against_a_slow_twin(gaps: list[int], chance: object) -> None:
    """Offsets grow with gaps, as compaction and transactions leave them; they are done in any order."""
    unfinished, begun, done = Unfinished(), [], set()
    committed: int | None = None
    offset = 10
    for gap in gaps:
        if gap < 3 or not begun:
            offset += gap + 1
            unfinished.began(offset)
            begun.append(offset)
        else:
            one = chance.choice(begun)  # type: ignore[attr-defined]
            unfinished.done(one)
            unfinished.done(one + 1_000)  # never began
            done.add(one)
        left = [each for each in begun if each not in done]
        slow = left[0] if left else begun[-1] + 1
        assert unfinished.to_commit() == (None if slow == committed else slow)
        assert len(unfinished) == len(left)
        if chance.random() < 0.5:  # type: ignore[attr-defined]
            unfinished.committed(slow)
            committed = slow


def test_nothing_begun_is_nothing_to_commit() -> None:
    assert Unfinished().to_commit() is None


def test_a_file_mailbox_gives_no_more_than_its_room() -> None:
    async def scenario() -> list[int]:
        mailbox = FileMailbox(parcels(delivery(f"u{n}") for n in range(10)), room=4)
        sizes = []
        while taken := await mailbox.take():
            sizes.append(len(taken))
            for parcel in taken[:3]:
                mailbox.done(parcel)
        return sizes

    assert run(scenario()) == [4, 3, 3]


def test_posts_into_files(tmp_path: Path) -> None:
    posts = FilePosts(tmp_path)
    assert posts.write([Post("a", "k", b"1", 0), Post("b", None, b"2", 0), Post("a", "k", b"3", 0)]) == [None] * 3
    posts.write([Post("a", "k", b"4", 0)])
    assert (tmp_path / "a.jsonl").read_bytes() == b"1\n3\n4\n"
    assert (tmp_path / "b.jsonl").read_bytes() == b"2\n"
