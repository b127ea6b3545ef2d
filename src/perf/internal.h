/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PERF_INTERNAL_H
#define PERF_INTERNAL_H

#include "base/hist.h"
#include "nfs/client/client.h"
#include "perf/perf.h"

struct client;

/* One kind of load. */
struct workload {
	const char *name;
	const char *help;
	size_t block;	 /* default size of an operation; 0: has none */
	unsigned depth;	 /* default */
	bool data;	 /* on one file for each client, `size` bytes long */
	bool must_exist; /* … which is filled before */
	bool names;	 /* on a directory for each client … */
	bool prepared;	 /* … with `files` files in it before */
	bool finite;	 /* ends when each file had its turn */
	/* Operation number `index` of a client; 0 or -errno.  Sets *bytes. */
	int (*run)(struct client *c, uint64_t index, void *buf, size_t *bytes);
};
extern const struct workload workloads[];
const struct workload *workload_find(const char *name);

struct settings {
	const struct workload *workload;
	unsigned depth, clients;
	size_t block;
	uint64_t size;	/* of a client's file */
	unsigned files; /* in a client's directory */
	nsec duration;	/* 0: until `count` */
	uint64_t count; /* 0: until `duration` */
	uint64_t seed;
	bool verify, stable, json, keep;
	char path[1024]; /* to mount */
	struct nfs_options mount;
};

/* What the tasks of one client share. */
struct client {
	const struct settings *s;
	struct load *load;
	unsigned number;
	struct nfs_client *nfs;
	struct nfs_fh dir; /* "hawser-perf-N" below what was mounted */
	struct nfs_open *open;
	uint64_t issued, limit; /* operations */
	int error;
};

/* The whole run. */
struct load {
	const struct settings *s;
	struct client *clients;
	unsigned busy;	     /* tasks that have not ended */
	struct task *waiter; /* for busy to become 0 */
	nsec start, end, deadline;
	struct hist latency;
	uint64_t bytes, items, failed;
	char message[256]; /* the first failure */
};

/* The line for the first failure; -errno goes through. */
int load_fail(struct load *l, const char *what, int error);

/* prepare.c: mount, make what the workload wants to find; and the opposite. */
int client_prepare(struct client *c);
void client_finish(struct client *c);
void file_name(char buf[32], uint64_t index);

/* pattern.c: the contents of a client's file, by offset. */
void pattern_fill(void *buf, size_t len, uint64_t seed, uint64_t offset);
bool pattern_check(const void *buf, size_t len, uint64_t seed, uint64_t offset);
uint64_t client_seed(const struct client *c);

/* report.c */
void perf_report(const struct load *l);

#endif
