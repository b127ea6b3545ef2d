/* SPDX-License-Identifier: Apache-2.0 */
/* One target of connection information: who it is, which of its namespaces is
 * meant, and the ways to it. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/refuse.h"
#include "base/util.h"
#include "base/uuid.h"
#include "connect/info.h"

/* ------------------------------------------------------------------- names */

/* A comma ends an option of /dev/nvme-fabrics. */
bool connect_nqn_ok(const char *nqn)
{
	size_t len = strlen(nqn);

	if (len >= CONNECT_NQN_SIZE || strncasecmp(nqn, "nqn.", 4) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)nqn[i]) &&
		    strchr(".:-_+/@~", nqn[i]) == NULL)
			return false;
	return true;
}

json_t *connect_get(const json_t *j, const char *key)
{
	json_t *value = json_object_get(j, key);

	return json_is_null(value) ? NULL : value;
}

/* The value of a key as a text; NULL: it is absent, null or empty.  -EINVAL: it
 * is something else. */
static int get_text(const json_t *j, const char *key, const char *what,
		    const char **out, char text[CONNECT_TEXT])
{
	const json_t *value = connect_get(j, key);

	*out = NULL;
	if (value == NULL)
		return 0;
	if (!json_is_string(value) ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return refuse_with(text, -EINVAL, "%s%s is not a text", what,
				   key);
	if (json_string_length(value) > 0)
		*out = json_string_value(value);
	return 0;
}

/* Of two keys for one thing at most one is there, or both say the same. */
static int get_either(const json_t *j, const char *key, const char *old,
		      const char *what, const char **out,
		      char text[CONNECT_TEXT])
{
	const char *second = NULL;
	int rc = get_text(j, key, what, out, text);

	if (rc == 0)
		rc = get_text(j, old, what, &second, text);
	if (rc < 0 || second == NULL)
		return rc;
	if (*out != NULL && strcmp(*out, second) != 0)
		return refuse_with(text, -EINVAL,
				   "%s%s and %s name different subsystems",
				   what, key, old);
	*out = second;
	return 0;
}

static int take_nqn(const char *value, const char *key, const char *what,
		    char out[CONNECT_NQN_SIZE], char text[CONNECT_TEXT])
{
	if (!connect_nqn_ok(value))
		return refuse_with(text, -EINVAL,
				   "%s%s is not an NVMe qualified name", what,
				   key);
	strcpy(out, value);
	return 0;
}

static int parse_names(const json_t *j, const char *what,
		       struct connect_target *t, char text[CONNECT_TEXT])
{
	const char *nqn, *host;
	int rc = get_either(j, "target_nqn", "nqn", what, &nqn, text);

	if (rc == 0 && nqn == NULL)
		rc = refuse_with(text, -EINVAL,
				 "%starget_nqn (or nqn) is missing", what);
	if (rc == 0)
		rc = take_nqn(nqn, "target_nqn", what, t->nqn, text);
	if (rc == 0)
		rc = get_text(j, "host_nqn", what, &host, text);
	if (rc == 0 && host != NULL)
		rc = take_nqn(host, "host_nqn", what, t->hostnqn, text);
	return rc;
}

/* ------------------------------------------------------------- identifiers */

bool connect_digits(const char *value, uint8_t *bytes, size_t len)
{
	char digits[40];
	size_t n = 0;
	bool any = false;

	for (; *value != '\0' && n < sizeof(digits) - 1; value++)
		if (*value != '-')
			digits[n++] = *value;
	digits[n] = '\0';
	if (*value != '\0' || !hex_parse(digits, bytes, len))
		return false;
	for (size_t i = 0; i < len; i++)
		any |= bytes[i] != 0;
	return any;
}

static int parse_id(const json_t *j, const char *key, const char *what,
		    uint8_t *bytes, size_t len, bool *has,
		    char text[CONNECT_TEXT])
{
	const char *value;
	int rc = get_text(j, key, what, &value, text);

	if (rc < 0 || value == NULL)
		return rc;
	*has = connect_digits(value, bytes, len);
	return *has ? 0
		    : refuse_with(text, -EINVAL,
				  "%s%s is not %zu hexadecimal digits, other "
				  "than zero",
				  what, key, 2 * len);
}

bool connect_number(const json_t *value, json_int_t most, json_int_t *out)
{
	const char *digits = json_string_value(value);
	char *end;

	if (json_is_integer(value)) {
		*out = json_integer_value(value);
	} else if (digits != NULL && isdigit((unsigned char)digits[0])) {
		errno = 0;
		*out = strtoll(digits, &end, 10);
		if (errno != 0 || *end != '\0')
			return false;
	} else {
		return false;
	}
	return *out >= 1 && *out <= most;
}

static int parse_ids(const json_t *j, const char *what, struct connect_id *id,
		     char text[CONNECT_TEXT])
{
	const json_t *nsid = connect_get(j, "ns_id");
	const char *digits = json_string_value(nsid);
	bool given = nsid != NULL &&
		     (digits != NULL ? digits[0] != '\0'
				     : !json_is_integer(nsid) ||
					       json_integer_value(nsid) != 0);
	json_int_t number = 0;
	int rc = parse_id(j, "vol_uuid", what, id->uuid, 16, &id->has_uuid,
			  text);

	if (rc == 0)
		rc = parse_id(j, "volume_nguid", what, id->nguid, 16,
			      &id->has_nguid, text);
	if (rc == 0)
		rc = parse_id(j, "volume_eui64", what, id->eui64, 8,
			      &id->has_eui64, text);
	if (rc == 0 && given && !connect_number(nsid, 0xfffffffe, &number))
		rc = refuse_with(text, -EINVAL,
				 "%sns_id is not the number of a namespace",
				 what);
	id->nsid = (uint32_t)number;
	return rc;
}

/* ----------------------------------------------------------------- portals */

/* OpenStack's: two names for RDMA, and all else is TCP. */
static bool is_rdma(const char *transport)
{
	return transport != NULL && (strcasecmp(transport, "rdma") == 0 ||
				     strcasecmp(transport, "RoCEv2") == 0);
}

static int set_address(struct connect_portal *p, const char *host,
		       json_int_t port)
{
	memset(&p->addr, 0, sizeof(p->addr));
	if (inet_pton(AF_INET, host, &p->addr.in.sin_addr) == 1) {
		p->addr.sa.sa_family = AF_INET;
		p->addr.len = sizeof(p->addr.in);
	} else if (inet_pton(AF_INET6, host, &p->addr.in6.sin6_addr) == 1) {
		p->addr.sa.sa_family = AF_INET6;
		p->addr.len = sizeof(p->addr.in6);
	} else {
		return -EINVAL;
	}
	addr_set_port(&p->addr, (uint16_t)port);
	return 0;
}

static bool has_portal(const struct connect_target *t,
		       const struct connect_portal *p)
{
	for (unsigned i = 0; i < t->n_portals; i++)
		if (addr_equal(&t->portals[i].addr, &p->addr))
			return true;
	return false;
}

unsigned connect_target_add_portals(struct connect_target *to,
				    const struct connect_portal *from,
				    unsigned n)
{
	unsigned before = to->n_portals;

	for (unsigned i = 0; i < n; i++)
		if (to->n_portals < CONNECT_PORTALS_MAX &&
		    !has_portal(to, &from[i]))
			to->portals[to->n_portals++] = from[i];
	return to->n_portals - before;
}

static int add_portal(struct connect_target *t, const json_t *host,
		      const json_t *port, const json_t *transport,
		      const char *what, char text[CONNECT_TEXT])
{
	struct connect_portal p = {};
	json_int_t number;

	if (t->n_portals == CONNECT_PORTALS_MAX)
		return refuse_with(text, -EINVAL, "%sat most %d portals", what,
				   CONNECT_PORTALS_MAX);
	if (!json_is_string(host) ||
	    set_address(&p, json_string_value(host), 1) < 0)
		return refuse_with(text, -EINVAL,
				   "%sportal %u: its address is not an IP "
				   "address",
				   what, t->n_portals);
	if (!connect_number(port, 65535, &number))
		return refuse_with(text, -EINVAL,
				   "%sportal %u: its port is not a number from "
				   "1 to 65535",
				   what, t->n_portals);
	if (!json_is_null(transport) && transport != NULL &&
	    !json_is_string(transport))
		return refuse_with(text, -EINVAL,
				   "%sportal %u: its transport is not a text",
				   what, t->n_portals);
	addr_set_port(&p.addr, (uint16_t)number);
	p.rdma = is_rdma(json_string_value(transport));
	connect_target_add_portals(t, &p, 1); /* once is enough */
	return 0;
}

static int add_portals(struct connect_target *t, const json_t *list,
		       const char *what, char text[CONNECT_TEXT])
{
	const json_t *one;
	size_t i;
	int rc = 0;

	json_array_foreach(list, i, one)
	{
		if (!json_is_array(one) || json_array_size(one) < 2 ||
		    json_array_size(one) > 3)
			return refuse_with(text, -EINVAL,
					   "%sportal %zu is not [ADDRESS, "
					   "PORT, TRANSPORT]",
					   what, i);
		rc = add_portal(t, json_array_get(one, 0),
				json_array_get(one, 1), json_array_get(one, 2),
				what, text);
		if (rc < 0)
			break;
	}
	return rc;
}

static int parse_portals(const json_t *j, const char *what,
			 struct connect_target *t, char text[CONNECT_TEXT])
{
	const json_t *list = connect_get(j, "portals");

	if (list == NULL && connect_get(j, "target_portal") == NULL)
		return refuse_with(text, -EINVAL,
				   "%sportals (or target_portal) is missing",
				   what);
	if (list == NULL)
		return add_portal(t, connect_get(j, "target_portal"),
				  connect_get(j, "target_port"),
				  connect_get(j, "transport_type"), what, text);
	if (!json_is_array(list) || json_array_size(list) == 0)
		return refuse_with(text, -EINVAL,
				   "%sportals is not a list of [ADDRESS, PORT, "
				   "TRANSPORT]",
				   what);
	return add_portals(t, list, what, text);
}

int connect_target_parse(const json_t *j, const char *what,
			 struct connect_target *out, char text[CONNECT_TEXT])
{
	int rc;

	memset(out, 0, sizeof(*out));
	if (!json_is_object(j))
		return refuse_with(text, -EINVAL, "%sis not an object", what);
	if (connect_get(j, "volume_replicas") != NULL ||
	    connect_get(j, "dm_replicas") != NULL)
		return refuse_with(text, -EINVAL,
				   "%sa replica has no replicas of its own: "
				   "RAID on top of device-mapper, or the other "
				   "way round, is not supported",
				   what);
	rc = parse_names(j, what, out, text);
	if (rc == 0)
		rc = parse_ids(j, what, &out->id, text);
	if (rc == 0)
		rc = parse_portals(j, what, out, text);
	out->n_named = out->n_portals;
	if (rc == 0)
		rc = add_portals(out, connect_get(j, "learned"), what, text);
	return rc;
}

/* -------------------------------------------------------------------- dump */

const char *connect_portal_host(const struct connect_portal *p,
				char buf[ADDR_TEXT_MAX])
{
	return addr_format_host(&p->addr, buf);
}

const char *connect_portal_transport(const struct connect_portal *p)
{
	return p->rdma ? "rdma" : "tcp";
}

static json_t *dump_portals(const struct connect_portal *p, unsigned n)
{
	char host[ADDR_TEXT_MAX];
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(
			list,
			json_pack("[s, i, s]", connect_portal_host(&p[i], host),
				  (int)addr_port(&p[i].addr),
				  connect_portal_transport(&p[i])));
	return list;
}

json_t *connect_target_dump(const struct connect_target *t)
{
	json_t *j = json_pack("{s:s}", "target_nqn", t->nqn);
	unsigned learned = t->n_portals - t->n_named;
	char digits[40];

	if (t->hostnqn[0] != '\0')
		json_object_set_new(j, "host_nqn", json_string(t->hostnqn));
	if (t->id.has_uuid)
		json_object_set_new(
			j, "vol_uuid",
			json_string(uuid_format(t->id.uuid, digits)));
	if (t->id.has_nguid)
		json_object_set_new(
			j, "volume_nguid",
			json_string(hex_format(t->id.nguid, 16, digits)));
	if (t->id.has_eui64)
		json_object_set_new(
			j, "volume_eui64",
			json_string(hex_format(t->id.eui64, 8, digits)));
	if (t->id.nsid != 0)
		json_object_set_new(j, "ns_id", json_integer(t->id.nsid));
	json_object_set_new(j, "portals", dump_portals(t->portals, t->n_named));
	if (learned > 0)
		json_object_set_new(j, "learned",
				    dump_portals(t->portals + t->n_named,
						 learned));
	return j;
}
