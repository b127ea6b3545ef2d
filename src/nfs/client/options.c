/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount options: one table, a row for each.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <strings.h>

#include "nfs/client/internal.h"

void nfs_options_init(struct nfs_options *o)
{
	*o = (struct nfs_options){
		.port = NFS4_PORT,
		.rsize = MIB(1),
		.wsize = MIB(1),
		.slots = 128,
		.nconnect = 1,
		.max_connect = NFS_MAX_ADDRESSES,
		.discover = true,
		.rediscover = SEC(60),
		.minorversion = 2,
		.timeo = SEC(60),
		.retrans = 2,
		.mount_timeout = SEC(10),
	};
}

enum kind {
	ADDRESS,
	SIZE, /* bytes, with k, m */
	NUMBER,
	PORT,
	DECISECONDS,
	TIME, /* 0.15, 150ms, 5s; never: off or -1 */
	TIME_OR_NEVER,
	VERSION,
	POLICY,
	SET_FLAG,
	CLEAR_FLAG,
	IGNORED,
};

static const struct option {
	const char *name;
	enum kind kind;
	size_t offset;
	long min, max; /* SIZE, NUMBER */
} table[] = {
#define AT(member) offsetof(struct nfs_options, member)
	{ "addr", ADDRESS },
	{ "port", PORT, AT(port), 1, 65535 },
	{ "rsize", SIZE, AT(rsize), 4096, 4 << 20 },
	{ "wsize", SIZE, AT(wsize), 4096, 4 << 20 },
	{ "slots", NUMBER, AT(slots), 1, SLOTS_MAX },
	{ "nconnect", NUMBER, AT(nconnect), 1, 16 },
	{ "max_connect", NUMBER, AT(max_connect), 1, NFS_MAX_ADDRESSES },
	{ "trunkdiscovery", SET_FLAG, AT(discover) },
	{ "notrunkdiscovery", CLEAR_FLAG, AT(discover) },
	{ "rediscover", TIME_OR_NEVER, AT(rediscover) },
	{ "minorversion", NUMBER, AT(minorversion), 1, 2 },
	{ "vers", VERSION, AT(minorversion) },
	{ "nfsvers", VERSION, AT(minorversion) },
	{ "ro", SET_FLAG, AT(ro) },
	{ "rw", CLEAR_FLAG, AT(ro) },
	{ "timeo", DECISECONDS, AT(timeo), 1, 36000 },
	{ "retrans", NUMBER, AT(retrans), 1, 1000 },
	{ "hard", IGNORED },
	{ "policy", POLICY },
	{ "rr_min_io", NUMBER, AT(path.rr_min_io), 1, 1000000 },
	{ "reconnect_delay", TIME, AT(path.reconnect_delay) },
	{ "reconnect_max", TIME, AT(path.reconnect_max) },
	{ "connect_timeout", TIME, AT(path.connect_timeout) },
	{ "fast_io_fail_timeout", TIME_OR_NEVER,
	  AT(path.fast_io_fail_timeout) },
	{ "ctrlr_loss_timeout", TIME_OR_NEVER, AT(path.ctrlr_loss_timeout) },
	{ "suspect_factor", NUMBER, AT(path.suspect_factor), 1, 1000 },
	{ "suspect_min", TIME, AT(path.suspect_min) },
	{ "suspect_max", TIME, AT(path.suspect_max) },
	{ "probe_min", TIME, AT(path.probe_min) },
	{ "probe_max", TIME, AT(path.probe_max) },
	{ "idle_probe", TIME_OR_NEVER, AT(path.idle_probe) },
	{ "mount_timeout", TIME, AT(mount_timeout) },
#undef AT
};

struct parser {
	struct nfs_options *o;
	const char *name, *value; /* value NULL: none was given */
	char *err;
	size_t errsize;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct parser *p,
							const char *format, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	snprintf(p->err, p->errsize, "option %s%s%s: %s", p->name,
		 p->value ? "=" : "", p->value ? p->value : "", what);
	return -EINVAL;
}

static bool parse_long(const char *text, long *out, const char **rest)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	*rest = end;
	return end != text && errno == 0;
}

static int number(struct parser *p, const struct option *row, long *out)
{
	const char *rest;
	long n;

	if (!parse_long(p->value, &n, &rest) || *rest != '\0' || n < row->min ||
	    n > row->max)
		return refuse(p, "expected a number from %ld to %ld", row->min,
			      row->max);
	*out = n;
	return 0;
}

static int size(struct parser *p, const struct option *row, size_t *out)
{
	const char *rest;
	long n;

	if (parse_long(p->value, &n, &rest)) {
		if (tolower(*rest) == 'k' && n < LONG_MAX >> 10)
			n <<= 10, rest++;
		else if (tolower(*rest) == 'm' && n < LONG_MAX >> 20)
			n <<= 20, rest++;
		if (*rest == '\0' && n >= row->min && n <= row->max &&
		    n % 4096 == 0) {
			*out = n;
			return 0;
		}
	}
	return refuse(p, "expected a multiple of 4096 from %ld to %ld",
		      row->min, row->max);
}

