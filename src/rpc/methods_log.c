/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log's methods, and the version, as SPDK's rpc.py calls them.  Its levels
 * have other names: NOTICE stands between WARNING and INFO there, and is INFO
 * here.  SPDK has one level for syslog and one for stderr; hawserd writes to
 * stderr alone, so both are the same.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/util.h"
#include "rpc/internal.h"

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{ "ERROR", LOG_ERROR }, { "WARNING", LOG_WARN }, { "INFO", LOG_INFO },
	{ "DEBUG", LOG_DEBUG }, { "NOTICE", LOG_INFO },	 { "WARN", LOG_WARN },
};

int rpc_log_set_level(struct rpc_call *call)
{
	const char *name = rpc_string(call, "level");

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcasecmp(levels[i].name, name) == 0) {
			log_level = levels[i].level;
			call->result = json_true();
			return 0;
		}
	return rpc_refuse(call, RPC_INVALID_PARAMS,
			  "log_set_level: level is error, warn, info or "
			  "debug, not '%.64s'",
			  name);
}

int rpc_log_get_level(struct rpc_call *call)
{
	for (size_t i = 0; call->result == NULL; i++)
		if (levels[i].level == log_level)
			call->result = json_string(levels[i].name);
	return 0;
}

int rpc_spdk_get_version(struct rpc_call *call)
{
	int major = 0, minor = 0, patch = 0;

	sscanf(HAWSER_VERSION, "%d.%d.%d", &major, &minor, &patch);
	call->result =
		json_pack("{s:s, s:{s:i, s:i, s:i, s:s}}", "version",
			  "hawserd " HAWSER_VERSION, "fields", "major", major,
			  "minor", minor, "patch", patch, "suffix", "");
	return 0;
}
