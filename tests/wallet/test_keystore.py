"""Encrypted key files."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from wallet.errors import InvalidKeystoreError
from wallet.keystore import (
    SCRYPT_N,
    create_key,
    list_keys,
    open_key,
    read_key,
    read_password,
)

QUICK = 2**10
PASSWORD = "correct horse battery"  # noqa: S105  # a password of this test alone


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    create_key(made, "li", PASSWORD, QUICK)
    return made


class TestCreateKey:
    def test_writes_a_file_only_its_owner_can_read(self, folder: Path):
        mode = stat.S_IMODE((folder / "li.json").stat().st_mode)
        assert mode == 0o600

    def test_uses_strong_scrypt_unless_told_otherwise(self, tmp_path: Path):
        stored = create_key(tmp_path, "strong", PASSWORD)
        crypto = json.loads(stored.path.read_text())["crypto"]
        assert (crypto["kdf"], crypto["kdfparams"]["n"]) == ("scrypt", SCRYPT_N)

    def test_never_replaces_a_key(self, folder: Path):
        before = (folder / "li.json").read_bytes()
        with pytest.raises(InvalidKeystoreError, match="li exists already"):
            create_key(folder, "li", PASSWORD, QUICK)
        assert (folder / "li.json").read_bytes() == before

    def test_refuses_a_short_password(self, tmp_path: Path):
        with pytest.raises(InvalidKeystoreError, match="has 5 characters"):
            create_key(tmp_path, "li", "12345")

    def test_refuses_a_label_that_leaves_the_folder(self, tmp_path: Path):
        with pytest.raises(InvalidKeystoreError, match="not usable"):
            create_key(tmp_path, "../li", PASSWORD)


class TestOpenKey:
    def test_gives_the_key_of_the_stated_address(self, folder: Path):
        key = open_key(folder / "li.json", PASSWORD)
        assert Account.from_key(key).address == read_key(folder / "li.json").address

    def test_says_what_to_do_about_a_wrong_password(self, folder: Path):
        with pytest.raises(InvalidKeystoreError, match=r"does not open.*try again"):
            open_key(folder / "li.json", "wrong password")

    def test_refuses_a_file_that_others_can_read(self, tmp_path: Path):
        stored = create_key(tmp_path, "open", PASSWORD, QUICK)
        stored.path.chmod(0o644)
        with pytest.raises(InvalidKeystoreError, match="chmod 600"):
            open_key(stored.path, PASSWORD)

    def test_refuses_a_file_whose_address_was_changed(self, tmp_path: Path):
        stored = create_key(tmp_path, "swapped", PASSWORD, QUICK)
        document = json.loads(stored.path.read_text())
        stored.path.write_text(json.dumps(document | {"address": "0x" + "11" * 20}))
        with pytest.raises(InvalidKeystoreError, match="holds another key"):
            open_key(stored.path, PASSWORD)

    def test_refuses_what_is_no_key_file(self, tmp_path: Path):
        path = tmp_path / "note.json"
        path.write_text("[]")
        path.chmod(0o600)
        with pytest.raises(InvalidKeystoreError, match="is no key file"):
            open_key(path, PASSWORD)

    def test_says_how_to_make_a_key_that_is_absent(self, tmp_path: Path):
        with pytest.raises(InvalidKeystoreError, match="carbon-wallet key new"):
            open_key(tmp_path / "nobody.json", PASSWORD)


class TestListKeys:
    def test_names_every_key(self, folder: Path):
        assert [stored.label for stored in list_keys(folder)] == ["li"]

    def test_is_empty_where_there_is_no_folder(self, tmp_path: Path):
        assert list_keys(tmp_path / "absent") == []


class TestFilesThatCannotBeUsed:
    def test_a_password_that_others_can_read_is_refused(self, tmp_path: Path):
        path = tmp_path / "password"
        path.touch(0o600)
        path.write_text(f"{PASSWORD}\n")
        assert read_password(path) == PASSWORD
        path.chmod(0o640)
        with pytest.raises(InvalidKeystoreError, match="chmod 600"):
            read_password(path)

    def test_a_folder_that_cannot_be_made_is_a_sentence(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(InvalidKeystoreError, match="cannot be written"):
            create_key(tmp_path / "file" / "keys", "li", PASSWORD, QUICK)

    def test_a_folder_in_the_place_of_a_key_is_a_sentence(self, tmp_path: Path):
        (tmp_path / "li.json").mkdir(mode=0o700)
        with pytest.raises(InvalidKeystoreError, match="cannot be read"):
            list_keys(tmp_path)
