import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../lib/config/parse.ts";
import type { DialectChoice } from "../../lib/config/presets.ts";
import { dialectFor, type UpstreamKind } from "../../lib/dialects/mod.ts";
import { createUpstreams } from "../../lib/upstreams/from_config.ts";

const CASES: [kind: UpstreamKind, choice: DialectChoice, model: string, path: string][] = [
  ["openai", "auto", "gpt-5.6-sol", "/responses"],
  ["openai", "auto", "gpt-4.1-mini", "/responses"],
  ["openai", "auto", "gpt-4o-search-preview", "/chat/completions"],
  ["openai", "auto", "gpt-4o-audio-preview-2024-12-17", "/chat/completions"],
  ["openai", "openai", "gpt-5.6-sol", "/chat/completions"],
  ["openai", "responses", "gpt-audio", "/responses"],
  ["openai", "anthropic", "gpt-5.6-sol", "/messages"],
  ["azure", "auto", "gpt-5.6-sol", "/chat/completions"],
  ["azure", "responses", "gpt-5.6-sol", "/responses"],
  ["openrouter", "auto", "openai/gpt-5.6-sol", "/chat/completions"],
  ["openrouter", "auto", "anthropic/claude-opus-5.5", "/messages"],
  ["openrouter", "responses", "anthropic/claude-opus-5.5", "/responses"],
  ["other", "auto", "gpt-5.6-sol", "/chat/completions"],
  ["other", "responses", "bee-1", "/responses"],
  ["anthropic", "auto", "claude-opus-5-5", "/messages"],
  ["demo", "auto", "echo", "/chat/completions"],
];

for (const [kind, choice, model, path] of CASES) {
  test(`dialectFor() selects ${path} for ${model} of ${kind} (${choice})`, () => {
    assert.equal(dialectFor(kind, choice, model).path, path);
  });
}

const HOSTS: [name: string, url: string, preset: UpstreamKind][] = [
  ["work", "https://api.openai.com/v1", "openai"],
  ["groq", "https://api.openai.com/v1", "openai"],
  ["openai", "http://127.0.0.1:8000/v1", "openai"],
  ["work", "https://openai.example.com/v1", "other"],
  ["work", "https://api.openai.com.example.com/v1", "other"],
];

for (const [name, url, preset] of HOSTS) {
  test(`createUpstreams() assigns "${name}" at ${url} the preset ${preset}`, () => {
    const [, upstream] = createUpstreams(parseConfig({ settings: { UPSTREAMS: { [name]: { url } } } }));
    assert.equal(upstream?.preset, preset);
  });
}
