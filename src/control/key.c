/* SPDX-License-Identifier: Apache-2.0 */
#include "control/key.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/util.h"
#include "control/internal.h"
#include "reactor/file.h"
#include "reactor/reactor.h"
#include "store/store.h"

static const char kind[] = "access-key";

struct access_keys {
	struct store *store;
	struct task_rwlock lock; /* held by who changes, while it parks */
	pthread_mutex_t guard;	 /* of the array */
	struct access_key *keys; /* ACCESS_KEYS_MAX; oldest first */
	int n;
};

/* ------------------------------------------------------------- the array */

static void insert(struct access_keys *k, const struct access_key *key)
{
	int at;

	pthread_mutex_lock(&k->guard);
	at = k->n++;
	for (; at > 0 && k->keys[at - 1].created > key->created; at--)
		k->keys[at] = k->keys[at - 1];
	k->keys[at] = *key;
	pthread_mutex_unlock(&k->guard);
}

static void erase(struct access_keys *k, const char *id)
{
	int left = 0;

	pthread_mutex_lock(&k->guard);
	for (int i = 0; i < k->n; i++)
		if (strcmp(k->keys[i].id, id) != 0)
			k->keys[left++] = k->keys[i];
		else
			json_decref(k->keys[i].policy);
	k->n = left;
	pthread_mutex_unlock(&k->guard);
}

bool access_key_find(struct access_keys *k, const char *id,
		     struct access_key *out)
{
	bool found = false;

	pthread_mutex_lock(&k->guard);
	for (int i = 0; i < k->n && !found; i++) {
		found = strcmp(k->keys[i].id, id) == 0;
		if (found) {
			*out = k->keys[i];
			json_incref(out->policy);
		}
	}
	pthread_mutex_unlock(&k->guard);
	return found;
}

int access_key_list(struct access_keys *k, struct access_key **list,
		    struct control_error *err)
{
	struct access_key *copy = calloc(ACCESS_KEYS_MAX, sizeof(*copy));
	int n;

	if (copy == NULL)
		return refuse(err, -ENOMEM, "InternalServerError",
			      "Out of memory.");
	pthread_mutex_lock(&k->guard);
	n = k->n;
	memcpy(copy, k->keys, n * sizeof(*copy));
	pthread_mutex_unlock(&k->guard);
	*list = copy;
	return n;
}

/* ----------------------------------------------------------- the records */

static int save(struct access_keys *k, const struct access_key *key)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:I}", "id", key->id,
				   "secret", key->secret, "user", key->user,
				   "created", (json_int_t)key->created);
	char *text;
	int r = -ENOMEM;

	if (object != NULL && key->policy != NULL)
		json_object_set(object, "policy", key->policy);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	if (text != NULL) {
		r = store_put(k->store, kind, key->id, strlen(key->id), text,
			      strlen(text));
		OPENSSL_cleanse(text, strlen(text));
	}
	free(text);
	json_decref(object);
	return r;
}

static bool copy_text(char *to, size_t size, const char *from)
{
	return (size_t)snprintf(to, size, "%s", from) < size;
}

static bool load_one(void *arg, const void *key, size_t key_len,
		     const void *value, size_t value_len)
{
	json_t *object = json_loadb(value, value_len, 0, NULL);
	const char *id, *secret, *user;
	struct access_keys *k = arg;
	struct access_key new;
	json_int_t created;

	if (object != NULL &&
	    json_unpack(object, "{s:s, s:s, s:s, s:I}", "id", &id, "secret",
			&secret, "user", &user, "created", &created) == 0 &&
	    copy_text(new.id, sizeof(new.id), id) &&
	    copy_text(new.secret, sizeof(new.secret), secret) &&
	    copy_text(new.user, sizeof(new.user), user) &&
	    k->n < ACCESS_KEYS_MAX) {
		new.created = created;
		new.policy = json_incref(json_object_get(object, "policy"));
		insert(k, &new);
	} else {
		log_error("access key %.*s can't be read; ignored",
			  (int)key_len, (const char *)key);
	}
	json_decref(object);
	return true;
}

/* ------------------------------------------------------- create, delete */

static void make_text(char *to, size_t len, const char *alphabet, unsigned mask)
{
	random_bytes(to, len);
	for (size_t i = 0; i < len; i++)
		to[i] = alphabet[(unsigned char)to[i] & mask];
	to[len] = '\0';
}

