# SPDX-License-Identifier: Apache-2.0
# CloudWatch, with a metering period of a second: what boto3 reads, alarms and
# what they do, and the command lines that people copy.
command -v aws >/dev/null || skip "aws is not there"
python3 -c 'import boto3' 2>/dev/null || skip "python3-boto3 is not there"
second_config config
api=127.$octet.11.250:8077
cat >>config <<END
api: { http: "$api" }
metrics: { period: 1 }
throughput: { operations: 1000 }
alarm_actions:
  - arn: arn:aws:sns:us-east-1:123456789012:EFSAlerts
    command: cat >>$PWD/told; echo >>$PWD/told
  - arn: arn:aws:sns:us-east-1:123456789012:fails
    command: exit 3
  - arn: arn:aws:sns:us-east-1:123456789012:hook
    webhook: http://127.$octet.11.251:9000/alarm
END
start_hawserd first --state state --config config
export HAWSER_API_URL="http://$api" HAWSER_RPC="$PWD/state/rpc.sock"
export AWS_SHARED_CREDENTIALS_FILE="$PWD/state/credentials"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore::ResourceWarning
export AWS_DEFAULT_REGION=us-east-1
# Older clients speak Query, newer ones JSON: one of each, if there are two.
for python in $(realpath "$(command -v python3)" /usr/bin/python3 | sort -u); do
	"$python" -c 'import boto3' 2>/dev/null || continue
	HOOK="127.$octet.11.251" TOLD="$PWD/told" \
		"$python" "$(dirname "$HAWSER_CASE")/cloudwatch.py"
done

# Metrics and alarms are there after kill -9.
cw() { aws --endpoint-url "http://$api" cloudwatch "$@"; }
fs=$(aws --endpoint-url "http://$api" efs describe-file-systems \
	--query 'FileSystems[0].FileSystemId' --output text)
cw put-metric-alarm \
    --alarm-name EFS-BurstCreditsLow \
    --alarm-description "Alarm when EFS burst credits are low" \
    --metric-name BurstCreditBalance \
    --namespace AWS/EFS \
    --statistic Average \
    --period 300 \
    --threshold 5000000000 \
    --comparison-operator LessThanThreshold \
    --dimensions Name=FileSystemId,Value="$fs" \
    --evaluation-periods 3 \
    --alarm-actions arn:aws:sns:us-east-1:123456789012:EFSAlerts
kill -9 "$(cat first.pid)"
wait "$(cat first.pid)" || :
start_hawserd second --state state --config config
same LessThanThreshold "$(cw describe-alarms --alarm-names EFS-BurstCreditsLow \
	--query 'MetricAlarms[0].ComparisonOperator' --output text)"
cw get-metric-statistics \
  --namespace AWS/EFS \
  --metric-name BurstCreditBalance \
  --dimensions Name=FileSystemId,Value="$fs" \
  --start-time $(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%S) \
  --end-time $(date -u -d '10 minutes' +%Y-%m-%dT%H:%M:%S) \
  --period 300 \
  --statistics Average >points
test "$(json 'len(j["Datapoints"])' <points)" -ge 1 || fail "$(cat points)"
same BurstCreditBalance "$(json 'j["Label"]' <points)"
cw get-metric-statistics \
  --namespace AWS/EFS \
  --metric-name PercentIOLimit \
  --dimensions Name=FileSystemId,Value="$fs" \
  --start-time 2024-01-01T00:00:00Z \
  --end-time 2024-01-02T00:00:00Z \
  --period 3600 \
  --statistics Average >points
same 0 "$(json 'len(j["Datapoints"])' <points)"
stop_hawserd second
