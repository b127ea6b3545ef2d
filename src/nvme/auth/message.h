/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication messages (NVMe Base 2.1, 8.3.4.4 and 8.3.4.5); integers are
 * little-endian. */
#ifndef NVME_AUTH_MESSAGE_H
#define NVME_AUTH_MESSAGE_H

#include <assert.h>
#include <stdint.h>

enum { AUTH_TYPE_COMMON = 0x00, AUTH_TYPE_DHCHAP = 0x01 };

enum {
	AUTH_NEGOTIATE = 0x00,
	AUTH_CHALLENGE = 0x01,
	AUTH_REPLY = 0x02,
	AUTH_SUCCESS1 = 0x03,
	AUTH_SUCCESS2 = 0x04,
	AUTH_FAILURE2 = 0xf0,
	AUTH_FAILURE1 = 0xf1,
};

/* Reason code explanations; the reason code is always 1. */
enum {
	AUTH_E_FAILED = 0x01,
	AUTH_E_PROTOCOL = 0x02,
	AUTH_E_CONCATENATION = 0x03,
	AUTH_E_HASH = 0x04,
	AUTH_E_GROUP = 0x05,
	AUTH_E_PAYLOAD = 0x06,
	AUTH_E_MESSAGE = 0x07,
};

struct auth_header {
	uint8_t type, id, reserved[2], t_id[2];
};

enum { AUTH_PROTOCOL_DHCHAP = 0x01 };

struct auth_negotiate {
	struct auth_header h;
	uint8_t sc_c, napd;
	struct auth_protocol {
		uint8_t id, reserved, halen, dhlen;
		uint8_t hashes[30], groups[30];
	} protocol[];
};
static_assert(sizeof(struct auth_negotiate) == 8, "layout");
static_assert(sizeof(struct auth_protocol) == 64, "layout");

struct auth_challenge {
	struct auth_header h;
	uint8_t hl, reserved, hash, group, dhvlen[2], seqnum[4];
	uint8_t values[]; /* cval[hl], dhv[dhvlen] */
};
static_assert(sizeof(struct auth_challenge) == 16, "layout");

struct auth_reply {
	struct auth_header h;
	uint8_t hl, reserved, cvalid, reserved2, dhvlen[2], seqnum[4];
	uint8_t values[]; /* rval[hl], cval[hl], dhv[dhvlen] */
};
static_assert(sizeof(struct auth_reply) == 16, "layout");

struct auth_success1 {
	struct auth_header h;
	uint8_t hl, reserved, rvalid, reserved2[7];
	uint8_t rval[]; /* hl bytes, if rvalid */
};
static_assert(sizeof(struct auth_success1) == 16, "layout");

struct auth_success2 {
	struct auth_header h;
	uint8_t reserved[10];
};
static_assert(sizeof(struct auth_success2) == 16, "layout");

struct auth_failure {
	struct auth_header h;
	uint8_t reason, explanation;
};
static_assert(sizeof(struct auth_failure) == 8, "layout");

#endif
