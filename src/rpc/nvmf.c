/* SPDX-License-Identifier: Apache-2.0 */
/* The NVMe target: its transport, and its subsystems as such. */
#include "rpc/nvmf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* ------------------------------------------------------------- shared --- */

struct nvmet_subsystem *nvmf_find(struct rpc_call *call, int code)
{
	const char *nqn = rpc_string(call, "nqn");
	struct nvmet_subsystem *s = nvmet_subsystem_find(call->env->nvmet, nqn);

	if (s != NULL)
		return s;
	call->error_number = -ENODEV;
	rpc_refuse(call, code, "There is no subsystem '%.223s'", nqn);
	return NULL;
}

int nvmf_check_own(struct rpc_call *call, const char *path, bool there,
		   int code, const char *what)
{
	if (rpc_entry(call, path) != NULL)
		return 0;
	if (there)
		return rpc_refuse(call, code,
				  "The %s belongs to a volume: it goes with "
				  "that",
				  what);
	return rpc_refuse(call, code, "There is no such %s", what);
}

/* ----------------------------------------------------------- transport --- */

static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "max_queue_depth",
	  offsetof(struct nvmet_transport, max_queue_depth) },
	{ "max_io_qpairs_per_ctrlr",
	  offsetof(struct nvmet_transport, max_io_qpairs_per_ctrlr) },
	{ "in_capsule_data_size",
	  offsetof(struct nvmet_transport, in_capsule_data_size) },
	{ "max_io_size", offsetof(struct nvmet_transport, max_io_size) },
	{ "max_aq_depth", offsetof(struct nvmet_transport, max_aq_depth) },
	{ "abort_timeout_sec",
	  offsetof(struct nvmet_transport, abort_timeout_sec) },
	{ "kas", offsetof(struct nvmet_transport, kas) },
	{ "min_kato", offsetof(struct nvmet_transport, min_kato) },
	{ "max_connections",
	  offsetof(struct nvmet_transport, max_connections) },
};

static uint32_t *number_in(struct nvmet_transport *tr, size_t i)
{
	return (uint32_t *)((char *)tr + numbers[i].offset);
}

json_t *nvmf_describe_transport(const struct nvmet_transport *tr)
{
	struct nvmet_transport copy = *tr;
	json_t *out = json_pack("{s:s}", "trtype", "TCP");

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_set_new(out, numbers[i].name,
				    json_integer(*number_in(&copy, i)));
	json_object_set_new(out, "c2h_success",
			    json_boolean(!tr->no_c2h_success));
	return out;
}

static int create_transport(struct rpc_call *call)
{
	const char *type = rpc_string(call, "trtype");
	struct nvmet_transport tr = {
		.no_c2h_success = !rpc_boolean(call, "c2h_success", true),
	};
	char path[LEDGER_PATH_SIZE], text[256] = "";
	int r;

	if (strcasecmp(type, "tcp") != 0)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "Invalid transport type '%.64s'", type);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		int n = rpc_integer(call, numbers[i].name, 0);

		if (n < 0)
			return rpc_refuse(call, RPC_INVALID_PARAMS,
					  "%s can't be negative",
					  numbers[i].name);
		*number_in(&tr, i) = n;
	}
	r = nvmet_set_transport(call->env->nvmet, &tr, text);
	if (r == -EEXIST)
		return rpc_refuse(call, RPC_INTERNAL_ERROR,
				  "Transport type '%s' already exists", type);
	if (r < 0)
		return rpc_fail(call, RPC_INVALID_PARAMS, r, text);
	call->result = json_true();
	ledger_path(path, "transport", "TCP", NULL);
	return rpc_record(
		call, "nvmf", path,
		nvmf_describe_transport(nvmet_get_transport(call->env->nvmet)));
}

static int get_transports(struct rpc_call *call)
{
	static const char *const never[] = { "dif_insert_or_strip", "zcopy" };
	const struct nvmet_transport *tr =
		nvmet_get_transport(call->env->nvmet);
	const char *type = rpc_string(call, "trtype");
	json_t *one;

	call->result = json_array();
	if (type != NULL && (tr == NULL || strcasecmp(type, "tcp") != 0))
		return rpc_refuse(call, -ENODEV,
				  "There is no transport of type '%.64s'",
				  type);
	if (tr == NULL)
		return 0;
	one = nvmf_describe_transport(tr);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		json_object_set_new(one, never[i], json_false());
	json_object_set_new(one, "sock_priority", json_integer(0));
	json_object_set_new(one, "ack_timeout", json_integer(0));
	json_array_append_new(call->result, one);
	return 0;
}

