/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of methods of hawserd, in the order in which they are listed. */
#include "rpc/internal.h"

extern const struct rpc_method rpc_access_point_methods[],
	rpc_bdev_filter_methods[], rpc_bdev_methods[], rpc_bdev_show_methods[],
	rpc_config_methods[], rpc_console_methods[], rpc_fs_methods[],
	rpc_key_methods[], rpc_keyring_methods[], rpc_notify_methods[],
	rpc_nvmf_host_methods[], rpc_nvmf_methods[], rpc_nvmf_show_methods[],
	rpc_nvmf_subsystem_methods[], rpc_policy_methods[],
	rpc_service_methods[], rpc_volume_methods[];

const struct rpc_method *const rpc_hawserd_methods[] = {
	rpc_fs_methods,
	rpc_access_point_methods,
	rpc_key_methods,
	rpc_policy_methods,
	rpc_console_methods,
	rpc_volume_methods,
	rpc_bdev_methods,
	rpc_bdev_filter_methods,
	rpc_bdev_show_methods,
	rpc_nvmf_methods,
	rpc_nvmf_subsystem_methods,
	rpc_nvmf_host_methods,
	rpc_nvmf_show_methods,
	rpc_keyring_methods,
	rpc_config_methods,
	rpc_notify_methods,
	rpc_service_methods,
	rpc_own_methods,
	NULL,
};
