/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INI files: "[section]", "name = value", comments behind '#' or ';'.  As AWS's
 * tools write them, "[profile NAME]" is the section NAME, too.
 */
#ifndef BASE_INI_H
#define BASE_INI_H

/* `name` of section `section` in the file at `path`, to be freed; NULL where
 * file, section or name are missing.  Blocks. */
char *ini_get(const char *path, const char *section, const char *name);

#endif
