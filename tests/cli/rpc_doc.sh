# SPDX-License-Identifier: Apache-2.0
# docs/rpc.md is what the service says of itself.

"$HAWSER_TESTS/../tools/rpc-doc" >rpc.md
diff "$HAWSER_TESTS/../docs/rpc.md" rpc.md ||
	fail "run: hawserd --run tools/rpc-doc >docs/rpc.md"
