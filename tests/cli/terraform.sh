# SPDX-License-Identifier: Apache-2.0
# The Terraform module has the inputs and outputs of hawser apply, with the same
# defaults, rules and costs.  The AWS provider is not needed, so what the module
# makes of a service is not tested here.
module=$HAWSER_TESTS/../deploy/terraform

names() { # KIND: of the module
	sed -n "s/^$1 \"\(.*\)\" {\$/\1/p" "$module"/*.tf | sort
}
listed() { # VERB HEADING: in the help
	hawser "$1" --help | sed "1,/^$2/d" |
		sed -n 's/^  \([a-z_][a-z_]*\) .*/\1/p' | sort
}
{ listed apply 'Keys of FILE:' | grep -vx prevent_destroy; echo prices_file; } |
	sort >keys
names variable | diff keys - || fail 'variables.tf has other inputs'
listed outputs Outputs: >outputs
names output | diff outputs - || fail 'outputs.tf has other outputs'
grep -q kubernetes_pv_kafka_connect outputs

# Defaults, as far as they are words.
hawser apply --help | sed -n 's/^  \([a-z_]*\) .*default: \(.*\)$/\1 \2/p' |
	while read -r key value; do
		case $key in prevent_destroy) continue ;; esac
		sed -n "/^variable \"$key\"/,/^}/s/^  default  *= \(.*\)/\1/p" \
			"$module/variables.tf" | tr -d '"' | grep -qx "$value" ||
			fail "$key: the default is not $value"
	done

command -v terraform >/dev/null || {
	echo 'no terraform: names and defaults were compared only'
	exit 0
}
export TF_CLI_CONFIG_FILE=/dev/null CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
terraform fmt -check -recursive "$module" || fail 'run: terraform fmt'

# The variables and the costs, without what needs the provider.
cp "$module/variables.tf" "$module/cost.tf" "$module/prices.yaml" .
cat >metered.tf <<'END'
locals {
  metered_gb = { standard_gb = 100, ia_gb = 0 }
}
END
cat >terraform.tfvars <<'END'
project_name               = "confluent-kafka"
environment                = "prod"
vpc_id                     = "vpc-0a9bd8f7e6c5a4b32"
private_subnet_ids         = ["subnet-00000001", "subnet-00000002"]
eks_node_security_group_id = "sg-0a9bd8f7e6c5a4b32"
END
terraform init -no-color >init || fail "$(cat init)"

costs() { # EXPECTED VARIABLE…
	want=$1
	shift
	terraform apply -no-color -auto-approve "$@" >out 2>&1 ||
		fail "$(cat out)"
	terraform output -json estimated_monthly_cost >cost
	same "$want" "$(json '" ".join("%.2f" % l["cost"] for l in
		j["stack"]["lines"]) + " = %.2f" % j["stack"]["total"]' <cost)"
}
costs '9.00 0.50 5.00 = 14.50' \
	-var 'estimated_usage={standard_gb=30,ia_gb=20,requests=500000}'
costs '600.00 200.00 1200.00 = 2000.00' \
	-var 'estimated_usage={standard_gb=2000,requests=20000000}' \
	-var throughput_mode=provisioned \
	-var provisioned_throughput_in_mibps=200
costs '30.00 = 30.00'
# All of it is what hawser tells.
cat >stack.yaml <<'END'
project_name: confluent-kafka
environment: prod
vpc_id: vpc-0a9bd8f7e6c5a4b32
private_subnet_ids: [ subnet-00000001, subnet-00000002 ]
eks_node_security_group_id: sg-0a9bd8f7e6c5a4b32
estimated_usage: { standard_gb: 100 }
END
hawser outputs --json stack.yaml estimated_monthly_cost >ours
same "$(json 'j' <ours | tr -d ' ')" \
	"$(json '{k: j[k] for k in ("currency", "stack", "scenarios")}' <cost |
		python3 -c '
import ast, sys
def ordered(v):
    if isinstance(v, dict):
        names = ["item", "amount", "unit", "price", "per", "cost"]
        keys = names if "item" in v else v
        return {k: ordered(v[k]) for k in keys}
    if isinstance(v, list):
        return [ordered(i) for i in v]
    return float(v) if isinstance(v, int) else v
print(ordered(ast.literal_eval(sys.stdin.read())))' | tr -d ' ')"

# wrong TEXT… -- OPTION…: a plan is refused, and all of that said.
wrong() {
	: >texts
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>texts
		shift
	done
	shift
	terraform plan -no-color "$@" >out 2>&1 && fail "taken: $*"
	tr -s '\n ' ' ' <out >errors
	while read -r text; do
		grep -qF "$text" errors || fail "no '$text' in: $(cat out)"
	done <texts
}
wrong 'project_name: letters' 'performance_mode: generalPurpose or maxIO' \
	'private_subnet_ids: 2 to 32' 'transition_to_ia: AFTER_7_DAYS' \
	'class: AFTER_1_ACCESS is' 'alarm_actions: up to 5' \
	'allowed_cidr_blocks: ranges' 'vpc_id: vpc-' -- \
	-var project_name=a/b -var performance_mode=max \
	-var 'private_subnet_ids=["subnet-00000001"]' \
	-var transition_to_ia=AFTER_45_DAYS -var vpc_id=default \
	-var transition_to_primary_storage_class=AFTER_2_ACCESS \
	-var 'alarm_actions=["me"]' -var 'allowed_cidr_blocks=["10.0.0.0"]'
wrong "'maxIO' does not go with throughput_mode elastic" \
	'kms_key_id: it needs enable_encryption' -- \
	-var performance_mode=maxIO -var kms_key_id=k \
	-var enable_encryption=false
wrong "'provisioned' needs provisioned_throughput_in_mibps" -- \
	-var throughput_mode=provisioned
wrong 'mibps: a number from 1 to 1024' -- \
	-var provisioned_throughput_in_mibps=1025
