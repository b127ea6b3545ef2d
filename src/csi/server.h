/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CSI_SERVER_H
#define CSI_SERVER_H

struct csi;

/* Listens on a socket (a path), answers calls, and returns when SIGTERM or
 * SIGINT came and the calls that ran have ended, or have been cut off.  Both
 * signals have to be blocked in the calling thread.  0 or -errno. */
int csi_serve(struct csi *csi, const char *path);

#endif
