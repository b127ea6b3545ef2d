# SPDX-License-Identifier: Apache-2.0
# Node cases mount: they run in namespaces of their own (tests/posix/run).
HAWSER_PYTHON=$HAWSER_TESTS/csi/${HAWSER_CASE##*/}
HAWSER_PYTHON=${HAWSER_PYTHON%.sh}.py
. "$HAWSER_TESTS/csi/python.sh"
