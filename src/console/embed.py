#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed.py FILE…: prints the files as C strings, text_NAME_EXTENSION."""
import os
import sys

for path in sys.argv[1:]:
    name = os.path.basename(path).replace(".", "_")
    print("const char text_%s[] =" % name)
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.replace("\\", "\\\\").replace('"', '\\"')
            print('"%s\\n"' % line.rstrip("\n").replace("?", "\\?"))
    print(";")
