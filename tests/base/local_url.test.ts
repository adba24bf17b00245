import assert from "node:assert/strict";
import { test } from "node:test";
import { toLocalUrl } from "../../lib/base/local_url.ts";

const HOSTS: [host: string, url: string][] = [
  ["127.0.0.1", "http://127.0.0.1:4000"],
  ["localhost", "http://localhost:4000"],
  ["0.0.0.0", "http://127.0.0.1:4000"],
  ["0", "http://127.0.0.1:4000"],
  ["::", "http://[::1]:4000"],
  ["::0", "http://[::1]:4000"],
  ["0:0:0:0:0:0:0:0", "http://[::1]:4000"],
  ["::1", "http://[::1]:4000"],
  ["fe80::1%eth0", "http://[fe80::1%eth0]:4000"],
  ["192.168.1.5", "http://192.168.1.5:4000"],
  ["gateway.example", "http://gateway.example:4000"],
];

for (const [host, url] of HOSTS) {
  test(`toLocalUrl() is ${url} for a listener on ${host}`, () => assert.equal(toLocalUrl(host, 4000), url));
}
