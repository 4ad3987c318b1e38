#!/bin/sh
# Moves a client that is logged in through three strategies: from memory to SQLite to a token.
# Each start of the program is a deploy; the jar is the client. Run it anywhere in the workspace.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
swap=${SWAP:-"cargo run -q --manifest-path $here/Cargo.toml --"}
export PORT="${PORT:-3000}"
url="http://127.0.0.1:$PORT"
folder=$(mktemp -d)
cd "$folder"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT

ask() { curl -sSf -c jar -b jar "$@"; }

start() {
    [ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }
    mkfifo "$1.out"
    $swap "$1" >"$1.out" 2>errors &
    server=$!
    read -r line <"$1.out" || { cat errors >&2; exit 1; }
    echo "$1: $line"
}

# What the client holds: short, or a token.
held() { awk '$6 == "sid" { print substr($7, 1, 12) "...", length($7), "characters" }' jar; }

start sticky.toml
ask -X POST "$url/login/ada"
ask -X POST "$url/cart/tea"
ask "$url/cart"
held
for file in stored.toml token.toml; do
    start "$file"
    ask "$url/cart"
    held
    ask -X POST "$url/cart/from-${file%.toml}"
done
ask "$url/cart"
ask -X POST "$url/logout"
ask "$url/cart"
