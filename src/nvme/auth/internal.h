/* SPDX-License-Identifier: Apache-2.0 */
/* Inside nvme/auth: what OpenSSL does for it. */
#ifndef NVME_AUTH_INTERNAL_H
#define NVME_AUTH_INTERNAL_H

#include <openssl/evp.h>

#include "nvme/auth/auth.h"

enum { AUTH_DIGEST_MAX = 64, AUTH_DH_MAX = 1024 };

/* A hash's length; 0: there is no such hash. */
size_t auth_hash_len(int hash);
const EVP_MD *auth_hash_md(int hash);
/* A group's modulus in bytes; 0: NULL, or no such group. */
size_t auth_group_len(int group);

struct auth_part {
	const void *data;
	size_t len;
};
/* HMAC over the parts; `out` has room for the digest.  false: OpenSSL fails. */
bool auth_hmac(int hash, const void *key, size_t key_len,
	       const struct auth_part *parts, size_t n, uint8_t *out);

/* A key pair of the group; its public part, auth_group_len() bytes. */
EVP_PKEY *auth_dh_generate(int group, uint8_t *public);
/* The secret shared with the peer's public part. false: that is no member. */
bool auth_dh_derive(EVP_PKEY *own, int group, const uint8_t *peer,
		    uint8_t *shared);

/* Who answers a challenge (NVMe Base 2.1, 8.3.4.5.6). */
struct auth_response {
	int hash;
	const struct nvme_secret *secret; /* of who answers */
	const char *role;		  /* "HostHost" or "Controller" */
	const char *own_nqn, *peer_nqn;	  /* of who answers; of the other */
	uint32_t seqnum;
	uint16_t t_id;
	uint8_t sc_c;
	const uint8_t *challenge;
	const uint8_t *shared; /* of the DH exchange; NULL: none */
	size_t shared_len;
};
bool auth_respond(const struct auth_response *r, uint8_t *out);

#endif
