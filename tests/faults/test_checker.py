"""The checker finds what is planted: else a clean verdict would mean nothing."""

import hashlib
import random
from dataclasses import replace
from pathlib import Path

import pytest

from oracle.log.tree import compact_range, leaf_hash
from tests.faults.book import Book, Item, read
from tests.faults.checker import (
    Verdict,
    check_forks,
    check_items,
    check_log,
    check_numbers,
    tree_root,
)

ITEMS = [
    Item("reading", f"meter:{seq}", hashlib.sha256(bytes([seq])).hexdigest())
    for seq in range(50)
]


class TestCheckItems:
    def test_is_clean_when_all_is_there_once(self):
        found = [*ITEMS, Item("reading", "unacknowledged:0", "00")]
        verdict = check_items(ITEMS, found)
        assert verdict.is_clean
        assert verdict.checked == len(ITEMS)

    def test_takes_two_acknowledgements_of_one_item_for_one(self):
        assert check_items([*ITEMS, *ITEMS], ITEMS).is_clean

    @pytest.mark.parametrize("seed", range(5))
    def test_finds_every_planted_loss_double_and_alteration(self, seed: int):
        chance = random.Random(seed)
        lost, doubled, altered = (set(chance.sample(range(50), 4)) for _ in range(3))
        doubled, altered = doubled - lost, altered - lost - doubled
        found = []
        for place, item in enumerate(ITEMS):
            if place in altered:
                found.append(replace(item, digest=f"{'0' * 64}"))
            elif place not in lost:
                found += [item] * (2 if place in doubled else 1)
        verdict = check_items(ITEMS, found)
        assert verdict.lost == tuple(f"reading meter:{n}" for n in sorted(lost))
        assert set(verdict.doubled) == {f"reading meter:{n}" for n in doubled}
        assert set(verdict.altered) == {f"reading meter:{n}" for n in altered}

    def test_finds_a_double_that_nobody_acknowledged(self):
        extra = Item("reading", "other:0", "00")
        assert check_items([], [extra, extra]).doubled == ("reading other:0",)

    def test_finds_one_key_acknowledged_with_two_contents(self):
        twin = replace(ITEMS[0], digest="0" * 64)
        assert check_items([ITEMS[0], twin], [ITEMS[0]]).altered


class TestCheckForks:
    def test_finds_two_blocks_at_one_height(self):
        sightings = [Item("block", "7", "aa"), Item("block", "7", "bb")]
        assert check_forks(sightings).forks == ("block 7",)

    def test_does_not_mind_the_same_block_twice(self):
        assert check_forks([Item("block", "7", "aa")] * 2).is_clean


class TestCheckNumbers:
    def test_finds_gap_and_repetition(self):
        verdict = check_numbers("batch", [0, 1, 1, 3])
        assert verdict == Verdict(doubled=("batch 1",), gaps=("batch 2",))

    def test_finds_a_missing_beginning(self):
        assert check_numbers("batch", [1]).gaps == ("batch 0",)

    def test_takes_none(self):
        assert check_numbers("batch", []).is_clean


class TestCheckLog:
    HEADS = tuple(hashlib.sha256(bytes([n])).digest() for n in range(20))

    def roots(self) -> list[bytes]:
        return [
            compact_range([leaf_hash(h) for h in self.HEADS[:n]]).root()
            for n in range(20)
        ]

    def test_agrees_with_the_products_tree(self):
        assert check_log(self.HEADS, self.roots()).is_clean

    def test_finds_an_exchanged_head(self):
        heads = list(self.HEADS)
        heads[3] = bytes(32)
        assert check_log(heads, self.roots()).gaps[0] == "log root of batch 4"

    def test_has_the_root_of_nothing(self):
        assert tree_root([]).hex().startswith("e3b0c442")


class TestBook:
    def test_is_read_as_it_was_written(self, tmp_path: Path):
        book = Book(tmp_path / "book")
        book.note(ITEMS)
        book.close()
        assert list(read(tmp_path / "book")) == ITEMS

    def test_goes_on_where_it_was(self, tmp_path: Path):
        for _ in range(2):
            book = Book(tmp_path / "book")
            book.note(ITEMS[:3])
            book.close()
        assert len(list(read(tmp_path / "book"))) == 6

    def test_passes_over_a_line_that_was_cut_short(self, tmp_path: Path):
        path = tmp_path / "book"
        path.write_text(ITEMS[0].to_line() + ITEMS[1].to_line()[:-9])
        assert list(read(path)) == ITEMS[:1]
        book = Book(path)
        book.note(ITEMS[2:3])
        book.close()
        assert list(read(path)) == [ITEMS[0], ITEMS[2]]
