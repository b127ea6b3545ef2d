/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of nvmf_* methods share. */
#ifndef RPC_NVMF_H
#define RPC_NVMF_H

#include "nvme/target/target.h"
#include "rpc/address.h"
#include "rpc/internal.h"
#include "rpc/keyfile.h"

enum { NVMF_KEY_SIZE = KEYFILE_SIZE };

/* The subsystem of parameter nqn; NULL: refused with `code`. */
struct nvmet_subsystem *nvmf_find(struct rpc_call *call, int code);
/* As the parameters of nvmf_create_transport. */
json_t *nvmf_describe_transport(const struct nvmet_transport *tr);
/* Refuses if the subsystem, or the part of it at `path`, was made by a volume,
 * or does not exist; `there`: it does. */
int nvmf_check_own(struct rpc_call *call, const char *path, bool there,
		   int code, const char *what);

/* keyring.c: reads a named key from its file.  0 or refuses. */
int keyring_read(struct rpc_call *call, const char *name,
		 char key[NVMF_KEY_SIZE]);

/* Rows that many methods have. */
#define NVMF_NQN                                                               \
	{                                                                      \
		"nqn", RPC_STRING, RPC_REQUIRED, "of the subsystem", "="       \
	}
#define NVMF_TARGET_NAME                                                       \
	{                                                                      \
		"tgt_name", RPC_STRING, RPC_IGNORED, "there is one target",    \
			"-t --tgt-name"                                        \
	}
#define NVMF_TARGET_NAME_P                                                     \
	{                                                                      \
		"tgt_name", RPC_STRING, RPC_IGNORED, "there is one target",    \
			"-p --tgt-name"                                        \
	}
#define NVMF_ADDRESS(name, help)                                               \
	{                                                                      \
		name, RPC_OBJECT, RPC_REQUIRED, help,                          \
			.fields = nvmf_address_fields                          \
	}
#endif
