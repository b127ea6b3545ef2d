/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "fuse/mountpoint.h"
#include "fuse/options.h"

static const char usage[] =
	"usage: hawser mount ADDRESS:/PATH DIR [-o OPTION,...] [-f]\n"
	"\n"
	"  -o OPTION,...  see hawser-mount(8)\n"
	"  -f             stay in the foreground\n"
	"  --help\n";

/* What becomes of an option that is not the NFS client's. */
enum kind {
	KERNEL,	 /* handed on */
	IGNORED, /* holds anyway, or is for mount(8) and fstab(5) */
	REFUSED,
	ACTIMEO,
	NOAC,
	ALLOW_OTHER,
	NO_ALLOW_OTHER,
	READ_AHEAD,
	FLAG, /* a bool at `offset` */
	TEXT, /* `size` bytes there */
	VERIFY,
};

static const struct row {
	const char *name;
	enum kind kind;
	const char *instead; /* REFUSED: what would do */
	size_t offset, size;
} table[] = {
#define AT(member)                                                             \
	.offset = offsetof(struct mount_options, member),                      \
	.size = sizeof(((struct mount_options *)0)->member)
	{ "tls", FLAG, AT(tls) },
	{ "iam", FLAG, AT(iam) },
	{ "verify", VERIFY },
	{ "accesspoint", TEXT, AT(access_point) },
	{ "tlshost", TEXT, AT(host) },
	{ "region", TEXT, AT(region) },
	{ "awsprofile", TEXT, AT(profile) },
	{ "credentials_file", TEXT, AT(credentials) },
	{ "cafile", TEXT, AT(ca_file) },
#undef AT
	{ "actimeo", ACTIMEO },
	{ "noac", NOAC },
	{ "allow_other", ALLOW_OTHER },
	{ "noallow_other", NO_ALLOW_OTHER },
	{ "readahead", READ_AHEAD },
	{ "suid", KERNEL },
	{ "nosuid", KERNEL },
	{ "dev", KERNEL },
	{ "nodev", KERNEL },
	{ "exec", KERNEL },
	{ "noexec", KERNEL },
	{ "atime", KERNEL },
	{ "noatime", KERNEL },
	{ "sync", KERNEL },
	{ "async", KERNEL },
	{ "dirsync", KERNEL },
	{ "defaults", IGNORED },
	{ "_netdev", IGNORED },
	{ "auto", IGNORED },
	{ "noauto", IGNORED },
	{ "nofail", IGNORED },
	{ "relatime", IGNORED },
	{ "noresvport", IGNORED },
	{ "proto=tcp", IGNORED },
	{ "sec=sys", IGNORED },
	{ "fg", IGNORED },
	{ "soft", REFUSED, "fast_io_fail_timeout=SECONDS" },
	{ "softerr", REFUSED, "fast_io_fail_timeout=SECONDS" },
	{ "nolock", REFUSED, "nothing: locks are the server's" },
};

static int complain(const char *what, const char *which)
{
	fprintf(stderr, "hawser mount: %s%s; see: hawser mount --help\n", what,
		which);
	return -EINVAL;
}

/* "name" matches "name" and "name=value"; *value is NULL or behind the '='.
 * A row with a value of its own matches only that. */
static const struct row *find(const char *text, const char **value)
{
	size_t len = strcspn(text, "=");

	*value = text[len] ? text + len + 1 : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, text) == 0 ||
		    (strlen(table[i].name) == len &&
		     strncmp(table[i].name, text, len) == 0))
			return &table[i];
	return NULL;
}

static int number(const char *text, const char *value, double max, double *out)
{
	char *end;

	if (value == NULL || *value == '\0')
		return complain("a number is missing in option ", text);
	*out = strtod(value, &end);
	if (*end != '\0' || !(*out >= 0) || *out > max)
		return complain("not a number that it takes: option ", text);
	return 0;
}

static int hand_on(struct mount_options *o, const char *text)
{
	size_t len = strlen(o->kernel);

	if (len + 1 + strlen(text) >= sizeof(o->kernel))
		return complain("too many options at ", text);
	sprintf(o->kernel + len, ",%s", text);
	return 0;
}

static int take_text(struct mount_options *o, const struct row *row,
		     const char *text, const char *value)
{
	if (value == NULL || *value == '\0')
		return complain("a value is missing in option ", text);
	if (strlen(value) >= row->size)
		return complain("the value is too long: option ", text);
	strcpy((char *)o + row->offset, value);
	return 0;
}

/* stunnel's levels: 0 nothing, 1 if there is one, 2 it has to be good. */
static int take_verify(struct mount_options *o, const char *text,
		       const char *value)
{
	double n = 0;
	int r = number(text, value, 2, &n);

	o->verify = (unsigned)n;
	return r;
}

