/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hawser perf: load on a server, and how long it takes.
 *
 * A run has clients (mounts of their own), each with `depth` tasks that do one
 * operation after another; every status is checked, and contents, too, if
 * asked for.
 */
#ifndef PERF_PERF_H
#define PERF_PERF_H

/* `hawser perf nfs …`, as a main() whose argv[0] is the last of these words.
 * The exit status: 0; 1 an operation failed, or its data were wrong; 2 usage.
 */
int perf_nfs_main(int argc, char **argv);

/* `hawser perf nvme …`, the same. */
int perf_nvme_main(int argc, char **argv);

#endif
