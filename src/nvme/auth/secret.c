/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets as people handle them: a prefix, the hash in two hexadecimal digits,
 * then base64 of the key and its CRC-32, little-endian; colons around.
 */
#include <errno.h>
#include <isa-l/crc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "nvme/auth/internal.h"

static const char *const prefixes[] = {
	[NVME_SECRET_DHCHAP] = "DHHC-1",
	[NVME_SECRET_TLS] = "NVMeTLSkey-1",
};

static void put_crc(const uint8_t *key, size_t len, uint8_t crc[4])
{
	uint32_t c = crc32_gzip_refl(0, key, len);

	for (int i = 0; i < 4; i++)
		crc[i] = c >> (8 * i);
}

/* Strict: no white space, padding where it belongs.  The length, or -EINVAL. */
static int decode_base64(const char *text, size_t len, uint8_t *out)
{
	int n;

	if (len == 0 || len % 4 != 0 || strcspn(text, " \t\r\n") < len)
		return -EINVAL;
	n = EVP_DecodeBlock(out, (const uint8_t *)text, (int)len);
	if (n < 0)
		return -EINVAL;
	/* OpenSSL counts the padding. */
	return n - (text[len - 1] == '=') - (text[len - 2] == '=');
}

static bool length_fits(enum nvme_secret_form form, int hash, size_t len)
{
	if (form == NVME_SECRET_TLS && (len > 48 || hash > NVME_AUTH_SHA384))
		return false;
	if (hash != NVME_AUTH_HASH_NONE && form == NVME_SECRET_TLS)
		return len == auth_hash_len(hash);
	return len == 32 || len == 48 || len == 64;
}

int nvme_secret_parse(struct nvme_secret *s, enum nvme_secret_form form,
		      const char *text)
{
	const char *p = text, *end;
	uint8_t raw[NVME_SECRET_TEXT_MAX];
	uint8_t crc[4];
	int n, r = -EINVAL;
	unsigned hash;

	memset(s, 0, sizeof(*s));
	if (strlen(text) >= NVME_SECRET_TEXT_MAX ||
	    strncmp(p, prefixes[form], strlen(prefixes[form])) != 0)
		return -EINVAL;
	p += strlen(prefixes[form]);
	if (sscanf(p, ":%2x:", &hash) != 1 || strlen(p) < 4 || p[3] != ':' ||
	    hash > NVME_AUTH_SHA512)
		return -EINVAL;
	p += 4;
	end = strchr(p, ':');
	if (end == NULL || end[1] != '\0')
		return -EINVAL;

	n = decode_base64(p, end - p, raw);
	if (n > 4 && length_fits(form, hash, n - 4)) {
		put_crc(raw, n - 4, crc);
		if (memcmp(crc, raw + n - 4, 4) == 0) {
			s->hash = hash;
			s->len = n - 4;
			memcpy(s->bytes, raw, s->len);
			r = 0;
		}
	}
	OPENSSL_cleanse(raw, sizeof(raw));
	return r;
}

void nvme_secret_format(const struct nvme_secret *s, enum nvme_secret_form form,
			char text[NVME_SECRET_TEXT_MAX])
{
	uint8_t raw[NVME_SECRET_MAX + 4];
	int n = sprintf(text, "%s:%02x:", prefixes[form], s->hash);

	memcpy(raw, s->bytes, s->len);
	put_crc(raw, s->len, raw + s->len);
	n += EVP_EncodeBlock((uint8_t *)text + n, raw, (int)s->len + 4);
	strcpy(text + n, ":");
	OPENSSL_cleanse(raw, sizeof(raw));
}

void nvme_secret_generate(struct nvme_secret *s, enum nvme_auth_hash hash)
{
	s->hash = hash;
	s->len = hash == NVME_AUTH_HASH_NONE ? 32 : auth_hash_len(hash);
	random_bytes(s->bytes, s->len);
}

void nvme_secret_wipe(struct nvme_secret *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}