static int duration(struct parser *p, bool never_allowed, nsec *out)
{
	double seconds;
	char *end;

	if (never_allowed &&
	    (!strcmp(p->value, "off") || !strcmp(p->value, "-1"))) {
		*out = -1;
		return 0;
	}
	seconds = strtod(p->value, &end);
	if (end != p->value && !strcmp(end, "ms"))
		seconds /= 1000;
	else if (end == p->value || (*end != '\0' && strcmp(end, "s")))
		seconds = -1;
	if (!(seconds > 0 && seconds <= 86400))
		return refuse(p, "expected a time such as 0.15, 150ms or 5s%s",
			      never_allowed ? ", or off" : "");
	*out = (nsec)(seconds * 1e9);
	return 0;
}

static int address(struct parser *p)
{
	struct nfs_options *o = p->o;

	if (o->naddresses == NFS_MAX_ADDRESSES)
		return refuse(p, "at most %d addresses", NFS_MAX_ADDRESSES);
	/* Port 0 for now: `port=` may come later in the line. */
	if (addr_parse(&o->address[o->naddresses], p->value, 0) < 0)
		return refuse(p,
			      "expected an IP address, with :PORT if need be");
	o->naddresses++;
	return 0;
}

static int version(struct parser *p, unsigned *minor)
{
	if (!strcmp(p->value, "4.1"))
		*minor = 1;
	else if (!strcmp(p->value, "4.2") || !strcmp(p->value, "4"))
		*minor = 2;
	else
		return refuse(p, "expected 4.1 or 4.2");
	return 0;
}

static int policy(struct parser *p)
{
	static const char *const names[] = { "active-passive", "round-robin",
					     "queue-depth", "service-time" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(p->value, names[i])) {
			strcpy(p->o->policy, names[i]);
			return 0;
		}
	return refuse(p, "expected active-passive, round-robin, queue-depth "
			 "or service-time");
}

static int apply_number(struct parser *p, const struct option *row, void *at)
{
	long n = 0;
	int rc = number(p, row, &n);

	if (rc < 0)
		return rc;
	if (row->kind == PORT)
		*(uint16_t *)at = (uint16_t)n;
	else if (row->kind == DECISECONDS)
		*(nsec *)at = MSEC(100) * n;
	else
		*(unsigned *)at = (unsigned)n;
	return 0;
}

static int apply(struct parser *p, const struct option *row)
{
	void *at = (char *)p->o + row->offset;
	bool flag = row->kind == SET_FLAG || row->kind == CLEAR_FLAG ||
		    row->kind == IGNORED;

	if (flag && p->value != NULL)
		return refuse(p, "takes no value");
	if (!flag && (p->value == NULL || *p->value == '\0'))
		return refuse(p, "needs a value");
	switch (row->kind) {
	case ADDRESS:
		return address(p);
	case SIZE:
		return size(p, row, at);
	case NUMBER:
	case PORT:
	case DECISECONDS:
		return apply_number(p, row, at);
	case TIME:
		return duration(p, false, at);
	case TIME_OR_NEVER:
		return duration(p, true, at);
	case VERSION:
		return version(p, at);
	case POLICY:
		return policy(p);
	case SET_FLAG:
	case CLEAR_FLAG:
		*(bool *)at = row->kind == SET_FLAG;
		return 0;
	case IGNORED:
		return 0;
	}
	return 0;
}

static bool is_mount_target(const char *name)
{
	static const char prefix[] = "mounttargetip_";

	return strncmp(name, prefix, sizeof(prefix) - 1) == 0 &&
	       isdigit(name[sizeof(prefix) - 1]);
}

static int parse_one(struct parser *p, char *item)
{
	char *equals = strchr(item, '=');

	if (equals != NULL)
		*equals = '\0';
	p->name = item;
	p->value = equals ? equals + 1 : NULL;
	if (is_mount_target(item))
		return apply(p, &table[0]);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(item, table[i].name))
			return apply(p, &table[i]);
	snprintf(p->err, p->errsize, "%s", item);
	return -ENOENT;
}

int nfs_options_parse(struct nfs_options *o, const char *text, char *err,
		      size_t errsize)
{
	struct parser p = { .o = o, .err = err, .errsize = errsize };
	auto_free char *copy = strdup(text);
	char *save, *item;
	int rc = 0;

	if (copy == NULL)
		return -ENOMEM;
	for (item = strtok_r(copy, ",", &save); item != NULL && rc == 0;
	     item = strtok_r(NULL, ",", &save))
		rc = parse_one(&p, item);
	return rc;
}
