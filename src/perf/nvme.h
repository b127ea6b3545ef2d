/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser perf nvme: what its files share.
 *
 *	nvme.c	       command line, reactors, the socket
 *	nvme_run.c     a test: lanes are started, waited for, and counted
 *	nvme_lane.c    one lane: requests in flight on one volume, on one
 *reactor nvme_verify.c  contents that tell where and when they were written
 *	nvme_report.c  a line while it runs; table or JSON in the end
 *	nvme_rpc.c     perform_tests, and a file of calls
 *
 * Lanes are their reactors'; the first reactor reads their counters while they
 * run (they may lag), and all of them when they have ended.
 */
#ifndef PERF_NVME_H
#define PERF_NVME_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/hist.h"
#include "nvme/initiator/set.h"
#include "reactor/task.h"
#include "rpc/method.h"
#include "status/status.h"
#include "volume/request.h"

enum { LANE_PATHS = 16, LANE_TEXT = 256 };

struct nvme_workload {
	const char *name;
	enum block_op op;
	bool random;
	bool mixed;  /* reads and writes, by -M */
	bool verify; /* each write is read again, and what it returned checked
		      */
};
/* NULL: there is none of that name. */
const struct nvme_workload *nvme_workload_find(const char *name);
const struct nvme_workload *nvme_workload_at(unsigned i); /* NULL: the end */

struct nvme_settings {
	const struct nvme_workload *workload;
	unsigned depth;
	uint32_t io_size;
	unsigned read_percent; /* of a mixed workload; > 100: not given */
	nsec duration;
	bool every_core; /* -C: each volume on each reactor */
	bool go_on;	 /* -f: after failures */
	bool reread;	 /* verify: also before each write */
};

struct nvme_op;

/* What one path did for a lane. */
struct lane_path {
	bool used;
	unsigned way;
	struct addr addr;
	uint64_t bytes;
	struct hist latency;
};

struct nvme_lane {
	const struct nvme_settings *s;
	struct nvmei *host;
	char name[80]; /* of the volume */
	int reactor;
	uint64_t start, length; /* its range of the volume, bytes */
	struct completion ended;

	/* Its reactor's.  Of the two there is one. */
	struct nvmei_volume *volume;
	struct volume *mirror;
	struct nvme_op *ops;
	void *memory;
	unsigned in_flight;
	struct task *task;
	uint64_t units, next; /* of io_size in the range; the next in turn */
	uint64_t random;
	uint32_t block_size;
	uint32_t *generations; /* of each unit; verify */
	uint64_t run;	       /* random: contents of other runs are foreign */
	nsec begun, finished, deadline, last;
	nsec longest_gap; /* without any completion */
	bool stopping;
	struct hist latency;
	struct lane_path paths[LANE_PATHS];
	uint64_t bytes;
	char text[LANE_TEXT]; /* the first failure */

	/* For all to see. */
	atomic_ullong done, failed;
};

/* nvme_lane.c: runs it; parks until it has ended.  0 or -errno: it could not
 * begin; text says why. */
int nvme_lane_run(struct nvme_lane *lane);
__attribute__((format(printf, 2, 3))) void nvme_lane_fail(
	struct nvme_lane *lane, const char *format, ...);

/* nvme_verify.c.  `unit` is a number in the lane's range. */
void nvme_verify_fill(const struct nvme_lane *lane, void *buf, uint64_t unit,
		      uint32_t generation);
/* False, and the lane has failed: it is something else. */
bool nvme_verify_check(struct nvme_lane *lane, const void *buf, uint64_t unit,
		       uint32_t generation);

/* nvme_run.c: a whole test. */
struct nvme_run {
	struct nvme_settings s;
	struct nvme_lane **lanes;
	unsigned count;
	int cores;
	const int *core; /* of each reactor */
	nsec begun;
	/* The task of nvme_report_progress(). */
	nsec period; /* 0: none */
	bool ended, reporting;
	struct waitq changed;
};

struct perf_nvme {
	struct reactor_set *reactors;
	struct nvmei_set *hosts;
	struct nvme_settings defaults;
	struct rpc_environment env;
	struct rpc_server *rpc;
	const char *socket, *config, *subnqn, *volume; /* NULL: all volumes */
	const char *discover;
	char **addresses;
	int n_addresses, cores;
	/* KEY=VALUE: a volume as other programs use it, on the first reactor;
	 * NULL: none is open. */
	struct volume_options volume_options;
	struct volume *opened;
	int core[64]; /* of each reactor, as -m says */
	bool wait, json, busy, reissue_at_once;
	unsigned progress; /* seconds between lines; 0: none */
	int status;
	struct status *status_socket; /* NULL: none */
};

/* 0 or -errno with text: nothing was run.  Parks until it has ended. */
int nvme_run_create(struct perf_nvme *p, const struct nvme_settings *s,
		    struct nvme_run **out, char text[LANE_TEXT]);
void nvme_run_do(struct perf_nvme *p, struct nvme_run *r);
void nvme_run_destroy(struct nvme_run *r);
bool nvme_run_failed(const struct nvme_run *r);

/* nvme_report.c */
void nvme_report_text(const struct nvme_run *r);
json_t *nvme_report_json(const struct nvme_run *r);
/* A line to stderr each r->period until r->ended; parks. */
void nvme_report_progress(struct nvme_run *r);

/* nvme_status.c: until status_end(p->status_socket). */
void nvme_status_start(struct perf_nvme *p);

/* nvme_rpc.c */
extern const struct rpc_method nvme_perf_methods[];
/* Makes the calls of SPDK's configuration file: 0, or -errno with text. */
int nvme_load_config(struct perf_nvme *p, const char *path,
		     char text[LANE_TEXT]);
/* One call; the same. */
int nvme_call(struct perf_nvme *p, const char *method, json_t *params,
	      char text[LANE_TEXT]);

#endif
