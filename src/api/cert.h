/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of HTTPS, and its private key. */
#ifndef API_CERT_H
#define API_CERT_H

struct cert {
	char *certificate, *key; /* PEM, malloc'ed */
};

/* Reads the files, or with NULL for them DIR/api-cert.pem and DIR/api-key.pem,
 * which are made if they are not there: self-signed, for localhost and
 * 127.0.0.1.  0 or -errno, after having logged it.  Parks. */
int cert_load(const char *directory, const char *certificate, const char *key,
	      struct cert *out);
void cert_unload(struct cert *c);

#endif
