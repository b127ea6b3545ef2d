# SPDX-License-Identifier: Apache-2.0
# The NFSv4.1 suite of pynfs (git.linux-nfs.org/projects/cdmackay/pynfs.git), of
# which PYNFS names a checkout, built as its README says: every test passes, but
# those that judge() names.  Then its reboot tests, for which the
# server is killed and started again.  The tests wait for leases: half an hour
# in all.

[ -n "${PYNFS:-}" ] || skip 'PYNFS does not name a checkout of pynfs'
[ -e "$PYNFS/nfs4.1/xdrdef/nfs4_const.py" ] ||
	skip "$PYNFS has not been built: see its README"
python3=/usr/bin/python3

second_config subnets
# lease SECONDS: from the next start on.
lease() {
	cp subnets config
	echo "lease: $1" >>config
}
lease 10
start_hawserd one --state state --config config
export HAWSER_STATE="$PWD/state"
unset HAWSER_RPC
fs=$(hawser fs create)
target=$(hawser mount-target create "$fs" --json |
	json '"%s:%d" % (j["address"], j["port"])')

# judge NAME LEAST: says what failed; the exit status tells whether it may, and
# whether at least that many ran.
judge() {
	$python3 - "result.$1" "$2" <<'END'
import json, sys

tests = json.load(open(sys.argv[1]))["testcase"]
failed = sorted(t["code"] for t in tests if "failure" in t or "error" in t)
ran = [t for t in tests if "skipped" not in t]
print(f"{len(ran) - len(failed)} of {len(ran)} passed; not:", *failed)
# OPEN gives no delegations: OPEN_DELEGATE_NONE_EXT.  EID4 takes 0x4 for an
# undefined flag, which it is in 4.1; in 4.2 it is EXCHGID4_FLAG_SUPP_FENCE_OPS.
may = ("DELEG", "EID4") if sys.argv[1] == "result.minor.2" else "DELEG"
sys.exit(len(ran) < int(sys.argv[2]) or
	 any(not c.startswith(may) for c in failed))
END
}

# run NAME LEAST ARGUMENTS…
run() {
	name=$1 least=$2 here=$PWD
	shift 2
	(cd "$PYNFS/nfs4.1" && $python3 ./testserver.py "$target/" --maketree \
		--json="$here/result.$name" \
		--serverhelper="$HAWSER_TESTS/conformance/restart.sh" \
		--serverhelperarg="$here" "$@" >"$here/log.$name" 2>&1) || :
	echo "$name:"
	judge "$name" "$least" || fail "$(grep -A 3 FAILURE "log.$name")"
}

# restart SECONDS: with another lease.  Those who had state don't come back for
# it, and pynfs makes its files before it begins: not in the grace period.
restart() {
	lease "$1"
	"$HAWSER_TESTS/conformance/restart.sh" "$PWD" reboot
	until [ "$(hawser rpc fs_get_stats id="$fs" |
		json 'j["in_grace"]')" = False ]; do
		sleep 1
	done
}

run minor.1 150 --minorversion=1 all
run minor.2 150 --minorversion=2 all
# A client without state is forgotten after its lease, so that the more clients
# there are the longer it has to be.
restart 20
run reboot 8 --minorversion=1 REBT1 REBT2a REBT2b REBT3a REBT3b REBT4a \
	REBT4b REBT5
restart 120
run reboot.1000 3 --minorversion=1 REBT2c REBT3c REBT4c
kill -TERM "$(cat one.pid)"
eventually gone "$(cat one.pid)"
