/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked for: one table of options, a row for each.  Those of
 * amazon-efs-utils are all there: understood, or refused with what would do.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "mount/internal.h"

static const char usage[] =
	"usage: %s fs-ID:/PATH DIR [-fnrsvw] [-o OPTION,...]\n"
	"       %s ADDRESS:/PATH DIR [-fnrsvw] [-o OPTION,...]\n"
	"\n"
	"  -o OPTION,...  see mount.hawser(8)\n"
	"  -f             do everything but mount\n"
	"  -s             ignore unknown options\n"
	"  -v             say what is done\n"
	"  -r, -w         read-only, read and write\n"
	"  -n             (nothing: there is no /etc/mtab)\n"
	"  --help, --version\n";

enum kind {
	/* For the clients. */
	BOTH,
	KERNEL,
	FUSE,
	ATTRIBUTE, /* of the mount: a flag for the kernel's, a text for FUSE */
	/* For us. */
	TEXT,
	FLAG,
	NOT_FLAG,
	NUMBER,
	ADDRESS,
	CLIENT,
	POINT,
	/* For nobody. */
	IGNORED,
	REFUSED,
};

static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;	     /* TEXT, FLAG, NOT_FLAG, NUMBER */
	const char *instead; /* REFUSED */
	unsigned long set;   /* ATTRIBUTE */
} table[] = {
#define AT(member) offsetof(struct wish, member)
	/* Where, and who. */
	{ "addr", ADDRESS },
	{ "mounttargetip", ADDRESS },
	{ "az", TEXT, AT(zone) },
	{ "region", TEXT, AT(region) },
	{ "awsprofile", TEXT, AT(profile) },
	{ "endpoint", TEXT, AT(endpoint) },
	{ "accesspoint", POINT, AT(access_point) },
	{ "tls", FLAG, AT(tls) },
	{ "notls", FLAG, AT(no_tls) },
	{ "iam", FLAG, AT(iam) },
	{ "cafile", TEXT, AT(ca_file) },
	{ "verify", TEXT, AT(verify) },
	{ "tlshost", TEXT, AT(host) },
	/* How. */
	{ "client", CLIENT },
	{ "multipath", FLAG, AT(multipath) },
	{ "nomultipath", NOT_FLAG, AT(multipath) },
	{ "trunkdiscovery", FLAG, AT(multipath) },
	{ "notrunkdiscovery", NOT_FLAG, AT(multipath) },
	{ "max_connect", NUMBER, AT(max_connect) },
	{ "retry", NUMBER, AT(retry) },
	{ "retrycnt", NUMBER, AT(retry_count) },
	{ "bg", FLAG, AT(background) },
	{ "fg", NOT_FLAG, AT(background) },
	{ "ro", FLAG, AT(read_only) },
	{ "rw", NOT_FLAG, AT(read_only) },
#undef AT
	{ "nosuid", ATTRIBUTE, .set = MOUNT_ATTR_NOSUID },
	{ "nodev", ATTRIBUTE, .set = MOUNT_ATTR_NODEV },
	{ "noexec", ATTRIBUTE, .set = MOUNT_ATTR_NOEXEC },
	{ "noatime", ATTRIBUTE, .set = MOUNT_ATTR_NOATIME },
	{ "suid", ATTRIBUTE },
	{ "dev", ATTRIBUTE },
	{ "exec", ATTRIBUTE },
	{ "atime", ATTRIBUTE },
	/* NFS. */
	{ "rsize", BOTH },
	{ "wsize", BOTH },
	{ "timeo", BOTH },
	{ "retrans", BOTH },
	{ "port", BOTH },
	{ "nconnect", BOTH },
	{ "vers", BOTH },
	{ "nfsvers", BOTH },
	{ "minorversion", BOTH },
	{ "hard", BOTH },
	{ "actimeo", BOTH },
	{ "noac", BOTH },
	{ "proto", BOTH },
	{ "sec", BOTH },
	{ "noresvport", BOTH },
	{ "sync", BOTH },
	{ "soft", KERNEL },
	{ "softerr", KERNEL },
	{ "softreval", KERNEL },
	{ "nosoftreval", KERNEL },
	{ "resvport", KERNEL },
	{ "ac", KERNEL },
	{ "acregmin", KERNEL },
	{ "acregmax", KERNEL },
	{ "acdirmin", KERNEL },
	{ "acdirmax", KERNEL },
	{ "cto", KERNEL },
	{ "nocto", KERNEL },
	{ "lookupcache", KERNEL },
	{ "rdirplus", KERNEL },
	{ "nordirplus", KERNEL },
	{ "sharecache", KERNEL },
	{ "nosharecache", KERNEL },
	{ "fsc", KERNEL },
	{ "nofsc", KERNEL },
	{ "local_lock", KERNEL },
	{ "write", KERNEL },
	{ "slots", FUSE },
	{ "policy", FUSE },
	{ "rr_min_io", FUSE },
	{ "reconnect_delay", FUSE },
	{ "reconnect_max", FUSE },
	{ "connect_timeout", FUSE },
	{ "fast_io_fail_timeout", FUSE },
	{ "ctrlr_loss_timeout", FUSE },
	{ "suspect_factor", FUSE },
	{ "suspect_min", FUSE },
	{ "suspect_max", FUSE },
	{ "probe_min", FUSE },
	{ "probe_max", FUSE },
	{ "idle_probe", FUSE },
	{ "mount_timeout", FUSE },
	{ "rediscover", FUSE },
	{ "readahead", FUSE },
	{ "allow_other", FUSE },
	{ "noallow_other", FUSE },
	/* mount(8), fstab(5); and what has no meaning without a tunnel. */
	{ "defaults", IGNORED },
	{ "_netdev", IGNORED },
	{ "auto", IGNORED },
	{ "noauto", IGNORED },
	{ "nofail", IGNORED },
	{ "user", IGNORED },
	{ "users", IGNORED },
	{ "nouser", IGNORED },
	{ "owner", IGNORED },
	{ "group", IGNORED },
	{ "async", IGNORED },
	{ "relatime", IGNORED },
	{ "diratime", IGNORED },
	{ "comment", IGNORED },
	{ "intr", IGNORED },
	{ "nointr", IGNORED },
	{ "noocsp", IGNORED },
	{ "stunnel", IGNORED },
	{ "tlsport", IGNORED },
	{ "nodirects3read", IGNORED },
	{ "nos3readcache", IGNORED },
	{ "remount", REFUSED, 0,
	  "umount and mount; the kernel's NFS client "
	  "takes: mount -t nfs4 -o remount" },
	{ "ocsp", REFUSED, 0,
	  "cafile: certificates are not looked up with their issuer" },
	{ "awscredsuri", REFUSED, 0, "awsprofile, or keys in the environment" },
	{ "rolearn", REFUSED, 0, "awsprofile, or keys in the environment" },
	{ "jwtpath", REFUSED, 0, "awsprofile, or keys in the environment" },
	{ "azid", REFUSED, 0, "az, the name of the zone" },
	{ "crossaccount", REFUSED, 0, "mounttargetip" },
	{ "netns", REFUSED, 0, "nsenter --net=FILE mount" },
	{ "capath", REFUSED, 0, "cafile" },
};

