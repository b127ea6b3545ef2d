/* SPDX-License-Identifier: Apache-2.0 */
#include "api/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/util.h"
#include "reactor/reactor.h"

enum { FILE_MAX = 64 << 10, DAYS = 3650 };

struct loading {
	const char *certificate, *key;
	const char *hosts; /* to be made, if they are not there */
	struct cert *out;  /* to be read */
	const char *what;  /* the file at fault */
};

static int read_file(const char *path, char **out)
{
	char *text = calloc(1, FILE_MAX);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (text == NULL)
		return -ENOMEM;
	n = fd < 0 ? -1 : read(fd, text, FILE_MAX - 1);
	if (n < 0) {
		int error = -errno;

		free(text);
		return error;
	}
	*out = text;
	return 0;
}

static bool add_names(X509 *x, const char *hosts)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, hosts);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

static X509 *make_certificate(EVP_PKEY *key, const char *hosts)
{
	X509 *x = X509_new();
	X509_NAME *name;
	uint32_t serial;
	bool ok;

	if (x == NULL)
		return NULL;
	random_bytes(&serial, sizeof(serial));
	name = X509_get_subject_name(x);
	ok = X509_set_version(x, 2) == 1 &&
	     ASN1_INTEGER_set(X509_get_serialNumber(x), serial >> 1 | 1) == 1 &&
	     X509_gmtime_adj(X509_getm_notBefore(x), -24 * 3600) != NULL &&
	     X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) != NULL &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					(const uint8_t *)"hawserd", -1, -1,
					0) == 1 &&
	     X509_set_issuer_name(x, name) == 1 &&
	     X509_set_pubkey(x, key) == 1 && add_names(x, hosts) &&
	     X509_sign(x, key, EVP_sha256()) > 0;
	if (ok)
		return x;
	X509_free(x);
	return NULL;
}

static int write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok;

	if (out == NULL)
		return -errno;
	ok = key ? PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL)
		 : PEM_write_X509(out, x);
	ok = ok && fflush(out) == 0 && fsync(fd) == 0;
	return fclose(out) == 0 && ok ? 0 : -EIO;
}

/* The certificate is written last: where it is, the key is complete. */
static int make_files(struct loading *l)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key ? make_certificate(key, l->hosts) : NULL;
	int r = -ENOMEM;

	if (x != NULL)
		r = write_pem(l->key, NULL, key);
	if (r == 0)
		r = write_pem(l->certificate, x, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	return r;
}

/* On worker threads. */
static int make(void *arg)
{
	struct loading *l = arg;

	l->what = l->certificate;
	return access(l->certificate, F_OK) < 0 ? make_files(l) : 0;
}

static int load(void *arg)
{
	struct loading *l = arg;
	int r;

	l->what = l->certificate;
	r = read_file(l->certificate, &l->out->certificate);
	if (r == 0) {
		l->what = l->key;
		r = read_file(l->key, &l->out->key);
	}
	return r;
}

static int run(int (*fn)(void *), struct loading *l)
{
	int r = offload(fn, l);

	if (r < 0)
		log_error("%s: %s", l->what, strerror(-r));
	return r;
}

int cert_make(const char *directory, const char *name, const char *hosts,
	      char **certificate, char **key)
{
	struct loading l = { .hosts = hosts };
	int r = -ENOMEM;

	*certificate = *key = NULL;
	if (asprintf(certificate, "%s/%s-cert.pem", directory, name) < 0 ||
	    asprintf(key, "%s/%s-key.pem", directory, name) < 0)
		goto fail;
	l.certificate = *certificate;
	l.key = *key;
	r = run(make, &l);
	if (r == 0)
		return 0;
fail:
	free(*certificate);
	free(*key);
	*certificate = *key = NULL;
	return r;
}

int cert_load(const char *certificate, const char *key, struct cert *out)
{
	return run(load, &(struct loading){ .certificate = certificate,
					    .key = key,
					    .out = out });
}

void cert_unload(struct cert *c)
{
	free(c->certificate);
	free(c->key);
}
