# SPDX-License-Identifier: Apache-2.0
# hawser plan, apply, outputs and destroy at the command line: what is wrong with
# a file is told by its line, the key, the value and what is accepted; and what a
# file system would cost.  What they do is in tests/api/stack.py.

cat >good <<'END'
project_name: confluent-kafka
environment: prod
vpc_id: vpc-0a9bd8f7e6c5a4b32
private_subnet_ids: [ subnet-00000001, subnet-00000002 ]
eks_node_security_group_id: sg-0a9bd8f7e6c5a4b32
END

# wrong TEXT LINE…: the good file with these lines more, or in place of those
# with the same key, is refused so.
wrong() {
	text=$1
	shift
	printf '%s\n' "$@" >stack.yaml
	keys=$(printf '%s\n' "$@" | sed -n 's/^\([a-z_]*\):.*/\1/p' |
		tr '\n' '|')
	grep -vE "^(${keys}NONE):" good >>stack.yaml
	refused 1 "$text" hawser plan stack.yaml
}

wrong "stack.yaml:1: throughput_mode: 'fast' is not accepted: bursting, provisioned or elastic" \
	'throughput_mode: fast'
wrong "performance_mode: 'max' is not accepted: generalPurpose or maxIO" \
	'performance_mode: max'
wrong "transition_to_ia: 'AFTER_45_DAYS' is not accepted: AFTER_7_DAYS, AFTER_14_DAYS, AFTER_30_DAYS, AFTER_60_DAYS or AFTER_90_DAYS, or null" \
	'transition_to_ia: AFTER_45_DAYS'
wrong "transition_to_primary_storage_class: 'AFTER_2_ACCESS' is not accepted: AFTER_1_ACCESS, or null" \
	'transition_to_primary_storage_class: AFTER_2_ACCESS'
for n in 0 1025 many nan 1e999 '[ 1 ]'; do
	wrong 'is not accepted: a number from 1 to 1024' \
		"provisioned_throughput_in_mibps: $n"
done
wrong "throughput_mode: 'provisioned' needs provisioned_throughput_in_mibps, from 1 to 1024" \
	'throughput_mode: provisioned'
wrong "performance_mode: 'maxIO' does not go with throughput_mode elastic: bursting or provisioned" \
	'performance_mode: maxIO'
wrong "kms_key_id: 'alias/mine' needs enable_encryption to be true" \
	'kms_key_id: alias/mine' 'enable_encryption: false'
wrong "enable_encryption: 'yes' is not accepted: true or false" \
	'enable_encryption: yes'
wrong "create_cloudwatch_logs: 'true' is not accepted" \
	'create_cloudwatch_logs: true'
wrong 'private_subnet_ids: 1 are not accepted: 2 to 32' \
	'private_subnet_ids: [ subnet-00000001 ]'
wrong "private_subnet_ids: 'subnet-00000001' is there twice" \
	'private_subnet_ids: [ subnet-00000001, subnet-00000001 ]'
wrong "private_subnet_ids: 'subnet-00000001' is not accepted: a list" \
	'private_subnet_ids: subnet-00000001'
wrong "allowed_cidr_blocks: '10.0.0.0' is not accepted: 10.0.0.0/16" \
	'allowed_cidr_blocks: [ 10.0.0.0 ]'
for block in 10.0.0.1/8 300.0.0.0/8 fe80::1/64 1:2:3:4:5:6:7:8:9/64; do
	wrong "allowed_cidr_blocks: '$block' is not accepted: 10.0.0.0/16" \
		"allowed_cidr_blocks: [ '$block' ]"
done
wrong "alarm_actions: 'me' is not accepted: arn:" 'alarm_actions: [ me ]'
wrong "vpc_id: 'default' is not accepted: vpc-" 'vpc_id: default'
wrong 'vpc_id: a text is needed, not null' 'vpc_id: null'
wrong "tags: 'aws:a' is not accepted" 'tags: { "aws:a": b }'
wrong "tags: 'hawser:stack' is not accepted" 'tags: { "hawser:stack": b }'
wrong 'tags: a: a text of up to 256 bytes is needed' 'tags: { a: [ 1 ] }'
wrong 'tags: it is there twice' 'tags: {}' 'tags: {}'
wrong 'stack.yaml:1: transition_to_iaa: unknown key; did you mean transition_to_ia' \
	'transition_to_iaa: AFTER_7_DAYS'
wrong 'stack.yaml:1: throughput: unknown key' 'throughput: elastic'
wrong "estimated_usage: unknown key 'standard_tb'; did you mean standard_gb" \
	'estimated_usage: { standard_tb: 1 }'
wrong "estimated_usage: '-1' is not accepted: a number from 0" \
	'estimated_usage: { ia_gb: -1 }'
wrong 'project_name: it and environment have up to 40 bytes together' \
	"project_name: $(printf %040d 0)"
