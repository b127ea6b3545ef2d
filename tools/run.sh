#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make run: a service on ./var whose file system is mounted at ./mnt, until
# Ctrl-C.  The file system is made at the first run and found again later.
#	tools/run.sh BUILD-DIRECTORY
set -eu
build=$(cd "$1" && pwd)
PATH="$build:$PATH"
export PATH HAWSER_STATE="$PWD/var" HAWSER_RPC="$PWD/var/rpc.sock"
mnt="$PWD/mnt" daemon=

finish() {
	trap '' INT TERM
	if mountpoint -q "$mnt"; then
		hawser umount "$mnt" ||
			echo "run.sh: $mnt is still mounted" >&2
	fi
	if [ -n "$daemon" ]; then
		kill -TERM "$daemon" 2>/dev/null || :
		wait "$daemon" || :
	fi
	rm -f var/ready
}
trap finish EXIT
trap 'exit 0' INT TERM

mkdir -p var mnt
if mountpoint -q "$mnt"; then
	echo "run.sh: $mnt is in use; hawser umount $mnt" >&2
	exit 1
fi

# The daemon's first line says that it is ready; a pipe is how to wait for it.
rm -f var/ready
mkfifo -m 600 var/ready
setsid hawserd --state var >var/ready 2>>var/log &
daemon=$!
read -r line <var/ready || {
	tail -n 3 var/log >&2
	exit 1
}

fs=$(hawser fs list | awk '$6 == "run" { print $1 }')
if [ -z "$fs" ]; then
	fs=$(hawser fs create --name run)
	for zone in 1 2 3; do
		hawser mount-target create "$fs" >/dev/null
	done
fi
address=$(hawser mount-target list "$fs" | awk 'NR == 2 { print $NF }')
target=$(hawser mount-target list "$fs" | awk 'NR == 2 { print $1 }')
hawser mount "$address:/" "$mnt"

cat <<END

File system $fs is mounted at $mnt
over all of its mount targets. In another terminal, in this directory:

    export PATH=$build:\$PATH HAWSER_RPC=\$PWD/var/rpc.sock
    cp -r /usr/share/doc mnt/ &    # use it
    hawser paths --watch           # its paths and their load
    hawser mount-target down $target  # nothing stops
    hawser mount-target up $target    # back in use
    hawser fs list                 # what the service holds
The log is var/log. Ctrl-C unmounts and stops; the data stays in var.
END
wait "$daemon"
