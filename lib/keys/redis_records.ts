import * as v from "valibot";
import { createRepeatedWarning } from "../observability/repeated_warning.ts";
import type { Clock } from "../runtime/clock.ts";
import { createRedisScripts, type RedisConnection } from "../runtime/stores/redis.ts";
import type { RecordStore } from "./record_store.ts";

/** Creates a store in Redis or Valkey. It connects with the first use. */
export function createRedisRecords(
  url: string,
  { clock, connect }: { clock: Clock; connect?: (url: string) => Promise<RedisConnection> },
): RecordStore {
  const scripts = createRedisScripts(url, {
    clock,
    connect,
    name: "key store",
    onFailure: createRepeatedWarning("key store unreachable", { clock }),
  });
  const run = (script: string, key: string, words: string[] = []) =>
    scripts.run(script, { keys: [key], arguments: words });
  return {
    async read() {
      return toMap(v.parse(Texts, await run("return redis.call('HGETALL', KEYS[1])", RECORDS)));
    },
    async add(name, text) {
      return await run("return redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])", RECORDS, [name, text]) === 1;
    },
    async remove(name) {
      return await run("return redis.call('HDEL', KEYS[1], ARGV[1])", RECORDS, [name]) === 1;
    },
    async readUses() {
      const texts = toMap(v.parse(Texts, await run("return redis.call('HGETALL', KEYS[1])", USES)));
      return new Map([...texts].map(([name, at]) => [name, Number(at)]));
    },
    async addUses(uses) {
      await run(ADD_USES, USES, [...uses].flatMap(([name, at]) => [name, String(at)]));
    },
    async removeUse(name) {
      await run("return redis.call('HDEL', KEYS[1], ARGV[1])", USES, [name]);
    },
  };
}

/** The braces are a hash tag of Redis clusters, as for the keys of limits. */
const RECORDS = "gateway:{keys}:records";
const USES = "gateway:{keys}:last_uses";

/** Sets fields of a hash to pairs of a name and a time, unless a later time is there. */
const ADD_USES = `
for i = 1, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if tonumber(ARGV[i + 1]) > known then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1
`;

const Texts = v.array(v.string());

/** Converts the reply of `HGETALL`: names and values in turn. */
function toMap(texts: readonly string[]): Map<string, string> {
  const pairs = texts.flatMap((name, at): [string, string][] =>
    at % 2 === 0 ? [[name, texts[at + 1] ?? ""]] : []
  );
  return new Map(pairs);
}
