# SPDX-License-Identifier: Apache-2.0
# Runs the Python package hawser_brick's tests on volumes of this service.
. "$HAWSER_TESTS/posix/volume.sh"
export PYTHONPATH="$HAWSER_TESTS/../python" PYTHONDONTWRITEBYTECODE=1
python3 "$HAWSER_TESTS/posix/brick_cases.py"
