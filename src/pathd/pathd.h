/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pathd: the path daemon of a host whose kernel mounts NFS over several
 * addresses.  Linux never moves a request off a connection that has gone
 * silent; pathd sees that an address is dead, and has the kernel connect to
 * another one of the same mount until it is back.  docs/pathd.md says why so.
 *
 * One process a host.  It keeps nothing that matters: it may be killed at any
 * moment, and the next one goes on.
 */
#ifndef PATHD_PATHD_H
#define PATHD_PATHD_H

/* `hawser pathd`; its exit status. */
int pathd_main(int argc, char **argv);

#endif
