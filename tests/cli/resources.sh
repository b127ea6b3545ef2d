# SPDX-License-Identifier: Apache-2.0
# File systems and mount targets by the command line, from creation to deletion.

fs=$(hawser fs create --name music)
expr "$fs" : 'fs-[0-9a-f]\{17\}$' >/dev/null || fail "id $fs"
same music "$(hawser fs list --json | json 'j[0]["name"]')"
same "$fs" "$(hawser fs show "$fs" --json | json 'j["id"]')"
hawser fs show "$fs" | grep -q '^state *available$'

same 0 "$(hawser fs stats "$fs" --json | json 'j["connections"]')"
refused 1 'does not exist' hawser fs stats fs-no

# Three in three zones, then one more, with an address and a port.
for i in 1 2 3; do
	hawser mount-target create "$fs" >"target$i"
	grep -qE '^fsmt-[0-9a-f]{17}  127\.[0-9]+\.[0-9]+\.[0-9]+$' "target$i"
done
same 'a b c' "$(hawser mount-target list --json |
	json '*sorted(t["zone"] for t in j)')"
target=$(cut -d ' ' -f 1 target1)
address=$(hawser mount-target list --json | json 'j[0]["address"]')
hawser mount-target create "$fs" --address "${address%.*}.200" --port 3049 \
	>target4
grep -q "  ${address%.*}.200:3049\$" target4
same 4 "$(hawser mount-target list "$fs" --json | json 'len(j)')"
refused 1 'is that of mount target' hawser mount-target create "$fs" \
	--address "$address"
refused 1 'not in any subnet' hawser mount-target create "$fs" \
	--address 192.0.2.1
subnet=$(hawser subnet list --json | json 'j[2]["id"]')
hawser mount-target create "$fs" --subnet="$subnet" >target5
same 5 "$(hawser fs show "$fs" --json | json 'j["mount_targets"]')"

# Down and up.
hawser mount-target down "$target"
hawser mount-target list | grep "$target" | grep -q ' down '
hawser mount-target up "$target"
hawser mount-target list | grep "$target" | grep -q ' available '

# Deletion, in the right order only.
refused 1 'delete them first' hawser fs delete "$fs"
for i in 1 2 3 4 5; do
	hawser mount-target delete "$(cut -d ' ' -f 1 target$i)"
done
refused 1 'does not exist' hawser mount-target delete "$target"
test -d "$HAWSER_STATE/fs/$fs"
hawser fs delete "$fs"
eventually test ! -e "$HAWSER_STATE/fs/$fs"
same 0 "$(hawser fs list --json | json 'len(j)')"
refused 1 "File system '$fs' does not exist" hawser fs show "$fs"

# Tables fit a terminal.
hawser fs create --name "a name of many words that a table can not hold all of"
hawser fs list | awk 'length > 80 { exit 1 }' || fail "$(hawser fs list)"