/* ---------------------------------------------------------- subsystems --- */

/* What is checked here has a code of its own in SPDK. */
static int check_spec(struct rpc_call *call,
		      const struct nvmet_subsystem_spec *spec)
{
	if (spec->serial && strlen(spec->serial) > NVMET_SERIAL_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "serial_number has up to %d bytes",
				  NVMET_SERIAL_MAX);
	if (spec->model && strlen(spec->model) > NVMET_MODEL_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "model_number has up to %d bytes",
				  NVMET_MODEL_MAX);
	return 0;
}

static int read_spec(struct rpc_call *call, struct nvmet_subsystem_spec *spec)
{
	int namespaces = rpc_integer(call, "max_namespaces", 0);
	int first = rpc_integer(call, "min_cntlid", 0);
	int last = rpc_integer(call, "max_cntlid", 0);

	if (namespaces < 0 || first < 0 || first > UINT16_MAX || last < 0 ||
	    last > UINT16_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "max_namespaces, min_cntlid or max_cntlid "
				  "is out of range");
	*spec = (struct nvmet_subsystem_spec){
		.nqn = rpc_string(call, "nqn"),
		.serial = rpc_string(call, "serial_number"),
		.model = rpc_string(call, "model_number"),
		.allow_any_host = rpc_boolean(call, "allow_any_host", false),
		.ana_reporting = rpc_boolean(call, "ana_reporting", false),
		.max_namespaces = namespaces,
		.min_cntlid = first,
		.max_cntlid = last,
	};
	return check_spec(call, spec);
}

static json_t *describe_spec(const struct nvmet_subsystem *s)
{
	struct nvmet_subsystem_spec spec;

	nvmet_subsystem_get(s, &spec);
	return json_pack("{s:s, s:b, s:s, s:s, s:i, s:i, s:i, s:b}", "nqn",
			 spec.nqn, "allow_any_host", (int)spec.allow_any_host,
			 "serial_number", spec.serial, "model_number",
			 spec.model, "max_namespaces", (int)spec.max_namespaces,
			 "min_cntlid", (int)spec.min_cntlid, "max_cntlid",
			 (int)spec.max_cntlid, "ana_reporting",
			 (int)spec.ana_reporting);
}

static int create_subsystem(struct rpc_call *call)
{
	char path[LEDGER_PATH_SIZE], text[256] = "";
	struct nvmet_subsystem_spec spec;
	struct nvmet_subsystem *s;
	int r = read_spec(call, &spec);

	if (r == 0)
		r = rpc_path(call, path, "subsystem", spec.nqn);
	if (r == 0)
		r = rpc_check_new(call, path, RPC_INTERNAL_ERROR);
	if (r != 0)
		return r;
	r = nvmet_subsystem_create(call->env->nvmet, &spec, &s, text);
	if (r < 0) {
		call->error_number = r;
		return rpc_refuse(call, RPC_INTERNAL_ERROR,
				  "Unable to create subsystem %.100s: %s",
				  spec.nqn, text[0] ? text : strerror(-r));
	}
	r = rpc_record(call, "nvmf", path, describe_spec(s));
	if (r != 0) {
		nvmet_subsystem_delete(s);
		return r;
	}
	call->result = json_true();
	return 0;
}

/* Is a volume in it, as one of several namespaces? */
static int check_volumes(struct rpc_call *call, const char *nqn)
{
	struct ledger_entry *e = NULL;

	while ((e = ledger_next(call->env->ledger, e)) != NULL) {
		const char *in =
			json_string_value(json_object_get(e->params, "nqn"));

		if (strncmp(e->path, "volume\t", 7) == 0 && in != NULL &&
		    strcmp(in, nqn) == 0)
			return rpc_refuse(call, RPC_INVALID_PARAMS,
					  "Volume %s is in it: delete that "
					  "first",
					  e->path + 7);
	}
	return 0;
}

