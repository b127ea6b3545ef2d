/* SPDX-License-Identifier: Apache-2.0 */
/* hawser-csi: options; then csi_run(). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "csi/csi.h"
#include "rpc/client.h"

enum { EXIT_USAGE = 2, MOUNTS_DEFAULT = 32, MOUNTS_MAX = 60 };

static const char usage[] =
	"usage: hawser-csi [--endpoint unix:///PATH] [--node-id NAME] "
	"[OPTION…]\n"
	"\n"
	"  --endpoint URL       the socket; default: " CSI_DEFAULT_ENDPOINT "\n"
	"  --driver-name NAME   default: " CSI_DEFAULT_NAME "\n"
	"  --node-id NAME       default: $CSI_NODE_NAME, or the host's name\n"
	"  --zone ZONE          of this node; default: $HAWSER_ZONE, or none\n"
	"  --api URL            EFS's API; default: as the environment says\n"
	"  --region REGION      the same\n"
	"  --tags 'K:V K:V'     tags for access points\n"
	"  --encrypt-in-transit[=true|false]\n"
	"                       volumes that do not say encryptInTransit; "
	"default:\n"
	"                       true with --ca-file, or with AWS's API\n"
	"  --ca-file FILE       that mount targets' certificates lead to\n"
	"  --dns-suffix SUFFIX  they are for FS-ID.efs.REGION.SUFFIX; "
	"default:\n"
	"                       hawser.internal, or amazonaws.com for "
	"AWS\n"
	"  --client CLIENT      that mounts: fuse (the default), kernel or "
	"auto\n"
	"  --delete-access-point-root-dir[=true|false]\n"
	"                       DeleteVolume deletes what is in the volume\n"
	"  --max-inflight-mounts N  being made at the same time; 32\n"
	"  --nvme               volumes over NVMe, too (protocol: nvme)\n"
	"  --rpc SOCKET         of hawserd, for them; default: $HAWSER_RPC, "
	"or\n"
	"                       /var/lib/hawser/rpc.sock\n"
	"  --hawser PROGRAM     what mounts; default: the one beside this "
	"one,\n"
	"                       or hawser\n"
	"  --cgroup DIR         daemons of mounts go there, so that they do "
	"not\n"
	"                       end with this container\n"
	"  --work-dir DIR       default: " CSI_DEFAULT_WORK_DIR "\n"
	"  --version, --help\n";

static void print_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(EXIT_SUCCESS);
}

static void usage_error(const char *what, const char *which)
{
	fprintf(stderr, "hawser-csi: %s '%s'; see: hawser-csi --help\n", what,
		which);
	exit(EXIT_USAGE);
}

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static const char *host_name(void)
{
	static char name[256];

	if (gethostname(name, sizeof(name) - 1) < 0)
		strcpy(name, "localhost");
	return name;
}

/* The hawser that was built or installed together with this program. */
static const char *find_hawser(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	char *slash;

	if (n <= 0)
		return "hawser";
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash + 1, "hawser");
	return access(path, X_OK) == 0 ? path : "hawser";
}

static bool parse_bool(const char *text)
{
	if (text == NULL || strcmp(text, "true") == 0)
		return true;
	if (strcmp(text, "false") != 0)
		usage_error("expected true or false, not", text);
	return false;
}

static const char *parse_client(const char *text)
{
	if (!is_one_of(text, "fuse|kernel|auto"))
		usage_error("expected fuse, kernel or auto, not", text);
	return text;
}

static unsigned parse_mounts(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n < 1 || n > MOUNTS_MAX)
		usage_error("--max-inflight-mounts needs a number from 1 to "
			    "60, not",
			    text);
	return n;
}

static const struct option known[] = {
	{ "endpoint", required_argument, NULL, 'e' },
	{ "driver-name", required_argument, NULL, 'd' },
	{ "node-id", required_argument, NULL, 'n' },
	{ "zone", required_argument, NULL, 'z' },
	{ "api", required_argument, NULL, 'a' },
	{ "region", required_argument, NULL, 'r' },
	{ "tags", required_argument, NULL, 't' },
	{ "encrypt-in-transit", optional_argument, NULL, 'E' },
	{ "ca-file", required_argument, NULL, 'C' },
	{ "dns-suffix", required_argument, NULL, 'S' },
	{ "client", required_argument, NULL, 'c' },
	{ "delete-access-point-root-dir", optional_argument, NULL, 'x' },
	{ "max-inflight-mounts", required_argument, NULL, 'm' },
	{ "nvme", optional_argument, NULL, 'N' },
	{ "rpc", required_argument, NULL, 'R' },
	{ "hawser", required_argument, NULL, 'p' },
	{ "cgroup", required_argument, NULL, 'g' },
	{ "work-dir", required_argument, NULL, 'w' },
	{ "version", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{},
};

static void apply(struct csi_options *o, int opt, char **argv)
{
	switch (opt) {
	case 'e':
		o->endpoint = optarg;
		break;
	case 'd':
		o->name = optarg;
		break;
	case 'n':
		o->node_id = optarg;
		break;
	case 'z':
		o->zone = optarg;
		break;
	case 'a':
		o->api = optarg;
		break;
	case 'r':
		o->region = optarg;
		break;
	case 't':
		o->tags = optarg;
		break;
	case 'E':
		o->encrypt = parse_bool(optarg) ? CSI_ENCRYPT : CSI_NO_ENCRYPT;
		break;
	case 'C':
		o->ca_file = optarg[0] ? optarg : NULL;
		break;
	case 'S':
		o->suffix = optarg;
		break;
	case 'c':
		o->client = parse_client(optarg);
		break;
	case 'x':
		o->delete_root_dir = parse_bool(optarg);
		break;
	case 'm':
		o->max_mounts = parse_mounts(optarg);
		break;
	case 'N':
		o->nvme = parse_bool(optarg);
		break;
	case 'R':
		o->rpc = optarg;
		break;
	case 'p':
		o->program = optarg;
		break;
	case 'g':
		o->cgroup = optarg;
		break;
	case 'w':
		o->work_dir = optarg;
		break;
	case 'v':
		print_and_exit("hawser-csi " HAWSER_VERSION "\n");
		break;
	case 'h':
		print_and_exit(usage);
		break;
	case ':':
		usage_error("a value is missing after", argv[optind - 1]);
		break;
	default:
		usage_error("unknown option", argv[optind - 1]);
	}
}

int main(int argc, char **argv)
{
	struct csi_options o = {
		.endpoint = environment("CSI_ENDPOINT", CSI_DEFAULT_ENDPOINT),
		.name = CSI_DEFAULT_NAME,
		.node_id = environment("CSI_NODE_NAME", host_name()),
		.zone = environment("HAWSER_ZONE", ""),
		.tags = "",
		.client = "fuse",
		.program = find_hawser(),
		.work_dir = CSI_DEFAULT_WORK_DIR,
		.max_mounts = MOUNTS_DEFAULT,
	};
	char rpc[PATH_MAX];
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", known, NULL)) != -1)
		apply(&o, opt, argv);
	if (optind < argc)
		usage_error("unknown argument", argv[optind]);
	o.rpc = rpc_client_socket(o.rpc, rpc);
	return csi_run(&o) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
