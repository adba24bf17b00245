/**
 * Lua script that adds a batch's rows of one day, once. Redis and Valkey run it atomically.
 *
 * Keys: the hash of the day, the mark of the batch, the first day of the ledger. Arguments: the day, the life of the
 * hash in milliseconds, the maximum number of names, the number of counts; then for each row its kind and key, its
 * field, its field as one of all further names, and its counts. The last count is a time: the greatest one stays.
 *
 * A field of the hash is the row's field and the number of the count; `#` and the kind and key has the number of names.
 * The mark lives for a day: a batch is written again within minutes, or never.
 */
export const ADD_SCRIPT = `
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', 86400000) == false then return 0 end
redis.call('SET', KEYS[3], ARGV[1], 'NX')
local counts = tonumber(ARGV[4])
for at = 5, #ARGV, 3 + counts do
  local field = ARGV[at + 1]
  if redis.call('HEXISTS', KEYS[1], field .. '1') == 0 then
    if tonumber(redis.call('HGET', KEYS[1], '#' .. ARGV[at]) or '0') < tonumber(ARGV[3]) then
      redis.call('HINCRBY', KEYS[1], '#' .. ARGV[at], 1)
    else
      field = ARGV[at + 2]
    end
  end
  for n = 1, counts do
    local value = ARGV[at + 2 + n]
    if n == counts then
      if tonumber(value) > tonumber(redis.call('HGET', KEYS[1], field .. n) or '0') then
        redis.call('HSET', KEYS[1], field .. n, value)
      end
    else
      redis.call('HINCRBY', KEYS[1], field .. n, value)
    end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`;

/** Lua script that returns the first day of the ledger, whose key is the first, and the hashes of all other keys. */
export const READ_SCRIPT = `
local answer = { redis.call('GET', KEYS[1]) or '' }
for i = 2, #KEYS do answer[i] = redis.call('HGETALL', KEYS[i]) end
return answer
`;
