/**
 * A server of the Model Context Protocol on stdin and stdout, one JSON message a line, with a single tool: `weather`
 * returns the weather in a city, and fails for a city that it does not have.
 */
import { createInterface } from "node:readline";
import { z } from "zod";
import { CITIES, WEATHER, WEATHER_INPUT } from "../kit/scenarios.ts";

const Request = z.looseObject({
  id: z.union([z.number(), z.string()]).optional(),
  method: z.string(),
  params: z.looseObject({
    protocolVersion: z.string().optional(),
    arguments: z.looseObject({ city: z.string() }).optional(),
  }).optional(),
});

for await (const line of createInterface({ input: process.stdin })) {
  const request = Request.parse(JSON.parse(line));
  // A message without an id is a notification, which has no answer.
  if (request.id === undefined) continue;
  const result = answer(request);
  const said = result === undefined ? { error: { code: -32601, message: "Method not found" } } : { result };
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: request.id, ...said })}\n`);
}

function answer({ method, params }: z.infer<typeof Request>): unknown {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion ?? "2025-06-18",
        capabilities: { tools: {} },
        serverInfo: { name: "station", version: "1.0.0" },
      };
    case "ping":
      return {};
    case "tools/list":
      return { tools: [{ name: "weather", description: "Tells the weather", inputSchema: WEATHER_INPUT }] };
    case "tools/call": {
      const known = CITIES[0].city === params?.arguments?.city;
      return { content: [{ type: "text", text: WEATHER[known ? 0 : 1] }], isError: !known };
    }
    default:
      return undefined;
  }
}
