import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.errors import InvalidLogProofError
from oracle.log.tiles import (
    Tile,
    decode_entries,
    encode_entries,
    read_leaves,
    slice_tiles,
    tiles_between,
)
from oracle.log.tree import leaf_hash, tree_root

LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(70_000)]


class TestPaths:
    def test_an_index_is_written_in_groups_of_three_digits(self):
        assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"

    def test_a_small_index_is_one_group(self):
        assert Tile(2, 7).path == "tile/2/007"

    def test_the_right_edge_names_its_width(self):
        assert Tile(1, 0, 12).path == "tile/1/000.p/12"

    def test_entries_lie_beside_the_tiles(self):
        assert Tile(0, 1000, 3).entries_path == "tile/entries/x001/000.p/3"


class TestTilesBetween:
    def test_a_first_leaf_is_one_narrow_tile(self):
        assert list(tiles_between(0, 1)) == [Tile(0, 0, 1)]

    def test_a_full_tile_gives_a_hash_to_the_next_level(self):
        assert list(tiles_between(255, 256)) == [Tile(0, 0), Tile(1, 0, 1)]

    def test_a_log_that_did_not_grow_adds_none(self):
        assert list(tiles_between(300, 300)) == []

    @given(st.integers(0, 70_000), st.integers(0, 70_000))
    @settings(max_examples=50, deadline=None)
    def test_growing_in_two_steps_ends_in_the_same_files(self, one: int, two: int):
        middle, size = sorted((one, two))
        steps = {*tiles_between(0, middle), *tiles_between(middle, size)}
        assert set(tiles_between(0, size)) <= steps


class TestSliceTiles:
    def test_a_hash_of_the_next_level_is_the_root_of_a_full_tile(self):
        tiles = slice_tiles(LEAVES[:600])
        assert tiles["tile/1/000.p/2"][:32] == tree_root(LEAVES[:256])
        assert tiles["tile/0/002.p/88"] == b"".join(LEAVES[512:600])

    def test_three_levels_follow_from_65536_leaves(self):
        tiles = slice_tiles(LEAVES[:65_536], old_size=65_535)
        assert set(tiles) == {"tile/0/255", "tile/1/000", "tile/2/000.p/1"}
        assert tiles["tile/2/000.p/1"] == tree_root(LEAVES[:65_536])


class TestReadLeaves:
    def test_gives_back_what_was_sliced(self):
        tiles = slice_tiles(LEAVES[:700])
        assert read_leaves(700, tiles.__getitem__) == LEAVES[:700]

    def test_names_a_tile_of_a_wrong_length(self):
        tiles = slice_tiles(LEAVES[:700])
        tiles["tile/0/001"] = tiles["tile/0/001"][:-1]
        with pytest.raises(InvalidLogProofError, match="tile/0/001: expected 8192"):
            read_leaves(700, tiles.__getitem__)

    def test_names_a_tile_that_contradicts_the_level_below(self):
        tiles = slice_tiles(LEAVES[:700])
        tiles["tile/1/000.p/2"] = bytes(64)
        with pytest.raises(InvalidLogProofError, match=r"tile/1/000\.p/2"):
            read_leaves(700, tiles.__getitem__)


class TestEntries:
    @given(st.lists(st.binary(max_size=300), max_size=20))
    @settings(max_examples=50, deadline=None)
    def test_entries_come_back_as_they_were(self, entries: list[bytes]):
        assert decode_entries(encode_entries(entries)) == entries

    def test_a_torn_file_is_refused(self):
        torn = encode_entries([b"one", b"two"])[:-1]
        with pytest.raises(InvalidLogProofError, match="Entry 1 of a tile"):
            decode_entries(torn)

    def test_a_torn_length_is_refused(self):
        with pytest.raises(InvalidLogProofError, match="Entry 0 of a tile"):
            decode_entries(b"\x00")
