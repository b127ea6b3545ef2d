/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves what one message is answered with: the codes and shapes are those that
 * SPDK's JSON-RPC server was seen to give.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "rpc/internal.h"

/* The reply without its newline; "" if there is none; "closed" if the message
 * is no JSON. */
static const char *answer_to(const char *request)
{
	static char text[1 << 16];
	struct rpc_environment env = { .methods = rpc_hawserd_methods };
	char *reply;
	size_t len;

	if (rpc_dispatch(&env, request, strlen(request), &reply, &len) < 0)
		return "closed";
	if (reply == NULL)
		return "";
	assert_in_range(len, 1, sizeof(text));
	assert_int_equal(reply[len - 1], '\n');
	memcpy(text, reply, len);
	text[len - 1] = '\0';
	free(reply);
	return text;
}

static int code_of(const char *request)
{
	json_t *reply = json_loads(answer_to(request), 0, NULL);
	int code = 0;

	assert_non_null(reply);
	json_unpack(reply, "{s:{s:i}}", "error", "code", &code);
	json_decref(reply);
	return code;
}

static const char invalid[] =
	"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":"
	"{\"code\":-32600,\"message\":\"Invalid request\"}}";

static void what_is_no_request_is_invalid(void **state)
{
	assert_string_equal(answer_to("{}"), invalid);
	assert_string_equal(answer_to("[]"), invalid);
	assert_string_equal(answer_to("{\"jsonrpc\":\"2.0\",\"id\":1}"),
			    invalid);
	assert_string_equal(answer_to("{\"id\":1,\"method\":5}"), invalid);
	assert_string_equal(answer_to("{\"id\":{},\"method\":\"x\"}"), invalid);
	assert_string_equal(answer_to("{\"jsonrpc\":\"1.0\",\"id\":1,"
				      "\"method\":\"rpc_get_methods\"}"),
			    invalid);
}

static void what_is_no_json_has_no_answer(void **state)
{
	assert_string_equal(answer_to("{]"), "closed");
	assert_string_equal(answer_to("{\"a\":1,\"a\":2}"), "closed");
}

static void an_answer_echoes_the_id(void **state)
{
	assert_string_equal(answer_to("{\"id\":\"abc\",\"method\":\"no\"}"),
			    "{\"jsonrpc\":\"2.0\",\"id\":\"abc\",\"error\":"
			    "{\"code\":-32601,\"message\":"
			    "\"Method not found\"}}");
	assert_string_equal(answer_to("{\"jsonrpc\":\"2.0\",\"id\":7,"
				      "\"method\":\"log_set_level\","
				      "\"params\":{\"level\":\"info\"}}"),
			    "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":true}");
}

static void a_notification_is_done_and_not_answered(void **state)
{
	log_set_level("info");
	assert_string_equal(answer_to("{\"method\":\"log_set_level\","
				      "\"params\":{\"level\":\"debug\"}}"),
			    "");
	assert_int_equal(log_level, LOG_DEBUG);
	assert_string_equal(answer_to("{\"id\":null,"
				      "\"method\":\"log_set_level\","
				      "\"params\":{\"level\":\"info\"}}"),
			    "");
	assert_int_equal(log_level, LOG_INFO);
	assert_string_equal(answer_to("{\"method\":\"no\"}"), "");
}

static void a_batch_is_answered_by_an_array(void **state)
{
	char both[256];

	assert_string_equal(
		answer_to("[{\"id\":1,\"method\":\"log_set_level\","
			  "\"params\":{\"level\":\"info\"}},"
			  "{\"method\":\"no\"},{\"id\":2,\"method\":\"no\"}]"),
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true},"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,"
		"\"message\":\"Method not found\"}}]");
	assert_string_equal(answer_to("[{\"method\":\"no\"}]"), "");
	snprintf(both, sizeof(both), "[%s]", invalid);
	assert_string_equal(answer_to("[1]"), both);
}

static void a_batch_has_a_bound(void **state)
{
	static char text[RPC_BATCH_MAX * 8 + 16];
	char *p = text;

	*p++ = '[';
	for (int i = 0; i < RPC_BATCH_MAX; i++)
		p = stpcpy(p, "{},");
	strcpy(p - 1, "]");
	assert_int_equal(answer_to(text)[0], '[');
	strcpy(p - 1, ",{}]");
	assert_string_equal(answer_to(text), invalid);
}

static void a_method_does_not_end_at_a_nul(void **state)
{
	assert_string_equal(
		answer_to("{\"id\":1,\"method\":\"log_get_level\\u0000x\"}"),
		invalid);
}

