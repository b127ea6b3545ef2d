/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, groups and responses, by OpenSSL. */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <openssl/params.h>
#include <string.h>

#include "base/util.h"
#include "nvme/auth/internal.h"

static const struct {
	const char *name;
	size_t len;
} hashes[] = {
	[NVME_AUTH_HASH_NONE] = { "none", 0 },
	[NVME_AUTH_SHA256] = { "sha256", 32 },
	[NVME_AUTH_SHA384] = { "sha384", 48 },
	[NVME_AUTH_SHA512] = { "sha512", 64 },
};

static const struct {
	const char *name;
	size_t len;
} groups[] = {
	[NVME_AUTH_DH_NULL] = { "null", 0 },
	[NVME_AUTH_FFDHE2048] = { "ffdhe2048", 256 },
	[NVME_AUTH_FFDHE3072] = { "ffdhe3072", 384 },
	[NVME_AUTH_FFDHE4096] = { "ffdhe4096", 512 },
	[NVME_AUTH_FFDHE6144] = { "ffdhe6144", 768 },
	[NVME_AUTH_FFDHE8192] = { "ffdhe8192", 1024 },
};

int nvme_auth_hash_parse(const char *name)
{
	for (size_t i = NVME_AUTH_SHA256; i < ARRAY_SIZE(hashes); i++)
		if (strcmp(name, hashes[i].name) == 0)
			return (int)i;
	return -EINVAL;
}

int nvme_auth_group_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(name, groups[i].name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *nvme_auth_hash_name(int hash)
{
	return hash >= 0 && hash < (int)ARRAY_SIZE(hashes) ? hashes[hash].name
							   : NULL;
}

const char *nvme_auth_group_name(int group)
{
	return group >= 0 && group < (int)ARRAY_SIZE(groups)
		       ? groups[group].name
		       : NULL;
}

size_t auth_hash_len(int hash)
{
	return hash >= 0 && hash < (int)ARRAY_SIZE(hashes) ? hashes[hash].len
							   : 0;
}

size_t auth_group_len(int group)
{
	return group >= 0 && group < (int)ARRAY_SIZE(groups) ? groups[group].len
							     : 0;
}

const EVP_MD *auth_hash_md(int hash)
{
	switch (hash) {
	case NVME_AUTH_SHA256:
		return EVP_sha256();
	case NVME_AUTH_SHA384:
		return EVP_sha384();
	case NVME_AUTH_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

bool auth_hmac(int hash, const void *key, size_t key_len,
	       const struct auth_part *parts, size_t n, uint8_t *out)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 (char *)hashes[hash].name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "hmac", NULL);
	EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	bool ok = ctx != NULL && EVP_MAC_init(ctx, key, key_len, params) == 1;
	size_t len;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_MAC_update(ctx, parts[i].data, parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &len, AUTH_DIGEST_MAX) == 1;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok;
}

/* ------------------------------------------------------- Diffie-Hellman */

EVP_PKEY *auth_dh_generate(int group, uint8_t *public)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)groups[group].name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	EVP_PKEY *key = NULL;
	BIGNUM *pub = NULL;

	if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_params(ctx, params) != 1 ||
	    EVP_PKEY_generate(ctx, &key) != 1 ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PUB_KEY, &pub) != 1 ||
	    BN_bn2binpad(pub, public, (int)groups[group].len) < 0) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	BN_free(pub);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *dh_peer(int group, const uint8_t *public)
{
	uint8_t native[AUTH_DH_MAX];
	size_t len = groups[group].len;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	BIGNUM *pub = BN_bin2bn(public, (int)len, NULL);
	EVP_PKEY *key = NULL;

	/* OSSL_PARAM wants integers in the machine's order. */
	if (ctx != NULL && pub != NULL &&
	    BN_bn2nativepad(pub, native, (int)len) > 0 &&
	    EVP_PKEY_fromdata_init(ctx) == 1) {
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(
				OSSL_PKEY_PARAM_GROUP_NAME,
				(char *)groups[group].name, 0),
			OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PUB_KEY, native,
						len),
			OSSL_PARAM_construct_end(),
		};

		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
	}
	BN_free(pub);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

bool auth_dh_derive(EVP_PKEY *own, int group, const uint8_t *peer,
		    uint8_t *shared)
{
	EVP_PKEY *theirs = dh_peer(group, peer);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t len = groups[group].len;
	/* set_peer checks that the value is in the group: not 0, 1, p - 1. */
	bool ok = theirs != NULL && ctx != NULL &&
		  EVP_PKEY_derive_init(ctx) == 1 &&
		  EVP_PKEY_CTX_set_dh_pad(ctx, 1) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
		  EVP_PKEY_derive(ctx, shared, &len) == 1 &&
		  len == groups[group].len;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(theirs);
	return ok;
}

/* ------------------------------------------------------------- responses */

/* A secret with a hash is bound to the name of who holds it. */
static bool transform(const struct nvme_secret *s, const char *nqn,
		      uint8_t *key, size_t *len)
{
	static const char tag[] = "NVMe-over-Fabrics";
	struct auth_part parts[] = { { nqn, strlen(nqn) },
				     { tag, sizeof(tag) - 1 } };

	if (s->hash == NVME_AUTH_HASH_NONE) {
		memcpy(key, s->bytes, s->len);
		*len = s->len;
		return true;
	}
	*len = auth_hash_len(s->hash);
	return auth_hmac(s->hash, s->bytes, s->len, parts, ARRAY_SIZE(parts),
			 key);
}

/* With a DH exchange, the challenge that is answered is the HMAC of the one
 * that was sent, keyed by the hash of the shared secret. */
static bool augment(const struct auth_response *r, uint8_t *challenge)
{
	size_t len = auth_hash_len(r->hash);
	struct auth_part part = { r->challenge, len };
	uint8_t key[AUTH_DIGEST_MAX];
	bool ok;

	if (r->shared == NULL) {
		memcpy(challenge, r->challenge, len);
		return true;
	}
	ok = EVP_Digest(r->shared, r->shared_len, key, NULL,
			auth_hash_md(r->hash), NULL) == 1 &&
	     auth_hmac(r->hash, key, len, &part, 1, challenge);
	OPENSSL_cleanse(key, sizeof(key));
	return ok;
}

bool auth_respond(const struct auth_response *r, uint8_t *out)
{
	uint8_t key[NVME_SECRET_MAX], challenge[AUTH_DIGEST_MAX];
	const uint8_t seqnum[] = { r->seqnum, r->seqnum >> 8, r->seqnum >> 16,
				   r->seqnum >> 24 };
	const uint8_t t_id[] = { r->t_id, r->t_id >> 8 };
	const uint8_t zero = 0;
	struct auth_part parts[] = {
		{ challenge, auth_hash_len(r->hash) },
		{ seqnum, sizeof(seqnum) },
		{ t_id, sizeof(t_id) },
		{ &r->sc_c, 1 },
		{ r->role, strlen(r->role) },
		{ r->own_nqn, strlen(r->own_nqn) },
		{ &zero, 1 },
		{ r->peer_nqn, strlen(r->peer_nqn) },
	};
	size_t key_len = 0;
	bool ok =
		augment(r, challenge) &&
		transform(r->secret, r->own_nqn, key, &key_len) &&
		auth_hmac(r->hash, key, key_len, parts, ARRAY_SIZE(parts), out);

	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(challenge, sizeof(challenge));
	return ok;
}
