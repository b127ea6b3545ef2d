/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sysfs.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/uuid.h"

/* ------------------------------------------------------------- controllers */

/* The letters, and a number behind them; what is behind that. */
static const char *numbered(const char *name, const char *letters)
{
	size_t len = strlen(letters);

	if (strncmp(name, letters, len) != 0 ||
	    !isdigit((unsigned char)name[len]))
		return NULL;
	return name + len + strspn(name + len, "0123456789");
}

static bool is_ctrl(const char *name)
{
	const char *rest = numbered(name, "nvme");

	return rest != NULL && *rest == '\0';
}

/* "traddr=10.0.0.1,trsvcid=4420,src_addr=…" */
static bool get_option(const char *options, const char *key, char *out,
		       size_t size)
{
	size_t len = strlen(key), n;

	for (;; options += n + 1) {
		n = strcspn(options, ",");
		if (strncmp(options, key, len) == 0 && options[len] == '=' &&
		    n - len - 1 < size) {
			snprintf(out, size, "%.*s", (int)(n - len - 1),
				 options + len + 1);
			return true;
		}
		if (options[n] == '\0')
			return false;
	}
}

static void parse_address(const char *options, struct addr *out)
{
	char host[64], port[8], text[80];

	memset(out, 0, sizeof(*out));
	if (!get_option(options, "traddr", host, sizeof(host)) ||
	    !get_option(options, "trsvcid", port, sizeof(port)))
		return;
	snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:%s" : "%s:%s",
		 host, port);
	if (addr_parse(out, text, 0) < 0 || out->sa.sa_family == AF_UNIX)
		memset(out, 0, sizeof(*out));
}

static void read_ctrl(const struct connect_host *h, const char *name,
		      struct sys_ctrl *c)
{
	char address[256];

	memset(c, 0, sizeof(*c));
	snprintf(c->name, sizeof(c->name), "%s", name);
#define READ(to, file)                                                         \
	connect_read_or_empty(h, to, sizeof(to), "/sys/class/nvme/%s/%s",      \
			      name, file)
	READ(c->nqn, "subsysnqn");
	READ(c->hostnqn, "hostnqn");
	READ(c->transport, "transport");
	READ(c->state, "state");
	READ(address, "address");
#undef READ
	parse_address(address, &c->addr);
}

int sys_ctrls(const struct connect_host *h, struct sys_ctrl **out)
{
	auto_free char(*names)[CONNECT_DEVICE_SIZE] =
		calloc(SYS_CTRLS_MAX, sizeof(*names));
	unsigned n;

	*out = NULL;
	if (names == NULL)
		return -ENOMEM;
	n = connect_list(h, "/sys/class/nvme", is_ctrl, names, SYS_CTRLS_MAX);
	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		read_ctrl(h, names[i], *out + i);
	return (int)n;
}

bool sys_ctrl_is_live(const struct sys_ctrl *c)
{
	return strcmp(c->state, "live") == 0;
}

bool sys_ctrl_is_coming(const struct sys_ctrl *c)
{
	return is_one_of(c->state, "new|connecting|resetting");
}

bool sys_ctrl_is(const struct sys_ctrl *c, const struct connect_target *t,
		 const struct connect_portal *p)
{
	return strcmp(c->nqn, t->nqn) == 0 &&
	       strcmp(c->transport, connect_portal_transport(p)) == 0 &&
	       addr_equal(&c->addr, &p->addr) &&
	       (t->hostnqn[0] == '\0' || c->hostnqn[0] == '\0' ||
		strcmp(c->hostnqn, t->hostnqn) == 0);
}

/* -------------------------------------------------------------- namespaces */

/* "nvme0n1", or "nvme0c1n1" */
static bool is_namespace(const char *name)
{
	const char *rest = numbered(name, "nvme");

	if (rest != NULL && *rest == 'c')
		rest = numbered(rest, "c");
	if (rest != NULL)
		rest = numbered(rest, "n");
	return rest != NULL && *rest == '\0';
}

/* "nvme0c1n1" is a path of "nvme0n1". */
static void name_device(const char *name, char out[CONNECT_DEVICE_SIZE])
{
	size_t head = strcspn(name + 4, "c") + 4;
	const char *rest = strrchr(name, 'n');

	if (name[head] == '\0')
		strcpy(out, name);
	else
		snprintf(out, CONNECT_DEVICE_SIZE, "%.*s%s", (int)head, name,
			 rest);
}

