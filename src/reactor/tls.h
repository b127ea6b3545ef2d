/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.3 on a stream, with keys that both sides have in advance (external PSK,
 * RFC 8446 2.2, with a Diffie-Hellman exchange: psk_dhe_ke), as NVMe/TCP wants
 * it.  What comes out is a stream like any other: stream.h holds, with these
 * differences: stream_shutdown_write() tells the peer so, and may park for that
 * as a write may; a record that was forged or bent is -EPROTO.
 *
 * Kernel TLS is not used: it is not there in many containers.
 */
#ifndef REACTOR_TLS_H
#define REACTOR_TLS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct stream;

enum { TLS_KEY_MAX = 64 };

struct tls_key {
	const char *identity; /* borrowed for the handshake */
	uint8_t key[TLS_KEY_MAX];
	size_t len;
	bool sha384; /* TLS_AES_256_GCM_SHA384, not TLS_AES_128_GCM_SHA256 */
};

/* Finds the key that a client names, and fills in all but the identity.  false:
 * nobody knows it, and the handshake fails.  Does not park. */
typedef bool tls_find_fn(void *arg, const char *identity, struct tls_key *key);

/*
 * The handshake; parks.  `lower` is the new stream's from now on, and closed
 * with it, or right away when this fails.  A server that has read from `lower`
 * already, to see what the client wants, hands in what it read.
 *
 * 0; -ETIMEDOUT; -EACCES: no common key, or not the same one; -EPROTO: the peer
 * does not speak TLS 1.3; -ENOMEM, or as stream_read().
 */
int tls_accept(struct stream *lower, const void *already, size_t len,
	       tls_find_fn *find, void *arg, nsec deadline,
	       struct stream **out);
int tls_connect(struct stream *lower, const struct tls_key *key, nsec deadline,
		struct stream **out);

/*
 * With certificates: TLS 1.2 and 1.3.  A server has one, asks each client for
 * his, and takes any, or none: nobody has vouched for it, it only proves that
 * the client has its key.
 */
struct tls_certificate;

/* PEM files: the certificate, which others may follow that lead to a root, and
 * its key.  0, -ENOENT, ..., or -EINVAL: they are no certificate and its key.
 * Blocks. */
int tls_certificate_load(const char *certificate, const char *key,
			 struct tls_certificate **out);
void tls_certificate_free(struct tls_certificate *c); /* NULL is fine */

/* As tls_accept(). */
int tls_accept_certificate(struct stream *lower, const void *already,
			   size_t len, const struct tls_certificate *own,
			   nsec deadline, struct stream **out);

/* The client's, of a stream that tls_accept_certificate() made: its length in
 * DER, allocated for the caller to OPENSSL_free(); 0: he has none. */
int tls_peer_certificate(const struct stream *s, uint8_t **der);

/*
 * The client's end of that.  It believes servers whose certificate leads to one
 * of those in a PEM file (NULL: to one that the system trusts), or any.
 */
struct tls_trust;

/* 0, -ENOENT, ..., or -EINVAL: there is no certificate in it.  Blocks. */
int tls_trust_load(const char *file, struct tls_trust **out);
int tls_trust_all(struct tls_trust **out);
void tls_trust_free(struct tls_trust *t); /* NULL is fine */

enum { TLS_WHY_SIZE = 200 };
struct tls_client { /* borrowed for the handshake */
	const struct tls_trust *trust;
	const char *host;  /* name or address that the server's certificate
			      must be for; NULL: whatever it says */
	X509 *certificate; /* to be shown, and its key; NULL: none */
	EVP_PKEY *key;
};

/* As tls_connect(); -EKEYREJECTED: the server's certificate is not good.  After
 * an error `why` says what for people; "": the error is all there is to say. */
int tls_connect_certificate(struct stream *lower,
			    const struct tls_client *client, nsec deadline,
			    char why[TLS_WHY_SIZE], struct stream **out);

#endif