static void rpc_py_gets_what_it_expects(void **state)
{
	enum log_level before = log_level;

	assert_int_equal(
		code_of("{\"id\":1,\"method\":\"rpc_get_methods\",\"params\":"
			"{\"current\":false,\"include_aliases\":false}}"),
		0);
	assert_string_equal(
		answer_to("{\"id\":1,\"method\":\"log_set_level\",\"params\":"
			  "{\"level\":\"WARNING\"}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}");
	assert_string_equal(
		answer_to("{\"id\":1,\"method\":\"log_get_level\"}"),
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"WARNING\"}");
	log_level = before;
	assert_non_null(
		strstr(answer_to("{\"id\":1,\"method\":\"spdk_get_version\"}"),
		       "\"version\":\"hawserd " HAWSER_VERSION "\""));
}

static void parameters_must_fit_the_table(void **state)
{
	static const char *const bad[] = {
		"\"subnet_get\",\"params\":{}",
		"\"subnet_get\",\"params\":[]",
		"\"fs_create\",\"params\":[\"x\"]",
		"\"fs_create\",\"params\":{\"nam\":\"x\"}",
		"\"fs_create\",\"params\":{\"name\":5}",
		"\"fs_create\",\"params\":{\"name\":\"a\\u0000b\"}",
		"\"fs_delete\"",
		"\"fs_delete\",\"params\":{}",
		"\"mount_target_create\",\"params\":{\"fs\":\"x\",\"port\":"
		"5000000000}",
		"\"mount_target_create\",\"params\":{\"fs\":\"x\",\"port\":"
		"\"2049\"}",
		"\"rpc_get_methods\",\"params\":{\"verbose\":1}",
		"\"mount_target_set_state\",\"params\":{\"id\":\"x\","
		"\"state\":\"sideways\"}",
	};
	char request[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(request, sizeof(request), "{\"id\":1,\"method\":%s}",
			 bad[i]);
		assert_int_equal(code_of(request), RPC_INVALID_PARAMS);
	}
}

/* Objects within objects are held against the table, too; and what is taken
 * from SPDK's clients only to be ignored or refused. */
static void nested_parameters_must_fit_too(void **state)
{
	static const char *const bad[] = {
		"\"nvmf_subsystem_add_ns\",\"params\":{\"nqn\":\"n\"}",
		"\"nvmf_subsystem_add_ns\",\"params\":{\"nqn\":\"n\","
		"\"namespace\":\"Malloc0\"}",
		"\"nvmf_subsystem_add_ns\",\"params\":{\"nqn\":\"n\","
		"\"namespace\":{}}",
		"\"nvmf_subsystem_add_ns\",\"params\":{\"nqn\":\"n\","
		"\"namespace\":{\"bdev_name\":5}}",
		"\"nvmf_subsystem_add_ns\",\"params\":{\"nqn\":\"n\","
		"\"namespace\":{\"bdev_name\":\"d\",\"ndis\":1}}",
		"\"nvmf_subsystem_add_ns\",\"params\":{\"nqn\":\"n\","
		"\"namespace\":{\"bdev_name\":\"d\",\"ptpl_file\":"
		"\"/tmp/x\"}}",
		"\"bdev_get_iostat\",\"params\":{\"names\":[\"a\",1]}",
		"\"bdev_get_iostat\",\"params\":{\"per_channel\":true}",
		"\"bdev_malloc_create\",\"params\":{\"block_size\":512,"
		"\"num_blocks\":-1}",
		"\"bdev_malloc_create\",\"params\":{\"block_size\":512,"
		"\"num_blocks\":1.5}",
		"\"spdk_kill_instance\",\"params\":{\"sig_name\":"
		"\"SIG\"}",
		"\"spdk_kill_instance\",\"params\":{\"sig_name\":"
		"\"SIGINT|SIGTERM\"}",
		"\"volume_create\",\"params\":{\"name\":\"v\",\"size\":1,"
		"\"listen_addresses\":[{\"trtype\":\"tcp\"}]}",
	};
	char request[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(request, sizeof(request), "{\"id\":1,\"method\":%s}",
			 bad[i]);
		assert_int_equal(code_of(request), RPC_INVALID_PARAMS);
	}
}

/* "%.64s" of the message cuts the last character in half. */
static void a_message_with_half_a_character_still_is_json(void **state)
{
	assert_int_equal(
		code_of("{\"id\":1,\"method\":\"log_set_level\",\"params\":{"
			"\"level\":\"xéééééééééééééééééééééééééééééééééééé\"}"
			"}"),
		RPC_INVALID_PARAMS);
}

static void check_params_explained(const struct rpc_param *p)
{
	for (; p && p->name; p++) {
		assert_true(strlen(p->help) > 0);
		assert_int_equal(p->fields != NULL,
				 p->type == RPC_OBJECT ||
					 p->type == RPC_OBJECTS);
		check_params_explained(p->fields);
	}
}

static void every_method_of_the_table_explains_itself(void **state)
{
	struct rpc_environment env = { .methods = rpc_hawserd_methods };
	const struct rpc_method *m;

	for (size_t i = 0; (m = rpc_method_at(&env, i)) != NULL; i++) {
		assert_non_null(m->run);
		assert_true(strlen(m->help) > 10);
		assert_ptr_equal(rpc_method_find(&env, m->name), m);
		check_params_explained(m->params);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_request_is_invalid),
		cmocka_unit_test(what_is_no_json_has_no_answer),
		cmocka_unit_test(an_answer_echoes_the_id),
		cmocka_unit_test(a_notification_is_done_and_not_answered),
		cmocka_unit_test(a_batch_is_answered_by_an_array),
		cmocka_unit_test(a_batch_has_a_bound),
		cmocka_unit_test(a_method_does_not_end_at_a_nul),
		cmocka_unit_test(rpc_py_gets_what_it_expects),
		cmocka_unit_test(parameters_must_fit_the_table),
		cmocka_unit_test(nested_parameters_must_fit_too),
		cmocka_unit_test(a_message_with_half_a_character_still_is_json),
		cmocka_unit_test(every_method_of_the_table_explains_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
