/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection information: what a volume driver says of a volume, in JSON, so
 * that a host can connect to it.  Four shapes are understood, those of
 * OpenStack's NVMe-oF connector, and the one that its specification of
 * multipathing adds:
 *
 *	{ "target_nqn", "vol_uuid", "portals": [[ADDRESS, PORT, TRANSPORT]…] }
 *	{ "nqn", "transport_type", "target_portal", "target_port", … }   (old)
 *	{ "vol_uuid", "alias", "volume_replicas": [TARGET…], "replica_count" }
 *	{ "vol_uuid", "dm_replicas": [TARGET…] }
 *
 * the third with one target or several.  A TARGET is as the first or second;
 * each may have several portals, and volume_nguid, volume_eui64, ns_id,
 * host_nqn; in records, `learned`, further portals.  Keys that nobody knows are
 * no error.
 *
 * What was parsed can be trusted: every text is fit to be a word of a command
 * line, a file's name (`name`) or an option of the kernel's.
 */
#ifndef CONNECT_INFO_H
#define CONNECT_INFO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum {
	CONNECT_TARGETS_MAX = 8,
	CONNECT_PORTALS_MAX = 16, /* of a target */
	CONNECT_NQN_SIZE = 224,
	CONNECT_NAME_SIZE = 64,
	CONNECT_TEXT = 256,
	CONNECT_JSON_MAX = 1 << 20, /* bytes */
};

struct connect_portal {
	struct addr addr; /* with port */
	bool rdma;	  /* else TCP */
};

/* How a namespace is known; each that is given has to be right. */
struct connect_id {
	bool has_uuid, has_nguid, has_eui64;
	uint8_t uuid[16], nguid[16], eui64[8];
	uint32_t nsid; /* 0: not given */
};

struct connect_target {
	char nqn[CONNECT_NQN_SIZE];
	char hostnqn[CONNECT_NQN_SIZE]; /* "": this host's */
	struct connect_id id;
	/* Those that were named, then those that were learned of since. */
	struct connect_portal portals[CONNECT_PORTALS_MAX];
	unsigned n_named, n_portals;
};

enum connect_kind {
	CONNECT_PLAIN,	/* one target */
	CONNECT_MIRROR, /* each target has a copy of its own: RAID 1 */
	CONNECT_SHARED, /* all hold the same, kept so by them: multipath */
};

struct connect_info {
	enum connect_kind kind;
	/* What the volume is called on this host: [A-Za-z0-9._-]+, the alias of
	 * a mirror, else made from what identifies the volume. */
	char name[CONNECT_NAME_SIZE];
	struct connect_target targets[CONNECT_TARGETS_MAX];
	unsigned n_targets;
	unsigned replica_count; /* MIRROR: with those that are not listed */
	bool has_alias;		/* MIRROR: else it was one replica, without */
	bool read_only, enforce_multipath;
};

/* 0, or -EINVAL with text.  Also takes { "driver_volume_type": …, "data": … }
 * around it, as Cinder has it. */
int connect_info_parse(const json_t *j, struct connect_info *out,
		       char text[CONNECT_TEXT]);
/* The same from the bytes of a file. */
int connect_info_load(const char *bytes, size_t len, struct connect_info *out,
		      char text[CONNECT_TEXT]);
/* As the first shape, or the third or fourth: parsing it gives the same. */
json_t *connect_info_dump(const struct connect_info *info);

/* One target of it.  `what` is "dm_replicas[1]: ", for
 * the text. */
int connect_target_parse(const json_t *j, const char *what,
			 struct connect_target *out, char text[CONNECT_TEXT]);
json_t *connect_target_dump(const struct connect_target *t);

/* The value of a key; NULL: it is absent, or null, which is the same. */
json_t *connect_get(const json_t *j, const char *key);
/* A number, or its digits, from 1 to `most`. */
bool connect_number(const json_t *value, json_int_t most, json_int_t *out);

/* Hexadecimal digits, with or without hyphens; false: not that many of them, or
 * all zero. */
bool connect_digits(const char *value, uint8_t *bytes, size_t len);

/* "nqn." and 223 bytes at most, none of which means anything to a shell, to the
 * kernel's list of options or to a terminal. */
bool connect_nqn_ok(const char *nqn);

/* Portals of `from` that `to` lacks have been learned of, as far as there is
 * room; how many. */
unsigned connect_target_add_portals(struct connect_target *to,
				    const struct connect_portal *from,
				    unsigned n);

/* "10.0.0.1", without port and brackets. */
const char *connect_portal_host(const struct connect_portal *p,
				char buf[ADDR_TEXT_MAX]);
const char *connect_portal_transport(const struct connect_portal *p);

#endif
