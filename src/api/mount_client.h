/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who mounts?  amazon-efs-utils puts what it has to say into the certificate of
 * its TLS connection, which it signs itself: file system, access point, and, if
 * it is told to use IAM, a signature of the access key over the certificate's
 * key, which therefore is worth nothing to anybody else.
 */
#ifndef API_MOUNT_CLIENT_H
#define API_MOUNT_CLIENT_H

#include "control/control.h"

struct access_keys;

/* control_options.identify; `keys`: struct access_keys.  Any thread; does not
 * park. */
const char *mount_client_identify(void *keys,
				  const struct control_client *client,
				  struct control_client_identity *out);

#endif
