# SPDX-License-Identifier: Apache-2.0
# Keys are files that only their owner may read, or are kept where only he may
# look; no answer and no log line has them.

second_config config
unset HAWSER_RPC
export HAWSER_STATE="$PWD/state"
nqn=nqn.2016-06.io.spdk:cnode1 host=nqn.2014-08.org.nvmexpress:h1
start_hawserd one --state state --config config

# That of a host.
secret=DHHC-1:00:ia6zGodOr4SEG0Zzaw398rpY0wqipUWj4jWjUh4HWUz6aQ2n:
echo $secret >key
chmod 644 key
refused 1 '0644; 0600 is needed' hawser rpc keyring_file_add_key k1 "$PWD/key"
chmod 600 key
refused 1 'is absolute' hawser rpc keyring_file_add_key k1 key
refused 1 'No such file' hawser rpc keyring_file_add_key k1 "$PWD/none"
hawser rpc keyring_file_add_key k1 "$PWD/key"
refused 1 "'k1' exists already" hawser rpc keyring_file_add_key k1 "$PWD/key"
hawser rpc nvmf_create_subsystem $nqn
refused 1 "no key 'k2'" hawser rpc nvmf_subsystem_add_host $nqn $host \
	--dhchap-key k2
hawser rpc nvmf_subsystem_add_host $nqn $host --dhchap-key k1
same k1 "$(hawser rpc nvmf_get_subsystems $nqn |
	json 'j[0]["hosts"][0]["dhchap_key"]')"
refused 1 "Host $host uses it" hawser rpc keyring_file_remove_key k1
keys() {
	hawser rpc nvmf_get_subsystems $nqn |
		json '[h.get("dhchap_key") for h in j[0]["hosts"]]'
}
refused 1 "no key 'k2'" hawser rpc nvmf_subsystem_set_keys $nqn $host \
	--dhchap-key k2
refused 1 'not without' hawser rpc nvmf_subsystem_set_keys $nqn $host \
	--dhchap-ctrlr-key k1
refused 1 'host of the subsystem' hawser rpc nvmf_subsystem_set_keys $nqn \
	$host.other --dhchap-key k1
hawser rpc nvmf_subsystem_set_keys $nqn $host
same '[None]' "$(keys)"
hawser rpc nvmf_subsystem_set_keys $nqn $host --dhchap-key k1
same "['k1']" "$(keys)"

# Those of a device.
one=00112233445566778899aabbccddeeff two=ffeeddccbbaa99887766554433221100
hawser rpc bdev_malloc_create 4 4096 -b base
refused 1 'are the same' hawser rpc accel_crypto_key_create -c AES_XTS \
	-k $one -e $one -n disk
refused 1 'hexadecimal' hawser rpc accel_crypto_key_create -c AES_XTS \
	-k xyz -e $two -n disk
refused 1 'cipher is one of AES_XTS' hawser rpc accel_crypto_key_create \
	-c AES_CBC -k $one -n disk
hawser rpc accel_crypto_key_create -c AES_XTS -k $one -e $two -n disk
same secret "$(hawser rpc bdev_crypto_create base secret -n disk)"
refused 1 'uses key' hawser rpc accel_crypto_key_destroy -n disk
refused 1 "base of 'secret'" hawser rpc bdev_malloc_delete base

everything() {
	hawser rpc accel_crypto_keys_get
	hawser rpc keyring_get_keys
	hawser rpc bdev_get_bdevs
	hawser rpc nvmf_get_subsystems
	hawser rpc save_config
}
everything >before
kill -KILL "$(cat one.pid)"
wait "$(cat one.pid)" || true
cp one.err first.err
start_hawserd one --state state --config config
everything | diff before -
for text in $secret $one $two; do
	! grep -qi -- "${text#DHHC-1:00:}" before one.err first.err ||
		fail "a secret was told"
done
same 700 "$(stat -c %a state state/store | sort -u)"
same 600 "$(stat -c %a state/store/* | sort -u)"

# Without its key a host may not connect, rather than without proof.
stop_hawserd one
rm key
start_hawserd one --state state --config config
same '[]' "$(hawser rpc nvmf_get_subsystems $nqn | json 'j[0]["hosts"]')"
hawser rpc nvmf_subsystem_remove_host $nqn $host
hawser rpc keyring_file_remove_key k1
hawser rpc bdev_crypto_delete secret
hawser rpc accel_crypto_key_destroy -n disk
