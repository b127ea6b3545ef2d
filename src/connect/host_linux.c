/* SPDX-License-Identifier: Apache-2.0 */
/* What changes this machine: libnvme, sysfs, block devices, programs. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/command.h"
#include "base/refuse.h"
#include "base/util.h"
#include "connect/host.h"

#include <libnvme.h> /* after util.h: it has a macro round_up, too */

/* OpenStack's: requests in flight of one I/O queue. */
enum { QUEUE_SIZE = 128 };

/* ------------------------------------------------------------- controllers */

/* libnvme's errors begin where errno's end. */
static int why(int error, const struct connect_way *way,
	       char text[CONNECT_TEXT])
{
	char address[ADDR_TEXT_MAX];

	if (error == ENVME_CONNECT_ALREADY || error == EALREADY)
		return -EALREADY;
	return refuse_with(text, error > 0 && error < 1000 ? -error : -EIO,
			   "%s: %s", addr_format(&way->portal->addr, address),
			   error >= 1000 ? nvme_errno_to_string(error)
					 : strerror(error));
}

static int add_below(nvme_root_t root, const struct connect_way *way,
		     char name[CONNECT_DEVICE_SIZE], char text[CONNECT_TEXT])
{
	struct nvme_fabrics_config config;
	char host[ADDR_TEXT_MAX], port[8];
	nvme_host_t h;
	nvme_ctrl_t c;

	h = nvme_lookup_host(root, way->hostnqn, way->hostid);
	snprintf(port, sizeof(port), "%u", addr_port(&way->portal->addr));
	c = h == NULL ? NULL
		      : nvme_create_ctrl(root, way->nqn,
					 connect_portal_transport(way->portal),
					 connect_portal_host(way->portal, host),
					 NULL, NULL, port);
	if (c == NULL)
		return why(errno, way, text);
	nvmf_default_config(&config);
	config.queue_size = QUEUE_SIZE;
	config.ctrl_loss_tmo = way->ctrl_loss_s;
	config.reconnect_delay = way->reconnect_delay_s;
	if (way->fast_io_fail_s >= 0)
		config.fast_io_fail_tmo = way->fast_io_fail_s;
	if (nvmf_add_ctrl(h, c, &config) < 0) {
		int error = errno;

		nvme_free_ctrl(c);
		return why(error, way, text);
	}
	snprintf(name, CONNECT_DEVICE_SIZE, "%s", nvme_ctrl_get_name(c));
	return 0;
}

static int linux_add(struct connect_host *host, const struct connect_way *way,
		     char name[CONNECT_DEVICE_SIZE], char text[CONNECT_TEXT])
{
	/* It says nothing by itself: errors come back. */
	nvme_root_t root = nvme_create_root(NULL, -1);
	int rc;

	if (root == NULL)
		return -ENOMEM;
	rc = add_below(root, way, name, text);
	nvme_free_tree(root);
	return rc;
}

/* Text fields are padded with spaces, or zeroes. */
static void get_text(const char *field, size_t size, char *out)
{
	size_t len = strnlen(field, size);

	while (len > 0 && field[len - 1] == ' ')
		len--;
	memcpy(out, field, len);
	out[len] = '\0';
}

static bool take_entry(const struct nvmf_disc_log_entry *e, const char *nqn,
		       struct connect_portal *out)
{
	char subnqn[sizeof(e->subnqn) + 1], host[sizeof(e->traddr) + 1],
		port[sizeof(e->trsvcid) + 1],
		text[sizeof(host) + sizeof(port) + 3];

	get_text(e->subnqn, sizeof(e->subnqn), subnqn);
	get_text(e->traddr, sizeof(e->traddr), host);
	get_text(e->trsvcid, sizeof(e->trsvcid), port);
	if (e->trtype != NVMF_TRTYPE_TCP || strcmp(subnqn, nqn) != 0)
		return false;
	snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:%s" : "%s:%s",
		 host, port);
	memset(out, 0, sizeof(*out));
	return addr_parse(&out->addr, text, 0) == 0 &&
	       out->addr.sa.sa_family != AF_UNIX && addr_port(&out->addr) != 0;
}

