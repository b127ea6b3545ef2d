/* SPDX-License-Identifier: Apache-2.0 */
/* Between tls_certificate.c, tls_trust.c and tls.c. */
#ifndef REACTOR_TLS_CERTIFICATE_H
#define REACTOR_TLS_CERTIFICATE_H

#include <openssl/types.h>

struct tls_certificate;
struct tls_trust;

SSL_CTX *tls_certificate_ctx(const struct tls_certificate *c);
SSL_CTX *tls_trust_ctx(const struct tls_trust *t);

#endif
