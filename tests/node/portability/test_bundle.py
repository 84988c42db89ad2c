"""The file of an export: private, whole or not there, refused where it is malformed."""

import hashlib
import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest

from node.errors import InvalidArchiveError, UnavailableStorageError
from node.portability.bundle import FORMAT, BundleWriter, open_bundle
from node.portability.moving import import_ledger

FACTS = {"height": 1, "chain_id": 20260, "timestamp": 0, "block_hash": "0x00"}


def write(path: Path, manifest: Any, parts: dict[str, bytes]) -> Path:
    """Write an export that is sound in itself, whatever its parts say."""
    if isinstance(manifest, dict):
        listed = [
            {"name": name, "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in parts.items()
        ]
        manifest = {"format": FORMAT, "parts": listed, **manifest}
    with tarfile.open(path, "w") as tar:
        entries = {**parts, "manifest.json": json.dumps(manifest).encode()}
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


class TestWriting:
    def test_the_file_is_its_owners_alone(self, tmp_path: Path):
        writer = BundleWriter(tmp_path / "out.tar", tmp_path)
        writer.rows("a.jsonl", [{"a": 1}])
        writer.finish(FACTS)
        assert stat.S_IMODE((tmp_path / "out.tar").stat().st_mode) == 0o600
        with open_bundle(tmp_path / "out.tar") as bundle:
            assert list(bundle.rows("a.jsonl")) == [{"a": 1}]

    def test_a_full_disk_is_a_sentence(self, tmp_path: Path):
        writer = BundleWriter(tmp_path / "out.tar", tmp_path)
        (tmp_path / "part").symlink_to("/dev/full")
        with pytest.raises(UnavailableStorageError, match="free some space"):
            writer.rows("a.jsonl", ({"a": "b" * 10_000} for _ in range(10)))
        writer.abandon()
        assert not (tmp_path / "out.tar").exists()


class TestMalformed:
    @pytest.mark.parametrize(
        ("manifest", "parts"),
        [
            ([1], {}),
            ("text", {}),
            ({"parts": [1]}, {}),
            ({"parts": {}}, {}),
            ({}, {"state/accounts.jsonl": b"[1]\n"}),
            ({}, {"state/accounts.jsonl": b'"a"\n'}),
            ({}, {"state/accounts.jsonl": b"[" * 100_000}),
            ({}, {"state/accounts.jsonl": b'{"address": 7}\n'}),
            (FACTS, {"state/accounts.jsonl": b"", "chain/blocks.jsonl": b"{}\n"}),
            (
                FACTS,
                {
                    "state/accounts.jsonl": b"",
                    "chain/blocks.jsonl": 2
                    * b'{"number": 1, "hash": [], "parent_hash": "", "timestamp": 0}\n',
                },
            ),
        ],
    )
    def test_is_refused_in_a_sentence_and_leaves_nothing(
        self, tmp_path: Path, manifest: Any, parts: dict[str, bytes]
    ):
        archive = write(tmp_path / "in.tar", manifest, parts)
        with pytest.raises(InvalidArchiveError, match="take another copy"):
            import_ledger(archive, tmp_path / "to", None, lambda _: None)
        assert [one.name for one in tmp_path.iterdir()] == ["in.tar"]
