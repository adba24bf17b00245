import assert from "node:assert/strict";

/** What was read off the wire: a test may look into it without proving first what it is. */
export type Wire = ReturnType<typeof JSON.parse>;

/**
 * Reads a body of `text/event-stream` the strict way: frames of one `event:` and one `data:` line and nothing else, the
 * event named as its data's `type`.
 */
export function readFrames(body: string): Wire[] {
  if (body === "") return [];
  assert.ok(body.endsWith("\n\n"), "the last frame has an end");
  return body.slice(0, -2).split("\n\n").map((frame) => {
    const [, event, data = ""] = /^event: ([^\r\n]+)\ndata: ([^\r\n]*)$/.exec(frame) ?? [];
    assert.ok(event !== undefined, `a frame of two lines: ${JSON.stringify(frame.slice(0, 200))}`);
    const json = JSON.parse(data);
    assert.equal(json.type, event);
    return json;
  });
}

/**
 * Checks the grammar of a message's stream; gives how it ends: `message_stop`, `error`, or `cut` where neither came.
 *
 * Written from the documentation alone. Source: https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export function checkGrammar(events: readonly Wire[]): "message_stop" | "error" | "cut" {
  let state: "before" | "between" | "inside" | "told" | "message_stop" | "error" = "before";
  let index = -1;
  let block: { type: string; json: string; signed: boolean } | undefined;
  for (const event of events) {
    const at: string = `${event.type} while ${state}`;
    assert.ok(state !== "message_stop" && state !== "error", `nothing comes after the end: ${at}`);
    switch (event.type) {
      case "ping":
        assert.notEqual(state, "before", at);
        break;
      case "error":
        assert.equal(typeof event.error.type, "string");
        assert.equal(typeof event.error.message, "string");
        state = "error";
        break;
      case "message_start":
        assert.equal(state, "before", at);
        assert.match(event.message.id, /^msg_/);
        assert.equal(event.message.role, "assistant");
        assert.deepEqual(event.message.content, []);
        assert.equal(event.message.stop_reason, null);
        assert.ok(Number.isFinite(event.message.usage.input_tokens), "counts the input");
        assert.ok(Number.isFinite(event.message.usage.output_tokens), "counts the output");
        state = "between";
        break;
      case "content_block_start":
        assert.equal(state, "between", at);
        assert.equal(event.index, ++index);
        block = { type: event.content_block.type, json: "", signed: false };
        if (block.type === "text") assert.equal(event.content_block.text, "");
        if (block.type === "thinking") assert.equal(event.content_block.thinking, "");
        if (block.type === "tool_use") {
          assert.match(event.content_block.id, /^[a-zA-Z0-9_-]+$/);
          assert.notEqual(event.content_block.name, "");
          assert.deepEqual(event.content_block.input, {});
        }
        state = "inside";
        break;
      case "content_block_delta":
        assert.equal(state, "inside", at);
        assert.equal(event.index, index);
        assert.ok(block !== undefined && !block.signed, "nothing comes after a signature");
        if (event.delta.type === "text_delta") assert.equal(block.type, "text");
        if (event.delta.type === "thinking_delta") assert.equal(block.type, "thinking");
        if (event.delta.type === "signature_delta") block.signed = true;
        if (event.delta.type === "input_json_delta") block.json += event.delta.partial_json;
        break;
      case "content_block_stop":
        assert.equal(state, "inside", at);
        assert.equal(event.index, index);
        state = "between";
        break;
      case "message_delta":
        assert.equal(state, "between", at);
        assert.ok(Number.isFinite(event.usage.output_tokens), "counts the output");
        state = "told";
        break;
      case "message_stop":
        assert.equal(state, "told", at);
        state = "message_stop";
        break;
      default:
        assert.fail(`an event of no known type: ${event.type}`);
    }
  }
  return state === "message_stop" || state === "error" ? state : "cut";
}

/** Adds up the deltas of a stream as its documentation says, and as no code of the gateway does. */
export function fold(events: readonly Wire[]): Wire {
  const start = events.find(({ type }) => type === "message_start");
  const end = events.findLast(({ type }) => type === "message_delta");
  const content = events.filter(({ type }) => type === "content_block_start").map(
    ({ index, content_block }) => {
      const deltas: Wire[] = events.filter((event) =>
        event.type === "content_block_delta" && event.index === index
      )
        .map(({ delta }) => delta);
      const join = (field: string) => deltas.map((delta) => delta[field] ?? "").join("");
      const block = { ...content_block };
      if (block.type === "text") block.text = join("text");
      if (block.type === "thinking") block.thinking = join("thinking");
      const signature = deltas.findLast(({ type }) => type === "signature_delta");
      if (signature !== undefined) block.signature = signature.signature;
      const json = join("partial_json");
      if (json !== "") block.input = JSON.parse(json);
      const citations = deltas.filter(({ type }) => type === "citations_delta").map(({ citation }) =>
        citation
      );
      if (citations.length > 0) block.citations = citations;
      const compaction = deltas.findLast(({ type }) => type === "compaction_delta");
      return compaction === undefined ? block : { ...block, ...compaction, type: block.type };
    },
  );
  const { type: _type, delta, usage, ...rest } = end;
  const counts = Object.entries(usage).filter(([, count]) => count !== null);
  return {
    ...start.message,
    ...delta,
    ...rest,
    content,
    usage: { ...start.message.usage, ...Object.fromEntries(counts) },
  };
}