static int delete_subsystem(struct rpc_call *call)
{
	const char *nqn = rpc_string(call, "nqn");
	struct nvmet_subsystem *s = nvmet_subsystem_find(call->env->nvmet, nqn);
	char path[LEDGER_PATH_SIZE];
	int r = rpc_path(call, path, "subsystem", nqn);

	if (r == 0)
		r = nvmf_check_own(call, path, s != NULL, RPC_INVALID_PARAMS,
				   "subsystem");
	if (r == 0)
		r = check_volumes(call, nqn);
	if (r == 0)
		r = rpc_forget(call, path);
	if (r != 0)
		return r;
	if (s != NULL)
		nvmet_subsystem_delete(s);
	call->result = json_true();
	return 0;
}

static int allow_any_host(struct rpc_call *call)
{
	struct nvmet_subsystem *s = nvmf_find(call, RPC_INVALID_PARAMS);
	bool disable = rpc_boolean(call, "disable", false);
	bool allow = rpc_boolean(call, "allow_any_host", !disable);
	char path[LEDGER_PATH_SIZE];
	int r;

	if (s == NULL)
		return call->code;
	r = rpc_path(call, path, "subsystem", rpc_string(call, "nqn"),
		     "any host");
	if (r != 0)
		return r;
	r = nvmet_subsystem_allow_any_host(s, allow);
	if (r < 0)
		return rpc_fail(call, RPC_INTERNAL_ERROR, r, NULL);
	call->result = json_true();
	return rpc_record(call, "nvmf", path,
			  json_pack("{s:s, s:b}", "nqn",
				    rpc_string(call, "nqn"), "allow_any_host",
				    (int)allow));
}

/* ----------------------------------------------------------- referrals --- */

static const char *referral_nqn(const struct rpc_call *call)
{
	const char *nqn = rpc_string(call, "subnqn");

	return nqn && nqn[0] ? nqn : NVMET_DISCOVERY_NQN;
}

static int referral_start(struct rpc_call *call, struct addr *a,
			  char path[LEDGER_PATH_SIZE])
{
	char text[ADDR_TEXT_MAX];
	int r = nvmf_address(call, rpc_object(call, "address"), a);

	return r ? r
		 : rpc_path(call, path, "referral", addr_format(a, text),
			    referral_nqn(call));
}

static int add_referral(struct rpc_call *call)
{
	char path[LEDGER_PATH_SIZE];
	struct addr a;
	int r = referral_start(call, &a, path);

	if (r == 0)
		r = rpc_check_new(call, path, RPC_INTERNAL_ERROR);
	if (r != 0)
		return r;
	r = nvmet_referral_add(call->env->nvmet, &a, referral_nqn(call));
	if (r < 0)
		return rpc_fail(call, RPC_INTERNAL_ERROR, r, NULL);
	r = rpc_record(call, "nvmf", path, rpc_params_copy(call));
	if (r != 0)
		nvmet_referral_remove(call->env->nvmet, &a, referral_nqn(call));
	call->result = json_true();
	return r;
}

static int remove_referral(struct rpc_call *call)
{
	char path[LEDGER_PATH_SIZE];
	struct addr a;
	int r = referral_start(call, &a, path);

	if (r == 0 && rpc_entry(call, path) == NULL)
		r = rpc_refuse(call, RPC_INVALID_PARAMS,
			       "There is no such referral");
	if (r == 0)
		r = rpc_forget(call, path);
	if (r != 0)
		return r;
	nvmet_referral_remove(call->env->nvmet, &a, referral_nqn(call));
	call->result = json_true();
	return 0;
}

static int get_referrals(struct rpc_call *call)
{
	const char *nqn;
	struct addr a;

	call->result = json_array();
	for (size_t i = 0; nvmet_referral_get(call->env->nvmet, i, &a, &nqn);
	     i++)
		json_array_append_new(call->result,
				      json_pack("{s:o, s:b, s:s}", "address",
						nvmf_describe_address(&a),
						"secure_channel", 0, "subnqn",
						nqn));
	return 0;
}

/* ------------------------------------------------------------- the table */