__attribute__((format(printf, 2, 3))) static int complain(const struct wish *w,
							  const char *format,
							  ...)
{
	va_list args;

	fprintf(stderr, "%s: ", w->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -EINVAL;
}

/* ------------------------------------------------------------------ one row */

static int hand_on(struct wish *w, const char *text)
{
	size_t len = strlen(w->options);

	if (len + 1 + strlen(text) >= sizeof(w->options))
		return complain(w, "the options are too long at %.64s", text);
	sprintf(w->options + len, "%s%s", len ? "," : "", text);
	return 0;
}

static void remember(char first[64], const char *name)
{
	if (first[0] == '\0')
		snprintf(first, 64, "%s", name);
}

static int take_number(struct wish *w, const struct row *row, const char *value)
{
	unsigned *at = (unsigned *)((char *)w + row->offset);
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || n > 1000000)
		return complain(w, "option %s=%.64s: expected a number",
				row->name, value);
	*at = (unsigned)n;
	return 0;
}

static int take_address(struct wish *w, const char *value)
{
	struct addr a;

	if (addr_parse(&a, value, 0) < 0)
		return complain(w, "%.64s is no address", value);
	if (w->naddresses == WISH_ADDRESSES)
		return complain(w, "at most %d addresses", WISH_ADDRESSES);
	w->address[w->naddresses++] = value;
	return 0;
}

int wish_set_client(struct wish *w, const char *value)
{
	static const char *const names[] = { "auto", "kernel", "fuse" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0) {
			w->client = (enum wish_client)i;
			return 0;
		}
	return complain(w, "option client=%.64s: expected auto, kernel or fuse",
			value);
}

static bool is_point(const char *id)
{
	static const char prefix[] = "fsap-";
	size_t len = sizeof(prefix) - 1, digits;

	if (strncmp(id, prefix, len) != 0)
		return false;
	digits = strspn(id + len, "0123456789abcdef");
	return digits >= 8 && digits <= 26 && id[len + digits] == '\0';
}

static int take_point(struct wish *w, const char *value)
{
	if (!is_point(value))
		return complain(w,
				"accesspoint=%.64s is not the id of an access "
				"point (fsap-…)",
				value);
	w->access_point = value;
	return 0;
}

static int take(struct wish *w, const struct row *row, const char *text,
		const char *value)
{
	char *at = (char *)w + row->offset;

	switch (row->kind) {
	case BOTH:
		return hand_on(w, text);
	case KERNEL:
		remember(w->only_kernel, row->name);
		return hand_on(w, text);
	case FUSE:
		remember(w->only_fuse, row->name);
		return hand_on(w, text);
	case ATTRIBUTE:
		w->attributes |= row->set;
		return hand_on(w, text);
	case TEXT:
		*(const char **)at = value;
		return 0;
	case FLAG:
	case NOT_FLAG:
		*(bool *)at = row->kind == FLAG;
		return 0;
	case NUMBER:
		return take_number(w, row, value);
	case ADDRESS:
		return take_address(w, value);
	case CLIENT:
		return wish_set_client(w, value);
	case POINT:
		return take_point(w, value);
	case IGNORED:
		return 0;
	case REFUSED:
		return complain(w, "option %s is not there; use %s", row->name,
				row->instead);
	}
	return 0;
}

