-- Takes a place in the index of a subject, before the record is written elsewhere.
-- KEYS: the index. ARGV: the id, now, the absolute deadline, the most sessions or ''; then what was
-- found out about others: '-' and an id that has ended, '?' and an id that is not there, which stays
-- while it is young, '=' and an id that has expired, which stays and takes no place.
-- Answers whether there was no such entry before; or with everybody's id, and whether it is young, when there is no place.
local index, sid, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local expired = {}
for at = 5, #ARGV do
  local what, other = ARGV[at]:sub(1, 1), ARGV[at]:sub(2)
  if what == '=' then
    expired[other] = true
  elseif what == '-' or not is_young(index, other, now) then
    delist(index, other)
  end
end
if ARGV[4] ~= '' then
  local full = { 'F' }
  for _, other in ipairs(listed(index, now)) do
    if other ~= sid and not expired[other] then
      full[#full + 1] = other
      full[#full + 1] = is_young(index, other, now) and '1' or '0'
    end
  end
  if (#full - 1) / 2 >= tonumber(ARGV[4]) then return full end
end
local is_new = not redis.call('ZSCORE', index, sid)
enlist(index, sid, tonumber(ARGV[3]), now)
return { 'O', is_new and '1' or '0' }
