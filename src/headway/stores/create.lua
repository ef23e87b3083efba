-- Store a task under an id that is free, and tell of it. One slot: KEYS are of one task.
-- KEYS: task, tombstone
-- ARGV: rev, epoch, token, record, channel, message
-- Returns 'stored', 'taken', or the rev that a deleted task of this id had, where ours is not above it.

local token = redis.call('HGET', KEYS[1], 'token')
if token == ARGV[3] then
    return 'stored' -- The answer to the first try was lost.
end
if token then
    return 'taken'
end
local floor = redis.call('GET', KEYS[2])
if floor and tonumber(floor) >= tonumber(ARGV[1]) then
    return floor
end
redis.call('HSET', KEYS[1], 'rev', ARGV[1], 'epoch', ARGV[2], 'token', ARGV[3], 'record', ARGV[4], 'lines', 0)
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 'stored'
