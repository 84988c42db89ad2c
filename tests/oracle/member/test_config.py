"""Settings from TOML: complete, of the right kind, nothing misspelt."""

from pathlib import Path

import pytest

from oracle.config import MemberSettings, load_settings
from oracle.errors import InvalidSettingsError

GOOD = """
[member]
name = "Auditor"
data_dir = "data"
stream = "park"
key_file = "key.json"
passphrase_file = "/secrets/passphrase"
[chain]
rpc_url = "http://127.0.0.1:8545"
deployment_file = "deployment.json"
[rounds]
window_s = 2.5
max_batch = 1024
[peers]
"0x00000000000000000000000000000000000000c4" = "http://127.0.0.1:7001"
"""


def load(folder: Path, text: str) -> MemberSettings:
    path = folder / "member.toml"
    path.write_text(text)
    return load_settings(path)


class TestLoadSettings:
    def test_reads_every_table(self, tmp_path: Path):
        settings = load(tmp_path, GOOD)
        assert settings.data_dir == tmp_path / "data"
        assert settings.passphrase_file == Path("/secrets/passphrase")
        assert (settings.window_s, settings.max_batch) == (2.5, 1024)
        assert len(settings.peers) == 1

    @pytest.mark.parametrize(
        ("old", "new", "match"),
        [
            ("[rounds]", "[round]", r"given \[round\]"),
            ("max_batch", "max_batches", "given max_batches"),
            ("max_batch = 1024", 'max_batch = "many"', "max_batch must be int"),
            ("max_batch = 1024", "max_batch = true", "max_batch must be int"),
            ("window_s = 2.5", "window_s = 0", "window_s must be positive"),
            ("window_s = 2.5", "window_s = nan", "window_s must be positive"),
            ("[rounds]", "[http]\nport = 65536\n[rounds]", "port must be 0 to 65535"),
            ('name = "Auditor"', "", "lack name"),
            ('stream = "park"', "stream = 5", "stream must be str"),
            ("[rounds]", 'clock = "sun"\n[rounds]', "wall or chain"),
            ('"http://127.0.0.1:7001"', "7001", r"\[peers\] takes"),
            ("[member]", "[member", "cannot be read"),
        ],
    )
    def test_names_what_is_wrong(self, tmp_path: Path, old: str, new: str, match: str):
        with pytest.raises(InvalidSettingsError, match=match):
            load(tmp_path, GOOD.replace(old, new, 1))

    def test_says_that_the_file_is_missing(self, tmp_path: Path):
        with pytest.raises(InvalidSettingsError, match="cannot be read"):
            load_settings(tmp_path / "absent.toml")
