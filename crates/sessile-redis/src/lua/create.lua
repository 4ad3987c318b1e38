-- Keeps a new record, unless its id is taken or its subject has too many.
-- KEYS: the record; the index of its subject, unless that is kept elsewhere. ARGV: the id, now, the
-- earlier and the absolute deadline, the subject, the most sessions it may have or '', whether the
-- oldest make room, the end of their tombstones, the prefix of records; then fields and values.
local key, index = KEYS[1], KEYS[2]
local sid, now, absolute = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])

local kind, found = read(key)
if kind == 'unreadable' then return { 'X' } end
if kind == 'record' or kind == 'ended' and now < found then return { 'T' } end

-- When a listed session was made, if it is live. One that can't be read may be, and goes last.
local function made(other)
  local part = redis.pcall('HMGET', ARGV[9] .. other, 'f', 't', 's', 'i', 'a', 'c')
  if part.err then return LARGEST end
  if not part[1] then return nil end
  local idle, deadline, created = number(part[4]), number(part[5]), number(part[6])
  if part[1] ~= FORMAT then return LARGEST end
  if part[2] then return nil end
  if not (idle and deadline and created) then return LARGEST end
  return part[3] == ARGV[5] and now < idle and now < deadline and created or nil
end

if index then
  if ARGV[6] ~= '' then
    local live = {}
    for order, other in ipairs(listed(index, now)) do
      local created = made(other)
      if created then live[#live + 1] = { created, order, other } end
    end
    local excess = #live + 1 - tonumber(ARGV[6])
    if excess > 0 then
      if ARGV[7] ~= '1' then return { 'F' } end
      table.sort(live, function(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end)
      for place = 1, excess do
        bury(ARGV[9] .. live[place][3], tonumber(ARGV[8]), now)
        delist(index, live[place][3])
      end
    end
  end
  enlist(index, sid, absolute, now)
end

if kind == 'ended' then redis.call('DEL', key) end
for from = 10, #ARGV, 500 do
  redis.call('HSET', key, unpack(ARGV, from, math.min(from + 499, #ARGV)))
end
expire(key, tonumber(ARGV[3]), now)
return { 'O' }
