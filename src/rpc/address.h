/* SPDX-License-Identifier: Apache-2.0 */
/* Transport addresses: {"trtype", "adrfam", "traddr", "trsvcid"}. */
#ifndef RPC_ADDRESS_H
#define RPC_ADDRESS_H

#include "base/addr.h"
#include "rpc/method.h"

/* From such an object, whatever else is in it; 0 or refuses. */
int nvmf_address(struct rpc_call *call, const json_t *object, struct addr *a);
json_t *nvmf_describe_address(const struct addr *a);
extern const struct rpc_param nvmf_address_fields[];

#endif
