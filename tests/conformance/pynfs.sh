# SPDX-License-Identifier: Apache-2.0
# The NFSv4.1 suite of pynfs (git.linux-nfs.org/projects/cdmackay/pynfs.git), of
# which PYNFS names a checkout: every test passes, but those that want to get a
# delegation.  The tests of courtesy wait for leases: five minutes in all.

[ -n "${PYNFS:-}" ] || skip 'PYNFS does not name a checkout of pynfs'
python3=/usr/bin/python3
$python3 -c 'import ply' 2>/dev/null || skip 'python3-ply is not installed'
cp -r "$PYNFS" pynfs
mkdir bin
ln -s $python3 bin/python3 # for the scripts that setup.py runs
(cd pynfs && PATH="$PWD/../bin:$PATH" python3 setup.py build >../build.log 2>&1)

second_config config
echo 'lease: 10' >>config
start_hawserd one --state state --config config
export HAWSER_STATE="$PWD/state"
unset HAWSER_RPC
fs=$(hawser fs create)
target=$(hawser mount-target create "$fs" --json |
	json '"%s:%d" % (j["address"], j["port"])')

# judge FILE: says what failed; the exit status tells whether it may.
judge() {
	$python3 - "$1" <<'END'
import json, sys

tests = json.load(open(sys.argv[1]))["testcase"]
failed = sorted(t["code"] for t in tests if "failure" in t or "error" in t)
ran = [t for t in tests if "skipped" not in t]
print(f"{len(ran) - len(failed)} of {len(ran)} passed; not:", *failed)
# OPEN gives no delegations: OPEN_DELEGATE_NONE_EXT.
sys.exit(len(ran) < 150 or any(not c.startswith("DELEG") for c in failed))
END
}

for minor in 1 2; do
	(cd pynfs/nfs4.1 && $python3 ./testserver.py "$target/" all \
		--minorversion=$minor --maketree --json="../../result.$minor" \
		>"../../log.$minor" 2>&1) || :
	echo "minor version $minor:"
	judge result.$minor || fail "$(grep -A 3 FAILURE log.$minor)"
done
stop_hawserd one
