/* SPDX-License-Identifier: Apache-2.0 */
/* Asking hawserd about volumes, and what its answers say. */
#ifndef CSI_NVME_DAEMON_H
#define CSI_NVME_DAEMON_H

#include "csi/nvme.h"

/* Takes params; result NULL: it is not wanted.  0; 1: there is no such thing;
 * -1: refused. */
int nvme_ask(struct csi_call *call, const char *method, json_t *params,
	     json_t **result);
/* A volume by hawserd's id or name; one that is being deleted is none.  As
 * above. */
int nvme_get(struct csi_call *call, const char *name, json_t **volume);
/* By the driver's id; 0, or refused: it has to be there. */
int nvme_find(struct csi_call *call, const char *volume_id, json_t **volume);
int nvme_no_volume(struct csi_call *call, const char *id); /* NOT_FOUND */

const char *nvme_text(const json_t *object, const char *name); /* or "" */
int64_t nvme_number(const json_t *object, const char *name);

/* nvme_host.c: which hosts may connect, as a list of {nqn}; a new reference. */
int nvme_hosts(struct csi_call *call, const json_t *volume, json_t **hosts);

#endif