static void make_key(struct access_key *key, const char *user)
{
	memset(key, 0, sizeof(*key));
	strcpy(key->id, "AKIA");
	make_text(key->id + 4, ACCESS_KEY_ID_LEN - 4,
		  "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 31);
	make_text(key->secret, ACCESS_KEY_SECRET_LEN,
		  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		  "0123456789+/",
		  63);
	strcpy(key->user, user);
	key->created = reactor_realtime();
}

static bool is_user_name(const char *user)
{
	size_t len = strlen(user);

	return len > 0 && len <= ACCESS_KEY_USER_MAX &&
	       strspn(user,
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "abcdefghijklmnopqrstuvwxyz0123456789+=,.@_-") == len;
}

static int create_locked(struct access_keys *k, const char *user,
			 json_t *policy, struct access_key *out,
			 struct control_error *err)
{
	int r;

	if (k->n == ACCESS_KEYS_MAX)
		return refuse(err, -EDQUOT, "LimitExceeded",
			      "There are %d access keys, the most that can be.",
			      ACCESS_KEYS_MAX);
	make_key(out, user);
	out->policy = policy;
	r = save(k, out);
	if (r < 0)
		return refuse(err, r, "InternalServerError",
			      "The access key can't be written down: %s.",
			      strerror(-r));
	insert(k, out);
	log_info("access key %s of %s: created", out->id, out->user);
	return 0;
}

static int check_policy(const json_t *policy, struct control_error *err)
{
	const char *fault = policy ? policy_fault(policy, NULL, false)
				   : "form: it is not a JSON object";

	if (fault == NULL)
		return 0;
	return refuse(err, -EINVAL, "MalformedPolicyDocument",
		      "The policy has an invalid or missing %s.", fault);
}

int access_key_create(struct access_keys *k, const char *user, const char *text,
		      struct access_key *out, struct control_error *err)
{
	json_t *policy = text ? policy_parse(text) : NULL;
	int r = text ? check_policy(policy, err) : 0;

	if (r == 0 && !is_user_name(user))
		r = refuse(err, -EINVAL, "BadRequest",
			   "A user's name has 1 to %d letters, digits and "
			   "+=,.@_-",
			   ACCESS_KEY_USER_MAX);
	if (r == 0) {
		task_write_lock(&k->lock);
		r = create_locked(k, user, policy, out, err);
		task_write_unlock(&k->lock);
	}
	if (r < 0)
		json_decref(policy);
	return r;
}

static int delete_locked(struct access_keys *k, const char *id,
			 struct control_error *err)
{
	struct access_key key;
	int r;

	if (!access_key_find(k, id, &key))
		return refuse(err, -ENOENT, "NoSuchEntity",
			      "There is no access key '%.64s'.", id);
	json_decref(key.policy);
	r = store_delete(k->store, kind, id, strlen(id));
	if (r < 0)
		return refuse(err, r, "InternalServerError",
			      "Access key %s can't be deleted: %s.", id,
			      strerror(-r));
	erase(k, id);
	log_info("access key %s of %s: deleted", key.id, key.user);
	return 0;
}

int access_key_delete(struct access_keys *k, const char *id,
		      struct control_error *err)
{
	int r;

	task_write_lock(&k->lock);
	r = delete_locked(k, id, err);
	task_write_unlock(&k->lock);
	return r;
}

/* --------------------------------------------------------- the first key */

struct profile {
	const char *path;
	const struct access_key *key;
};

/* On a worker thread.  Under another name first: nobody reads half of it. */
static int write_profile(void *arg)
{
	const struct profile *p = arg;
	char path[FS_PATH_SIZE];
	auto_close int fd = -1;

	if ((size_t)snprintf(path, sizeof(path), "%s.new", p->path) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd,
		    "[default]\naws_access_key_id = %s\n"
		    "aws_secret_access_key = %s\nregion = us-east-1\n",
		    p->key->id, p->key->secret) < 0 ||
	    fsync(fd) < 0 || rename(path, p->path) < 0)
		return -errno;
	return 0;
}

/* The file comes first: a key that is nobody's does no harm in it. */
static int create_first(struct access_keys *k, const char *profile)
{
	struct access_key key;
	int r;

	make_key(&key, "admin");
	r = offload(write_profile, &(struct profile){ profile, &key });
	if (r == 0)
		r = save(k, &key);
	if (r < 0) {
		log_error("%s: writing the first access key: %s", profile,
			  strerror(-r));
		return r;
	}
	insert(k, &key);
	log_info("access key %s of %s: created; aws and boto3 find it with "
		 "AWS_SHARED_CREDENTIALS_FILE=%s",
		 key.id, key.user, profile);
	return 0;
}

int access_keys_open(struct store *store, const char *profile,
		     struct access_keys **out)
{
	struct access_keys *k = calloc(1, sizeof(*k));
	int r = -ENOMEM;

	if (k == NULL)
		return -ENOMEM;
	k->store = store;
	task_rwlock_init(&k->lock);
	pthread_mutex_init(&k->guard, NULL);
	k->keys = calloc(ACCESS_KEYS_MAX, sizeof(*k->keys));
	if (k->keys != NULL)
		r = store_for_each(store, kind, load_one, k);
	if (r == 0 && k->n == 0)
		r = create_first(k, profile);
	if (r < 0) {
		access_keys_close(k);
		return r;
	}
	*out = k;
	return 0;
}

void access_keys_close(struct access_keys *k)
{
	for (int i = 0; i < k->n; i++)
		json_decref(k->keys[i].policy);
	if (k->keys != NULL)
		OPENSSL_cleanse(k->keys, ACCESS_KEYS_MAX * sizeof(*k->keys));
	free(k->keys);
	pthread_mutex_destroy(&k->guard);
	task_rwlock_fini(&k->lock);
	free(k);
}
