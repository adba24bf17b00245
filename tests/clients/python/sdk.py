"""Drives Anthropic's own SDK for Python through the gateway. A case is its name, a model, and JSON.

The gateway's address and the key come from the environment, as they do for any user. A case prints nothing; it ends
with an error when something is not as it must be.
"""

import asyncio
import json

import anthropic
from anthropic.types import MessageParam, ToolParam
from pydantic import BaseModel
from cases import serve_cases

TEXT = "Hello, wörld — 漢字 🙂."
QUESTION: list[MessageParam] = [{"role": "user", "content": "Greet me"}]
WEATHER: ToolParam = {
    "name": "weather",
    "description": "Tells the weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}

client = anthropic.Anthropic(max_retries=0)


def check_greeting(message: anthropic.types.Message) -> None:
    assert [(block.type, block.text) for block in message.content] == [("text", TEXT)], message
    assert message.role == "assistant" and message.stop_reason == "end_turn", message
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (200, 1000, 42), usage


def text() -> None:
    message = client.messages.create(model=MODEL, max_tokens=1024, messages=QUESTION)
    check_greeting(message)
    assert message._request_id, "the answer has no request id"


def beta() -> None:
    message = client.beta.messages.create(model=MODEL, max_tokens=1024, messages=QUESTION, betas=["of-2099-01-01"])
    assert [block.text for block in message.content] == [TEXT], message


def stream() -> None:
    with client.messages.stream(model=MODEL, max_tokens=1024, messages=QUESTION) as events:
        pieces = list(events.text_stream)
        assert len(pieces) > 1 and "".join(pieces) == TEXT, pieces
        check_greeting(events.get_final_message())


def at_once() -> None:
    """Eight requests, sent before the first is answered."""

    async def ask(count: int) -> None:
        async with anthropic.AsyncAnthropic(max_retries=0) as many:
            asking = (many.messages.create(model=MODEL, max_tokens=1024, messages=QUESTION) for _ in range(count))
            for message in await asyncio.gather(*asking):
                check_greeting(message)

    asyncio.run(ask(8))


def tools() -> None:
    """Two calls at once, with results in reverse order, then one in a turn alone."""
    messages: list[MessageParam] = [{"role": "user", "content": "How is the weather?"}]
    for streamed, cities in ((True, ["Zürich", "東京"]), (False, ["Ōsaka"])):
        if streamed:
            with client.messages.stream(model=MODEL, max_tokens=1024, messages=messages, tools=[WEATHER]) as events:
                message = events.get_final_message()
        else:
            message = client.messages.create(model=MODEL, max_tokens=1024, messages=messages, tools=[WEATHER])
        assert message.stop_reason == "tool_use", message
        calls = [block for block in message.content if block.type == "tool_use"]
        assert [(call.name, call.input) for call in calls] == [("weather", {"city": city}) for city in cities], calls
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": f"rain in {call.input['city']}"}
            for call in reversed(calls)
        ]
        messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
    message = client.messages.create(model=MODEL, max_tokens=1024, messages=messages, tools=[WEATHER])
    assert [block.text for block in message.content] == ["It rains in Zürich."], message


def thinking() -> None:
    """The thinking of a turn with a call is in the next two requests."""
    messages: list[MessageParam] = [{"role": "user", "content": "How is the weather?"}]
    seen = []
    for following in ([{"type": "tool_result", "tool_use_id": "", "content": "rain"}], "Is that all?", None):
        with client.messages.stream(
            model=MODEL,
            max_tokens=8000,
            messages=messages,
            tools=[WEATHER],
            thinking={"type": "enabled", "budget_tokens": 2048},
        ) as events:
            message = events.get_final_message()
        seen += [block.thinking for block in message.content if block.type == "thinking"]
        for block in message.content:
            if block.type == "tool_use":
                following[0]["tool_use_id"] = block.id
        messages += [{"role": "assistant", "content": message.content}, {"role": "user", "content": following}]
    assert seen == ["Zürich first 🙂", "That is all"], seen


def structured() -> None:
    class Day(BaseModel):
        sky: str
        degrees: float | None

    class Report(BaseModel):
        city: str
        days: list[Day]

    message = client.messages.parse(model=MODEL, max_tokens=1024, messages=QUESTION, output_format=Report)
    assert message.parsed_output == Report(city="Zürich", days=[Day(sky="rain", degrees=None)]), message


def errors() -> None:
    """Each refusal of the upstream is the error of that name, status and type."""
    for name, status, kind in json.loads(MORE[0]):
        try:
            message = client.messages.create(model=MODEL, max_tokens=1024, messages=QUESTION)
        except anthropic.APIStatusError as error:
            assert type(error).__name__ == name, f"{type(error).__name__} instead of {name}: {error}"
            assert (error.status_code, error.type) == (status, kind), f"{error.status_code} {error.type} for {name}"
            assert error.request_id and error.api_message, f"{name} says nothing: {error}"
        else:
            raise AssertionError(f"no {name}: {message}")


def retry() -> None:
    retrying = anthropic.Anthropic(max_retries=1)
    check_greeting(retrying.messages.create(model=MODEL, max_tokens=1024, messages=QUESTION))


def broken() -> None:
    """A stream that ends in an error gives its text, and then the error."""
    pieces = []
    try:
        with client.messages.stream(model=MODEL, max_tokens=1024, messages=QUESTION) as events:
            pieces += events.text_stream
    except anthropic.APIError as error:
        assert "disconnected" in str(error), error
        assert "".join(pieces).startswith("Hello"), pieces
    else:
        raise AssertionError(f"no error after {pieces}")


def count_tokens() -> None:
    few = client.messages.count_tokens(model=MODEL, messages=QUESTION).input_tokens
    system = "Answer in one word. " * 50
    more = client.messages.count_tokens(model=MODEL, messages=QUESTION, system=system, tools=[WEATHER]).input_tokens
    assert 0 < few < more - 100, (few, more)


def models() -> None:
    listed = {model.id: model for model in client.models.list()}
    for name in json.loads(MORE[0]):
        assert listed[name].type == "model" and listed[name].display_name, listed[name]
    assert client.models.retrieve(MODEL).id == MODEL
    try:
        client.models.retrieve("openai/gpt-55")
    except anthropic.NotFoundError as error:
        assert error.type == "not_found_error", error
    else:
        raise AssertionError("a model that nobody has was found")


def run(case: str, model: str, *more: str) -> None:
    global MODEL, MORE
    MODEL, MORE = model, more
    globals()[case]()


serve_cases(run)
