/**
 * Lua script that applies charges atomically in Redis, with the arithmetic of `quota.ts`.
 *
 * `KEYS` has one key per quota. `ARGV` begins with the time and the mode, "charge" or "record". Six values per quota
 * follow: kind, limit, amount, TTL of the key in milliseconds (a rate's TTL is computed from its use), holder of the
 * slot, and expiry of the slot.
 *
 * The script returns 1 if all charges fitted, else 0, then the use of each quota. Use is text, because Redis truncates
 * numbers to integers.
 */
export const CHARGE_SCRIPT = `
local now, mode = tonumber(ARGV[1]), ARGV[2]
local used, all_fit = {}, true

local function argument(i, n) return ARGV[2 + (i - 1) * 6 + n] end

for i, key in ipairs(KEYS) do
  local kind, limit, amount = argument(i, 1), tonumber(argument(i, 2)), tonumber(argument(i, 3))
  if kind == 'concurrency' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    used[i] = redis.call('ZCARD', key)
  else
    local known = redis.call('HMGET', key, 'used', 'at')
    used[i] = tonumber(known[1] or '0')
    local past = math.max(0, now - tonumber(known[2] or '0'))
    if kind == 'rate' then used[i] = math.max(0, used[i] - past * limit / 60000) end
  end
  if not (used[i] < limit and used[i] + math.min(amount, limit) <= limit) then all_fit = false end
end

if all_fit or mode == 'record' then
  for i, key in ipairs(KEYS) do
    local kind, limit, amount = argument(i, 1), tonumber(argument(i, 2)), tonumber(argument(i, 3))
    local life = argument(i, 4)
    if kind == 'concurrency' then
      if amount < 0 then redis.call('ZREM', key, argument(i, 5))
      else redis.call('ZADD', key, argument(i, 6), argument(i, 5)) end
      used[i] = redis.call('ZCARD', key)
    else
      local at = math.max(now, tonumber(redis.call('HGET', key, 'at') or '0'))
      used[i] = math.max(0, used[i] + amount)
      if kind == 'rate' then life = string.format('%.0f', math.min(1e12, used[i] / limit * 60000 + 1000)) end
      redis.call('HSET', key, 'used', string.format('%.17g', used[i]), 'at', string.format('%.17g', at))
    end
    redis.call('PEXPIRE', key, life)
  end
end

local answer = { all_fit and 1 or 0 }
for i, n in ipairs(used) do answer[i + 1] = string.format('%.17g', n) end
return answer
`;
