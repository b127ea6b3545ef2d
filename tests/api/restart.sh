# SPDX-License-Identifier: Apache-2.0
# What the API has answered is there after kill -9, and looks the same; the keys
# are, too; and the command lines that people copy work as they are.
command -v aws >/dev/null || skip "aws is not there"
second_config config
api=127.$octet.11.250:8077
printf 'api: { http: "%s", https: "127.%s.11.251:8443" }\n' "$api" "$octet" \
	>>config
start_hawserd first --state state --config config
export AWS_SHARED_CREDENTIALS_FILE="$PWD/state/credentials"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
efs() { aws --endpoint-url "http://$api" efs "$@"; }
# Without the time at which a size was looked at.
file_systems() { aws efs describe-file-systems "$@" | grep -v '"Timestamp"'; }

fs=$(efs create-file-system --encrypted --performance-mode generalPurpose \
	--throughput-mode bursting --region us-east-1 \
	--query FileSystemId --output text)
efs put-lifecycle-configuration \
    --file-system-id $fs \
    --lifecycle-policies '[{"TransitionToIA":"AFTER_30_DAYS"},{"TransitionToPrimaryStorageClass":"AFTER_1_ACCESS"}]'
efs create-access-point \
    --file-system-id $fs \
    --posix-user '{"Uid": 1000, "Gid": 1000}' \
    --root-directory '{"Path": "/app1", "CreationInfo": {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "755"}}'
# With a quota: a directory of its own, which is there.
all=$(efs create-access-point --file-system-id $fs \
	--tags Key=hawser:quota-files,Value=100 \
	--query AccessPointId --output text)
efs update-file-system \
    --file-system-id $fs \
    --throughput-mode elastic
subnet=$(hawser subnet list --socket state/rpc.sock --json | json 'j[0]["id"]')
efs create-mount-target --file-system-id $fs --subnet-id $subnet
efs tag-resource --resource-id $fs --tags Key=Name,Value=music

look() {
	hawser access-point show $all --socket state/rpc.sock
	file_systems --endpoint-url "http://$api"
	efs describe-mount-targets --file-system-id $fs
	efs describe-access-points --file-system-id $fs
	efs describe-lifecycle-configuration --file-system-id $fs
}
look >before
kill -9 "$(cat first.pid)"
wait "$(cat first.pid)" || :
start_hawserd second --state state --config config
look >after
diff before after || fail "not the same"
grep -q '"Name": "music"' after
grep -q 'used_files *1$' after

# HTTPS has a certificate of its own, kept as well.
file_systems --endpoint-url "https://127.$octet.11.251:8443" --no-verify-ssl \
	2>err >secure
grep -q music secure
file_systems --endpoint-url "http://$api" | diff - secure

# Burst credits that were spent stay spent.
burst=$(efs create-file-system --creation-token burst --query FileSystemId \
	--output text)
address=$(hawser mount-target create "$burst" --socket state/rpc.sock --json |
	json 'j["address"]')
credits() {
	hawser rpc --socket state/rpc.sock fs_get_stats id="$burst" |
		json 'int(j["burst_credits"])'
}
hawser perf nfs "$address:/" -w write -s 4m -n 64
spent=$(credits)
test "$spent" -lt 2308970000000 || fail "nothing was spent: $spent"
stop_hawserd second
start_hawserd third --state state --config config
test "$(credits)" -ge "$spent" -a "$(credits)" -lt 2308970000000 ||
	fail "$spent, then $(credits)"
stop_hawserd third
test "$(stat -c %a state/credentials state/api-key.pem)" = "600
600" || fail "modes"
