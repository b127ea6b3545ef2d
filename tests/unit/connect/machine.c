/* SPDX-License-Identifier: Apache-2.0 */
#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "connect/sysfs.h"

static struct machine *of(struct connect_host *h)
{
	return (struct machine *)h;
}

/* ------------------------------------------------------------------- files */

static void make_parents(const char *path)
{
	char part[PATH_MAX];

	for (const char *s = strchr(path + 1, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(s - path), path);
		mkdir(part, 0755);
	}
}

void machine_put(struct machine *m, const char *text, const char *path, ...)
{
	char whole[PATH_MAX];
	va_list args;
	FILE *f;
	int n = snprintf(whole, sizeof(whole), "%s", m->host.root);

	va_start(args, path);
	vsnprintf(whole + n, sizeof(whole) - n, path, args);
	va_end(args);
	make_parents(whole);
	f = fopen(whole, "w");
	assert(f != NULL);
	fprintf(f, "%s\n", text);
	fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

void machine_remove(struct machine *m, const char *path, ...)
{
	char whole[PATH_MAX];
	va_list args;
	int n = snprintf(whole, sizeof(whole), "%s", m->host.root);

	va_start(args, path);
	vsnprintf(whole + n, sizeof(whole) - n, path, args);
	va_end(args);
	nftw(whole, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

unsigned machine_controllers(struct machine *m)
{
	struct sys_ctrl *list;
	int n = sys_ctrls(&m->host, &list), live = 0;

	for (int i = 0; i < n; i++)
		live += sys_ctrl_is_live(&list[i]);
	free(list);
	return (unsigned)live;
}

/* --------------------------------------------------------------------- log */

/* A call that may be the last one. */
__attribute__((format(printf, 2, 3))) static void call(struct machine *m,
						       const char *format, ...)
{
	size_t used = strlen(m->log);
	va_list args;

	if (++m->calls == m->die_at)
		_exit(0);
	va_start(args, format);
	vsnprintf(m->log + used, sizeof(m->log) - used - 1, format, args);
	va_end(args);
	strcat(m->log, "\n");
}

unsigned machine_logged(const struct machine *m, const char *words)
{
	unsigned n = 0;

	for (const char *at = strstr(m->log, words); at != NULL;
	     at = strstr(at + 1, words))
		n++;
	return n;
}

void machine_forget(struct machine *m)
{
	m->log[0] = '\0';
}

/* ------------------------------------------------------------- controllers */

static int target_of(const struct machine *m, const char *nqn)
{
	for (int i = 0; i < MACHINE_TARGETS; i++)
		if (m->targets[i].nqn && strcmp(m->targets[i].nqn, nqn) == 0)
			return i;
	return -1;
}

static void show_namespace(struct machine *m, int subsystem, int ctrl,
			   const struct machine_namespace *n)
{
	char dir[80], number[24];

	if (sys_native_multipath(&m->host))
		snprintf(dir, sizeof(dir),
			 "/sys/class/nvme/nvme%d/nvme%dc%dn%u", ctrl, subsystem,
			 ctrl, n->nsid);
	else
		snprintf(dir, sizeof(dir), "/sys/class/nvme/nvme%d/nvme%dn%u",
			 ctrl, ctrl, n->nsid);
	snprintf(number, sizeof(number), "%u", n->nsid);
	machine_put(m, number, "%s/nsid", dir);
	if (n->uuid || n->nguid)
		machine_put(m, n->uuid ? n->uuid : n->nguid, "%s/uuid", dir);
	if (n->nguid)
		machine_put(m, n->nguid, "%s/nguid", dir);
	if (n->eui)
		machine_put(m, n->eui, "%s/eui", dir);
	if (!sys_native_multipath(&m->host))
		subsystem = ctrl;
	snprintf(number, sizeof(number), "%llu", n->sectors);
	machine_put(m, number, "/sys/class/block/nvme%dn%u/size", subsystem,
		    n->nsid);
	snprintf(number, sizeof(number), "259:%u", subsystem * 10 + n->nsid);
	machine_put(m, number, "/sys/class/block/nvme%dn%u/dev", subsystem,
		    n->nsid);
	machine_put(m, "", "/dev/nvme%dn%u", subsystem, n->nsid);
}

static int fake_add(struct connect_host *h, const struct connect_way *way,
		    char name[CONNECT_DEVICE_SIZE], char text[CONNECT_TEXT])
{
	struct machine *m = of(h);
	char host[ADDR_TEXT_MAX], address[ADDR_TEXT_MAX + 64];
	int subsystem = target_of(m, way->nqn), c = 0;

	connect_portal_host(way->portal, host);
	call(m, "add %s %s fast %d", way->nqn, host, way->fast_io_fail_s);
	if (subsystem < 0 || (m->dead != NULL && strcmp(host, m->dead) == 0)) {
		snprintf(text, CONNECT_TEXT, "%s: connection refused", host);
		return -ECONNREFUSED;
	}
	while (connect_exists(h, "/sys/class/nvme/nvme%d", c))
		c++;
	snprintf(address, sizeof(address), "traddr=%s,trsvcid=%u,src_addr=::1",
		 host, addr_port(&way->portal->addr));
	machine_put(m, way->nqn, "/sys/class/nvme/nvme%d/subsysnqn", c);
	machine_put(m, connect_portal_transport(way->portal),
		    "/sys/class/nvme/nvme%d/transport", c);
	machine_put(m, address, "/sys/class/nvme/nvme%d/address", c);
	machine_put(m, way->hostnqn, "/sys/class/nvme/nvme%d/hostnqn", c);
	machine_put(m, "2", "/sys/class/nvme/nvme%d/reconnect_delay", c);
	for (int i = 0; i < MACHINE_NAMESPACES; i++)
		if (m->targets[subsystem].namespaces[i].nsid != 0)
			show_namespace(m, subsystem, c,
				       &m->targets[subsystem].namespaces[i]);
	machine_put(m, "live", "/sys/class/nvme/nvme%d/state", c);
	snprintf(name, CONNECT_DEVICE_SIZE, "nvme%d", c);
	return 0;
}

static void grow(struct machine *m, const char *name)
{
	char nqn[CONNECT_NQN_SIZE], number[24];
	int s;

	connect_read_or_empty(&m->host, nqn, sizeof(nqn),
			      "/sys/class/nvme/%s/subsysnqn", name);
	s = target_of(m, nqn);
	for (int i = 0; s >= 0 && i < MACHINE_NAMESPACES; i++) {
		const struct machine_namespace *n =
			&m->targets[s].namespaces[i];

		if (n->nsid == 0 || n->after == 0)
			continue;
		snprintf(number, sizeof(number), "%llu", n->after);
		machine_put(m, number, "/sys/class/block/nvme%dn%u/size", s,
			    n->nsid);
	}
}

static int fake_write(struct connect_host *h, const char *path,
		      const char *value)
{
	char name[64], what[64];

	if (sscanf(path, "/sys/class/nvme/%63[^/]/%63s", name, what) != 2)
		return -ENOENT;
	call(of(h), "%s %s", what, name);
	if (strcmp(what, "delete_controller") == 0)
		machine_remove(of(h), "/sys/class/nvme/%s", name);
	if (strcmp(what, "rescan_controller") == 0)
		grow(of(h), name);
	return 0;
}

static int fake_discover(struct connect_host *h, const struct connect_way *way,
			 struct connect_portal *out, unsigned most)
{
	struct machine *m = of(h);

	call(m, "discover %s", way->nqn);
	memset(out, 0, sizeof(*out));
	return m->listed ? addr_parse(&out->addr, m->listed, 4420) + 1 : 0;
}

static int fake_size(struct connect_host *h, const char *controller,
		     uint32_t nsid, uint64_t *bytes)
{
	struct machine *m = of(h);
	char nqn[CONNECT_NQN_SIZE];
	int s;

	connect_read_or_empty(h, nqn, sizeof(nqn),
			      "/sys/class/nvme/%s/subsysnqn", controller);
	s = target_of(m, nqn);
	for (int i = 0; s >= 0 && i < MACHINE_NAMESPACES; i++) {
		const struct machine_namespace *n =
			&m->targets[s].namespaces[i];

		if (n->nsid == nsid) {
			*bytes = (n->after ? n->after : n->sectors) * 512;
			return 0;
		}
	}
	return -EIO;
}

static int fake_flush(struct connect_host *h, const char *device)
{
	call(of(h), "flush %s", device);
	return connect_exists(h, "/busy%s", device) ? -EBUSY : 0;
}

/* ---------------------------------------------------------------- programs */

static const char *device_of(const char *word)
{
	return strncmp(word, "/dev/nvme", 9) == 0 ? word + 5 : NULL;
}

static int examine(struct machine *m, const char *device, char *said,
		   size_t size)
{
	char name[64];

	if (connect_read(&m->host, name, sizeof(name), "/member/%s", device) <
	    0)
		return 1;
	snprintf(said, size, "MD_LEVEL=raid1\nMD_NAME=any:%s\nMD_UUID=1:2:3:4",
		 m->array_name ? m->array_name : name);
	return 0;
}

/* An array of the devices that are named. */
static void make_array(struct machine *m, const char *const *argv)
{
	char link[PATH_MAX];
	const char *name = "";

	for (unsigned i = 0; argv[i] != NULL; i++)
		if (strncmp(argv[i], "/dev/md/", 8) == 0)
			name = argv[i] + 8;
	for (unsigned i = 0; argv[i] != NULL; i++) {
		const char *device = device_of(argv[i]);

		if (device == NULL)
			continue;
		machine_put(m, name, "/member/%s", device);
		machine_put(m, "", "/sys/class/block/%s/holders/md127", device);
		machine_put(m, "in_sync",
			    "/sys/class/block/md127/md/dev-%s/state", device);
	}
	machine_put(m, "clean", "/sys/class/block/md127/md/array_state");
	machine_put(m, "65536", "/sys/class/block/md127/size");
	machine_put(m, "", "/dev/md127");
	snprintf(link, sizeof(link), "%s/dev/md/%s", m->host.root, name);
	make_parents(link);
	symlink("../md127", link);
}

static void stop_array(struct machine *m)
{
	for (int s = 0; s < MACHINE_TARGETS; s++)
		machine_remove(m, "/sys/class/block/nvme%dn1/holders/md127", s);
	machine_remove(m, "/sys/class/block/md127");
	machine_remove(m, "/dev/md127");
	machine_remove(m, "/dev/md");
}

static int run_mdadm(struct machine *m, const char *const *argv, char *said,
		     size_t size)
{
	if (strcmp(argv[1], "--examine") == 0)
		return examine(m, argv[3] + 5, said, size);
	if (is_one_of(argv[1], "--create|--assemble"))
		make_array(m, argv);
	if (strcmp(argv[1], "--stop") == 0)
		stop_array(m);
	if (strcmp(argv[1], "--manage") == 0 &&
	    is_one_of(argv[3], "--add|--re-add")) {
		machine_put(m, argv[2] + 8, "/member/%s", argv[4] + 5);
		machine_put(m, "in_sync",
			    "/sys/class/block/md127/md/dev-%s/state",
			    argv[4] + 5);
	}
	return 0;
}

static void hold_by_map(struct machine *m, const char *table)
{
	for (int s = 0; s < MACHINE_TARGETS; s++) {
		char number[24];

		snprintf(number, sizeof(number), " 259:%d ", s * 10 + 1);
		if (strstr(table, number) != NULL)
			machine_put(m, "",
				    "/sys/class/block/nvme%dn1/holders/dm-0",
				    s);
	}
}

/* Each device of the table, with A behind it, or F if it has failed. */
static int tell_status(struct machine *m, char *said, size_t size)
{
	char table[1024], number[24];
	size_t n = 0;

	if (connect_read(&m->host, table, sizeof(table), "/table") < 0)
		return 1;
	n += snprintf(said, size, "0 65536 multipath");
	for (int s = 0; s < MACHINE_TARGETS; s++) {
		snprintf(number, sizeof(number), " 259:%d ", s * 10 + 1);
		if (strstr(table, number) != NULL)
			n += snprintf(said + n, size - n, " E 0 1 0%s%c 0",
				      number,
				      connect_exists(&m->host, "/failed/%d", s)
					      ? 'F'
					      : 'A');
	}
	return 0;
}

static void make_nodes(struct machine *m)
{
	char name[CONNECT_NAME_SIZE + 16];

	machine_remove(m, "/dev/mapper");
	if (connect_read(&m->host, name, sizeof(name),
			 "/sys/class/block/dm-0/dm/name") == 0)
		machine_put(m, "", "/dev/mapper/%s", name);
}

static int run_dmsetup(struct machine *m, const char *const *argv, char *said,
		       size_t size)
{
	if (strcmp(argv[1], "create") == 0) {
		machine_put(m, argv[2], "/sys/class/block/dm-0/dm/name");
		machine_put(m, argv[4], "/sys/class/block/dm-0/dm/uuid");
		machine_put(m, argv[6], "/table");
		hold_by_map(m, argv[6]);
	} else if (strcmp(argv[1], "mknodes") == 0) {
		make_nodes(m);
	} else if (strcmp(argv[1], "reload") == 0) {
		machine_put(m, argv[4], "/table");
		hold_by_map(m, argv[4]);
	} else if (strcmp(argv[1], "info") == 0) {
		if (!connect_exists(&m->host, "/sys/class/block/dm-0"))
			return 1;
		snprintf(said, size, "dm-0");
	} else if (strcmp(argv[1], "status") == 0) {
		return tell_status(m, said, size);
	} else if (strcmp(argv[1], "remove") == 0) {
		machine_remove(m, "/sys/class/block/dm-0");
		for (int s = 0; s < MACHINE_TARGETS; s++)
			machine_remove(
				m, "/sys/class/block/nvme%dn1/holders/dm-0", s);
	}
	return 0;
}

static int fake_run(struct connect_host *h, const char *const *argv,
		    int timeout_s, char *text, size_t size)
{
	struct machine *m = of(h);
	char line[1024] = "";

	for (unsigned i = 0; argv[i] != NULL; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s%s", i ? " " : "", argv[i]);
	call(m, "%s", line);
	text[0] = '\0';
	if (strcmp(argv[0], "mdadm") == 0)
		return run_mdadm(m, argv, text, size);
	if (strcmp(argv[0], "dmsetup") == 0)
		return run_dmsetup(m, argv, text, size);
	if (strcmp(argv[0], "wipefs") == 0)
		snprintf(text, size, "%s", m->signature ? m->signature : "");
	return 0;
}

static long long fake_now(struct connect_host *h)
{
	return of(h)->now;
}

static void fake_pause(struct connect_host *h, unsigned ms)
{
	of(h)->now += ms;
}

void machine_init(struct machine *m)
{
	static const struct connect_host_ops ops = {
		.add = fake_add,
		.write = fake_write,
		.discover = fake_discover,
		.size = fake_size,
		.flush = fake_flush,
		.run = fake_run,
		.now = fake_now,
		.pause = fake_pause,
	};

	memset(m, 0, sizeof(*m));
	m->host.ops = &ops;
	strcpy(m->host.program, "hawser");
	strcpy(m->host.root, "/tmp/hawser-machine-XXXXXX");
	if (mkdtemp(m->host.root) == NULL)
		abort();
	machine_put(m, "", "/dev/nvme-fabrics");
	machine_put(m, "", "/sys/class/nvme-fabrics/x");
	machine_put(m, "", "/sys/module/nvme_tcp/x");
	machine_put(m, "Y", "/sys/module/nvme_core/parameters/multipath");
	machine_put(m, "", "/run/hawser/x");
	machine_put(m, "nqn.2026-01.x:host", "/etc/nvme/hostnqn");
	machine_put(m, "99999999-2222-3333-4444-555555555555",
		    "/etc/nvme/hostid");
}

void machine_fini(struct machine *m)
{
	machine_remove(m, "%s", "");
}
