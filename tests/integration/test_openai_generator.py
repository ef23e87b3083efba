"""The generator against a real server on this machine that speaks the protocol: well, slowly, wrongly, not at all."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from headway.demo.errors import GeneratorError
from headway.demo.generators import failures
from headway.demo.generators.base import SECTIONS, Brief, Written
from headway.demo.generators.choice import generator_from
from headway.demo.generators.offline import OfflineGenerator
from headway.demo.generators.openai import DEFAULT_BASE_URL, DEFAULT_MODEL, OpenAIGenerator, OpenAISettings
from headway.model.errors import InvalidValue
from tests.helpers import eventually, free_port
from tests.integration.openai_server import Answering, OpenAIServer, Script, delta, streaming

KEY = "sk-test-5f1b7c"
POST = """[[TITLE]]
胡同里的慢时光
[[TEXT]]
清晨的胡同还没睡醒，灰墙上挂着一层薄薄的光。

走慢一点，就能听见鸽哨。🏮
[[TAGS]]
#老北京胡同 #城市漫步 #慢生活
[[CARD cover]]
胡同里的慢时光
> 走慢一点才好看
[[CARD list]]
一定要看的三样
- 灰砖墙上的光影
- 门墩儿
[[CARD ending]]
下次一起去
- 你最喜欢哪一条胡同？
[[END]]
"""
PIECES = [POST[i : i + 7] for i in range(0, len(POST), 7)]


def brief(language: str = "zh-CN", cards: int = 3) -> Brief:
    return Brief("老北京胡同", "gentle", language, cards, 1)


def generator(server: OpenAIServer, **settings: Any) -> OpenAIGenerator:
    return OpenAIGenerator(OpenAISettings(**{"api_key": KEY, "base_url": server.base_url, "model": "tiny"} | settings))


def look(_seconds: float) -> None:
    """Nobody asked to stop."""


def written(script: Script, language: str = "zh-CN", **settings: Any) -> list[Written]:
    with OpenAIServer(script) as server:
        return list(generator(server, **settings).write(brief(language), look))


def failed(script: Script, language: str = "zh-CN", **settings: Any) -> GeneratorError:
    with pytest.raises(GeneratorError) as caught:
        written(script, language, **settings)
    return caught.value


@pytest.fixture(autouse=True)
def no_threads_stay() -> Iterator[None]:
    yield
    eventually(lambda: not [t for t in threading.enumerate() if t.name == "headway-text-service"])


def test_a_post_is_streamed_and_shown_as_it_arrives() -> None:
    events = written(streaming(PIECES))

    assert [event.section for event in events] == sorted((e.section for e in events), key=SECTIONS.index)
    assert len([event for event in events if event.section == "text"]) > 3
    assert events[-1].copy.title == "胡同里的慢时光"
    assert events[-1].copy.text.endswith("🏮")
    assert [card.kind for card in events[-1].copy.cards] == ["cover", "list", "ending"]
    # Nobody knows how long the text will be; how many cards there will be is known.
    assert {event.expected for event in events if event.section == "text"} == {None}
    assert {event.expected for event in events if event.section == "cards"} == {3}


def test_the_first_words_are_there_before_the_last_ones_are_sent() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.event(delta(POST[:60]))
        answer.server.go_on.wait(10)
        answer.event(delta(POST[60:], finish="stop"))

    with OpenAIServer(script) as server:
        events = generator(server).write(brief(), look)
        first = next(event for event in events if event.section == "text")
        server.go_on.set()
        rest = list(events)

    assert first.copy.text
    assert rest[-1].copy.cards


def test_the_request_is_what_the_api_wants_and_the_topic_is_in_it() -> None:
    with OpenAIServer(streaming(PIECES)) as server:
        list(generator(server).write(brief(), look))

    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["Authorization"] == f"Bearer {KEY}"
    assert request["body"]["stream"] is True
    assert request["body"]["model"] == "tiny"
    assert [message["role"] for message in request["body"]["messages"]] == ["system", "user"]
    assert "老北京胡同" in request["body"]["messages"][1]["content"]


def test_without_a_key_none_is_sent() -> None:
    with OpenAIServer(streaming(PIECES)) as server:
        list(generator(server, api_key="").write(brief(), look))

    assert "Authorization" not in server.requests[0]["headers"]


def test_a_service_that_does_not_stream_is_understood() -> None:
    def script(answer: Answering) -> None:
        answer.status(200)
        answer.write(json.dumps({"choices": [{"message": {"content": POST}, "finish_reason": "stop"}]}, indent=1))

    assert written(script)[-1].copy.title == "胡同里的慢时光"


def test_a_stream_that_ends_without_done_but_finished_is_whole() -> None:
    assert written(streaming(PIECES, done=False))[-1].copy.cards
    assert written(streaming(PIECES, finish=None))[-1].copy.cards


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "generator_not_found"),
        (400, "generator_bad_request"),
        (401, "generator_auth"),
        (403, "generator_auth"),
        (404, "generator_not_found"),
        (422, "generator_bad_request"),
        (429, "generator_rate_limited"),
        (500, "generator_unavailable"),
        (503, "generator_unavailable"),
        (504, "generator_timeout"),
    ],
)
def test_an_http_error_says_what_to_do(status: int, code: str) -> None:
    def script(answer: Answering) -> None:
        answer.status(status, Location="http://127.0.0.1:1/elsewhere")
        answer.write(json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}))

    error = failed(script)

    assert error.code == code
    assert "重试" in str(error) or "再试" in str(error)


def test_an_error_in_the_middle_of_a_stream_is_told() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.event(delta(POST[:60]))
        answer.event({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})

    assert failed(script).code == "generator_rate_limited"


def test_a_refusal_is_told_as_one() -> None:
    def refusing(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.event(delta(refusal="I can't help with that."))
        answer.event(delta(finish="stop"))

    assert failed(refusing).code == "generator_refused"
    assert failed(streaming(PIECES[:5], finish="content_filter")).code == "generator_refused"


def test_a_cut_stream_is_told_as_one_even_at_its_very_end() -> None:
    assert failed(streaming(PIECES[:5], finish=None, done=False)).code == "generator_cut"
    assert failed(streaming(PIECES, finish=None, done=False)).code == "generator_cut"


def test_a_connection_that_is_dropped_in_the_middle_of_a_chunk_is_a_cut_stream() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream", Transfer_Encoding="chunked")
        answer.write("ff\r\ndata: {")
        answer.connection.close()

    assert failed(script).code == "generator_cut"


def test_an_answer_that_ran_out_of_room_is_told_as_that() -> None:
    assert failed(streaming(PIECES[:20], finish="length")).code == "generator_too_long"


def test_silence_is_a_time_out() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.event(delta(POST[:30]))
        answer.server.go_on.wait(20)

    assert failed(script, read_s=0.3).code == "generator_timeout"


def test_a_drip_that_never_ends_is_a_time_out_too() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        while not answer.server.go_on.wait(0.02):
            answer.event(delta("慢"))

    assert failed(script, read_s=5, whole_s=0.6).code == "generator_timeout"


def test_nobody_there_is_told_as_that() -> None:
    settings = OpenAISettings(api_key=KEY, base_url=f"http://127.0.0.1:{free_port()}/v1", connect_s=2)

    with pytest.raises(GeneratorError) as caught:
        list(OpenAIGenerator(settings).write(brief(), look))

    assert caught.value.code == "generator_unreachable"


@pytest.mark.parametrize(
    "garbage",
    [
        "data: this is no JSON\n\n",
        'data: {"choices": "no"}\n\n',
        'data: {"choices": [{"delta": {"content": 7}}]}\n\n',
        "data: []\n\n",
        "data: null\n\n",
        'data: {"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n',
    ],
)
def test_garbage_in_the_stream_is_told_as_that(garbage: str) -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.write(garbage)

    assert failed(script).code == "generator_bad_output"


def test_a_web_page_is_no_answer() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/html")
        answer.write("<html>Welcome to nginx!</html>")

    assert failed(script).code == "generator_bad_output"


def test_an_answer_without_end_is_stopped() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        for _ in range(100):
            answer.event(delta("[[TEXT]]" + "很" * 2_000))

    assert failed(script).code == "generator_bad_output"


def test_a_line_without_end_is_stopped() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        for _ in range(40):
            answer.write("x" * 100_000)

    assert failed(script).code == "generator_bad_output"


def test_no_http_at_all_is_a_failure_too() -> None:
    def script(answer: Answering) -> None:
        answer.write("SSH-2.0-OpenSSH_9.2\r\n")

    assert failed(script).code == "generator_cut"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("code", failures.CODES)
def test_every_failure_says_what_to_do_in_both_languages(code: str, language: str) -> None:
    message = str(failures.failure(code, language))

    assert any(word in message.lower() for word in ("retry", "again", "重试", "再试"))


def test_the_key_is_in_no_message_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    def script(answer: Answering) -> None:
        answer.status(401)
        answer.write(json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}))

    with caplog.at_level(logging.DEBUG):
        error = failed(script)

    told: list[object] = [error, error.__cause__, error.__context__, caplog.text, OpenAISettings(api_key=KEY)]
    assert all(KEY not in repr(one) + str(one) for one in told)


def test_a_cancel_is_heeded_at_once_and_ends_the_request() -> None:
    class Stopped(BaseException):
        pass

    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.event(delta(POST[:30]))
        while not answer.server.go_on.wait(0.02):
            answer.write(": still there\n\n")

    stop = threading.Event()

    def wait(_seconds: float) -> None:
        if stop.is_set():
            raise Stopped

    with OpenAIServer(script) as server:
        events = generator(server, read_s=600, whole_s=600).write(brief(), wait)
        next(events)
        stop.set()
        with pytest.raises(Stopped):
            list(events)
        assert server.was_left.wait(10)


def test_closing_the_iterator_ends_the_request() -> None:
    def script(answer: Answering) -> None:
        answer.status(200, "text/event-stream")
        answer.event(delta(POST[:30]))
        while not answer.server.go_on.wait(0.02):
            answer.write(": still there\n\n")

    with OpenAIServer(script) as server:
        with closing(generator(server).write(brief(), look)) as events:  # type: ignore[type-var]
            next(events)
        assert server.was_left.wait(10)


class TestTheEnvironment:
    def test_without_settings_the_offline_generator_writes(self) -> None:
        assert isinstance(generator_from({}), OfflineGenerator)
        assert isinstance(generator_from({"OPENAI_API_KEY": "  ", "OPENAI_MODEL": "x"}), OfflineGenerator)

    def test_how_long_the_offline_one_pauses_can_be_said(self) -> None:
        def pauses(**environment: str) -> set[float]:
            waited: list[float] = []
            list(generator_from(environment).write(brief(), waited.append))
            return set(waited)

        assert pauses() == {0.045}
        assert pauses(HEADWAY_DEMO_PAUSE_MS="0") == {0}
        assert pauses(HEADWAY_DEMO_PAUSE_MS=" 1000 ") == {1}

    @pytest.mark.parametrize("value", ["1001", "-1", "1.5", "٣", "x", "9" * 5000])
    def test_a_pause_that_cannot_be_is_refused(self, value: str) -> None:
        with pytest.raises(InvalidValue, match=r"^HEADWAY_DEMO_PAUSE_MS: must be a whole number from 0 to 1,000"):
            generator_from({"HEADWAY_DEMO_PAUSE_MS": value})

    def test_with_a_key_or_an_address_the_service_does(self) -> None:
        with_key = OpenAISettings.from_environment({"OPENAI_API_KEY": KEY})
        local = OpenAISettings.from_environment(
            {"OPENAI_BASE_URL": "http://localhost:11434/v1", "OPENAI_MODEL": "qwen"}
        )

        assert with_key == OpenAISettings(KEY, DEFAULT_BASE_URL, DEFAULT_MODEL)
        assert local == OpenAISettings("", "http://localhost:11434/v1", "qwen")
        named = generator_from({"OPENAI_API_KEY": KEY, "OPENAI_MODEL": "gpt-x"})
        assert (named.is_offline, named.label("zh-CN")) == (False, "gpt-x")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("OPENAI_BASE_URL", "localhost:11434"),
            ("OPENAI_BASE_URL", "ftp://example.org/v1"),
            ("OPENAI_BASE_URL", "https://user:secret@example.org/v1"),
            ("OPENAI_BASE_URL", "https:///v1"),
            ("OPENAI_API_KEY", "two words"),
            ("OPENAI_API_KEY", "密钥"),
        ],
    )
    def test_a_setting_that_cannot_be_right_is_refused_by_name_and_not_repeated(self, name: str, value: str) -> None:
        with pytest.raises(InvalidValue) as caught:
            generator_from({name: value})

        assert name in str(caught.value)
        assert value not in str(caught.value)


def test_writing_twice_at_once_keeps_the_two_apart() -> None:
    def script(answer: Answering) -> None:
        topic = answer.server.requests[-1]["body"]["messages"][1]["content"][-1]
        streaming([POST.replace("慢时光", topic)])(answer)

    with OpenAIServer(script) as server:
        one = generator(server)
        first = one.write(Brief("甲", "gentle", "zh-CN", 3, 1), look)
        next(first)
        second = list(one.write(Brief("乙", "gentle", "zh-CN", 3, 1), look))
        rest = list(first)

    assert rest[-1].copy.title.endswith("甲")
    assert second[-1].copy.title.endswith("乙")