/* ------------------------------------------------------------------ the list
 */

static bool is_called(const char *text, const char *name)
{
	size_t len = strlen(name);

	return strncmp(text, name, len) == 0 &&
	       (text[len] == '\0' || text[len] == '=');
}

/* "mounttargetip_1" is one more address. */
static const struct row *find(const char *text)
{
	static const char more[] = "mounttargetip_";

	if (strncmp(text, more, sizeof(more) - 1) == 0)
		return &table[0];
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (is_called(text, table[i].name))
			return &table[i];
	return NULL;
}

static bool wants_value(enum kind kind)
{
	return kind == TEXT || kind == NUMBER || kind == ADDRESS ||
	       kind == CLIENT || kind == POINT;
}

static int apply(struct wish *w, char *text)
{
	const struct row *row = find(text);
	char *value = strchr(text, '=');

	if (strncmp(text, "x-", 2) == 0 || strncmp(text, "X-", 2) == 0)
		return 0; /* fstab(5): for user space */
	if (row == NULL)
		return w->sloppy ? 0
				 : complain(w,
					    "unknown option %.200s; see "
					    "mount.hawser(8)",
					    text);
	value = value ? value + 1 : NULL;
	if (wants_value(row->kind) && (value == NULL || *value == '\0'))
		return complain(w, "option %s needs a value", row->name);
	if ((row->kind == FLAG || row->kind == NOT_FLAG) && value != NULL)
		return complain(w, "option %s takes no value", row->name);
	return take(w, row, text, value);
}

/* What goes together, and what does not. */
static int check(const struct wish *w)
{
	if (w->tls && w->no_tls)
		return complain(w, "tls and notls exclude each other");
	if (w->iam && !w->tls)
		return complain(w, "The \"tls\" option is required when "
				   "mounting with \"iam\": the signature is "
				   "part of the client's certificate");
	if ((w->ca_file || w->verify || w->host) && !w->tls)
		return complain(w, "%s means nothing without tls",
				w->ca_file  ? "cafile"
				: w->verify ? "verify"
					    : "tlshost");
	if (w->tls && w->client == CLIENT_KERNEL)
		return complain(w, "tls is not to be had with client=kernel: "
				   "the kernel's NFS client has none here; use "
				   "client=fuse, or leave client out");
	if (w->only_fuse[0] && w->client == CLIENT_KERNEL)
		return complain(w,
				"option %s is not to be had with "
				"client=kernel",
				w->only_fuse);
	if (w->only_kernel[0] && (w->tls || w->client == CLIENT_FUSE))
		return complain(w,
				"option %s is one of the kernel's client, "
				"and %s means the one in user space",
				w->only_kernel, w->tls ? "tls" : "client=fuse");
	if (w->only_kernel[0] && w->only_fuse[0])
		return complain(w,
				"option %s is one of the kernel's client, "
				"and %s one of that in user space",
				w->only_kernel, w->only_fuse);
	return 0;
}

int wish_parse_options(struct wish *w, char *list)
{
	char *text;
	int r = 0;

	while (r == 0 && (text = strsep(&list, ",")) != NULL)
		if (*text)
			r = apply(w, text);
	return r;
}

/* ------------------------------------------------------------ the arguments */

static void help(const struct wish *w)
{
	printf(usage, w->program, w->program);
}

static int parse_flags(struct wish *w, int argc, char **argv)
{
	static const struct option known[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{},
	};
	char *list = NULL;
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":fhnrsvVwo:t:N:", known,
				  NULL)) != -1) {
		switch (opt) {
		case 'f':
			w->fake = true;
			break;
		case 's':
			w->sloppy = true;
			break;
		case 'v':
			w->verbose = true;
			break;
		case 'r':
		case 'w':
			w->read_only = opt == 'r';
			break;
		case 'o':
			if (list != NULL)
				return complain(w, "-o is given twice");
			list = optarg;
			break;
		case 'h':
			help(w);
			return 1;
		case 'V':
			printf("%s " HAWSER_VERSION "\n", w->program);
			return 1;
		case 'n':
		case 't':
		case 'N': /* mount(8) has entered it already */
			break;
		default:
			return complain(w,
					"%s is not understood; see: %s "
					"--help",
					argv[optind - 1], w->program);
		}
	}
	return list ? wish_parse_options(w, list) : 0;
}

int wish_parse(struct wish *w, int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int r;

	*w = (struct wish){
		.program = slash ? slash + 1 : argv[0],
		.multipath = true,
		.retry = UINT_MAX,
		.retry_count = UINT_MAX,
	};
	r = parse_flags(w, argc, argv);
	if (r != 0)
		return r;
	if (argc - optind != 2)
		return complain(w,
				"a file system and a directory are needed; "
				"see: %s --help",
				w->program);
	w->source = argv[optind];
	w->directory = argv[optind + 1];
	return check(w);
}
