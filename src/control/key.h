/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access keys: who may call the API.  A key is an id, which is told, and a
 * secret, with which requests are signed (AWS Signature Version 4); it belongs
 * to a user, who is no more than a name.
 *
 * Keys are records in the store, in clear: the check of a signature needs the
 * secret.  Calls are made from tasks of the control's reactor and may park,
 * but for access_key_find(), which any thread may call.
 */
#ifndef CONTROL_KEY_H
#define CONTROL_KEY_H

#include "base/clock.h"
#include "control/control.h"

struct access_keys;
struct store;

enum {
	ACCESS_KEY_ID_LEN = 20,	    /* "AKIA" and 16 of A-Z, 2-7 */
	ACCESS_KEY_SECRET_LEN = 40, /* of base64's alphabet */
	ACCESS_KEY_USER_MAX = 64,   /* of A-Z, a-z, 0-9 and +=,.@_- */
	ACCESS_KEYS_MAX = 1000,
};

struct access_key {
	char id[ACCESS_KEY_ID_LEN + 1];
	char secret[ACCESS_KEY_SECRET_LEN + 1];
	char user[ACCESS_KEY_USER_MAX + 1];
	nsec created; /* time of day */
	/* What its user may do, in IAM's JSON; never changes.  NULL: all. */
	json_t *policy;
};

/*
 * Reads the keys.  If there is none, makes one for the user "admin", and writes
 * it to `profile` (mode 0600), a file as aws and boto3 read it
 * (AWS_SHARED_CREDENTIALS_FILE).  0 or -errno, after having logged why.
 */
int access_keys_open(struct store *store, const char *profile,
		     struct access_keys **out);
void access_keys_close(struct access_keys *k);

/* `policy`: a text; NULL: none.  The result's is borrowed. */
int access_key_create(struct access_keys *k, const char *user,
		      const char *policy, struct access_key *out,
		      struct control_error *err);
int access_key_delete(struct access_keys *k, const char *id,
		      struct control_error *err);
/* All, oldest first, as a malloc'ed array for the caller to free: how many, or
 * -errno. */
int access_key_list(struct access_keys *k, struct access_key **list,
		    struct control_error *err);

/* Any thread; does not park.  The policy is a reference for the caller. */
bool access_key_find(struct access_keys *k, const char *id,
		     struct access_key *out);

#endif
