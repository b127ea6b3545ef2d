/* SPDX-License-Identifier: Apache-2.0 */
#include "control/door.h"

#include <string.h>

#include "base/rng.h"
#include "base/uuid.h"
#include "control/internal.h"
#include "reactor/reactor.h"

struct door *control_door(struct control *c)
{
	return &c->door;
}

/* A new one in place of the one that ends first. */
static void make(struct door_key *keys, size_t n, nsec lasts,
		 char text[DOOR_KEY_SIZE])
{
	struct door_key *k = &keys[0];
	uint8_t bits[16];

	for (size_t i = 1; i < n; i++)
		if (keys[i].until < k->until)
			k = &keys[i];
	random_bytes(bits, sizeof(bits));
	hex_format(bits, sizeof(bits), k->text);
	k->until = reactor_now() + lasts;
	memcpy(text, k->text, DOOR_KEY_SIZE);
}

/* In the same time, however much of it is right. */
static bool same(const char *a, const char *b)
{
	unsigned difference = 0;

	for (size_t i = 0; i < DOOR_KEY_SIZE - 1; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

static struct door_key *find(struct door_key *keys, size_t n, const char *text)
{
	struct door_key *found = NULL;

	if (strlen(text) != DOOR_KEY_SIZE - 1)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (same(keys[i].text, text) && keys[i].text[0] &&
		    keys[i].until > reactor_now())
			found = &keys[i];
	return found;
}

void door_token(struct door *d, char token[DOOR_KEY_SIZE])
{
	make(d->tokens, DOOR_TOKENS, DOOR_WAIT, token);
}

bool door_enter(struct door *d, const char *token, char session[DOOR_KEY_SIZE])
{
	struct door_key *k = find(d->tokens, DOOR_TOKENS, token);

	if (k == NULL)
		return false;
	memset(k, 0, sizeof(*k));
	make(d->sessions, DOOR_SESSIONS, DOOR_IDLE, session);
	return true;
}

bool door_is_open(struct door *d, const char *session)
{
	struct door_key *k = find(d->sessions, DOOR_SESSIONS, session);

	if (k != NULL)
		k->until = reactor_now() + DOOR_IDLE;
	return k != NULL;
}
