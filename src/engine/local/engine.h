/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine "local": one directory of the host's file system, with metadata
 * and small files in LMDB and a file for the data of each larger one.
 */
#ifndef ENGINE_LOCAL_ENGINE_H
#define ENGINE_LOCAL_ENGINE_H

#include "engine/engine.h"

extern struct engine_ops engine_local_ops;

#endif