/* Digits, among which anything may stand: "%pU" of a UUID, "00 11 22 …" */
static bool read_digits(const struct connect_host *h, const char *controller,
			const char *name, const char *file, uint8_t *bytes,
			size_t len)
{
	char line[80], digits[80];
	size_t n = 0;

	connect_read_or_empty(h, line, sizeof(line), "/sys/class/nvme/%s/%s/%s",
			      controller, name, file);
	for (const char *c = line; *c != '\0'; c++)
		if (isxdigit((unsigned char)*c))
			digits[n++] = *c;
	digits[n] = '\0';
	return connect_digits(digits, bytes, len);
}

static void read_namespace(const struct connect_host *h, const char *ctrl,
			   const char *name, struct sys_namespace *out)
{
	struct connect_id *id = &out->id;
	char nsid[16];

	name_device(name, out->device);
	id->has_uuid = read_digits(h, ctrl, name, "uuid", id->uuid, 16);
	id->has_nguid = read_digits(h, ctrl, name, "nguid", id->nguid, 16);
	id->has_eui64 = read_digits(h, ctrl, name, "eui", id->eui64, 8);
	connect_read_or_empty(h, nsid, sizeof(nsid),
			      "/sys/class/nvme/%s/%s/nsid", ctrl, name);
	id->nsid = (uint32_t)strtoul(nsid, NULL, 10);
}

int sys_namespaces(const struct connect_host *h, const char *controller,
		   struct sys_namespace **out)
{
	auto_free char(*names)[CONNECT_DEVICE_SIZE] =
		calloc(SYS_NAMESPACES_MAX, sizeof(*names));
	char path[80];
	unsigned n;

	*out = NULL;
	if (names == NULL)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/sys/class/nvme/%s", controller);
	n = connect_list(h, path, is_namespace, names, SYS_NAMESPACES_MAX);
	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		read_namespace(h, controller, names[i], *out + i);
	return (int)n;
}

static bool differs(bool has, bool wanted, const uint8_t *a, const uint8_t *b,
		    size_t len, unsigned *same)
{
	if (!has || !wanted)
		return false;
	*same += 1;
	return memcmp(a, b, len) != 0;
}

bool sys_namespace_is(const struct sys_namespace *n,
		      const struct connect_id *id)
{
	/* Where there is no UUID, the kernel shows the NGUID in its place. */
	bool guess = n->id.has_nguid && id->has_nguid &&
		     memcmp(n->id.uuid, n->id.nguid, 16) == 0;
	unsigned same = 0;

	if (differs(n->id.has_uuid && !guess, id->has_uuid, n->id.uuid,
		    id->uuid, 16, &same) ||
	    differs(n->id.has_nguid, id->has_nguid, n->id.nguid, id->nguid, 16,
		    &same) ||
	    differs(n->id.has_eui64, id->has_eui64, n->id.eui64, id->eui64, 8,
		    &same))
		return false;
	if (id->nsid != 0)
		return n->id.nsid == id->nsid;
	return same > 0;
}

/* ----------------------------------------------------------- block devices */

uint64_t sys_size(const struct connect_host *h, const char *device)
{
	char line[32];

	connect_read_or_empty(h, line, sizeof(line), "/sys/class/block/%s/size",
			      device);
	return strtoull(line, NULL, 10) * 512;
}

void sys_number(const struct connect_host *h, const char *device,
		char out[CONNECT_DEVICE_SIZE])
{
	connect_read_or_empty(h, out, CONNECT_DEVICE_SIZE,
			      "/sys/class/block/%s/dev", device);
}

static bool is_anything(const char *name)
{
	return true;
}

bool sys_holder(const struct connect_host *h, const char *device,
		const char *prefix, char out[CONNECT_DEVICE_SIZE])
{
	char names[16][CONNECT_DEVICE_SIZE], path[96];
	unsigned n;

	snprintf(path, sizeof(path), "/sys/class/block/%s/holders", device);
	n = connect_list(h, path, is_anything, names, ARRAY_SIZE(names));
	for (unsigned i = 0; i < n; i++)
		if (strncmp(names[i], prefix, strlen(prefix)) == 0) {
			strcpy(out, names[i]);
			return true;
		}
	return false;
}

bool sys_native_multipath(const struct connect_host *h)
{
	char line[8];

	connect_read_or_empty(h, line, sizeof(line),
			      "/sys/module/nvme_core/parameters/multipath");
	return strcmp(line, "Y") == 0;
}
