/* SPDX-License-Identifier: Apache-2.0 */
#include "csi/nvme_device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/command.h"

enum {
	CONNECT_S = 60,
	RUN_S = 300, /* a file system is made */
	WORDS = 24,
	SAID = 64 << 10,
};

/* --------------------------------------------------------------- programs */

__attribute__((format(printf, 3, 4))) static int fail(char err[DEVICE_TEXT],
						      int error,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, DEVICE_TEXT, format, args);
	va_end(args);
	return error;
}

int device_run(char err[DEVICE_TEXT], const char *program, ...)
{
	const char *argv[WORDS] = { program };
	char said[DEVICE_TEXT - 64];
	unsigned n = 1;
	va_list args;
	int r;

	va_start(args, program);
	while (n < WORDS - 1 && (argv[n] = va_arg(args, const char *)) != NULL)
		n++;
	va_end(args);
	r = command_run(argv, RUN_S, said, sizeof(said));
	if (r == 0) {
		strcpy(err, said);
		return 0;
	}
	return fail(err, r < 0 ? r : -EIO, "%s: %s", program,
		    r < 0 ? strerror(-r) : said);
}

/* A command of hawser's that answers in JSON: *out is a new reference. */
static int ask(const struct csi *csi, const char *const *words, json_t **out,
	       char err[DEVICE_TEXT])
{
	const char *argv[WORDS];
	unsigned n = mounter_enter(&csi->mounter, argv);
	auto_free char *said = malloc(SAID);
	const json_t *error;
	int r;

	*out = NULL;
	if (said == NULL)
		return -ENOMEM;
	while (*words != NULL)
		argv[n++] = *words++;
	argv[n] = NULL;
	r = command_run(argv, CONNECT_S, said, SAID);
	if (r < 0)
		return fail(err, r, "hawser %s: %s", argv[n - 1], strerror(-r));
	if (strchr(said, '{') != NULL)
		*out = json_loads(strchr(said, '{'), JSON_DISABLE_EOF_CHECK,
				  NULL);
	if (r == 0 && *out != NULL)
		return 0;
	error = json_object_get(*out, "error");
	r = -EIO;
	if (is_one_of(json_string_value(json_object_get(error, "code")) ?: "-",
		      "unknown|no-device"))
		r = -ENODEV;
	fail(err, r, "%.900s",
	     json_string_value(json_object_get(error, "message")) ?: said);
	json_decref(*out);
	*out = NULL;
	return r;
}

/* ------------------------------------------------------------------- loop */

static int find_loop(struct device *d, char err[DEVICE_TEXT])
{
	int r = device_run(err, "losetup", "-n", "-O", "NAME", "-j", d->file,
			   NULL);

	if (r < 0)
		return r;
	snprintf(d->path, sizeof(d->path), "%.*s", (int)strcspn(err, " \n"),
		 err);
	return d->path[0] ? 0 : -ENODEV;
}

static int make_loop(struct device *d, char err[DEVICE_TEXT])
{
	int r = find_loop(d, err);

	if (r != -ENODEV)
		return r;
	r = device_run(err, "losetup", "-f", "--show", "--direct-io=on", "--",
		       d->file, NULL);
	return r < 0 ? r : find_loop(d, err);
}

/* Of what the connector says. */
static int read_result(const json_t *result, struct device *d)
{
	const char *path = json_string_value(json_object_get(result, "path"));
	const char *type = json_string_value(json_object_get(result, "type"));
	bool block = type != NULL && strcmp(type, "block") == 0;

	*d = (struct device){};
	if (path == NULL || type == NULL)
		return -EPROTO;
	snprintf(block ? d->path : d->file, PATH_MAX, "%s", path);
	return 0;
}

/* ---------------------------------------------------------------- connect */

static json_t *make_portals(const char *text)
{
	json_t *list = json_array();
	char one[ADDR_TEXT_MAX], host[ADDR_TEXT_MAX];
	struct addr a;

	for (size_t len; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		snprintf(one, sizeof(one), "%.*s", (int)len, text);
		if (addr_parse(&a, one, 4420) == 0 && a.sa.sa_family != AF_UNIX)
			json_array_append_new(
				list, json_pack("[s, i, s]",
						addr_format_host(&a, host),
						(int)addr_port(&a), "tcp"));
	}
	return list;
}

bool device_portals_are_valid(const char *text)
{
	json_t *list = make_portals(text);
	size_t n = 1;

	for (; *text; text++)
		n += *text == ',';
	n -= json_array_size(list);
	json_decref(list);
	return n == 0;
}

