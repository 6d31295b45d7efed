#!/bin/sh
# announce.command for ExaBGP: writes its text API to the pipe of a running ExaBGP.
# exabgp.env: [exabgp.api] pipename = exabgp (the pipe is /run/exabgp/exabgp.in).
# Input: one line of JSON, {"action":"announce"|"withdraw","address":"192.0.2.1","prefixLength":32,…}.
set -eu
pipe=${EXABGP_PIPE:-/run/exabgp/exabgp.in}
read -r call
field() { printf '%s' "$call" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
action=$(field action)
route="$(field address)/$(field prefixLength)"
[ -p "$pipe" ] || { echo "$pipe is not there: is ExaBGP running?" >&2; exit 1; }
echo "$action route $route next-hop self" > "$pipe"
