/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of Hawser's own, beside NFS and on the same connections: NFS says
 * only that access is denied, and whoever has to mend it needs the rule.
 *
 *	program EXPLAIN {			(a transient number, RFC 5531)
 *		version 1 {
 *			void NULL(void) = 0;
 *			string<255> MOUNT(string name<255>) = 1;
 *		} = 1;
 *	} = 0x48575352;
 *
 * MOUNT: why this connection may not mount the root, or the export of that name
 * if there is one; "": it may.  A server without it says PROG_UNAVAIL.
 */
#ifndef NFS_XDR_EXPLAIN_H
#define NFS_XDR_EXPLAIN_H

enum {
	EXPLAIN_PROGRAM = 0x48575352,
	EXPLAIN_VERSION = 1,
	EXPLAIN_NULL = 0,
	EXPLAIN_MOUNT = 1,
	EXPLAIN_TEXT_MAX = 255,
};

#endif