/* To a file of its own, with connection information; its name, malloc'ed. */
static char *write_info(const struct csi *csi, const struct nvme_handle *h,
			const struct device_ways *ways)
{
	json_t *info = json_pack("{s:s, s:s, s:o}", "target_nqn", ways->nqn,
				 "vol_uuid", h->uuid, "portals",
				 make_portals(ways->portals));
	char *path = NULL;
	int fd = -1, r = -1;

	mounter_make_directory(csi->options->work_dir);
	if (info != NULL &&
	    asprintf(&path, "%s/.connect-XXXXXX", csi->options->work_dir) >= 0)
		fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0) {
		r = json_dumpfd(info, fd, JSON_COMPACT);
		close(fd);
	}
	json_decref(info);
	if (r == 0)
		return path;
	free(path);
	return NULL;
}

int device_connect(const struct csi *csi, const struct nvme_handle *h,
		   const struct device_ways *ways, struct device *out,
		   char err[DEVICE_TEXT])
{
	auto_free char *file = write_info(csi, h, ways);
	const char *words[] = { csi->options->program,
				"connect",
				"--json",
				ways->single_path ? "--single-path" : NULL,
				NULL,
				NULL };
	json_t *result;
	int r;

	if (file == NULL)
		return fail(err, -EIO, "%s: %s", csi->options->work_dir,
			    strerror(errno));
	words[ways->single_path ? 4 : 3] = file;
	r = ask(csi, words, &result, err);
	unlink(file);
	if (r == 0)
		r = read_result(result, out);
	json_decref(result);
	return r == 0 && out->file[0] ? make_loop(out, err) : r;
}

int device_find(const struct csi *csi, const struct nvme_handle *h,
		struct device *out, char err[DEVICE_TEXT])
{
	const char *words[] = { csi->options->program,
				"connector",
				"show",
				h->uuid,
				"--json",
				NULL };
	json_t *result;
	int r = ask(csi, words, &result, err);

	if (r == 0)
		r = read_result(result, out);
	json_decref(result);
	return r == 0 && out->file[0] ? find_loop(out, err) : r;
}

int device_disconnect(const struct csi *csi, const struct nvme_handle *h,
		      char err[DEVICE_TEXT])
{
	const char *words[] = { csi->options->program, "disconnect", h->uuid,
				"--json", NULL };
	struct device d = {};
	json_t *result;
	int r = device_find(csi, h, &d, err);

	if (r < 0 && r != -ENODEV)
		return r;
	if (r == 0 && d.file[0]) {
		r = device_run(err, "losetup", "-d", d.path, NULL);
		if (r < 0)
			return r;
	}
	r = ask(csi, words, &result, err);
	json_decref(result);
	return r == -ENODEV ? 0 : r;
}

int device_extend(const struct csi *csi, const struct nvme_handle *h,
		  const struct device *d, char err[DEVICE_TEXT])
{
	const char *words[] = { csi->options->program,
				"connector",
				"extend",
				h->uuid,
				"--json",
				NULL };
	json_t *result;
	int r = ask(csi, words, &result, err);

	json_decref(result);
	if (r == 0 && d->file[0])
		r = device_run(err, "losetup", "-c", d->path, NULL);
	return r;
}

int device_type(const char *path, char type[32], char err[DEVICE_TEXT])
{
	const char *argv[] = { "blkid", "-p",	 "-s", "TYPE",
			       "-o",	"value", path, NULL };
	int r = command_run(argv, RUN_S, err, DEVICE_TEXT);

	snprintf(type, 32, "%.31s", r == 0 ? err : "");
	if (r == 2) /* nothing is there that it knows */
		return 0;
	if (r != 0)
		return fail(err, r < 0 ? r : -EIO,
			    "%s: what is on it is not understood", path);
	return type[0] ? 0
		       : fail(err, -EIO, "%s: a partition table is on it",
			      path);
}

/* ------------------------------------------------------------- mounted where
 */

/* The device that a node stands for; 0: it is none. */
static dev_t device_of(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
	    !S_ISBLK(st.stx_mode))
		return 0;
	return makedev(st.stx_rdev_major, st.stx_rdev_minor);
}

static bool is_file_system(const struct mounted *m)
{
	return is_one_of(m->type, "ext4|xfs");
}

bool device_is_at(const struct device *d, const char *at,
		  const struct mounted *m)
{
	dev_t own = device_of(d->path);

	if (own == 0)
		return false;
	return is_file_system(m) ? m->device == own : device_of(at) == own;
}

bool device_may_be_at(const char *at, const struct mounted *m)
{
	return is_file_system(m) || device_of(at) != 0;
}