static int read_log(nvme_ctrl_t c, const char *nqn, struct connect_portal *out,
		    unsigned most)
{
	struct nvmf_discovery_log *log = NULL;
	unsigned n = 0;

	if (nvmf_get_discovery_log(c, &log, 4) < 0)
		return -EIO;
	for (uint64_t i = 0; i < le64toh(log->numrec) && n < most; i++)
		n += take_entry(&log->entries[i], nqn, &out[n]);
	free(log);
	return (int)n;
}

/* By a controller that lives for one question. */
static int discover_below(nvme_root_t root, const struct connect_way *way,
			  struct connect_portal *out, unsigned most)
{
	struct nvme_fabrics_config config;
	char host[ADDR_TEXT_MAX], port[8];
	nvme_host_t h = nvme_lookup_host(root, way->hostnqn, way->hostid);
	nvme_ctrl_t c;
	int n;

	snprintf(port, sizeof(port), "%u", addr_port(&way->portal->addr));
	c = h == NULL ? NULL
		      : nvme_create_ctrl(root, NVME_DISC_SUBSYS_NAME, "tcp",
					 connect_portal_host(way->portal, host),
					 NULL, NULL, port);
	if (c == NULL)
		return -EIO;
	nvmf_default_config(&config);
	config.duplicate_connect = true;
	config.ctrl_loss_tmo = 0;
	if (nvmf_add_ctrl(h, c, &config) < 0) {
		nvme_free_ctrl(c);
		return -ENOTCONN;
	}
	n = read_log(c, way->nqn, out, most);
	nvme_disconnect_ctrl(c);
	return n;
}

static int linux_discover(struct connect_host *h, const struct connect_way *way,
			  struct connect_portal *out, unsigned most)
{
	nvme_root_t root = nvme_create_root(NULL, -1);
	int n;

	if (root == NULL)
		return -ENOMEM;
	n = discover_below(root, way, out, most);
	nvme_free_tree(root);
	return n;
}

static int linux_size(struct connect_host *h, const char *controller,
		      uint32_t nsid, uint64_t *bytes)
{
	char path[PATH_MAX];
	struct nvme_id_ns ns;
	auto_close int fd = -1;
	uint8_t format;
	int rc;

	snprintf(path, sizeof(path), "%s/dev/%s", h->root, controller);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	memset(&ns, 0, sizeof(ns));
	rc = nvme_identify_ns(fd, nsid, &ns);
	if (rc != 0)
		return rc < 0 ? -errno : -EIO;
	format = ns.flbas & NVME_NS_FLBAS_LOWER_MASK;
	if (ns.lbaf[format].ds < 9 || ns.lbaf[format].ds > 16)
		return -EIO;
	*bytes = le64toh(ns.nsze) << ns.lbaf[format].ds;
	return 0;
}

/* --------------------------------------------------------------- the machine
 */

static int linux_write(struct connect_host *h, const char *path,
		       const char *value)
{
	char whole[PATH_MAX];
	auto_close int fd = -1;

	snprintf(whole, sizeof(whole), "%s%s", h->root, path);
	fd = open(whole, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return -errno;
	return 0;
}

/* Who has a block device for himself (a mount, an array) keeps others from
 * that. */
static int linux_flush(struct connect_host *h, const char *device)
{
	char path[PATH_MAX];
	auto_close int fd = -1;

	snprintf(path, sizeof(path), "%s%s", h->root, device);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		return -errno;
	return ioctl(fd, BLKFLSBUF, 0) < 0 ? -errno : 0;
}

static int linux_run(struct connect_host *h, const char *const *argv,
		     int timeout_s, char *text, size_t size)
{
	return command_run(argv, timeout_s, text, size);
}

static long long linux_now(struct connect_host *h)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void linux_pause(struct connect_host *h, unsigned ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void connect_host_init(struct connect_host *h)
{
	static const struct connect_host_ops ops = {
		.add = linux_add,
		.write = linux_write,
		.discover = linux_discover,
		.size = linux_size,
		.flush = linux_flush,
		.run = linux_run,
		.now = linux_now,
		.pause = linux_pause,
	};
	ssize_t n;

	memset(h, 0, sizeof(*h));
	h->ops = &ops;
	n = readlink("/proc/self/exe", h->program, sizeof(h->program) - 1);
	if (n < 0)
		strcpy(h->program, "hawser");
}
