/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of servers, and their private keys. */
#ifndef API_CERT_H
#define API_CERT_H

struct cert {
	char *certificate, *key; /* PEM, malloc'ed */
};

/* DIR/NAME-cert.pem and DIR/NAME-key.pem, malloc'ed, which are made if they are
 * not there: self-signed, for `hosts` ("DNS:localhost,IP:127.0.0.1").  0 or
 * -errno, after having logged it.  Parks. */
int cert_make(const char *directory, const char *name, const char *hosts,
	      char **certificate, char **key);
/* Reads the files.  0 or -errno, after having logged it.  Parks. */
int cert_load(const char *certificate, const char *key, struct cert *out);
void cert_unload(struct cert *c);

#endif
