/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvme/auth: how host and controller prove to each other who they are.
 *
 * Secrets in their text forms; the DH-HMAC-CHAP exchange of both sides (NVMe
 * Base 2.1, 8.3.4.5) as pure logic, message in and message out; the keys for
 * TLS (NVMe/TCP 1.1, 3.6.1).  No I/O, no clock; any thread, one at a time for
 * each object.
 *
 * Nothing here writes a secret to a log.
 */
#ifndef NVME_AUTH_AUTH_H
#define NVME_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum nvme_auth_hash {
	NVME_AUTH_HASH_NONE, /* of a secret: used as it is */
	NVME_AUTH_SHA256,
	NVME_AUTH_SHA384,
	NVME_AUTH_SHA512,
};

enum nvme_auth_group {
	NVME_AUTH_DH_NULL, /* challenge and response only */
	NVME_AUTH_FFDHE2048,
	NVME_AUTH_FFDHE3072,
	NVME_AUTH_FFDHE4096,
	NVME_AUTH_FFDHE6144,
	NVME_AUTH_FFDHE8192,
};

/* Names as SPDK and Linux spell them: "sha256", "null", "ffdhe2048"; a name
 * that is not known is -EINVAL, a number NULL. */
int nvme_auth_hash_parse(const char *name);
int nvme_auth_group_parse(const char *name);
const char *nvme_auth_hash_name(int hash);
const char *nvme_auth_group_name(int group);

/* ----------------------------------------------------------------- secrets */

enum { NVME_SECRET_MAX = 64, NVME_SECRET_TEXT_MAX = 128 };

struct nvme_secret {
	uint8_t bytes[NVME_SECRET_MAX];
	size_t len; /* 32, 48 or 64; 0: none */
	enum nvme_auth_hash hash;
};

/* The two text forms: "DHHC-1:hh:base64:" and "NVMeTLSkey-1:hh:base64:", with a
 * CRC-32 behind the key; a TLS key has 32 or 48 bytes. -EINVAL. */
enum nvme_secret_form { NVME_SECRET_DHCHAP, NVME_SECRET_TLS };
int nvme_secret_parse(struct nvme_secret *s, enum nvme_secret_form form,
		      const char *text);
void nvme_secret_format(const struct nvme_secret *s, enum nvme_secret_form form,
			char text[NVME_SECRET_TEXT_MAX]);
/* A random one, as long as the hash's digest (NONE: 32 bytes). */
void nvme_secret_generate(struct nvme_secret *s, enum nvme_auth_hash hash);
void nvme_secret_wipe(struct nvme_secret *s);

/* ---------------------------------------------------------------- exchange */

/*
 * One authentication of one queue.  Each side gives what it received to
 * nvme_auth_receive() and sends what nvme_auth_send() makes, in turn:
 *
 *	host                              controller
 *	negotiate ───────────────────────▶
 *	          ◀─────────────────────── challenge
 *	reply     ───────────────────────▶
 *	          ◀─────────────────────── success1
 *	success2  ───────────────────────▶            only if bidirectional
 *
 * failure1 (controller) or failure2 (host) ends it early.
 */
struct nvme_auth;

struct nvme_auth_options {
	const char *host_nqn, *subsystem_nqn; /* up to 223 bytes */
	struct nvme_secret host_secret;	      /* the host proves to have it */
	struct nvme_secret ctrl_secret;	      /* len 0: unidirectional */
	/* Bits 1 << enum: what may be chosen; 0: all.  The controller takes the
	 * strongest that both have, and no NULL group unless it is alone. */
	unsigned hashes, groups;
};

enum nvme_auth_state {
	NVME_AUTH_SENDS,    /* it is our turn: nvme_auth_send() */
	NVME_AUTH_RECEIVES, /* the peer's */
	NVME_AUTH_DONE,
	NVME_AUTH_FAILED,
};

/* Longest message of any kind. */
enum { NVME_AUTH_MESSAGE_MAX = 16 + 2 * 64 + 1024 };

/* `options` are for the call only.  -EINVAL (a name is too long), -ENOMEM. */
int nvme_auth_create(bool controller, const struct nvme_auth_options *options,
		     struct nvme_auth **out);
void nvme_auth_destroy(struct nvme_auth *a); /* wipes what it knew */
enum nvme_auth_state nvme_auth_state(const struct nvme_auth *a);
/* Takes a message.  A bad one leads to a failure message, or to FAILED. */
void nvme_auth_receive(struct nvme_auth *a, const void *message, size_t len);
/* The next message, its length; at most NVME_AUTH_MESSAGE_MAX. */
size_t nvme_auth_send(struct nvme_auth *a, void *message);
/* Why it failed, in words. */
const char *nvme_auth_reason(const struct nvme_auth *a);

/* --------------------------------------------------------------------- TLS */

enum { NVME_PSK_IDENTITY_MAX = 600 };

/* NVMe/TCP 1.1, 3.6.1.3: the cipher's hash, SHA256 for TLS_AES_128_GCM_SHA256,
 * SHA384 for TLS_AES_256_GCM_SHA384, and the identity by which a host names the
 * key: "NVMe0R01 HOSTNQN SUBNQN". */
struct nvme_psk {
	enum nvme_auth_hash hash;
	uint8_t key[48];
	size_t len;
	char identity[NVME_PSK_IDENTITY_MAX];
};

/* From the secret that both were given.  -EINVAL: it is not one for TLS. */
int nvme_psk_derive(struct nvme_psk *psk, const struct nvme_secret *secret,
		    const char *host_nqn, const char *subsystem_nqn);

/* The names in an identity, as copies; -EINVAL: it is none. */
int nvme_psk_parse_identity(const char *identity, char host_nqn[224],
			    char subsystem_nqn[224]);

#endif
