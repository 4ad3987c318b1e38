-- Leaves a tombstone and returns what was there.
-- KEYS: the record. ARGV: the id, now, until when the tombstone stands, the prefix of indices or ''.
local key, now, till = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local kind, found = read(key)
if kind == 'ended' then till = math.max(till, found) end
bury(key, till, now)
if kind == 'unreadable' then return { 'X' } end
if kind ~= 'record' then return { 'N' } end
if found.subject and ARGV[4] ~= '' then
  -- The session has ended, whatever becomes of its entry.
  redis.pcall('ZREM', ARGV[4] .. found.subject, ARGV[1], '+' .. ARGV[1])
end
return { 'R', found.flat }
