# SPDX-License-Identifier: Apache-2.0
# hawser perf nvme with keys: host and controller prove to each other who they
# are, and the connection is secure; with wrong keys, or none, it is refused.

nqn=nqn.2026-11.org.example:secret host=nqn.2026-11.org.example:host
octet=$(hawser subnet list --json | json 'j[0]["cidr"].split(".")[1]')
one=127.$octet.1.9
sock=$PWD/perf.sock

umask 077
echo DHHC-1:00:ia6zGodOr4SEG0Zzaw398rpY0wqipUWj4jWjUh4HWUz6aQ2n: >host-key
echo DHHC-1:00:ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8qDMNU: >ctrl-key
python3 - >psk <<'END'
import base64, zlib
key = bytes(range(32))
crc = zlib.crc32(key).to_bytes(4, 'little')
print('NVMeTLSkey-1:01:' + base64.b64encode(key + crc).decode() + ':')
END
for name in host-key ctrl-key psk; do
	hawser rpc keyring_file_add_key $name "$PWD/$name"
done
hawser rpc nvmf_create_transport -t tcp
hawser rpc nvmf_create_subsystem $nqn
hawser rpc bdev_malloc_create 8 512 -b disk
hawser rpc nvmf_subsystem_add_ns $nqn disk
hawser rpc nvmf_subsystem_add_listener -t tcp -a $one -s 4420 $nqn
hawser rpc nvmf_subsystem_add_host $nqn $host --dhchap-key host-key \
	--dhchap-ctrlr-key ctrl-key --psk psk

hawser perf nvme -z -r "$sock" -q 4 -o 4096 -w verify -t 1 >perf.log 2>&1 &
perf=$!
trap 'kill $perf 2>/dev/null || :' EXIT
eventually grep -q ready perf.log
rpc() { hawser rpc -s "$sock" "$@"; }
attach() {
	rpc bdev_nvme_attach_controller -b Nvme0 -t tcp -a $one -s 4420 \
		-n $nqn -q $host "$@"
}
refused 1 'no key' attach --dhchap-key host-key
chmod 644 host-key
refused 1 '0600 is needed' rpc keyring_file_add_key host-key "$PWD/host-key"
chmod 600 host-key
for name in host-key ctrl-key psk; do
	rpc keyring_file_add_key $name "$PWD/$name"
done
same 3 "$(rpc keyring_get_keys | json 'len(j)')"

refused 1 'there is no key' attach
refused 1 'no connection' attach --dhchap-key ctrl-key
refused 1 'no connection' attach --dhchap-key host-key \
	--dhchap-ctrlr-key host-key
refused 1 'a key that is none' attach --psk host-key
attach --dhchap-key host-key --dhchap-ctrlr-key ctrl-key >/dev/null
rpc perform_tests | json 'j["results"][0]["io_failed"]' >failed
same 0 "$(cat failed)"
rpc bdev_nvme_detach_controller Nvme0
attach --dhchap-key host-key --dhchap-ctrlr-key ctrl-key --psk psk >/dev/null
rpc perform_tests | json 'j["results"][0]["io_failed"]' >failed
same 0 "$(cat failed)"
kill $perf
wait $perf
