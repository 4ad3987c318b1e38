-- Takes entries out of an index. KEYS: the index. ARGV: now; then '-' and an id that has ended, '?' and
-- an id that is not there, which stays while it is young.
local index, now = KEYS[1], tonumber(ARGV[1])
for at = 2, #ARGV do
  local sid = ARGV[at]:sub(2)
  if ARGV[at]:sub(1, 1) == '-' or not is_young(index, sid, now) then delist(index, sid) end
end
return { 'O' }
