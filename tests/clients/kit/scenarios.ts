import type { Route } from "./testbed.ts";
import { call, type Reply, reply } from "../../kit/model/turns.ts";

/** Text in pieces that hold characters of two, three and four bytes. */
export const PIECES: string[] = ["Hello", ", wörld", " — 漢字", " 🙂", "."];

/** The pieces as one. */
export const TEXT: string = PIECES.join("");

/** An answer in text with cached tokens. */
export const greeting: Reply = reply({ text: PIECES, usage: { input: 200, cached: 1000, output: 42 } });

/** A picture of one pixel. */
export const PNG: string =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** The only tool's schema, as a type. */
export type WeatherInput = {
  type: "object";
  properties: { city: { type: "string"; description: string } };
  required: string[];
};

/** The schema of the only tool. */
export const WEATHER_INPUT: WeatherInput = {
  type: "object",
  properties: { city: { type: "string", description: "The city's name" } },
  required: ["city"],
};

/** The arguments of two calls at once. */
export const CITIES: [{ city: string }, { city: string }] = [{ city: "Zürich" }, { city: "東京" }];

/** The tool's result, which the upstream must receive. */
export const WEATHER: [string, string] = ["12 °C, rain", "no such station"];

/** Two calls in one answer: the weather in two cities. */
export function twoCalls({ ids }: Route): Reply {
  return reply({
    text: ["Let me look."],
    tools: [call(ids[0], "weather", CITIES[0]), call(ids[1], "weather", CITIES[1])],
    usage: { input: 109, cached: 0, output: 54 },
  });
}

/** The answer after the results. */
export const report: Reply = reply({
  text: ["It rains ", "in Zürich."],
  usage: { input: 181, cached: 0, output: 9 },
});
