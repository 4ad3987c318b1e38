-- What every script knows of a record. The fields of its hash:
--   f format, h hash of the verifier, p previous verifier (48 or 56 bytes, or absent),
--   v version, c created, l last seen, i idle deadline, a absolute deadline,
--   s subject (or absent), d:<key> a value's encoded text.
-- A tombstone has f, and t: until when it stands. Numbers are below 2^53, so that a double is exact.
local FORMAT = '1'
local RECORD_LIMIT = 65536
local LARGEST = 9007199254740991
local MARGIN = 3600000 -- what the clocks of this server and of its clients may differ by, and more
local YOUNG = 60000    -- for so long a session that is not there may still come

local function number(text)
  if not text or text == '' or #text > 16 or text:find('%D') then return nil end
  local value = tonumber(text)
  return value <= LARGEST and value or nil
end

local function digits(value) return string.format('%.0f', value) end

local function after(time, by) return math.min(time + by, LARGEST) end

-- Whether it is UTF-8: nothing but ASCII is left when whole characters are taken out.
local function is_text(text)
  if not text:find('[\128-\255]') then return true end
  text = text:gsub('[\194-\223][\128-\191]', ' ')
    :gsub('\224[\160-\191][\128-\191]', ' ')
    :gsub('[\225-\236\238\239][\128-\191][\128-\191]', ' ')
    :gsub('\237[\128-\159][\128-\191]', ' ')
    :gsub('\240[\144-\191][\128-\191][\128-\191]', ' ')
    :gsub('[\241-\243][\128-\191][\128-\191][\128-\191]', ' ')
    :gsub('\244[\128-\143][\128-\191][\128-\191]', ' ')
  return not text:find('[\128-\255]')
end

-- The name of a key of the session: 1 to 128 bytes without control characters (C0, DEL, C1).
local function is_name(name)
  if #name < 1 or #name > 128 then return false end
  if not name:find('[%z\1-\31\127-\255]') then return true end
  return is_text(name) and not name:find('[%z\1-\31\127]') and not name:find('\194[\128-\159]')
end

-- What stands under a key: 'none', 'ended' (until), 'record' (its parts), or 'unreadable', which is
-- whatever this release could not have written.
local function read(key)
  local flat = redis.pcall('HGETALL', key)
  if flat.err then return 'unreadable' end
  if #flat == 0 then return 'none' end
  local part, parts, data, bytes = {}, 0, {}, 0
  local readable = true
  for at = 1, #flat, 2 do
    local name, text = flat[at], flat[at + 1]
    if name:sub(1, 2) == 'd:' then
      name = name:sub(3)
      readable = readable and is_name(name) and is_text(text)
      data[name] = text
      bytes = bytes + #name + #text
    else
      part[name] = text
      parts = parts + 1
    end
  end
  if part.f ~= FORMAT then return 'unreadable' end
  if part.t then
    local till = number(part.t)
    if not till or #flat ~= 4 then return 'unreadable' end
    return 'ended', till
  end
  local record = {
    version = number(part.v), created = number(part.c), seen = number(part.l),
    idle = number(part.i), absolute = number(part.a),
    hash = part.h, previous = part.p, subject = part.s,
    data = data, bytes = bytes, flat = flat,
  }
  local previous, subject = part.p, part.s
  if not readable or bytes > RECORD_LIMIT
    or not (record.version and record.created and record.seen and record.idle and record.absolute)
    or record.version == 0 or record.idle < record.seen
    or not record.hash or #record.hash ~= 32
    or previous and #previous ~= 48 and #previous ~= 56
    or subject and not is_text(subject)
    or parts ~= 7 + (previous and 1 or 0) + (subject and 1 or 0)
  then
    return 'unreadable'
  end
  return 'record', record
end

-- Only frees space: whether a record is live is judged by the caller's clock.
local function expire(key, deadline, now)
  redis.call('PEXPIRE', key, digits(math.max(0, deadline - now) + MARGIN))
end

local function bury(key, till, now)
  redis.call('DEL', key)
  redis.call('HSET', key, 'f', FORMAT, 't', digits(till))
  expire(key, till, now)
end
