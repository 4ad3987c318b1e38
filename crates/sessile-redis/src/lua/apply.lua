-- Applies a patch, as Patch::apply_to does. It never makes a record.
-- KEYS: the record. ARGV: the id, now, base, accept older, is a write, hash to be rotated, new hash
-- and wrapped successor, end of the grace (8 bytes), idle and absolute lifetime, touch, clear;
-- the prefix of indices, or until when the index stands already; then three counted lists: expected
-- (key, 1 or 0, text), removed (key), set (key, text). What is absent is ''.
local key, at = KEYS[1], 16
local sid, now, base = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local function next_count()
  at = at + 1
  return tonumber(ARGV[at - 1])
end

local kind, record = read(key)
if kind == 'unreadable' then return { 'X' } end
if kind ~= 'record' or now >= record.idle or now >= record.absolute then return { 'G' } end

local agreed = (record.version >= base or ARGV[4] == '1') and (ARGV[6] == '' or ARGV[6] == record.hash)
for _ = 1, next_count() do
  local stored = record.data[ARGV[at]]
  if ARGV[at + 1] == '1' then
    agreed = agreed and stored == ARGV[at + 2]
  else
    agreed = agreed and stored == nil
  end
  at = at + 3
end
if not agreed then return { 'C', record.flat } end
local version = math.max(record.version, base)
if ARGV[5] == '1' and version >= LARGEST then return { 'V' } end

-- What there is to change is gathered before the first change: an error leaves nothing half done.
local clear = ARGV[13] == '1'
local removed, set, bytes = {}, {}, clear and 0 or record.bytes
local function leaves(name)
  local stored = record.data[name]
  if stored and not clear then bytes = bytes - #name - #stored end
end
for _ = 1, next_count() do
  removed[#removed + 1] = 'd:' .. ARGV[at]
  leaves(ARGV[at])
  at = at + 1
end
for _ = 1, next_count() do
  local name, text = ARGV[at], ARGV[at + 1]
  set[#set + 1] = { 'd:' .. name, text }
  leaves(name)
  bytes = bytes + #name + #text
  at = at + 2
end
if bytes > record.bytes and bytes > RECORD_LIMIT then return { 'L', digits(bytes) } end
if clear then
  for name in pairs(record.data) do removed[#removed + 1] = 'd:' .. name end
end

if ARGV[6] ~= '' then
  set[#set + 1] = { 'p', record.hash .. ARGV[8] }
  set[#set + 1] = { 'h', ARGV[7] }
elseif ARGV[9] ~= '' and record.previous and #record.previous == 48 then
  set[#set + 1] = { 'p', record.previous .. ARGV[9] }
end

local seen, idle, absolute = record.seen, record.idle, record.absolute
if ARGV[10] ~= '' then
  absolute = after(record.created, tonumber(ARGV[11]))
  seen = math.max(seen, now)
  idle = after(seen, tonumber(ARGV[10]))
end
if ARGV[12] ~= '' then
  local span = idle - seen
  seen = math.max(seen, tonumber(ARGV[12]))
  idle = after(seen, span)
end

-- The index first: it may hold too much, never too little.
if absolute > record.absolute and record.subject then
  if ARGV[14] ~= '' then
    lengthen(ARGV[14] .. record.subject, sid, absolute, now)
  elseif absolute > tonumber(ARGV[15]) then
    return { 'I', digits(absolute), record.subject }
  end
end

for _, name in ipairs(removed) do redis.call('HDEL', key, name) end
for _, pair in ipairs(set) do redis.call('HSET', key, pair[1], pair[2]) end
if ARGV[5] == '1' then
  version = version + 1
  redis.call('HSET', key, 'v', digits(version))
else
  version = record.version
end
if seen ~= record.seen or idle ~= record.idle or absolute ~= record.absolute then
  redis.call('HSET', key, 'l', digits(seen), 'i', digits(idle), 'a', digits(absolute))
  expire(key, math.min(idle, absolute), now)
end
-- Who knew this version knows the rest.
if record.version == base then return { 'A', digits(version) } end
return { 'A', digits(version), redis.call('HGETALL', key) }
