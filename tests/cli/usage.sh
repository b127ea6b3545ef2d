# SPDX-License-Identifier: Apache-2.0
# What is not understood gets one clear line and exit status 2; help is help.

refused 2 'no command given' hawser
refused 2 "unknown command 'bla blub'" hawser bla blub
refused 2 'what of it?' hawser fs
refused 2 'FS is missing' hawser fs show
refused 2 "unknown option '--nam'" hawser fs create --nam x
refused 2 '--name needs a value' hawser fs create --name
refused 2 '--name given twice' hawser fs create --name=a --name b
refused 2 "'x' is too much" hawser fs create x
refused 2 'must be a number' hawser mount-target create fs-x --port http
refused 2 'METHOD is missing' hawser rpc
refused 2 "'x' is too much" hawser rpc fs_create x
refused 2 'unknown option' hawserd --stats x
refused 2 'a value is missing' hawserd --state
refused 2 'unknown argument' hawserd x
refused 2 'needs a number' hawserd --reactors 0

hawser --help | grep -q 'mount-target create'
hawser fs --help | grep -q 'fs create'
! hawser fs --help | grep -q 'mount-target'
hawser mount-target create --help | grep -q -- '--subnet'
hawser rpc --help | grep -q METHOD
hawserd --help | grep -q -- '--run'
hawser --version | grep -q '^hawser [0-9]'
hawserd --version | grep -q '^hawserd [0-9]'
hawser --help | awk 'length > 80 { exit 1 }'
hawserd --help | awk 'length > 80 { exit 1 }'

# Where there is no service.
refused 1 'no hawserd listens here' hawser fs list --socket "$PWD/none"
HAWSER_RPC= HAWSER_STATE="$PWD" refused 1 "$PWD/rpc.sock" hawser fs list
