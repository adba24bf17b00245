import assert from "node:assert/strict";
import { test } from "node:test";
import { DeviceCodes } from "../../../lib/server/sign_in/device_codes.ts";
import { FakeClock } from "../../kit/clock.ts";

const KEY = { key: "alice", binding: "binding-of-alice" };
const wrong = () => Promise.resolve(undefined);

function createCodes() {
  let ids = 0;
  const clock = new FakeClock();
  return { clock, codes: new DeviceCodes({ clock, newId: (prefix) => `${prefix}${ids++}` }) };
}

test("DeviceCodes do not count entries that could not be checked", async () => {
  const { codes } = createCodes();
  const { userCode, deviceCode } = codes.start();
  const unreachable = () => Promise.reject(new Error("unreachable"));
  for (let nth = 0; nth < 40; nth++) await assert.rejects(codes.enter(userCode, unreachable), /unreachable/);
  assert.equal(await codes.enter(userCode, () => Promise.resolve(KEY)), "approved");
  assert.equal(codes.poll(deviceCode).state, "approved");
});

test("DeviceCodes do not approve a sign-in that was denied during the check", async () => {
  const { codes } = createCodes();
  const { userCode, deviceCode } = codes.start();
  for (let nth = 0; nth < 4; nth++) assert.equal(await codes.enter(userCode, wrong), "wrong_key");
  const outcome = await codes.enter(userCode, () => {
    assert.equal(codes.poll(deviceCode).state, "access_denied");
    return Promise.resolve(KEY);
  });
  assert.equal(outcome, "unknown_code");
});

test("DeviceCodes approve a sign-in once for entries at the same time", async () => {
  const { codes } = createCodes();
  const { userCode, deviceCode } = codes.start();
  const outcomes = await Promise.all(
    ["alice", "bob"].map((key) => codes.enter(userCode, () => Promise.resolve({ ...KEY, key }))),
  );
  assert.deepEqual(outcomes, ["approved", "unknown_code"]);
  const poll = codes.poll(deviceCode);
  assert.equal(poll.state === "approved" && poll.key.key, "alice");
  assert.equal(codes.poll(deviceCode).state, "expired_token");
});
