"""``carbon-node engine check`` and ``salvage`` as an operator types them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.engine.chain import Chain
from node.engine.journal import Journal
from node.engine.salvage import rebuild_witness
from node.errors import ConflictJournalError


def engine_command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "node.engine", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(make_settings: Callable[..., Any], signer: Any, tmp_path: Path) -> Path:
    """A stopped chain of four blocks with a snapshot of the second and fourth."""
    chain = Chain(make_settings(snapshot_interval_blocks=2))
    for _ in range(4):
        chain.submit([signer.transaction()])
        chain.produce(allow_empty=False)
    chain.close()
    return tmp_path / "chain"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


class TestCheck:
    def test_says_that_all_is_good_and_changes_nothing(self, folder: Path):
        before = {path: path.read_bytes() for path in folder.rglob("*.s*")}
        done = engine_command("check", "--data-dir", folder, "--replay")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("good") == 4
        assert "replayed from block 0 to block 4" in done.stdout
        assert {path: path.read_bytes() for path in folder.rglob("*.s*")} == before

    def test_names_what_is_damaged_and_the_next_command(self, folder: Path):
        flip(folder / "journal.sqlite")
        flip(folder / "snapshots" / "000000000002.snapshot")
        done = engine_command("check", "--data-dir", folder)
        assert done.returncode == 3
        assert f"{folder}/journal.sqlite is damaged" in done.stdout
        assert "passed over" in done.stdout
        assert f"engine salvage --data-dir {folder}" in done.stdout

    def test_refuses_a_folder_that_is_not_there_and_makes_none(self, tmp_path: Path):
        done = engine_command("check", "--data-dir", tmp_path / "absent")
        assert done.returncode == 1
        assert "there is no folder" in done.stderr
        assert not (tmp_path / "absent").exists()

    def test_refuses_a_running_engine(
        self, make_settings: Callable[..., Any], folder: Path
    ):
        chain = Chain(make_settings())
        done = engine_command("check", "--data-dir", folder)
        chain.close()
        assert done.returncode == 1
        assert "in use by another engine" in done.stderr


class TestSalvage:
    def test_builds_the_journal_anew_and_moves_a_bad_snapshot(self, folder: Path):
        flip(folder / "journal.sqlite")
        flip(folder / "snapshots" / "000000000002.snapshot")
        done = engine_command("salvage", "--data-dir", folder)
        assert done.returncode == 0, done.stderr
        assert "built journal.sqlite anew from witness.log" in done.stdout
        assert "000000000002.snapshot to" in done.stdout
        assert engine_command("check", "--data-dir", folder).returncode == 0
        again = engine_command("salvage", "--data-dir", folder)
        assert again.stdout == "nothing to mend: journal and witness agree\n"

    def test_refuses_when_both_accounts_are_damaged(self, folder: Path):
        flip(folder / "journal.sqlite")
        flip(folder / "witness.log")
        done = engine_command("salvage", "--data-dir", folder)
        assert done.returncode == 3
        assert "no whole account of the chain is left" in done.stderr
        assert not (folder / "set-aside").exists()

    def test_refuses_an_empty_folder(self, tmp_path: Path):
        done = engine_command("salvage", "--data-dir", tmp_path)
        assert done.returncode == 3
        assert "name the right folder" in done.stderr

    def test_can_be_run_again_after_a_kill_in_the_middle(self, folder: Path):
        """Between the old journal's leaving and the new one's coming."""
        (folder / "journal.sqlite").unlink()
        (folder / "rebuild.partial").mkdir()
        (folder / "rebuild.partial" / "journal.sqlite").write_bytes(b"SQLite half")
        assert engine_command("salvage", "--data-dir", folder).returncode == 0
        assert engine_command("check", "--data-dir", folder).returncode == 0


class TestWitness:
    def test_is_written_anew_byte_for_byte(self, folder: Path):
        before = (folder / "witness.log").read_bytes()
        (folder / "witness.log").unlink()
        rebuild_witness(folder)
        assert (folder / "witness.log").read_bytes() == before

    def test_is_not_written_from_a_damaged_journal(self, folder: Path):
        flip(folder / "journal.sqlite")
        with pytest.raises(ConflictJournalError, match="is damaged"):
            rebuild_witness(folder)

    def test_catches_up_with_what_it_could_not_write(
        self, folder: Path, signer: Any, monkeypatch: pytest.MonkeyPatch
    ):
        journal = Journal(folder / "journal.sqlite")
        handle = journal._witness._file
        monkeypatch.setattr(journal._witness, "_file", -1)  # as a full disk would
        journal.vouch(4, bytes(32), bytes(32))
        monkeypatch.setattr(journal._witness, "_file", handle)
        journal.accept([signer.transaction()])
        journal.close()
        assert engine_command("check", "--data-dir", folder).returncode == 0
