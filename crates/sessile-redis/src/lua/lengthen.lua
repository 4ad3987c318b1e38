-- Keeps an entry of an index until a later deadline. KEYS: the index. ARGV: the id, now, the deadline.
lengthen(KEYS[1], ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[2]))
return { 'O' }
