/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a volume must hold.  It has *cells*, each of some blocks, which several
 * tasks write and read at the same time.  A read may return, for each block,
 * the write that was acknowledged last before it began, or one that was in
 * progress together with that one or with the read; nothing older, ever.
 */
#ifndef SIM_NVME_MODEL_H
#define SIM_NVME_MODEL_H

#include "nvme_world.h"

enum {
	MODEL_CELLS = 8,
	MODEL_CELL_MAX = 16384, /* bytes from the start of one to the next */
	MODEL_HISTORY = 64,	/* writes of a cell that are remembered */
};

struct model_write {
	uint32_t version;
	nsec begun, ended; /* NSEC_NEVER: not acknowledged yet */
	bool zeroes;
};

struct model_cell {
	struct nvme_world *w;
	int number;
	size_t size; /* 512 to MODEL_CELL_MAX */
	uint32_t versions;
	struct model_write history[MODEL_HISTORY];
};

struct model {
	struct nvme_world *w;
	struct model_cell cells[MODEL_CELLS];
	nsec longest; /* that any request took */
	unsigned done;
	nsec pause; /* between requests of a task, at most */
};

/* On w->volume, which is all zeroes. */
struct model *model_create(struct nvme_world *w);
/* What is there now is as it may be; and frees it. */
void model_end(struct model *m);

void model_write(struct model *m, int cell);
void model_zero(struct model *m, int cell);
void model_read(struct model *m, int cell);
/* Starts two tasks for each cell, which do `rounds` of these and end. */
void model_start(struct model *m, int rounds);

#endif
