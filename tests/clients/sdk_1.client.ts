import Anthropic from "@anthropic-ai/sdk";
import { testSdk } from "./sdk_cases.ts";

testSdk({
  name: "@anthropic-ai/sdk 1.x",
  connect: (options) => new Anthropic(options),
  errors: Anthropic,
  sampling: false,
});
