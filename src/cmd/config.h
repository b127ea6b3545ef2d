/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file of hawserd: YAML, every key optional.
 *
 *	subnets:			# default: six loopback ranges
 *	  - { cidr: 10.1.0.0/24, zone: a }
 *	  - { cidr: 10.2.0.0/24, zone: b }
 *	reactors: 4			# event loops; default: one for each CPU
 *	lease: 30			# of NFS clients, in seconds
 *	root_squash: true		# default: false
 *	throughput:
 *	  elastic: 500			# MiB/s; default: no limit
 *	  operations: 35000		# a second, of generalPurpose; 0: no
 *					# limit
 *	metrics:
 *	  period: 60			# seconds between points, 1 to 60
 *	  http: 127.0.0.1:8078		# for Prometheus; the default; or "none"
 *	alarm_actions:			# what is behind the ARNs of actions
 *	  - { arn: "arn:aws:sns:…", command: "…" }
 *	  - { arn: "*", webhook: "http://127.0.0.1:9000/…" }
 *	api:
 *	  http: 127.0.0.1:8077		# the default; "none": not at all
 *	  https: 0.0.0.0:8443		# default: none
 *	  certificate: /etc/…pem	# default: one that is made, self-signed
 *	  private_key: /etc/…pem
 *	nfs_tls:			# at mount targets
 *	  certificate: /etc/…pem	# default: one that is made, self-signed
 *	  private_key: /etc/…pem
 *	  hosts: "DNS:*.efs.us-east-1.example.net"	# in that one
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include <limits.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/control.h"
#include "control/subnet.h"

enum {
	CONFIG_SUBNETS_MAX = 64,
	CONFIG_ACTIONS_MAX = 64,
	CONFIG_REACTORS_MAX = 256
};

struct config {
	struct subnet subnets[CONFIG_SUBNETS_MAX];
	size_t n_subnets;
	int reactors;
	nsec lease; /* 0: nfs/server's default */
	bool root_squash;
	double elastic_limit, operations; /* as control/control.h has them */
	nsec period;
	struct control_action actions[CONFIG_ACTIONS_MAX];
	size_t n_actions;
	struct addr api_http, api_https, metrics_http; /* len 0: none */
	struct config_certificate {
		char certificate[PATH_MAX], key[PATH_MAX]; /* or "" */
		char hosts[256]; /* for one that is made */
	} api, nfs;
};

void config_init(struct config *c);

/* What the file sets replaces what is in *c.  0, or -errno after having said
 * on stderr in which line what is wrong. */
int config_load(struct config *c, const char *path);

/* The API and the metrics on ports of 127.0.0.1 that are free, unless the
 * configuration says something else. */
void config_set_any_port(struct config *c);

/* Six /24 of 127.OCTET.0.0, in zones a to f. */
void config_set_loopback(struct config *c, unsigned octet);

#endif
