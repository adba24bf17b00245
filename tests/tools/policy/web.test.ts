import assert from "node:assert/strict";
import { test } from "node:test";
import { createDomainFilter } from "../../../tools/policy/domains.ts";
import { parseAllowHosts, parseTarget } from "../../../tools/policy/url.ts";

test("parseTarget() accepts URLs of the public web", () => {
  const cases: Record<string, string> = {
    "https://example.com": "https://example.com/",
    " https://Example.COM/a?b=c#d ": "https://example.com/a?b=c",
    "http://example.com/": "https://example.com/",
    "http://example.com:8080/": "http://example.com:8080/",
    "http://example.com:80/": "https://example.com/",
    "https://example.com./x": "https://example.com/x",
    "https://münchen.example/": "https://xn--mnchen-3ya.example/",
    "http://8.8.8.8/": "https://8.8.8.8/",
    "https://[2606:4700::1111]/": "https://[2606:4700::1111]/",
    "https://a_b.example.com/": "https://a_b.example.com/",
  };
  for (const [text, href] of Object.entries(cases)) assert.equal(parseTarget(text, new Set()).url.href, href);
});

test("parseTarget() rejects ports of other protocols, user names and invalid URLs", () => {
  const ports = [
    1,
    21,
    22,
    23,
    25,
    53,
    110,
    111,
    143,
    389,
    445,
    465,
    587,
    993,
    2049,
    5060,
    6000,
    6667,
    10080,
  ];
  const urls = ports.map((port) => `http://example.com:${port}/`);
  for (
    const url of [...urls, "https://u@example.com/", "https://u:p@example.com/", "https://:p@example.com/"]
  ) {
    assert.throws(() => parseTarget(url, new Set()), { name: "FetchError", code: "url_not_allowed" }, url);
  }
  for (
    const url of [
      "example.com",
      "https://",
      "https://a b.com/",
      "https://a.com\\@b.com/",
      "ht\ntps://a.com",
      "https://a.com:99999",
    ]
  ) {
    assert.throws(() => parseTarget(url, new Set()), { name: "FetchError", code: "invalid_tool_input" }, url);
  }
});

test("parseAllowHosts() writes hosts as URLs do", () => {
  const hosts = parseAllowHosts(["LOCALHOST:8080", "127.1:80", "[0::1]:9000", "wiki:443"]);
  assert.deepEqual([...hosts], ["localhost:8080", "127.0.0.1:80", "[::1]:9000", "wiki:443"]);
  for (const url of ["http://localhost:8080/", "http://127.0.0.1/", "http://[::1]:9000/", "https://wiki/"]) {
    assert.equal(parseTarget(url, hosts).exempt, true, url);
    assert.equal(parseTarget(url, hosts).url.href, url);
  }
  for (
    const entry of ["", "localhost", "localhost:", "a:b", "http://a:80", "a:80/x", "u@a:80", ":80", "a:99999"]
  ) {
    assert.throws(() => parseAllowHosts([entry]), TypeError, entry);
  }
});

test("createDomainFilter() compares labels from the right and paths from the left", () => {
  const cases: [entry: string, url: string, isWithin: boolean][] = [
    ["example.com", "https://example.com/", true],
    ["example.com", "https://a.b.example.com/x", true],
    ["Example.COM.", "https://example.com./", true],
    ["https://example.com", "http://example.com:8080/", true],
    ["example.com", "https://example.com.evil.test/", false],
    ["example.com", "https://badexample.com/", false],
    ["docs.example.com", "https://example.com/", false],
    ["example.com", "https://example.community/", false],
    ["com", "https://example.com/", true],
    ["example.com/docs", "https://example.com/docs", true],
    ["example.com/docs/", "https://example.com/docs/a", true],
    ["example.com/docs", "https://example.com/docs-old", false],
    ["example.com/docs", "https://example.com/%64ocs/a", true],
    ["example.com/*/api", "https://example.com/v1/api/x", true],
    ["example.com/*/api", "https://example.com/v1/x", false],
    ["example.com/*", "https://example.com/", true],
    ["münchen.example", "https://xn--mnchen-3ya.example/", true],
  ];
  for (const [entry, url, isWithin] of cases) {
    assert.equal(createDomainFilter({ allowedDomains: [entry] })(new URL(url)), isWithin, `${entry} ${url}`);
    assert.equal(createDomainFilter({ blockedDomains: [entry] })(new URL(url)), !isWithin, `${entry} ${url}`);
  }
  for (
    const entry of [
      "",
      "*.example.com",
      "exa mple.com",
      "user@example.com",
      "example.com:80",
      "http://",
      "a%2eb",
    ]
  ) {
    assert.throws(() => createDomainFilter({ allowedDomains: [entry] }), { name: "DomainsError" }, entry);
  }
  assert.throws(() => createDomainFilter({ allowedDomains: ["a.b"], blockedDomains: ["c.d"] }), /both/);
  assert.equal(createDomainFilter({ allowedDomains: [], blockedDomains: [] })(new URL("https://x.y/")), true);
});
