# SPDX-License-Identifier: Apache-2.0
# hawser perf nfs: each workload runs against our own server and says how much it
# did; mistakes on the command line, and a server that is not there, are told.

fs=$(hawser fs create --name perf)
address=$(hawser mount-target create "$fs" --json | json 'j["address"]')

# load OPTION…: a run that succeeds; its numbers are in `out`
load() {
	hawser perf nfs "$address:/" --json "$@" >out 2>err ||
		fail "$*: $(cat err)"
	same 0 "$(json 'j["failed"]' <out)"
}

load -w write -s 8m -n 16 --verify
same 16 "$(json 'j["ops"]' <out)"
same 16777216 "$(json 'j["bytes"]' <out)"
load -w read -s 8m -n 20 --verify
same 20971520 "$(json 'j["bytes"]' <out)"
load -w randread -s 8m -n 500 -c 2 -q 8 --verify
same 500 "$(json 'j["ops"]' <out)"
load -w randwrite -s 8m -n 200 -b 512 --verify --stable
same 102400 "$(json 'j["bytes"]' <out)"
load -w create -n 50 -q 4
same 50 "$(json 'j["ops"]' <out)"
load -w stat --files 20 -n 100
load -w readdir --files 300 -n 3
same 900 "$(json 'j["items"]' <out)"
load -w unlink --files 30
same 30 "$(json 'j["ops"]' <out)"
same True "$(json '0 < j["latency_ms"]["p50"] <= j["latency_ms"]["max"]' <out)"

# Nothing is left behind, unless asked for.
load -w stat --files 5 -n 5 --keep
hawser fs delete "$fs" 2>/dev/null && fail 'it has mount targets'
hawser perf nfs "$address:/hawser-perf-0" -w create -n 1 >out 2>err ||
	fail "$(cat err)"
grep -q '^create: ' out

refused 2 'say which workload' hawser perf nfs "$address:/"
refused 2 'no such workload: sing' hawser perf nfs "$address:/" -w sing
refused 2 'not ADDRESS:/PATH: here' hawser perf nfs -w read here
refused 2 'not a sensible value: 0' hawser perf nfs "$address:/" -w read -q 0
refused 2 'rsize' hawser perf nfs "$address:/" -w read -o rsize=1
refused 2 'larger than the file' hawser perf nfs "$address:/" -w read -s 64k
refused 1 'No such file' hawser perf nfs "$address:/nowhere" -w read
