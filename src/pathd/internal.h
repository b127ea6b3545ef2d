/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of pathd/ share.
 *
 *	main.c		options; asking the one that runs
 *	serve.c		the life of the daemon
 *	scan.c		what transports and controllers there are
 *	watch.c		probes: one task for each target that matters
 *	move.c		moves of transports: one task for each that runs
 *	cut.c		the same for controllers
 *	discover.c	mount targets that appear later
 *	report.c	what is told: JSON, and metrics
 *
 *	target.c trunk.c ctrl.c	the logic: is it dead, what should move where
 *	sunrpc.c nvme.c sockets.c fence.c probe.c kernel.c record.c
 *				the ways to the world
 *
 * All tasks are of one reactor; what blocks goes through offload().
 */
#ifndef PATHD_INTERNAL_H
#define PATHD_INTERNAL_H

#include <jansson.h>
#include <limits.h>

#include "pathd/ctrl.h"
#include "pathd/trunk.h"

struct pathd_options {
	nsec interval, timeout; /* of probes */
	nsec discover;		/* pause between discoveries; 0: none */
	const char *sysfs;	/* "/sys" */
	const char *metrics;	/* a file; NULL: none */
};

struct pathd {
	struct pathd_options options;
	struct targets targets;
	struct trunks trunks;
	struct ctrls ctrls;
	char sunrpc[PATH_MAX];	/* the kernel's directory of transports */
	char nvme[PATH_MAX];	/* … and of controllers */
	char records[PATH_MAX]; /* ours of those that are away */
	uint64_t moves, failed_moves, cuts;
	bool told; /* in the log, how many there are */
	unsigned told_transports, told_ctrls;
};

/* serve.c: returns if it cannot start; else the process ends there. */
int pathd_serve(const struct pathd_options *options);
/* The socket where the one that runs tells how things are. */
void pathd_socket(char out[PATH_MAX]);

/* scan.c: once; and as a task, for ever.  Parks. */
int pathd_scan(struct pathd *p);
void pathd_scanner(void *arg);

/* watch.c: starts probes of targets that matter and have none. */
void pathd_watch(struct pathd *p);

/* move.c: starts the moves that are called for now. */
void pathd_move(struct pathd *p);

/* cut.c: starts to find out which instances controllers are; starts the cuts
 * that are called for now. */
void pathd_identify(struct pathd *p);
void pathd_cut(struct pathd *p);

/* discover.c: as a task, for ever. */
void pathd_discoverer(void *arg);

/* report.c: a new reference.  The metrics as a file; parks. */
json_t *pathd_report(void *arg);
void pathd_report_print(const json_t *report);
void pathd_metrics_write(struct pathd *p);

#endif
