/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: the page that shows what hawserd has and does, and what it asks for.
 *
 * The page is one HTML, one style and one script, within the program; api/
 * serves them and says who may look (api/console.c).  What the page shows is
 * what methods of JSON-RPC say (rpc/console.c), so `hawser rpc overview_get`
 * shows the same.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "api/api.h"
#include "rpc/rpc.h"

/* For api_options.console.  The environment is borrowed. */
struct api_console console_for(const struct rpc_environment *env);

#endif
