"""One line an event: logfmt or JSON, with the request that caused it."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from oracle.operations.logs import LogFormat, configure_logs, new_request_id, request

Write = Callable[[LogFormat], io.StringIO]
logger = logging.getLogger("park.test")


@pytest.fixture
def written() -> Iterator[Write]:
    """Send all logs to a text; the test's own handlers come back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def begin(form: LogFormat) -> io.StringIO:
        stream = io.StringIO()
        configure_logs(form, logging.INFO, stream)
        return stream

    yield begin
    root.handlers[:] = before
    root.setLevel(level)


class TestLogfmt:
    def test_parts_words_from_values(self, written: Write):
        stream = written("logfmt")
        logger.info("anchored batch=%s root=%s reason=%r", 7, "0xab", "two words")
        line = stream.getvalue()
        assert "level=info logger=park.test event=anchored batch=7 root=0xab" in line
        assert line.endswith('reason="two words"\n')

    def test_keeps_a_sentence_whole(self, written: Write):
        stream = written("logfmt")
        sentence = 'expected 3 = three, got "four": look again'
        logger.warning(sentence)
        quoted = sentence.replace('"', '\\"')
        assert f'event="{quoted}"' in stream.getvalue()

    def test_no_value_forges_a_line_or_a_field(self, written: Write):
        stream = written("logfmt")
        logger.info("took name=%r", "x\nlevel=error event=forged")
        logger.info("answered level=%s", "forged")
        first, second = stream.getvalue().splitlines()
        assert first.count("level=info") == 1
        assert second.startswith("time=")
        assert 'event="answered level=forged"' in second

    def test_writes_an_error_with_its_trace_on_one_line(self, written: Write):
        stream = written("logfmt")
        try:
            int("planted")
        except ValueError:
            logger.exception("failed")
        assert len(stream.getvalue().splitlines()) == 1
        assert "planted" in stream.getvalue()


class TestJson:
    def test_is_one_object_a_line(self, written: Write):
        stream = written("json")
        with request("abc"):
            logger.info("answered route=%s status=%s", "/status", 200)
        found = json.loads(stream.getvalue())
        assert found["event"] == "answered"
        assert found["request"] == "abc"
        assert (found["route"], found["status"]) == ("/status", "200")

    def test_configuring_again_writes_nothing_twice(self, written: Write):
        written("logfmt")
        stream = written("json")
        logger.info("once")
        assert len(stream.getvalue().splitlines()) == 1


class TestRequestId:
    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "é", None])
    def test_of_another_form_is_replaced(self, given: str | None):
        assert new_request_id(given) != given

    def test_of_the_caller_is_kept(self):
        assert new_request_id("trace-1.2_3") == "trace-1.2_3"
