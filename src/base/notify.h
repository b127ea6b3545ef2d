/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/* Tells the service manager that started this process, if it asked for it
 * ($NOTIFY_SOCKET, see sd_notify(3)): "READY=1", "STOPPING=1". */
void notify(const char *message);

#endif
