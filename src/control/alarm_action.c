/* SPDX-License-Identifier: Apache-2.0 */
#include "control/alarm_action.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "control/internal.h"
#include "reactor/reactor.h"
#include "reactor/stream.h"

enum { RUNNING_MAX = 32, COMMAND_SECONDS = 60 };

struct action {
	struct control *control;
	const struct control_action *how; /* the configuration's */
	char *name, *arn, *payload;
	char text[200]; /* why it failed */
};

static void action_free(struct action *a)
{
	free(a->name);
	free(a->arn);
	free(a->payload);
	free(a);
}

/* --------------------------------------------------------------- command */

static int start_command(const struct action *a, int input, pid_t *pid)
{
	const char *argv[] = { "sh", "-c", a->how->command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int error;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, input, 0);
	error = posix_spawn(pid, "/bin/sh", &files, &attr, (char **)argv,
			    environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return -error;
}

static int wait_for_command(struct action *a, pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int status, tries = COMMAND_SECONDS * 50;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (tries-- > 0 &&
		    !__atomic_load_n(&a->control->stopping, __ATOMIC_RELAXED)) {
			nanosleep(&pause, NULL);
			continue;
		}
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		snprintf(a->text, sizeof(a->text), "it took too long");
		return -ETIMEDOUT;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	snprintf(a->text, sizeof(a->text), "the command ended with status %d",
		 WIFEXITED(status) ? WEXITSTATUS(status)
				   : 128 + WTERMSIG(status));
	return -EIO;
}

/* On a worker thread. */
static int run_command(void *arg)
{
	struct action *a = arg;
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = start_command(a, pair[1], &pid);
	close(pair[1]);
	/* A command need not read what it is told. */
	if (r == 0)
		send(pair[0], a->payload, strlen(a->payload),
		     MSG_NOSIGNAL | MSG_DONTWAIT);
	close(pair[0]);
	return r < 0 ? r : wait_for_command(a, pid);
}

/* --------------------------------------------------------------- webhook */

static int converse(struct action *a, struct stream *s, const char *host,
		    const char *path)
{
	char head[1024], answer[64] = "";
	int n, r, status = 0;

	n = snprintf(head, sizeof(head),
		     "POST /%s HTTP/1.1\r\nHost: %s\r\n"
		     "Content-Type: application/json\r\n"
		     "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		     path, host, strlen(a->payload));
	if ((size_t)n >= sizeof(head))
		return -ENAMETOOLONG;
	r = stream_write(s, head, n);
	if (r == 0)
		r = stream_write(s, a->payload, strlen(a->payload));
	if (r == 0)
		r = stream_read_full(s, answer, 12);
	if (r == 0 && sscanf(answer, "HTTP/1.%*d %d", &status) == 1 &&
	    status / 100 == 2)
		return 0;
	if (r == 0) {
		snprintf(a->text, sizeof(a->text), "the answer is \"%s\"",
			 answer);
		r = -EPROTO;
	}
	return r;
}

static int post(struct action *a)
{
	const char *start = a->how->webhook + strlen("http://");
	struct stream_connect_options options = { .timeout = SEC(10) };
	size_t len = strcspn(start, "/");
	char host[128];
	struct stream *s;
	struct addr to;
	int r;

	if (len >= sizeof(host))
		return -ENAMETOOLONG;
	memcpy(host, start, len);
	host[len] = '\0';
	r = addr_parse(&to, host, 80);
	if (r == 0)
		r = stream_connect(&to, &options, &s);
	if (r < 0)
		return r;
	stream_set_timeouts(s, SEC(10), SEC(10));
	r = converse(a, s, host, start + len + (start[len] == '/'));
	stream_close(s);
	return r;
}

/* ------------------------------------------------------------------ start */

static void action_task(void *arg)
{
	struct action *a = arg;
	struct control *c = a->control;
	int r = a->how->command ? offload(run_command, a) : post(a);

	if (r < 0 && a->text[0] == '\0')
		snprintf(a->text, sizeof(a->text), "%s", strerror(-r));
	if (r < 0)
		log_error("alarm %s: action %s: %s", a->name, a->arn, a->text);
	alarm_acted(c, a->name,
		    r < 0 ? json_sprintf("Failed to execute action %s: %s",
					 a->arn, a->text)
			  : json_sprintf("Successfully executed action %s",
					 a->arn));
	action_free(a);
	c->n_actions_running--;
	background_end(c);
}

static const struct control_action *find_action(const struct control *c,
						const char *arn)
{
	for (size_t i = 0; i < c->n_actions; i++)
		if (strcmp(c->actions[i].arn, arn) == 0 ||
		    strcmp(c->actions[i].arn, "*") == 0)
			return &c->actions[i];
	return NULL;
}

static json_t *make_payload(const char *name, const json_t *alarm,
			    const char *before)
{
	static const char *const trigger[] = {
		"MetricName",
		"Namespace",
		"Statistic",
		"Dimensions",
		"Period",
		"EvaluationPeriods",
		"DatapointsToAlarm",
		"ComparisonOperator",
		"Threshold",
		"TreatMissingData",
		"Unit",
	};
	json_t *out = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:{}}", "AlarmName", name,
		"AlarmDescription", attribute(alarm, "AlarmDescription"),
		"AlarmArn", attribute(alarm, "AlarmArn"), "OldStateValue",
		before, "NewStateValue", attribute(alarm, "StateValue"),
		"NewStateReason", attribute(alarm, "StateReason"),
		"StateChangeTime",
		json_object_get(alarm, "StateUpdatedTimestamp"), "Trigger");

	for (size_t i = 0; i < ARRAY_SIZE(trigger); i++)
		json_object_set(json_object_get(out, "Trigger"), trigger[i],
				json_object_get(alarm, trigger[i]));
	return out;
}

/* false: not started, and the history says so. */
static void start(struct control *c, const char *name, const char *arn,
		  const json_t *payload)
{
	const struct control_action *how = find_action(c, arn);
	struct action *a = how ? calloc(1, sizeof(*a)) : NULL;

	if (a == NULL) {
		alarm_acted(c, name,
			    json_sprintf("Failed to execute action %s: the "
					 "configuration does not have it",
					 arn));
		return;
	}
	a->control = c;
	a->how = how;
	a->name = strdup(name);
	a->arn = strdup(arn);
	a->payload = json_dumps(payload, JSON_COMPACT);
	if (c->n_actions_running >= RUNNING_MAX || !a->name || !a->arn ||
	    !a->payload ||
	    background_start(c, "alarm action", action_task, a) < 0) {
		alarm_acted(c, name,
			    json_sprintf("Failed to execute action %s: too "
					 "many run already",
					 arn));
		action_free(a);
		return;
	}
	c->n_actions_running++;
}

void alarm_act(struct control *c, const char *name, const json_t *alarm,
	       const char *before)
{
	const char *state = attribute(alarm, "StateValue");
	const char *which = strcmp(state, "OK") == 0	  ? "OKActions"
			    : strcmp(state, "ALARM") == 0 ? "AlarmActions"
							  : "InsufficientData"
							    "Actions";
	const json_t *list = json_object_get(alarm, which);
	json_t *payload;

	if (json_is_false(json_object_get(alarm, "ActionsEnabled")))
		return;
	payload = make_payload(name, alarm, before);
	for (size_t i = 0; i < json_array_size(list); i++)
		start(c, name, json_string_value(json_array_get(list, i)),
		      payload);
	json_decref(payload);
}
