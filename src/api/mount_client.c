/* SPDX-License-Identifier: Apache-2.0 */
#include "api/mount_client.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sign.h"
#include "base/log.h"
#include "base/util.h"
#include "control/key.h"
#include "efs/claims.h"
#include "reactor/reactor.h"

/* --------------------------------------------------------------- signature */

static bool is_signed_by(const struct mount_claims *c, const char *region,
			 const char *secret)
{
	char text[MOUNT_STRING_SIZE], hex[2 * SIGV4_HASH + 1];
	struct sigv4_scope scope = { .service = MOUNT_CLAIMS_SERVICE };

	snprintf(scope.date, sizeof(scope.date), "%.8s", c->date);
	snprintf(scope.region, sizeof(scope.region), "%s", region);
	if (!mount_claims_string(c, region, text))
		return false;
	sigv4_sign(secret, &scope, text, hex);
	return strlen(c->signature) == strlen(hex) &&
	       CRYPTO_memcmp(c->signature, hex, strlen(hex)) == 0;
}

/* ------------------------------------------------------------------ verdict */

/* Why he is not who he says; NULL: he is, and *user is his name. */
static const char *check_key(struct access_keys *keys,
			     const struct mount_claims *c, const char *region,
			     char user[CONTROL_PRINCIPAL_SIZE])
{
	struct access_key key;
	const char *fault = NULL;

	if (!mount_claims_current(c, reactor_realtime() / SEC(1)))
		return "it or its signature has expired, or a clock is wrong";
	if (c->token[0]) /* nobody gave one out */
		return "its session token is not known";
	if (!access_key_find(keys, c->key, &key))
		return "there is no such access key";
	if (!is_signed_by(c, region, key.secret))
		fault = "its signature is not that of the key";
	else
		snprintf(user, CONTROL_PRINCIPAL_SIZE, "%s", key.user);
	OPENSSL_cleanse(key.secret, sizeof(key.secret));
	json_decref(key.policy);
	return fault;
}

static const char *judge(struct access_keys *keys,
			 const struct control_client *client,
			 struct mount_claims *c,
			 struct control_client_identity *out)
{
	const char *fault;

	if (client->certificate_len == 0)
		return NULL; /* nobody, over TLS */
	if (!mount_claims_read(client->certificate, client->certificate_len, c,
			       &fault))
		return fault;
	if (c->fs[0] && strcmp(c->fs, client->fs) != 0)
		return "it is for another file system";
	snprintf(out->access_point, sizeof(out->access_point), "%s",
		 c->access_point);
	out->direct = strcmp(c->program, MOUNT_CLAIMS_PROGRAM) == 0;
	if (c->key[0] == '\0')
		return NULL;
	fault = check_key(keys, c, client->region, out->principal);
	if (fault == NULL)
		snprintf(out->key, sizeof(out->key), "%.31s", c->key);
	return fault;
}

const char *mount_client_identify(void *keys,
				  const struct control_client *client,
				  struct control_client_identity *out)
{
	struct mount_claims *c = calloc(1, sizeof(*c));
	char text[ADDR_TEXT_MAX];
	const char *fault;

	if (c == NULL)
		return "the server has no memory";
	fault = judge(keys, client, c, out);
	if (fault != NULL)
		log_warn("%s: the certificate of %s%s%s is refused: %s",
			 client->fs, addr_format(client->peer, text),
			 c->key[0] ? ", key " : "", c->key, fault);
	free(c);
	return fault;
}
