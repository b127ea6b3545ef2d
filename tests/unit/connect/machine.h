/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that is made up: a directory with what the kernel would show in
 * /sys and /dev, and calls that change it as the kernel, mdadm and dmsetup
 * would.  All of its state is in that directory, so a process that works on it
 * can die at any moment.  Time passes only when somebody waits.
 */
#ifndef TEST_CONNECT_MACHINE_H
#define TEST_CONNECT_MACHINE_H

#include "connect/connect.h"

enum { MACHINE_TARGETS = 4, MACHINE_NAMESPACES = 3 };

/* What the targets out there have. */
struct machine_namespace {
	unsigned nsid;			   /* 0: none */
	const char *uuid, *nguid, *eui;	   /* as sysfs shows them; NULL */
	unsigned long long sectors, after; /* after: once it is asked again */
};
struct machine_target {
	const char *nqn;
	struct machine_namespace namespaces[MACHINE_NAMESPACES];
};

struct machine {
	struct connect_host host; /* first: the calls get it */
	struct machine_target targets[MACHINE_TARGETS];
	const char *dead;	/* an address that nobody answers at */
	const char *listed;	/* an address in every discovery log */
	const char *signature;	/* what wipefs finds on every device */
	const char *array_name; /* of superblocks; NULL: as it was created */
	unsigned calls;		/* that changed something, or ran a program */
	unsigned die_at;	/* the process ends before that one; 0: never */
	long long now;
	char log[16384]; /* the calls, a line for each */
};

void machine_init(struct machine *m);
void machine_fini(struct machine *m);
/* Writes a file of the machine. */
__attribute__((format(printf, 3, 4))) void machine_put(struct machine *m,
						       const char *text,
						       const char *path, ...);
/* Takes away what is there, with all below it. */
__attribute__((format(printf, 2, 3))) void machine_remove(struct machine *m,
							  const char *path,
							  ...);
unsigned machine_controllers(struct machine *m); /* that are live */
/* How many lines of the log contain that; the log begins anew. */
unsigned machine_logged(const struct machine *m, const char *words);
void machine_forget(struct machine *m);

#endif
