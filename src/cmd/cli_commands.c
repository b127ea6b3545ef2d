/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `hawser`, in the order in which --help lists them. */
#include "cmd/cli.h"
#include "fuse/fuse.h"
#include "perf/perf.h"

#define FS_ID                                                                  \
	{                                                                      \
		.name = "id", .shown = "FS", .help = "fs-…"                  \
	}
#define TARGET_ID                                                              \
	{                                                                      \
		.name = "id", .shown = "MOUNT-TARGET", .help = "fsmt-…"      \
	}

#define VOLUME                                                                 \
	{                                                                      \
		.name = "name", .shown = "VOLUME", .help = "name or vol-…"   \
	}

const struct cli_command cli_commands[] = {
	{
		.words = "fs create",
		.help = "create a file system; prints its id",
		.method = "fs_create",
		.params = { { .name = "name",
			      .flag = "--name",
			      .shown = "NAME",
			      .help = "to tell it by; need not be unique" } },
		.show = cli_show_id,
	},
	{
		.words = "fs list",
		.help = "list the file systems",
		.method = "fs_get",
		.show = cli_show_fs_table,
	},
	{
		.words = "fs show",
		.help = "show one file system",
		.method = "fs_get",
		.params = { FS_ID },
		.show = cli_show_object,
		.only = true,
	},
	{
		.words = "fs stats",
		.help = "say who uses a file system, and how much",
		.method = "fs_get_stats",
		.params = { FS_ID },
		.show = cli_show_object,
	},
	{
		.words = "fs delete",
		.help = "delete a file system without mount targets, and its "
			"data",
		.method = "fs_delete",
		.params = { FS_ID },
		.show = cli_show_nothing,
	},
	{
		.words = "mount-target create",
		.help = "serve a file system on an address; prints id and "
			"address",
		.method = "mount_target_create",
		.params = { { .name = "fs", .shown = "FS", .help = "fs-…" },
			    { .name = "subnet",
			      .flag = "--subnet",
			      .shown = "SUBNET",
			      .help = "default: one in which FS has the "
				      "fewest" },
			    { .name = "address",
			      .flag = "--address",
			      .shown = "ADDRESS",
			      .help = "default: a free one of the subnet" },
			    { .name = "port",
			      .flag = "--port",
			      .shown = "PORT",
			      .help = "default: 2049",
			      .integer = true } },
		.show = cli_show_target,
	},
	{
		.words = "mount-target list",
		.help = "list the mount targets",
		.method = "mount_target_get",
		.params = { { .name = "fs",
			      .shown = "FS",
			      .help = "only those of this file system",
			      .optional = true } },
		.show = cli_show_target_table,
	},
	{
		.words = "mount-target delete",
		.help = "delete a mount target",
		.method = "mount_target_delete",
		.params = { TARGET_ID },
		.show = cli_show_nothing,
	},
	{
		.words = "mount-target down",
		.help = "reset its connections and refuse new ones",
		.method = "mount_target_set_state",
		.params = { TARGET_ID, { .name = "state", .fixed = "down" } },
		.show = cli_show_nothing,
	},
	{
		.words = "mount-target up",
		.help = "serve on it again",
		.method = "mount_target_set_state",
		.params = { TARGET_ID, { .name = "state", .fixed = "up" } },
		.show = cli_show_nothing,
	},
	{
		.words = "volume create",
		.help = "create a thin volume on NVMe/TCP; prints its id",
		.method = "volume_create",
		.params = { { .name = "name",
			      .flag = "--name",
			      .shown = "NAME",
			      .help = "to tell it by; unique",
			      .needed = true },
			    { .name = "size",
			      .flag = "--size",
			      .shown = "SIZE",
			      .help = "bytes, or like 10G",
			      .bytes = true,
			      .needed = true },
			    { .name = "block_size",
			      .flag = "--block-size",
			      .shown = "BYTES",
			      .help = "512 or 4096; default: 4096",
			      .integer = true },
			    { .name = "subsystem",
			      .flag = "--subsystem",
			      .shown = "NQN",
			      .help = "to put it into; default: its own" },
			    { .name = "port",
			      .flag = "--port",
			      .shown = "PORT",
			      .help = "default: 4420",
			      .integer = true } },
		.show = cli_show_id,
	},
	{
		.words = "volume list",
		.help = "list the volumes",
		.method = "volume_get",
		.show = cli_show_volume_table,
	},
	{
		.words = "volume show",
		.help = "show one volume",
		.method = "volume_get",
		.params = { VOLUME },
		.show = cli_show_volume,
		.only = true,
	},
	{
		.words = "volume connect-info",
		.help = "say how a host connects to a volume",
		.method = "volume_get",
		.params = { VOLUME },
		.show = cli_show_connect_info,
		.only = true,
	},
	{
		.words = "volume resize",
		.help = "make a volume larger",
		.method = "volume_resize",
		.params = { VOLUME,
			    { .name = "size",
			      .shown = "SIZE",
			      .help = "bytes, or like 10G",
			      .bytes = true } },
		.show = cli_show_nothing,
	},
	{
		.words = "volume delete",
		.help = "delete a volume and its data",
		.method = "volume_delete",
		.params = { VOLUME },
		.show = cli_show_nothing,
	},
	{
		.words = "key create",
		.help = "make an access key for the API; prints a profile",
		.method = "access_key_create",
		.params = { { .name = "user",
			      .shown = "USER",
			      .help = "whom it belongs to" } },
		.show = cli_show_profile,
	},
	{
		.words = "key list",
		.help = "list the access keys",
		.method = "access_key_get",
		.show = cli_show_key_table,
	},
	{
		.words = "key delete",
		.help = "delete an access key",
		.method = "access_key_delete",
		.params = { { .name = "id", .shown = "KEY", .help = "AKIA…" } },
		.show = cli_show_nothing,
	},
	{
		.words = "subnet list",
		.help = "list the subnets of the configuration",
		.method = "subnet_get",
		.show = cli_show_subnet_table,
	},
	{
		.words = "mount",
		.help = "mount a file system over all of its mount targets",
		.main = mount_main,
		.usage = "ADDRESS:/PATH DIR [-o OPTION,...] [-f]",
	},
	{
		.words = "umount",
		.help = "unmount it, and wait until everything is written",
		.main = umount_main,
		.usage = "[-l] DIR",
	},
	{
		.words = "paths",
		.help = "show the paths of mounts and volumes in use",
		.main = paths_main,
		.usage = "[DIR | VOLUME] [--watch] [--json]",
	},
	{
		.words = "info",
		.help = "say what runs: version, process, state directory",
		.method = "hawserd_get_info",
		.show = cli_show_object,
	},
	{
		.words = "perf nfs",
		.help = "load an NFSv4.1 server, and say how fast it is",
		.main = perf_nfs_main,
		.usage = "ADDRESS:/PATH -w WORKLOAD [OPTION…]",
	},
	{
		.words = "perf nvme",
		.help = "load NVMe/TCP volumes over all their paths",
		.main = perf_nvme_main,
		.usage = "-q DEPTH -o BYTES -w WORKLOAD -t SECONDS …",
	},
	{
		.words = "rpc",
		.help = "call any method; prints JSON",
		.main = cli_rpc_main,
		.usage = "METHOD [ARGUMENT… | NAME=VALUE… | JSON]",
	},
	{},
};
