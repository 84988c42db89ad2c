import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from oracle.evidence.__main__ import main
from oracle.evidence.evidence import StatementEvidence
from oracle.evidence.package import build_package
from oracle.evidence.trust import Trust, encode_trust
from tests.simulators.evidence import ParkSimulator

ROOT = Path(__file__).parents[3]


@pytest.fixture
def trust_file(tmp_path: Path, trust: Trust) -> Path:
    path = tmp_path / "trust.json"
    path.write_bytes(encode_trust(trust))
    return path


@pytest.fixture
def run(tmp_path: Path, trust_file: Path) -> Callable[..., int]:
    """Write a package and verify it by the command; gives the exit code."""

    def command(data: bytes, *options: str) -> int:
        path = tmp_path / "statement.cbor"
        path.write_bytes(data)
        return main([str(path), "--trust", str(trust_file), *options])

    return command


class TestExitCodes:
    def test_an_accepted_package_ends_with_0(
        self, run: Callable[..., int], package: bytes
    ):
        assert run(package) == 0

    def test_a_file_that_is_not_there_ends_with_1(
        self, trust_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        assert main([str(tmp_path / "no.cbor"), "--trust", str(trust_file)]) == 1
        assert "Check the path" in capsys.readouterr().err

    def test_a_page_that_cannot_be_written_ends_with_1(
        self, run: Callable[..., int], package: bytes, tmp_path: Path
    ):
        assert run(package, "--html", str(tmp_path / "no" / "page.html")) == 1

    def test_wrong_usage_ends_with_2(self, capsys: pytest.CaptureFixture[str]):
        with pytest.raises(SystemExit) as exit_info:
            main(["statement.cbor"])
        assert exit_info.value.code == 2
        assert "--trust" in capsys.readouterr().err

    @pytest.mark.parametrize("threads", ["0", "-2", "x"])
    def test_no_number_of_threads_ends_with_2(
        self, run: Callable[..., int], package: bytes, threads: str
    ):
        with pytest.raises(SystemExit, match="2"):
            run(package, "--threads", threads)

    def test_a_bad_trust_file_ends_with_3(
        self, run: Callable[..., int], package: bytes, trust_file: Path
    ):
        trust_file.write_text("{}")
        assert run(package) == 3

    def test_a_failed_form_ends_with_11(self, run: Callable[..., int], package: bytes):
        assert run(package[:-1]) == 11

    def test_a_foreign_chain_ends_with_12(
        self, run: Callable[..., int], package: bytes, trust_file: Path, trust: Trust
    ):
        other = Trust(replace(trust.chain, chain_id=1), trust.configurations)
        trust_file.write_bytes(encode_trust(other))
        assert run(package) == 12

    def test_a_statement_without_quorum_ends_with_13(
        self, run: Callable[..., int], park: ParkSimulator
    ):
        assert run(build_package(park.evidence(4, signers=[3]))) == 13

    def test_a_withheld_batch_ends_with_14(
        self, run: Callable[..., int], evidence: StatementEvidence
    ):
        fewer = replace(evidence, batches=evidence.batches[:-1])
        assert run(build_package(fewer)) == 14

    def test_an_unproven_carrier_ends_with_15(
        self, run: Callable[..., int], evidence: StatementEvidence
    ):
        assert run(build_package(replace(evidence, registries=()))) == 15

    def test_a_foreign_reading_ends_with_16(
        self, run: Callable[..., int], evidence: StatementEvidence
    ):
        first, *rest = evidence.batches
        foreign = replace(first, readings={**first.readings, 0: b"\x80"})
        mixed = replace(evidence, batches=(foreign, *rest))
        assert run(build_package(mixed)) == 16

    def test_a_withheld_reading_ends_with_17(
        self, run: Callable[..., int], evidence: StatementEvidence
    ):
        first, *rest = evidence.batches
        fewer = replace(first, readings={0: first.readings[0]})
        mixed = replace(evidence, batches=(fewer, *rest))
        assert run(build_package(mixed)) == 17

    def test_a_changed_factor_year_ends_with_18(
        self, run: Callable[..., int], evidence: StatementEvidence
    ):
        book = replace(evidence.rule_book, factor_year=2022)
        assert run(build_package(replace(evidence, rule_book=book))) == 18

    def test_other_grams_end_with_19(
        self, run: Callable[..., int], park: ParkSimulator
    ):
        assert run(build_package(park.evidence(4, grams=1))) == 19

    def test_another_boundary_id_ends_with_20(
        self, run: Callable[..., int], park: ParkSimulator
    ):
        assert run(build_package(park.evidence(4, boundary=bytes(32)))) == 20


class TestOutput:
    def test_every_stage_is_printed_in_english(
        self,
        run: Callable[..., int],
        package: bytes,
        capsys: pytest.CaptureFixture[str],
    ):
        run(package)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 12
        assert lines[-2] == (
            "Notice: factors of 2023 applied to 2024-01-01 to 2024-01-01"
        )
        assert lines[-1].startswith("ACCEPTED: 0.000531 t CO2 from 2024-01-01 00:00")

    def test_unconfirmed_items_defaults_and_shares_are_shown(
        self,
        tmp_path: Path,
        make_park: Callable[..., ParkSimulator],
        capsys: pytest.CaptureFixture[str],
    ):
        old = b"kind: published", b"reference: t, evidence: confirmed}}\n    entries"
        new = b"kind: default", old[1].replace(b"confirmed", b"unconfirmed")
        combustion, energy, totals = make_park(None).rule_sets
        energy = energy.replace(old[0], new[0]).replace(old[1], new[1])
        park = make_park(4, rule_sets=(combustion, energy, totals))
        package, trust = tmp_path / "p", tmp_path / "t"
        package.write_bytes(build_package(park.evidence(4)))
        trust.write_bytes(encode_trust(park.trust))
        page = tmp_path / "page.html"
        arguments = [str(package), "--trust", str(trust), "--html", str(page)]
        assert main(arguments) == 0
        shown = capsys.readouterr().out
        for text in (shown, page.read_text(encoding="utf-8")):
            assert "default used: EF_grid of average/全国 = 0.5306 tCO2/MWh" in text
            assert "Not confirmed at its source: t/energy/1: EF_grid of" in text
            assert "coverage 1.000000, attested 1.000000" in text
        main([*arguments, "--json"])
        content = json.loads(capsys.readouterr().out)
        assert content["unconfirmed"] == ["t/energy/1: EF_grid of average/全国"]
        assert "default used: EF_grid of average/全国" in content["notices"][0]

    def test_every_stage_is_printed_in_chinese(
        self,
        run: Callable[..., int],
        package: bytes,
        capsys: pytest.CaptureFixture[str],
    ):
        run(package[:-1], "--lang", "zh")
        lines = capsys.readouterr().out.splitlines()
        assert "文件格式: 不通过" in lines[0]
        assert lines[-1] == "拒绝：第 1 步“文件格式”不通过。"

    def test_json_names_the_first_failure(
        self,
        run: Callable[..., int],
        park: ParkSimulator,
        capsys: pytest.CaptureFixture[str],
    ):
        run(build_package(park.evidence(4, grams=1)), "--json")
        content = json.loads(capsys.readouterr().out)
        failed = content["stages"][8]
        assert not content["accepted"]
        assert content["exit_code"] == 19
        assert "statement" not in content
        assert failed["failure"] == {
            "subject": "grams of CO2",
            "expected": "1",
            "given": "531",
        }

    def test_json_of_an_accepted_package_carries_the_figure(
        self,
        run: Callable[..., int],
        package: bytes,
        capsys: pytest.CaptureFixture[str],
    ):
        run(package, "--json")
        assert json.loads(capsys.readouterr().out)["statement"]["grams"] == "531"

    def test_the_page_shows_verdict_and_stages(
        self, run: Callable[..., int], package: bytes, tmp_path: Path
    ):
        page = tmp_path / "page.html"
        assert run(package, "--html", str(page), "--lang", "zh") == 0
        text = page.read_text(encoding="utf-8")
        assert text.count("<tr>") == 11  # a head and ten stages
        assert "通过：2024-01-01 00:00" in text

    def test_the_page_writes_foreign_text_as_text(
        self, run: Callable[..., int], package: bytes, tmp_path: Path
    ):
        page = tmp_path / "page.html"
        run(package.replace(b"package/v1", b"<b>kage/v1"), "--html", str(page))
        text = page.read_text(encoding="utf-8")
        assert "<b>" not in text
        assert "&lt;b&gt;kage/v1" in text

    def test_control_characters_never_reach_the_terminal(
        self,
        run: Callable[..., int],
        evidence: StatementEvidence,
        capsys: pytest.CaptureFixture[str],
    ):
        part = evidence.registries[0]
        record = replace(part.proofs[0].record, identifier="88.1/\x1b[2J")
        proofs = (replace(part.proofs[0], record=record),)
        states = (replace(part, proofs=proofs),)
        assert run(build_package(replace(evidence, registries=states))) == 15
        text = capsys.readouterr().out
        assert "\x1b" not in text
        assert "88.1/�[2J" in text

    def test_a_boundary_cannot_drive_the_terminal(
        self,
        tmp_path: Path,
        make_park: Callable[..., ParkSimulator],
        capsys: pytest.CaptureFixture[str],
    ):
        park = make_park(4, boundary_name="plant\u202e\x1b[2J")
        package, trust = tmp_path / "p", tmp_path / "t"
        package.write_bytes(build_package(park.evidence(4)))
        trust.write_bytes(encode_trust(park.trust))
        assert main([str(package), "--trust", str(trust)]) == 0
        assert "boundary plant��[2J" in capsys.readouterr().out


class TestDependencies:
    def test_the_command_loads_no_network_and_no_database(
        self, tmp_path: Path, package: bytes, trust_file: Path
    ):
        path = tmp_path / "statement.cbor"
        path.write_bytes(package)
        code = (
            "import sys; from oracle.evidence.__main__ import main;"
            f"code = main([{str(path)!r}, '--trust', {str(trust_file)!r}]);"
            "print(*sorted(sys.modules), file=sys.stderr); sys.exit(code)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        loaded = {name.split(".")[0] for name in done.stderr.split()}
        assert done.returncode == 0
        assert not loaded & {"httpx", "sqlalchemy", "fastapi", "web3", "ssl", "http"}
