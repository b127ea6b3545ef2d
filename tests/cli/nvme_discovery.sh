# SPDX-License-Identifier: Apache-2.0
# A host that was told of one discovery service learns what there is from those
# that it refers to, and follows that: two services that refer to each other.
nqn=nqn.2026-01.com.example
second_config config
start_hawserd second --state state --config config
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
one=127.$octet.1.17 two=127.$octet.11.17 more=127.$octet.12.17
first() { hawser rpc "$@" >/dev/null; }
second() { hawser rpc -s state/rpc.sock "$@" >/dev/null; }

# serves WHO NUMBER ADDRESS…: a subsystem with a namespace.
serves() {
	who=$1 number=$2
	shift 2
	$who bdev_malloc_create 1 512 -b "m$number"
	$who nvmf_create_subsystem "$nqn:$number" -a
	$who nvmf_subsystem_add_ns "$nqn:$number" "m$number"
	for address; do
		$who nvmf_subsystem_add_listener -t tcp -a "$address" -s 4420 \
			"$nqn:$number"
	done
}
first nvmf_create_transport -t tcp
second nvmf_create_transport -t tcp
serves first 1 $one
serves second 2 $two $more
first nvmf_discovery_add_referral -t tcp -a $two -s 4420
second nvmf_discovery_add_referral -t tcp -a $one -s 4420

hawser perf nvme -z -r "$PWD/perf.sock" -q 1 -o 4096 -w read -t 1 >perf.log 2>&1 &
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$PWD/perf.sock" "$@"; }
rpc bdev_nvme_start_discovery -b N -t tcp -a $one -s 4420 -f ipv4
info() { rpc bdev_nvme_get_discovery_info | json "$1"; }
same "[True, 3, ['$two']]" "$(info '[j[0]["connected"], j[0]["attached"],
	[r["traddr"] for r in j[0]["referrals"]]]')"
same "['N0n1', 'N1n1']" "$(rpc bdev_get_bdevs |
	json 'sorted(b["name"] for b in j)')"

# What comes and goes at the other service is followed; so is the referral.
attached() { [ "$(info 'j[0]["attached"]')" = "$1" ]; }
serves second 3 $two
eventually attached 4
second nvmf_delete_subsystem $nqn:3
eventually attached 3
first nvmf_discovery_remove_referral -t tcp -a $two -s 4420
eventually attached 1
same '[]' "$(info 'j[0]["referrals"]')"
first nvmf_discovery_add_referral -t tcp -a $two -s 4420
eventually attached 3

# One that can't be reached is tried again, and keeps nobody else waiting.
stop_hawserd second
first nvmf_discovery_add_referral -t tcp -a $two -s 4421
serves first 4 $one
found() { rpc bdev_get_bdevs | json '[b["name"] for b in j]' | grep -q "$1"; }
eventually found N3n1
rpc bdev_nvme_stop_discovery -b N
same '[]' "$(rpc bdev_nvme_get_controllers)"
