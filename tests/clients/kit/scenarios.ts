import type { Road } from "./stage.ts";
import { call, type Say, say } from "../../kit/model/turns.ts";

/** Text in pieces that hold characters of two, three and four bytes. */
export const PIECES: string[] = ["Hello", ", wörld", " — 漢字", " 🙂", "."];

/** The pieces as one. */
export const TEXT: string = PIECES.join("");

/** An answer in text with cached tokens. */
export const greeting: Say = say({ text: PIECES, usage: { input: 200, cached: 1000, output: 42 } });

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

/** What the tool answers, and so what the upstream must be told. */
export const WEATHER: [string, string] = ["12 °C, rain", "no such station"];

/** Asks for the weather in two cities at once. */
export function twoCalls({ ids }: Road): Say {
  return say({
    text: ["Let me look."],
    tools: [call(ids[0], "weather", CITIES[0]), call(ids[1], "weather", CITIES[1])],
    usage: { input: 109, cached: 0, output: 54 },
  });
}

/** What it says once it knows. */
export const report: Say = say({
  text: ["It rains ", "in Zürich."],
  usage: { input: 181, cached: 0, output: 9 },
});
