"""Drives Pydantic AI, as a client that runs tools by itself, through the gateway. A case is its name and
a model.

The gateway's address and the key come from the environment, as they do for any user. A case prints nothing; it ends
with an error when something is not as it must be.
"""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ThinkingPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import UsageLimits
from cases import serve_cases

TEXT = "Hello, wörld — 漢字 🙂."


class Day(BaseModel):
    sky: str
    degrees: float | None


class Report(BaseModel):
    city: str
    days: list[Day]


REPORT = Report(city="Zürich", days=[Day(sky="rain", degrees=None)])


def weather(city: str) -> str:
    """Returns the weather."""
    return f"rain in {city}"


def text() -> None:
    result = Agent(model).run_sync("Greet me")
    assert result.output == TEXT, result.output
    usage = result.usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (1200, 1000, 42), usage


def stream() -> None:
    async def read() -> list[str]:
        async with Agent(model).run_stream("Greet me") as result:
            return [piece async for piece in result.stream_text(delta=True, debounce_by=None)]

    pieces = asyncio.run(read())
    assert len(pieces) > 1 and "".join(pieces) == TEXT, pieces


def tools() -> None:
    """It runs two calls at once, thinks, and goes on in a second prompt."""
    settings = ModelSettings(max_tokens=8000, anthropic_thinking={"type": "enabled", "budget_tokens": 2048})
    agent = Agent(model, tools=[weather], model_settings=settings)
    first = agent.run_sync("How is the weather?")
    assert first.output == "It rains in Zürich.", first.output
    thoughts = [part for message in first.all_messages() for part in message.parts if isinstance(part, ThinkingPart)]
    assert "Zürich first 🙂" in [part.content for part in thoughts], thoughts
    second = agent.run_sync("Is that all?", message_history=first.all_messages())
    assert second.output == "Yes.", second.output


def by_tool() -> None:
    result = Agent(model, output_type=ToolOutput(Report, name="report")).run_sync("Report")
    assert result.output == REPORT, result.output


def by_format() -> None:
    # It knows by the name alone what a model can do, and these names say nothing to it.
    able = AnthropicModel(MODEL, profile=lambda profile: {**profile, "supports_json_schema_output": True})
    result = Agent(able, output_type=NativeOutput(Report)).run_sync("Report")
    assert result.output == REPORT, result.output


def refused() -> None:
    try:
        result = Agent(model).run_sync("Greet me")
    except ModelHTTPError as error:
        assert error.status_code == 402, error
        assert error.body["error"]["type"] == "billing_error", error.body
        assert "Insufficient credits" in error.body["error"]["message"], error.body
    else:
        raise AssertionError(f"no error: {result}")


def count_tokens() -> None:
    """Tokens are counted before the request."""
    limits = UsageLimits(input_tokens_limit=100_000, count_tokens_before_request=True)
    assert Agent(model).run_sync("Greet me", usage_limits=limits).output == TEXT


def run(case: str, name: str) -> None:
    global MODEL, model
    MODEL, model = name, AnthropicModel(name)
    globals()[case]()


serve_cases(run)
