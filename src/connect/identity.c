/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "base/uuid.h"
#include "connect/connect.h"
#include "connect/kernel.h"
#include "connect/sysfs.h"

#define UUID_NQN "nqn.2014-08.org.nvmexpress:uuid:"

/* Whole or not at all; the first of several wins. */
static void keep(const struct connect_host *h, const char *file,
		 const char *line)
{
	char path[PATH_MAX], new[PATH_MAX];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/etc/nvme", h->root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc/nvme/%s", h->root, file);
	snprintf(new, sizeof(new), "%s/etc/nvme/.%s.%d", h->root, file,
		 getpid());
	f = fopen(new, "we");
	if (f == NULL)
		return;
	ok = fprintf(f, "%s\n", line) > 0 && fflush(f) == 0 &&
	     fsync(fileno(f)) == 0;
	fclose(f);
	if (ok)
		link(new, path);
	unlink(new);
}

/* The machine's, or at least the installation's. */
static void any_uuid(const struct connect_host *h, uint8_t uuid[16])
{
	char line[64];

	connect_read_or_empty(h, line, sizeof(line),
			      "/sys/class/dmi/id/product_uuid");
	if (connect_digits(line, uuid, 16))
		return;
	connect_read_or_empty(h, line, sizeof(line), "/etc/machine-id");
	if (!connect_digits(line, uuid, 16))
		uuid_random(uuid);
}

static bool read_nqn(const struct connect_host *h, char nqn[CONNECT_NQN_SIZE])
{
	char line[CONNECT_NQN_SIZE + 1];

	if (connect_read(h, line, sizeof(line), "/etc/nvme/hostnqn") < 0 ||
	    !connect_nqn_ok(line))
		return false;
	strcpy(nqn, line);
	return true;
}

static bool read_id(const struct connect_host *h, uint8_t uuid[16])
{
	char line[64];

	return connect_read(h, line, sizeof(line), "/etc/nvme/hostid") == 0 &&
	       connect_digits(line, uuid, 16);
}

void identity_host(struct connect_host *h, char hostnqn[CONNECT_NQN_SIZE],
		   char hostid[40])
{
	uint8_t uuid[16];

	if (!read_nqn(h, hostnqn)) {
		any_uuid(h, uuid);
		snprintf(hostnqn, CONNECT_NQN_SIZE, UUID_NQN "%s",
			 uuid_format(uuid, hostid));
		keep(h, "hostnqn", hostnqn);
		read_nqn(h, hostnqn); /* somebody else may have been first */
	}
	if (read_id(h, uuid)) {
		uuid_format(uuid, hostid);
		return;
	}
	if (strncmp(hostnqn, UUID_NQN, strlen(UUID_NQN)) != 0 ||
	    !connect_digits(hostnqn + strlen(UUID_NQN), uuid, 16))
		any_uuid(h, uuid);
	keep(h, "hostid", uuid_format(uuid, hostid));
	if (read_id(h, uuid))
		uuid_format(uuid, hostid);
}

/* -------------------------------------------------------------- properties */

static void set(json_t *j, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_object_set_new(j, key, json_string(value));
}

/* Of the file system on /: what a local volume driver knows a host by.  There
 * is none on an overlay. */
static void root_uuid(struct connect_host *h, char out[CONNECT_TEXT])
{
	static const char *const argv[] = { "findmnt",	"--noheadings",
					    "--output", "UUID",
					    "--target", "/",
					    NULL };

	if (h->ops->run(h, argv, 10, out, CONNECT_TEXT) != 0 ||
	    strpbrk(out, " \t\n") != NULL)
		out[0] = '\0';
}

json_t *connect_properties(struct connect_host *h)
{
	char hostnqn[CONNECT_NQN_SIZE], hostid[40], line[CONNECT_TEXT];
	/* The module's parameters are there when it is. */
	bool kernel = kernel_has_nvme(h);
	json_t *j = json_object();

	identity_host(h, hostnqn, hostid);
	set(j, "nqn", hostnqn);
	set(j, "nvme_hostid", hostid);
	connect_read_or_empty(h, line, sizeof(line),
			      "/sys/class/dmi/id/product_uuid");
	set(j, "system uuid", line);
	root_uuid(h, line);
	set(j, "uuid", line);
	json_object_set_new(j, "nvme_native_multipath",
			    json_boolean(sys_native_multipath(h)));
	json_object_set_new(j, "side", json_string(kernel ? "kernel" : "user"));
	return j;
}
