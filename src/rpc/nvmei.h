/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bdev_nvme_* methods share. */
#ifndef RPC_NVMEI_H
#define RPC_NVMEI_H

#include "nvme/initiator/set.h"
#include "rpc/address.h"
#include "rpc/keyfile.h"

/* The names of volumes of that controller name (NULL: all); a new reference. */
json_t *nvmei_volume_names(struct nvmei *h, const char *controller);
/* The volume of parameter `name`, on the first reactor; NULL: refused. */
struct nvmei_volume *nvmei_need(struct rpc_call *call);
/* Refuses: there is none of that name. */
int nvmei_no_controller(struct rpc_call *call, const char *name);
json_t *nvmei_describe_trid(const struct addr *a, const char *subnqn);

/* nvmei_keys.c: the key that a parameter names, read into `key`; *out is that,
 * or NULL if there is no such parameter.  0 or refuses. */
int nvmei_key(struct rpc_call *call, const char *param, char key[KEYFILE_SIZE],
	      const char **out);

/* nvmei_options.c: the host's name is that, or becomes it; 0 or refuses. */
int nvmei_check_hostnqn(struct rpc_call *call, const char *hostnqn);

/*
 * nvmei_options.c: a policy, as `policy`, `selector` and one more member, which
 * counts requests, of `from` say it (NULL, or without a policy: *policy stays
 * as it is); 0 or refuses.
 */
int nvmei_take_policy(struct rpc_call *call, const json_t *from,
		      const char *count, const char **policy,
		      unsigned *rr_min_io);
/* The fields of the parameter multipath_opts. */
extern const struct rpc_param nvmei_multipath_fields[];

#endif
