/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: what a method is made of.  For the rooms that have methods of their own
 * (`perform_tests` of perf) beside those that stand here.
 */
#ifndef RPC_METHOD_H
#define RPC_METHOD_H

#include "control/control.h"
#include "rpc/rpc.h"

/*
 * The methods: tables, from which the parameter checks, rpc_get_methods, the
 * command line (hawser rpc) and docs/rpc.md come.
 */
enum rpc_type {
	RPC_STRING,
	RPC_INTEGER, /* of 32 bits */
	RPC_BOOLEAN,
	RPC_UINT64,  /* 0 to 2^63 - 1 */
	RPC_NUMBER,  /* with or without a fraction */
	RPC_OBJECT,  /* `fields` says of what */
	RPC_STRINGS, /* an array of strings */
	RPC_OBJECTS, /* an array of objects, of `fields` each */
};

enum rpc_rule {
	RPC_OPTIONAL,
	RPC_REQUIRED,
	RPC_IGNORED, /* taken from those who send it, and has no effect */
	RPC_REFUSED, /* is not there: only false, 0 or -1 may be sent */
};

struct rpc_param {
	const char *name; /* NULL ends a list */
	enum rpc_type type;
	enum rpc_rule rule;
	const char *help;

	/*
	 * How it is written on a command line, in words: "=" by position;
	 * "-n" or "--name" an option, "-n=false" a switch that sends false
	 * (without =, true).  Without a long one there is --NAME, too.  "%"
	 * is given in MiB and sent in blocks of the parameter block_size.
	 * NULL: only as NAME=VALUE.
	 */
	const char *cli;
	const char *values; /* NULL, or what a string may be: "a|b|c" */
	const struct rpc_param *fields; /* of OBJECT, OBJECTS */
};

/* What of the service a method needs to itself while it runs. */
enum rpc_lock {
	RPC_FREE,
	RPC_READS,   /* nobody changes the configuration meanwhile */
	RPC_CHANGES, /* nobody else reads or changes it */
};

struct rpc_method {
	const char *name; /* NULL ends the table */
	/* Puts a new reference into call->result and returns 0, or refuses
	 * with rpc_refuse().  Runs in a task; may park. */
	int (*run)(struct rpc_call *call);
	const char *help;
	const struct rpc_param *params; /* NULL: none */
	enum rpc_lock lock;
};

/* In the order of the tables, from 0; NULL: there are no more. */
const struct rpc_method *rpc_method_at(const struct rpc_environment *env,
				       size_t i);
const struct rpc_method *rpc_method_find(const struct rpc_environment *env,
					 const char *name);

/* Methods for everybody: rpc_get_methods; those of the process; and of NVMe
 * volumes, as env->hosts has them attached. */
extern const struct rpc_method rpc_own_methods[], rpc_service_methods[],
	rpc_nvmei_methods[], rpc_nvmei_options_methods[],
	rpc_nvmei_show_methods[], rpc_nvmei_stats_methods[],
	rpc_nvmei_key_methods[], rpc_nvmei_order_methods[];

struct rpc_call {
	const struct rpc_environment *env;
	const struct rpc_method *method;
	bool replay;	  /* from the ledger: it is written down already */
	bool forgotten;	  /* the replayed call has left the ledger */
	json_t *params;	  /* borrowed; an object that fits the table, or NULL */
	json_t *result;	  /* set by the method; the dispatcher's afterwards */
	int code;	  /* of the error, 0: none */
	int error_number; /* -errno behind it, if there is one */
	struct control_error error;
};

/* The parameter's value, or the default where it is absent. */
const char *rpc_string(const struct rpc_call *call, const char *name);
int rpc_integer(const struct rpc_call *call, const char *name, int absent);
bool rpc_boolean(const struct rpc_call *call, const char *name, bool absent);
uint64_t rpc_uint64(const struct rpc_call *call, const char *name,
		    uint64_t absent);
/* Borrowed; NULL if absent. */
json_t *rpc_object(const struct rpc_call *call, const char *name);

/* A time of day: seconds since 1970, with a fraction. */
json_t *rpc_describe_time(nsec t);

__attribute__((format(printf, 3, 4))) int rpc_refuse(struct rpc_call *call,
						     int code,
						     const char *format, ...);

/* As rpc_refuse(); `error` is what is behind it.  With `text`, or if that is
 * empty with strerror(-error). */
int rpc_fail(struct rpc_call *call, int code, int error, const char *text);

#endif
