-- Remove one task with its log and result, if nobody has changed it. One slot.
-- KEYS: task, log, result, tombstone
-- ARGV: rev, seconds for which the tombstone stays
-- Returns 1, or 0 where it was changed or is gone.

if redis.call('HGET', KEYS[1], 'rev') ~= ARGV[1] then
    return 0
end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
redis.call('SET', KEYS[4], ARGV[1], 'EX', ARGV[2])
return 1