wrong "project_name: 'a/b' is not accepted: letters, digits" 'project_name: a/b'
wrong "stack.yaml:2: did not find expected ',' or ']'" 'alarm_actions: [ a'

# All that is wrong is told at once.
printf 'environment: prod\ntags: no\nkms: 1\n' >stack.yaml
hawser apply --yes stack.yaml 2>err && fail 'it was taken'
same 6 "$(grep -c '^hawser apply: stack.yaml:[0-9]*: ' err)"
grep -q 'vpc_id: it is missing' err

# What is no file of ours; what nobody can be meant to read.
refused 1 'No such file or directory' hawser apply none.yaml
: >stack.yaml
refused 1 'KEY: VALUE lines are needed' hawser apply stack.yaml
printf -- '- a\n' >stack.yaml
refused 1 'KEY: VALUE lines are needed' hawser apply stack.yaml
{
	printf 'a: &a [ x, x, x, x, x, x, x, x, x, x ]\n'
	for c in b c d e f g; do
		p=$(echo $c | tr b-g a-f)
		printf '%s: &%s [ *%s, *%s, *%s, *%s, *%s, *%s, *%s, *%s ]\n' \
			$c $c $p $p $p $p $p $p $p $p
	done
} >stack.yaml
refused 1 'too deep, or too much' hawser plan stack.yaml
yes '#' | head -c 2000000 >stack.yaml
refused 1 'larger than 1 MiB' hawser plan stack.yaml

# The command line.
refused 2 'FILE is missing' hawser apply
refused 2 'unknown option --force' hawser apply --force good
refused 2 'unknown option --yes' hawser plan --yes good
refused 2 'too much: b' hawser destroy good b
refused 2 '--region needs a value' hawser plan good --region
hawser apply --help | grep -A1 '^  throughput_mode  *default: elastic$' |
	grep -q '^      bursting, provisioned or elastic$'
for verb in plan apply outputs destroy; do
	hawser $verb --help | LC_ALL=C.UTF-8 awk 'length > 80 { exit 1 }'
done
hawser outputs --help | grep -q '^  kubernetes_pv_kafka_connect '
refused 1 "there is no output 'mount_comand'; did you mean mount_command" \
	hawser outputs good mount_comand
refused 1 'InvalidSubnetID.NotFound' hawser plan good
refused 1 "Couldn't connect" hawser plan --endpoint-url http://127.0.0.1:1 good
refused 1 'no access key' hawser plan --profile nobody good
refused 1 'AuthFailure' env AWS_ACCESS_KEY_ID=AKIANOBODY \
	AWS_SECRET_ACCESS_KEY=secret hawser outputs \
	--endpoint-url "$HAWSER_API_URL/" good file_system_id

# The module's three worked examples, to the cent; no service is asked.
cost() { # EXPECTED USAGE LINE…
	want=$1
	printf 'estimated_usage: %s\n' "$2" >stack.yaml
	shift 2
	{ cat good; printf '%s\n' "$@"; } >>stack.yaml
	hawser outputs --json --endpoint-url http://127.0.0.1:1 stack.yaml \
		estimated_monthly_cost >cost
	same "$want" "$(json '" ".join(["%.2f" % l["cost"] for l in
		j["stack"]["lines"]] + ["%.2f" % j["stack"]["total"]])' <cost)"
}
cost '9.00 0.50 5.00 14.50' \
	'{ standard_gb: 30, ia_gb: 20, requests: 500000 }'
cost '105.00 3.75 50.00 158.75' \
	'{ standard_gb: 350, ia_gb: 150, requests: 5000000 }'
cost '600.00 200.00 1200.00 2000.00' \
	'{ standard_gb: 2000, requests: 20000000 }' \
	'throughput_mode: provisioned' 'provisioned_throughput_in_mibps: 200'
# They are the scenarios beside each estimate, too.
same "[('development', 14.5), ('production', 158.75), ('production_high_performance', 2000.0)]" \
	"$(json '[(n, s["total"]) for n, s in j["scenarios"].items()]' <cost)"
hawser outputs stack.yaml estimated_monthly_cost >text
grep -Eq '^  Provisioned throughput +200 MiB/s +x 6 += +1200.00 USD$' text

# Other prices.
cat >prices.yaml <<'END'
currency: EUR
prices: { standard_gb: 0.1, ia_gb: 0.02, provisioned_mibps: 5, thousand_requests: 0 }
END
hawser outputs --prices prices.yaml stack.yaml estimated_monthly_cost >text
grep -Eq '^  Total +1200.00 EUR$' text
sed -i 's/ia_gb: 0.02, //' prices.yaml
refused 1 'prices.yaml: prices: ia_gb: it is missing' hawser outputs \
	--prices prices.yaml stack.yaml estimated_monthly_cost
