# SPDX-License-Identifier: Apache-2.0
# Runs the Python program $HAWSER_PYTHON on the service of this test.
for module in boto3 grpc google.protobuf kubernetes; do
	python3 -c "import $module" 2>/dev/null ||
		skip "the Python module $module is not there"
done
command -v protoc >/dev/null || skip "protoc is not there"
export AWS_SHARED_CREDENTIALS_FILE="$HAWSER_AWS_CREDENTIALS"
export AWS_CONFIG_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export PYTHONDONTWRITEBYTECODE=1
export PYTHONWARNINGS=ignore::ResourceWarning
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
exec python3 "$HAWSER_PYTHON"
