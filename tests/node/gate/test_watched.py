"""Files of a gate that change under it, and those who share their folder."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from node.errors import InvalidConfigError
from node.gate import ballots
from node.gate.watched import Watched
from tests.simulators.oracle_park import wait_until


class TestWatched:
    def test_tries_again_what_could_not_be_read_though_no_file_changes(
        self, tmp_path: Path
    ):
        file, beside = tmp_path / "file", tmp_path / "beside"
        file.write_text("one")
        beside.write_text("here")

        def read() -> str:
            if not beside.exists():
                raise InvalidConfigError(f"{beside} is away")
            return file.read_text()

        watched = Watched(read, lambda: [file])
        beside.unlink()
        file.write_text("second")
        time.sleep(1.1)
        assert watched() == "one"
        beside.write_text("back")
        wait_until(lambda: watched() == "second", 10)


class TestReplace:
    def test_two_may_write_one_file_at_once(self, tmp_path: Path):
        path = tmp_path / "in-force"
        texts = [f"version {number}\n" for number in range(200)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda text: ballots.replace_file(path, text), texts))
        assert path.read_text() in texts
        assert [one.name for one in tmp_path.iterdir()] == ["in-force"]
