/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door to the console: who may look.  Whoever may ask over the JSON-RPC
 * socket gets a token, which is good for one entry within a minute; who enters
 * with it gets a session, which ends DOOR_IDLE after it was last used, or with
 * the process.  Both are 128 random bits, as hex digits.  When there are too
 * many the oldest goes.
 *
 * From tasks of the control's reactor; nothing parks.
 */
#ifndef CONTROL_DOOR_H
#define CONTROL_DOOR_H

#include "control/control.h"

enum { DOOR_KEY_SIZE = 33, DOOR_TOKENS = 8, DOOR_SESSIONS = 32 };
#define DOOR_WAIT SEC(60)
#define DOOR_IDLE SEC(8 * 3600)

struct door_key {
	char text[DOOR_KEY_SIZE]; /* "": none */
	nsec until;		  /* reactor_now() */
};
struct door {
	struct door_key tokens[DOOR_TOKENS], sessions[DOOR_SESSIONS];
};

void door_token(struct door *d, char token[DOOR_KEY_SIZE]);
/* False: the token is not good (any more). */
bool door_enter(struct door *d, const char *token, char session[DOOR_KEY_SIZE]);
bool door_is_open(struct door *d, const char *session);

/* The one of this hawserd. */
struct door *control_door(struct control *c);

#endif
