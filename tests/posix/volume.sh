# SPDX-License-Identifier: Apache-2.0
# For the cases with volumes: one of 64 MiB, "v", of $nqn, with paths by the
# addresses $one and $two.
command -v nft >/dev/null || skip "nft is not installed"
command -v ss >/dev/null || skip "ss is not installed"

hawser volume create --name v --size 64M >/dev/null
hawser volume show v --json >volume
nqn=$(json 'j["nqn"]' <volume)
one=$(json 'j["listen_addresses"][0]["traddr"]' <volume)
two=$(json 'j["listen_addresses"][1]["traddr"]' <volume)

silence() {
	nft add table ip silence
	nft add chain ip silence out '{ type filter hook output priority 0; }'
	nft add rule ip silence out ip daddr "$1" drop
	nft add rule ip silence out ip saddr "$1" drop
}
speak() { nft delete table ip silence; }
reset() { ss -tK dst "$1" dport = 4420 >/dev/null; }

# live VOLUME N: has it that many live paths?
live() {
	[ "$(hawser paths "$1" --json | json 'sum(p["state"] == "live"
		for p in j[0]["paths"])')" = "$2" ]
}

plugin=$HAWSER_BUILD/nbdkit-hawser-plugin.so
# refuses TEXT PARAMETER…: nbdkit does not start with them, and says TEXT.
refuses() {
	text=$1
	shift
	status=0
	timeout 30 nbdkit -f -U "$PWD/no.nbd" "$plugin" "$@" 2>err || status=$?
	rm -f no.nbd
	same 1 $status
	grep -qF "$text" err || fail "'$text' is not in: $(cat err)"
}
