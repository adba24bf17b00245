import Anthropic from "@anthropic-ai/sdk";
import { testSdk } from "./cases.ts";

testSdk({
  name: "@anthropic-ai/sdk 1.x",
  connect: (options) => new Anthropic(options),
  errors: Anthropic,
  sampling: false,
});
