import subprocess
import sys

import pytest
from eth_account import Account

from wallet.secret_storage import decrypt_secret, encrypt_secret

SECRET = bytes(range(1, 33))


class TestSecretStorage:
    def test_other_wallets_open_what_it_encrypts(self):
        document = encrypt_secret(SECRET, "a passphrase", 2**10)

        assert bytes(Account.decrypt(document, "a passphrase")) == SECRET
        assert decrypt_secret(document, "a passphrase") == SECRET

    def test_a_wrong_passphrase_is_a_value_error(self):
        document = encrypt_secret(SECRET, "a passphrase", 2**10)

        with pytest.raises(ValueError, match="MAC"):
            decrypt_secret(document, "another one")

    def test_another_document_is_a_value_error(self):
        with pytest.raises(ValueError, match="secret storage"):
            decrypt_secret({"version": 3}, "a passphrase")

    @pytest.mark.parametrize("module", ["node", "oracle", "wallet", "oracle.evidence"])
    def test_no_command_runs_with_a_raised_recursion_limit(self, module: str):
        code = f"import sys; before = sys.getrecursionlimit(); import {module}.__main__"
        code += "; sys.exit(sys.getrecursionlimit() != before)"

        done = subprocess.run([sys.executable, "-c", code], check=False)

        assert done.returncode == 0
