#!/bin/sh
# announce.command for BIRD 2: keeps one file of static routes per VIP and reloads them.
# bird.conf: protocol static vips4 { ipv4; include "/etc/bird/vips/*.v4"; }
#            protocol static vips6 { ipv6; include "/etc/bird/vips/*.v6"; }
# Input: one line of JSON, {"action":"announce"|"withdraw","address":"192.0.2.1","prefixLength":32,…}.
# Two frontends may share an address: each has its own file, and the route stays as long as one is left.
set -eu
dir=${BIRD_VIPS:-/etc/bird/vips}
read -r call
field() { printf '%s' "$call" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
action=$(field action)
address=$(field address)
length=$(field prefixLength)
name=$(field frontend | tr '/' '.')
case $address in *:*) family=v6 ;; *) family=v4 ;; esac
mkdir -p "$dir"
file="$dir/$name.$family"
case $action in
  announce)
    echo "route $address/$length blackhole;" > "$file.new"
    mv "$file.new" "$file"
    ;;
  withdraw) rm -f "$file" ;;
esac
birdc configure soft > /dev/null
