import assert from "node:assert/strict";
import { test } from "node:test";
import { TOOL_LIST_LIMITS, ToolListReader } from "../../../tools/mcp/tool_list.ts";

const toTool = (name: string, fields: object = {}) => ({ name, inputSchema: { type: "object" }, ...fields });

test("ToolListReader bounds the schemas and descriptions of all tools together", () => {
  const reader = new ToolListReader("docs");
  const inputSchema = { type: "object", description: "x".repeat(90_000) };
  reader.addPage({ tools: Array.from({ length: 20 }, (_, nth) => toTool(`t${nth}`, { inputSchema })) });
  const { tools, rejected } = reader.end();
  assert.deepEqual([tools.length, rejected.length], [11, 9]);
  assert.equal(rejected[0]?.reason, "the tool list is too large");
});

test("ToolListReader bounds the number of tools", () => {
  const reader = new ToolListReader("docs");
  const page = { tools: Array.from({ length: 600 }, (_, nth) => toTool(`t${nth}`)), nextCursor: "2" };
  assert.equal(reader.addPage(page), undefined);
  const { tools, rejected } = reader.end();
  assert.equal(tools.length, TOOL_LIST_LIMITS.tools);
  assert.deepEqual(rejected, [{ name: "*", reason: "only the first 512 tools were read" }]);
});

test("ToolListReader stops at a cursor that was read before", () => {
  const reader = new ToolListReader("docs");
  assert.equal(reader.addPage({ tools: [], nextCursor: "a" }), "a");
  assert.equal(reader.addPage({ tools: [], nextCursor: "a" }), undefined);
});

test("ToolListReader keeps the hints of a tool, and truncates its description", () => {
  const reader = new ToolListReader("docs");
  const annotations = { readOnlyHint: true, destructiveHint: "no", title: "T" };
  reader.addPage({ tools: [toTool("t", { annotations, description: "x".repeat(20_000) })] });
  const [tool] = reader.end().tools;
  assert.deepEqual(tool?.annotations, { readOnlyHint: true });
  assert.equal(tool?.description?.length, TOOL_LIST_LIMITS.descriptionChars);
});
