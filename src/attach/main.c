/* SPDX-License-Identifier: Apache-2.0 */
/* hawser attach: options of volume_option(), addresses, and last the file. */
#include "attach/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "attach/internal.h"
#include "base/log.h"
#include "fuse/daemon.h"
#include "fuse/mountpoint.h"

enum { EXIT_USAGE = 2 };

static int complain(const char *what)
{
	fprintf(stderr, "hawser attach: %s; see: hawser attach --help\n", what);
	return EXIT_USAGE;
}

static int help(void)
{
	printf("usage: hawser attach --subnqn NQN ADDRESS[:PORT]… [OPTION…] "
	       "FILE\n\n"
	       "Makes FILE the volume of an NVMe/TCP subsystem, over all "
	       "paths; hawser umount FILE\n"
	       "ends it.\n\n"
	       "  -f                            stay in the foreground\n"
	       "  --read-only\n"
	       "  --allow-other                 others may use it, too\n"
	       "  --no-create                   FILE has to be there\n");
	volume_options_help("--");
	return EXIT_SUCCESS;
}

static int set(struct attach_options *o, const char *key, const char *value)
{
	char text[VOLUME_TEXT];
	int rc = volume_option(&o->volume, key, value, text);

	if (rc == 0)
		snprintf(text, sizeof(text), "unknown option --%.100s", key);
	return rc == 1 ? 0 : complain(text);
}

/* "--key=value", or "--key" and the argument behind it. */
static int set_long(struct attach_options *o, const char *option, char **argv,
		    int *i, int last)
{
	const char *equals = strchr(option, '=');
	char key[64];

	if (equals != NULL) {
		snprintf(key, sizeof(key), "%.*s", (int)(equals - option),
			 option);
		return set(o, key, equals + 1);
	}
	if (strcmp(option, "read-only") == 0) {
		o->read_only = true;
		return 0;
	}
	if (strcmp(option, "allow-other") == 0) {
		o->allow_other = true;
		return 0;
	}
	if (strcmp(option, "no-create") == 0) {
		o->no_create = true;
		return 0;
	}
	if (*i + 1 >= last)
		return complain("an option lacks its value, or the file is "
				"missing");
	return set(o, option, argv[++*i]);
}

static int parse(struct attach_options *o, int argc, char **argv)
{
	char text[VOLUME_TEXT];
	int rc = 0;

	if (argc < 2)
		return complain("a file is needed");
	for (int i = 1; i < argc - 1 && rc == 0; i++) {
		if (strcmp(argv[i], "-f") == 0)
			o->foreground = true;
		else if (strncmp(argv[i], "--", 2) == 0)
			rc = set_long(o, argv[i] + 2, argv, &i, argc - 1);
		else
			rc = set(o, "path", argv[i]);
	}
	if (rc == 0 && argv[argc - 1][0] == '-')
		rc = complain("a file is needed, as the last argument");
	if (rc == 0 && volume_options_check(&o->volume, text) < 0)
		rc = complain(text);
	return rc;
}

/* What is mounted needs something to be mounted on. */
static int find_file(const char *name, bool create, char file[PATH_MAX])
{
	int fd = -1, rc;

	if (create)
		fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	rc = mountpoint_resolve(name, file);
	if (rc < 0)
		fprintf(stderr, "hawser attach: %s: %s\n", name, strerror(-rc));
	return rc;
}

int attach_main(int argc, char **argv)
{
	static struct attach_options o;
	int rc;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return help();
	rc = parse(&o, argc, argv);
	if (rc != 0)
		return rc;
	if (getenv("HAWSER_LOG") == NULL && !o.foreground)
		log_set_level("warn");
	if (find_file(argv[argc - 1], !o.no_create, o.file) < 0 ||
	    daemon_claim("hawser attach", o.file, S_IFREG) < 0)
		return EXIT_FAILURE;
	return daemon_run("hawser attach", o.foreground, attach_serve, &o);
}
