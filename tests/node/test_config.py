"""Settings of a node: complete, typed, or refused with what to correct."""

from pathlib import Path

import pytest

from node.config import load_settings
from node.errors import InvalidConfigError

COMPLETE = (
    'data_dir = "data"\ndeployment = "deployment.json"\nchain_id = 20260\n'
    'public_url = "http://node.example"\n'
)


def _write(folder: Path, text: str) -> Path:
    path = folder / "node.toml"
    path.write_text(text)
    return path


class TestLoadSettings:
    def test_makes_paths_relative_to_the_file(self, tmp_path: Path):
        settings = load_settings(_write(tmp_path, COMPLETE))
        assert settings.data_dir == tmp_path / "data"
        assert settings.port == 8620

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("prot = 1", "unknown prot"),
            ('port = "high"', "Setting port: expected int, given 'high'"),
            ("port = -1", "Setting port: expected int"),
            ("port = true", "Setting port: expected int"),
            ("data_dir = 3", "Cannot overwrite"),
            ('clock_mode = "mean"', "Setting clock_mode"),
            ("proof_folder = 3", "Setting proof_folder"),
            ("chain_id = ", "is no TOML"),
        ],
    )
    def test_refuses_a_wrong_entry(self, tmp_path: Path, line: str, words: str):
        with pytest.raises(InvalidConfigError, match=words):
            load_settings(_write(tmp_path, f"{COMPLETE}{line}\n"))

    def test_names_what_is_missing(self, tmp_path: Path):
        with pytest.raises(InvalidConfigError, match="without chain_id"):
            load_settings(_write(tmp_path, 'data_dir = "data"\n'))

    def test_says_which_file_is_absent(self, tmp_path: Path):
        with pytest.raises(InvalidConfigError, match="--config"):
            load_settings(tmp_path / "absent.toml")