static int apply_own(struct mount_options *o, const char *text)
{
	const char *value;
	const struct row *row = find(text, &value);
	double n = 0;
	int r = 0;

	if (strncmp(text, "x-", 2) == 0) /* fstab(5): for user space */
		return 0;
	if (row == NULL)
		return complain("unknown option ", text);
	switch (row->kind) {
	case KERNEL:
		return hand_on(o, text);
	case IGNORED:
		return 0;
	case REFUSED:
		fprintf(stderr,
			"hawser mount: option %s is not there; use %s\n", text,
			row->instead);
		return -EINVAL;
	case FLAG:
		*(bool *)((char *)o + row->offset) = true;
		return 0;
	case TEXT:
		return take_text(o, row, text, value);
	case VERIFY:
		return take_verify(o, text, value);
	case ACTIMEO:
		return number(text, value, 86400, &o->actimeo);
	case NOAC:
		o->actimeo = 0;
		return 0;
	case ALLOW_OTHER:
	case NO_ALLOW_OTHER:
		o->allow_other = row->kind == ALLOW_OTHER;
		return 0;
	case READ_AHEAD:
		r = number(text, value, 1 << 20, &n);
		o->read_ahead = (unsigned)n;
		return r;
	}
	return 0;
}

static int apply(struct mount_options *o, const char *text)
{
	char err[200] = "";
	int r;

	if (*text == '\0')
		return 0;
	if (strncmp(text, "addr=", 5) == 0)
		o->has_addr = true;
	r = nfs_options_parse(&o->nfs, text, err, sizeof(err));
	if (r == -ENOENT)
		return apply_own(o, text);
	return r < 0 ? complain(err, "") : 0;
}

static int apply_list(struct mount_options *o, char *list)
{
	char *text;
	int r = 0;

	while (r == 0 && (text = strsep(&list, ",")) != NULL)
		r = apply(o, text);
	return r;
}

/* The address last read becomes the first: that which says what server is
 * meant. */
static void last_comes_first(struct nfs_options *o)
{
	const struct addr last = o->address[o->naddresses - 1];

	memmove(&o->address[1], &o->address[0],
		(o->naddresses - 1) * sizeof(o->address[0]));
	o->address[0] = last;
}

/* What certificates are about, unless tlshost= says so: a name of EFS's says
 * which file system it is; an address is checked for each connection. */
static void set_host(struct mount_options *o, const char *source, int len)
{
	struct addr a;
	char text[256];

	snprintf(text, sizeof(text), "%.*s", len, source);
	if (strncmp(text, "fs-", 3) == 0)
		snprintf(o->fs, sizeof(o->fs), "%.*s",
			 (int)MIN(strcspn(text, "."), sizeof(o->fs) - 1), text);
	if (o->host[0] == '\0' && addr_parse(&a, text, 0) < 0)
		strcpy(o->host, text);
}

/* "ADDRESS:/PATH"; where addresses are given by options, it may as well be any
 * name, and with addr=… it is no more than that. */
static int set_source(struct mount_options *o, const char *source)
{
	const char *colon = strstr(source, ":/");
	char text[300], err[200] = "";

	if (colon == NULL || colon == source || colon - source > 255)
		return complain("not of the form ADDRESS:/PATH: ", source);
	o->source = source;
	o->path = colon + 1;
	set_host(o, source, (int)(colon - source));
	if (o->has_addr)
		return 0;
	snprintf(text, sizeof(text), "addr=%.*s", (int)(colon - source),
		 source);
	if (nfs_options_parse(&o->nfs, text, err, sizeof(err)) == 0)
		last_comes_first(&o->nfs);
	else if (o->nfs.naddresses == 0)
		return complain(err, "");
	return 0;
}

static int set_directory(struct mount_options *o, const char *directory)
{
	int r = mountpoint_resolve(directory, o->mountpoint);

	if (r == 0)
		return 0;
	fprintf(stderr, "hawser mount: %s: %s\n", directory, strerror(-r));
	return r;
}

static int parse_flags(struct mount_options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int opt, r = 0;

	optind = 1;
	opterr = 0;
	while (r == 0 &&
	       (opt = getopt_long(argc, argv, ":o:f", known, NULL)) != -1) {
		switch (opt) {
		case 'o':
			r = apply_list(o, optarg);
			break;
		case 'f':
			o->foreground = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case ':':
			return complain("a value is missing after ",
					argv[optind - 1]);
		default:
			return complain("unknown option ", argv[optind - 1]);
		}
	}
	return r;
}

static int check_tls(const struct mount_options *o)
{
	if (!o->tls && (o->iam || o->access_point[0]))
		return complain(o->iam ? "iam needs tls"
				       : "accesspoint needs tls; without it, "
					 "mount ADDRESS:/fsap-…",
				"");
	return 0;
}

int mount_options_parse(struct mount_options *o, int argc, char **argv)
{
	int r;

	*o = (struct mount_options){
		.actimeo = 1,
		.allow_other = geteuid() == 0,
		.read_ahead = 4096,
		.verify = 2,
	};
	if (geteuid() == 0) /* libfuse leaves them out */
		strcpy(o->kernel, ",suid,dev");
	nfs_options_init(&o->nfs);
	r = parse_flags(o, argc, argv);
	if (r != 0)
		return r;
	if (argc - optind != 2)
		return complain("ADDRESS:/PATH and a directory are needed", "");
	r = check_tls(o);
	if (r == 0)
		r = set_source(o, argv[optind]);
	if (r == 0 && o->nfs.ro)
		r = hand_on(o, "ro");
	return r < 0 ? r : set_directory(o, argv[optind + 1]);
}
