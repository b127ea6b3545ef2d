/* SPDX-License-Identifier: Apache-2.0 */
/* Between tls_certificate.c and tls.c. */
#ifndef REACTOR_TLS_CERTIFICATE_H
#define REACTOR_TLS_CERTIFICATE_H

#include <openssl/types.h>

struct tls_certificate;

SSL_CTX *tls_certificate_ctx(const struct tls_certificate *c);

#endif
