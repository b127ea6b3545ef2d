/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that have names: each is a file that only its owner may read, and is
 * read again whenever it is used.  What is in it is told to nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "reactor/reactor.h"
#include "rpc/nvmf.h"

struct key_file {
	const char *path;
	char *key; /* of NVMF_KEY_SIZE bytes; NULL: only look */
	char text[256];
};

__attribute__((format(printf, 3, 4))) static int complain(struct key_file *f,
							  int error,
							  const char *format,
							  ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return error;
}

static int check_file(struct key_file *f, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return complain(f, -errno, "Key file %.160s: %s", f->path,
				strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(f, -EPERM, "Key file %.160s is not a file",
				f->path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return complain(f, -EPERM,
				"Invalid permissions for key file '%.160s': "
				"0%o; 0600 is needed",
				f->path, (unsigned)st.st_mode & 07777);
	if (st.st_uid != geteuid())
		return complain(f, -EPERM, "Key file %.160s is somebody else's",
				f->path);
	return 0;
}

static int read_text(struct key_file *f, int fd)
{
	ssize_t n = read(fd, f->key, NVMF_KEY_SIZE - 1);

	if (n <= 0 || n == NVMF_KEY_SIZE - 1)
		return complain(f, -EINVAL, "Key file %.160s holds no key",
				f->path);
	f->key[n] = '\0';
	f->key[strcspn(f->key, "\r\n")] = '\0';
	return 0;
}

/* On a worker thread. */
static int open_file(void *arg)
{
	struct key_file *f = arg;
	auto_close int fd = -1;
	int r;

	if (f->path[0] != '/')
		return complain(f, -EPERM,
				"The path of a key file is absolute, not "
				"'%.160s'",
				f->path);
	fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return complain(f, -errno, "Key file %.160s: %s", f->path,
				strerror(errno));
	r = check_file(f, fd);
	return r == 0 && f->key != NULL ? read_text(f, fd) : r;
}

int keyring_read(struct rpc_call *call, const char *name,
		 char key[NVMF_KEY_SIZE])
{
	struct key_file f = { .key = key };
	char path[LEDGER_PATH_SIZE];
	const struct ledger_entry *e;
	int r = rpc_path(call, path, "key", name);

	if (r != 0)
		return r;
	e = rpc_entry(call, path);
	if (e == NULL) {
		call->error_number = -ENOKEY;
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "The keyring has no key '%.64s'", name);
	}
	f.path = json_string_value(json_object_get(e->params, "path"));
	r = offload(open_file, &f);
	return r < 0 ? rpc_fail(call, RPC_INVALID_PARAMS, r, f.text) : 0;
}

static int add_key(struct rpc_call *call)
{
	struct key_file f = { .path = rpc_string(call, "path") };
	char path[LEDGER_PATH_SIZE];
	int r = rpc_path(call, path, "key", rpc_string(call, "name"));

	if (r == 0)
		r = rpc_check_new(call, path, -EEXIST);
	if (r != 0)
		return r;
	r = offload(open_file, &f);
	if (r < 0)
		return rpc_fail(call, r, r, f.text);
	call->result = json_true();
	return rpc_record(call, "keyring", path, rpc_params_copy(call));
}

/* A host that uses the key. */
static const char *find_user(const struct rpc_call *call, const char *name)
{
	static const char *const members[] = { "psk", "dhchap_key",
					       "dhchap_ctrlr_key" };
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
			const char *used = json_string_value(
				json_object_get(e->params, members[i]));

			if (used != NULL && strcmp(used, name) == 0)
				return json_string_value(
					json_object_get(e->params, "host"));
		}
	}
	return NULL;
}

static int remove_key(struct rpc_call *call)
{
	const char *name = rpc_string(call, "name");
	const char *user = find_user(call, name);
	char path[LEDGER_PATH_SIZE];
	int r = rpc_path(call, path, "key", name);

	if (r == 0 && rpc_entry(call, path) == NULL)
		r = rpc_refuse(call, -ENOKEY, "The keyring has no key '%.64s'",
			       name);
	if (r == 0 && user != NULL)
		r = rpc_refuse(call, -EBUSY, "Host %.160s uses it", user);
	if (r != 0)
		return r;
	call->result = json_true();
	return rpc_forget(call, path);
}

static int get_keys(struct rpc_call *call)
{
	struct ledger_entry *e = NULL;

	call->result = json_array();
	while ((e = ledger_next(call->env->ledger, e)) != NULL)
		if (strncmp(e->path, "key\t", 4) == 0)
			json_array_append_new(
				call->result,
				json_pack("{s:O, s:s, s:b, s:b, s:O}", "name",
					  json_object_get(e->params, "name"),
					  "module", "keyring_file", "removed",
					  0, "probed", (int)(e->error == 0),
					  "path",
					  json_object_get(e->params, "path")));
	return 0;
}

static const struct rpc_param add_key_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "=" },
	{ "path", RPC_STRING, RPC_REQUIRED,
	  "absolute; of a file that only its owner may read, with a key as "
	  "nvme gen-dhchap-key or gen-tls-key make it",
	  "=" },
	{},
};
static const struct rpc_param remove_key_params[] = {
	{ "name", RPC_STRING, RPC_REQUIRED, "of the key", "=" },
	{},
};

const struct rpc_method rpc_keyring_methods[] = {
	{ "keyring_file_add_key", add_key, "Names a key that is in a file.",
	  add_key_params, RPC_CHANGES },
	{ "keyring_file_remove_key", remove_key,
	  "Forgets a key that no host uses; the file stays.", remove_key_params,
	  RPC_CHANGES },
	{ "keyring_get_keys", get_keys, "Lists the keys, not what they are.",
	  NULL, RPC_READS },
	{},
};
