/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the driver, made in order and ended in the opposite one. */
#include "csi/csi.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "base/log.h"
#include "csi/internal.h"
#include "csi/server.h"
#include "csi/tags.h"

/* "unix:///csi/csi.sock", and "unix://tmp/csi.sock", which is /tmp/csi.sock. */
static int socket_path(const char *endpoint, char *path, size_t size)
{
	const char *p = endpoint;
	int n;

	if (strncmp(p, "unix:", 5) != 0) {
		log_error("endpoint %s: only unix:// is there", endpoint);
		return -EINVAL;
	}
	p += 5;
	if (strncmp(p, "//", 2) == 0)
		p += 2;
	n = snprintf(path, size, "%s%s", p[0] == '/' ? "" : "/", p);
	if (p[0] == '\0' || (size_t)n >= size) {
		log_error("endpoint %s: expected a path of at most %zu "
			  "characters",
			  endpoint, size - 1);
		return -EINVAL;
	}
	return 0;
}

static int list_points(void *arg, const char *fs, efs_point_fn *each,
		       void *each_arg, struct efs_error *err)
{
	struct csi *csi = arg;

	return efs_point_each(csi->efs, fs, each, each_arg, err);
}

static int create(struct csi *csi, const struct csi_options *options)
{
	int r;

	csi->options = options;
	csi->mounter = (struct mounter){ options->program, options->cgroup };
	csi->tags = tags_parse(options->tags);
	if (csi->tags == NULL) {
		log_error("tags '%s': expected key:value key:value",
			  options->tags);
		return -EINVAL;
	}
	r = efs_create(options->api, options->region, &csi->efs);
	if (r < 0) {
		json_decref(csi->tags);
		return r;
	}
	busy_init(&csi->busy);
	gid_pools_init(&csi->gids, list_points, csi);
	return 0;
}

static void destroy(struct csi *csi)
{
	gid_pools_fini(&csi->gids);
	busy_fini(&csi->busy);
	efs_destroy(csi->efs);
	json_decref(csi->tags);
}

/* Before there are threads: all of them, and none of what is started. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Calls, connections and trees that are deleted take descriptors. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)65536);
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Amazon's certificates lead to what every system trusts. */
static bool encrypts(const struct csi_options *o, const char *url)
{
	if (o->encrypt != CSI_ENCRYPT_IF_TRUSTED)
		return o->encrypt == CSI_ENCRYPT;
	return o->ca_file != NULL || strstr(url, ".amazonaws.com") != NULL;
}

int csi_run(const struct csi_options *options)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char url[AWS_ENDPOINT_SIZE];
	struct csi csi = {};
	int r = socket_path(options->endpoint, path, sizeof(path));

	if (r == 0)
		r = create(&csi, options);
	if (r < 0)
		return r;
	efs_url(csi.efs, url);
	csi.encrypt = encrypts(options, url);
	log_info("%s " HAWSER_VERSION ", node %s%s%s, API %s; volumes that do "
		 "not say encryptInTransit are %s",
		 options->name, options->node_id,
		 options->zone[0] ? " in " : "", options->zone, url,
		 csi.encrypt ? "encrypted" : "not encrypted");
	raise_descriptor_limit();
	block_signals();
	r = csi_serve(&csi, path);
	destroy(&csi);
	return r;
}
