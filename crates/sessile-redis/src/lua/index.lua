-- The index of a subject: a sorted set of ids, each scored with the absolute deadline of its session
-- (from an hour after it on, the entry is dead for certain), and beside each a mark, '+' and the id,
-- scored with the end of its youth.
local function is_young(index, sid, now)
  local till = redis.call('ZSCORE', index, '+' .. sid)
  return till and now < tonumber(till)
end

local function delist(index, sid) redis.call('ZREM', index, sid, '+' .. sid) end

-- The entry stands at least until this deadline, and so does the set.
local function lengthen(index, sid, deadline, now)
  redis.call('ZADD', index, 'GT', digits(deadline), sid)
  local rest = math.max(0, deadline - now) + 2 * MARGIN
  if redis.call('PTTL', index) < rest then redis.call('PEXPIRE', index, digits(rest)) end
end

local function enlist(index, sid, deadline, now)
  redis.call('ZADD', index, 'GT', digits(now + YOUNG), '+' .. sid)
  lengthen(index, sid, deadline, now)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. digits(now - MARGIN))
end

-- The ids that a live session may have.
local function listed(index, now)
  local ids = {}
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '(' .. digits(now), '+inf')) do
    if member:sub(1, 1) ~= '+' then ids[#ids + 1] = member end
  end
  return ids
end
