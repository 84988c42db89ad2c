"""The checked-in artifacts are those that the sources make, and fit the chain."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "contracts" / "artifacts"
CODE_LIMIT = 24_576
"""Greatest size of a contract's code (EIP-170). [bytes]"""


@pytest.fixture(scope="module")
def build_contracts() -> ModuleType:
    """The build script as a module."""
    path = ROOT / "scripts" / "build_contracts.py"
    spec = importlib.util.spec_from_file_location("build_contracts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestArtifacts:
    @pytest.mark.timeout(600)
    def test_are_what_the_sources_make_now(self, build_contracts: ModuleType) -> None:
        made = build_contracts.compile_artifacts()

        stale = [
            path
            for path, text in made.items()
            if not (ARTIFACTS / path).is_file()
            or (ARTIFACTS / path).read_text(encoding="utf-8") != text
        ]
        assert not stale, f"run `make artifacts`; stale: {', '.join(stale)}"

    def test_are_no_more_than_those_the_script_writes(
        self, build_contracts: ModuleType
    ) -> None:
        present = {
            path.relative_to(ARTIFACTS).as_posix() for path in ARTIFACTS.rglob("*.json")
        }

        assert present == set(build_contracts.artifact_paths())

    @pytest.mark.parametrize(
        "path", sorted(ARTIFACTS.glob("*.json")), ids=lambda path: path.stem
    )
    def test_fit_the_code_limit_of_the_chain(self, path: Path) -> None:
        code = json.loads(path.read_text(encoding="utf-8"))["deployedBytecode"]

        assert len(bytes.fromhex(code.removeprefix("0x"))) < CODE_LIMIT

    def test_a_source_that_does_not_compile_is_refused(
        self, build_contracts: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = {"broken.sol": {"content": "contract {"}}
        monkeypatch.setattr(build_contracts, "collect_sources", lambda _: broken)

        with pytest.raises(build_contracts.InvalidSourceError, match=r"broken\.sol"):
            build_contracts.compile_artifacts()
