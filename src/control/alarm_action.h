/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an alarm does when its state changes: a command is run with a JSON
 * object on its standard input, or the object is sent by HTTP (POST).  The
 * object has the members of what CloudWatch sends to SNS.
 */
#ifndef CONTROL_ALARM_ACTION_H
#define CONTROL_ALARM_ACTION_H

#include "control/alarm.h"

/* Starts in the background what the state calls for; the outcome becomes part
 * of the alarm's history. */
void alarm_act(struct control *c, const char *name, const json_t *alarm,
	       const char *before);

#endif
