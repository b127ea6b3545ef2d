/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the configured secret to the key that TLS uses, in two steps of
 * HKDF-Expand-Label (RFC 8446, 7.1), NVMe/TCP 1.1, 3.6.1:
 *
 *	configured ──"HostNQN"──▶ retained ──"nvme-tls-psk"──▶ TLS
 *
 * A secret with hash NONE is its own retained key.
 */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#include "nvme/auth/internal.h"

enum { LABEL_MAX = 2 + 1 + 255 + 1 + 255 };

static bool hkdf_label(const char *hash, const uint8_t *in, size_t len,
		       const char *label, const char *context, uint8_t *out)
{
	uint8_t info[LABEL_MAX];
	size_t label_len = strlen(label), context_len = strlen(context);
	EVP_KDF *kdf;
	EVP_KDF_CTX *ctx;
	bool ok = false;

	if (context_len > 255)
		return false;
	info[0] = len >> 8;
	info[1] = len;
	info[2] = label_len;
	memcpy(info + 3, label, label_len);
	info[3 + label_len] = context_len;
	memcpy(info + 4 + label_len, context, context_len);

	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	if (ctx != NULL) {
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
							 (char *)hash, 0),
			OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
							  (void *)in, len),
			OSSL_PARAM_construct_octet_string(
				OSSL_KDF_PARAM_INFO, info,
				4 + label_len + context_len),
			OSSL_PARAM_construct_end(),
		};

		ok = EVP_KDF_derive(ctx, out, len, params) == 1;
	}
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

int nvme_psk_derive(struct nvme_psk *psk, const struct nvme_secret *secret,
		    const char *host_nqn, const char *subsystem_nqn)
{
	const uint8_t *retained = secret->bytes;
	uint8_t buffer[48];
	const char *name;
	int r = -EINVAL;

	memset(psk, 0, sizeof(*psk));
	if (secret->len != 32 && secret->len != 48)
		return -EINVAL;
	psk->len = secret->len;
	psk->hash = psk->len == 32 ? NVME_AUTH_SHA256 : NVME_AUTH_SHA384;
	snprintf(psk->identity, sizeof(psk->identity), "NVMe0R%02x %s %s",
		 psk->hash, host_nqn, subsystem_nqn);

	if (secret->hash != NVME_AUTH_HASH_NONE) {
		name = nvme_auth_hash_name(secret->hash);
		if (!hkdf_label(name, secret->bytes, secret->len,
				"tls13 HostNQN", host_nqn, buffer))
			return -EINVAL;
		retained = buffer;
	}
	name = nvme_auth_hash_name(psk->hash);
	if (hkdf_label(name, retained, psk->len, "tls13 nvme-tls-psk",
		       psk->identity, psk->key))
		r = 0;
	OPENSSL_cleanse(buffer, sizeof(buffer));
	return r;
}

int nvme_psk_parse_identity(const char *identity, char host_nqn[224],
			    char subsystem_nqn[224])
{
	unsigned hash;
	int end = 0;

	if (sscanf(identity, "NVMe0R%2x %223s %223s%n", &hash, host_nqn,
		   subsystem_nqn, &end) != 3 ||
	    identity[end] != '\0')
		return -EINVAL;
	return hash == NVME_AUTH_SHA256 || hash == NVME_AUTH_SHA384 ? 0
								    : -EINVAL;
}
