-- Compare and swap one task, with its new log lines and its large result, and tell of it. One slot.
-- KEYS: task, log, result
-- ARGV: old rev, epoch, new rev, token, record, channel, message,
--       life ('' goes on, 'lasts', or the milliseconds until it expires),
--       result ('' stays, 'drop', or '=' and the JSON text),
--       lines kept, number of the first new line, the new lines …
-- Returns 1, or 0 where another writer was first or the task is gone.

local stored = redis.call('HMGET', KEYS[1], 'rev', 'epoch', 'token', 'lines')
if stored[3] == ARGV[4] then
    return 1 -- The answer to the first try was lost.
end
if stored[1] ~= ARGV[1] or stored[2] ~= ARGV[2] then
    return 0
end
local lines = tonumber(stored[4])
for place = 12, #ARGV do
    lines = tonumber(ARGV[11]) + place - 12
    redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[10], lines .. '-0', 'l', ARGV[place])
end
redis.call('HSET', KEYS[1], 'rev', ARGV[3], 'token', ARGV[4], 'record', ARGV[5], 'lines', lines)
if ARGV[9] == 'drop' then
    redis.call('DEL', KEYS[3])
elseif ARGV[9] ~= '' then
    redis.call('SET', KEYS[3], string.sub(ARGV[9], 2))
end
for place = 1, 3 do
    if ARGV[8] == 'lasts' then
        redis.call('PERSIST', KEYS[place])
    elseif ARGV[8] ~= '' then
        redis.call('PEXPIRE', KEYS[place], ARGV[8])
    end
end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
