"""What is printed is what there is: no markup, nothing cut, nothing that steers."""

import pytest

from wallet.tables import print_pairs, print_question, print_rows

SAYS = "Accounts.open([mingyuan, true], [/x]) :smile: [red]paid"
DIGEST = "0x" + "7e" * 32


class TestTables:
    def test_names_and_values_are_no_markup(self, capsys: pytest.CaptureFixture[str]):
        print_rows([{"says": SAYS}], ["says"], "en", as_json=False)
        print_pairs([("says", SAYS)], {}, as_json=False)
        assert _unfolded(capsys.readouterr().out).count(_unfolded(SAYS)) == 2

    def test_what_is_asked_about_is_shown_whole(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("COLUMNS", "60")
        print_question([("Digest signed", DIGEST), ("Price [CNY]", "1.00 CNY")])
        shown = capsys.readouterr().err
        assert DIGEST[-30:] in _unfolded(shown)
        assert "…" not in shown
        assert "Price [CNY]" in shown

    def test_nothing_steers_the_terminal(self, capsys: pytest.CaptureFixture[str]):
        print_rows([{"name": "paid\x1b[2Ato\u202e"}], ["name"], "zh", as_json=False)
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def _unfolded(shown: str) -> str:
    return "".join(one for one in shown if one not in " \n│")