static const struct rpc_param create_transport_params[] = {
	{ "trtype", RPC_STRING, RPC_REQUIRED, "TCP", "-t" },
	{ "max_queue_depth", RPC_INTEGER, RPC_OPTIONAL,
	  "commands in a queue, 2 to 1024; default: 128", "-q" },
	{ "max_io_qpairs_per_ctrlr", RPC_INTEGER, RPC_OPTIONAL,
	  "I/O queues of a controller; default: 127", "-m" },
	{ "in_capsule_data_size", RPC_INTEGER, RPC_OPTIONAL,
	  "bytes that a host may send along with a write; default: 4096",
	  "-c" },
	{ "max_io_size", RPC_INTEGER, RPC_OPTIONAL,
	  "bytes of one command, a power of two; default: 131072", "-i" },
	{ "max_aq_depth", RPC_INTEGER, RPC_OPTIONAL,
	  "commands in an admin queue; default: 128", "-a" },
	{ "c2h_success", RPC_BOOLEAN, RPC_OPTIONAL,
	  "the last data of a read says that it was good; default: true",
	  "-o=false" },
	{ "abort_timeout_sec", RPC_INTEGER, RPC_OPTIONAL,
	  "seconds that an Abort waits for its command; default: 1", "-x" },
	{ "kas", RPC_INTEGER, RPC_OPTIONAL,
	  "granularity of keep-alive times, in 100 ms; default: 100", "--kas" },
	{ "min_kato", RPC_INTEGER, RPC_OPTIONAL,
	  "least keep-alive timeout, in ms; default: 10000", "--min-kato" },
	{ "max_connections", RPC_INTEGER, RPC_OPTIONAL,
	  "of all hosts, queues and discovery; further ones are closed; "
	  "default: 4096",
	  "--max-connections" },
	{ "tgt_name", RPC_STRING, RPC_IGNORED, "there is one target", "-g" },
	{ "io_unit_size", RPC_INTEGER, RPC_IGNORED, "of SPDK's buffers", "-u" },
	{ "num_shared_buffers", RPC_INTEGER, RPC_IGNORED, "SPDK's", "-n" },
	{ "buf_cache_size", RPC_INTEGER, RPC_IGNORED, "SPDK's", "-b" },
	{ "iobuf_small_cache_size", RPC_UINT64, RPC_IGNORED, "SPDK's",
	  "--iobuf-small-cache-size" },
	{ "iobuf_large_cache_size", RPC_UINT64, RPC_IGNORED, "SPDK's",
	  "--iobuf-large-cache-size" },
	{ "zcopy", RPC_BOOLEAN, RPC_IGNORED, "of SPDK's buffers", "-z" },
	{ "num_cqe", RPC_INTEGER, RPC_IGNORED, "of RDMA", "-d" },
	{ "max_srq_depth", RPC_INTEGER, RPC_IGNORED, "of RDMA", "-s" },
	{ "no_srq", RPC_BOOLEAN, RPC_IGNORED, "of RDMA", "-r" },
	{ "dif_insert_or_strip", RPC_BOOLEAN, RPC_REFUSED,
	  "protection information", "-f" },
	{ "sock_priority", RPC_INTEGER, RPC_REFUSED, "of sockets", "-y" },
	{ "acceptor_backlog", RPC_INTEGER, RPC_IGNORED, "of RDMA", "-l" },
	{ "no_wr_batching", RPC_BOOLEAN, RPC_IGNORED, "of RDMA", "-w" },
	{ "control_msg_num", RPC_INTEGER, RPC_IGNORED, "SPDK's", "-e" },
	{ "disable_mappable_bar0", RPC_BOOLEAN, RPC_IGNORED, "of VFIO", "-M" },
	{ "disable_adaptive_irq", RPC_BOOLEAN, RPC_IGNORED, "of VFIO", "-I" },
	{ "disable_shadow_doorbells", RPC_BOOLEAN, RPC_IGNORED, "of VFIO",
	  "-S" },
	{ "acceptor_poll_rate", RPC_INTEGER, RPC_IGNORED, "nothing polls",
	  "--acceptor-poll-rate" },
	{ "ack_timeout", RPC_INTEGER, RPC_REFUSED, "of TCP", "--ack-timeout" },
	{ "data_wr_pool_size", RPC_INTEGER, RPC_IGNORED, "of RDMA",
	  "--data-wr-pool-size" },
	{ "disable_command_passthru", RPC_BOOLEAN, RPC_IGNORED,
	  "nothing is passed through", "--disable-command-passthru" },
	{ "masked_oncs", RPC_STRINGS, RPC_REFUSED, "optional commands to hide",
	  "--masked-oncs" },
	{ "masked_fuses", RPC_STRINGS, RPC_REFUSED, "fused commands to hide",
	  "--masked-fuses" },
	{},
};
static const struct rpc_param get_transports_params[] = {
	{ "trtype", RPC_STRING, RPC_OPTIONAL, "only this one", "--trtype" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param create_subsystem_params[] = {
	NVMF_NQN,
	{ "serial_number", RPC_STRING, RPC_OPTIONAL,
	  "up to 20 bytes; default: 00000000000000000000", "-s" },
	{ "model_number", RPC_STRING, RPC_OPTIONAL,
	  "up to 40 bytes; default: Hawser volume", "-d" },
	{ "allow_any_host", RPC_BOOLEAN, RPC_OPTIONAL,
	  "hosts need not be added", "-a" },
	{ "ana_reporting", RPC_BOOLEAN, RPC_OPTIONAL,
	  "hosts are told which paths to prefer", "-r" },
	{ "max_namespaces", RPC_INTEGER, RPC_OPTIONAL, "default: 32", "-m" },
	{ "min_cntlid", RPC_INTEGER, RPC_OPTIONAL,
	  "the lowest controller ID; default: 1", "-i" },
	{ "max_cntlid", RPC_INTEGER, RPC_OPTIONAL,
	  "the highest controller ID; default: 65519", "-I" },
	NVMF_TARGET_NAME,
	{ "dmrsl", RPC_INTEGER, RPC_IGNORED, "a limit of SPDK's", "--dmrsl" },
	{ "wzsl", RPC_INTEGER, RPC_IGNORED, "a limit of SPDK's", "--wzsl" },
	{ "max_discard_size_kib", RPC_UINT64, RPC_IGNORED, "a limit of SPDK's",
	  "--max-discard-size" },
	{ "max_write_zeroes_size_kib", RPC_UINT64, RPC_IGNORED,
	  "a limit of SPDK's", "--max-write-zeroes-size" },
	{ "passthrough", RPC_BOOLEAN, RPC_REFUSED, "commands go to a device",
	  "-p" },
	{ "enable_nssr", RPC_BOOLEAN, RPC_REFUSED, "NVM subsystem reset",
	  "-n" },
	{},
};
static const struct rpc_param nqn_params[] = {
	NVMF_NQN,
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param allow_any_host_params[] = {
	NVMF_NQN,
	{ "allow_any_host", RPC_BOOLEAN, RPC_OPTIONAL, "default: true",
	  "--allow-any-host --no-allow-any-host=false -e --enable" },
	{ "disable", RPC_BOOLEAN, RPC_OPTIONAL, "the contrary", "-d" },
	NVMF_TARGET_NAME,
	{},
};
static const struct rpc_param add_referral_params[] = {
	NVMF_ADDRESS("address", "of another discovery service"),
	{ "subnqn", RPC_STRING, RPC_OPTIONAL,
	  "default: the discovery subsystem", "-n" },
	{ "secure_channel", RPC_BOOLEAN, RPC_REFUSED, "it demands TLS", "-k" },
	NVMF_TARGET_NAME_P,
	{},
};
static const struct rpc_param remove_referral_params[] = {
	NVMF_ADDRESS("address", "of the referral"),
	{ "subnqn", RPC_STRING, RPC_OPTIONAL,
	  "default: the discovery subsystem", "-n" },
	NVMF_TARGET_NAME_P,
	{},
};
static const struct rpc_param target_params[] = {
	NVMF_TARGET_NAME,
	{},
};

const struct rpc_method rpc_nvmf_methods[] = {
	{ "nvmf_create_transport", create_transport,
	  "Sets up NVMe/TCP; once, before there are listeners.",
	  create_transport_params, RPC_CHANGES },
	{ "nvmf_get_transports", get_transports,
	  "Tells how NVMe/TCP is set up.", get_transports_params, RPC_READS },
	{ "nvmf_create_subsystem", create_subsystem,
	  "Creates a subsystem without namespaces and listeners.",
	  create_subsystem_params, RPC_CHANGES },
	{ "nvmf_delete_subsystem", delete_subsystem,
	  "Deletes a subsystem; its hosts are disconnected, its devices stay.",
	  nqn_params, RPC_CHANGES },
	{ "nvmf_subsystem_allow_any_host", allow_any_host,
	  "Lets all hosts connect, or only those that were added.",
	  allow_any_host_params, RPC_CHANGES },
	{ "nvmf_discovery_add_referral", add_referral,
	  "Tells hosts of another place to discover subsystems.",
	  add_referral_params, RPC_CHANGES },
	{ "nvmf_discovery_remove_referral", remove_referral,
	  "Tells them no more.", remove_referral_params, RPC_CHANGES },
	{ "nvmf_discovery_get_referrals", get_referrals, "Lists these places.",
	  target_params, RPC_READS },
	{},
};
