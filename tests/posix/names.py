# SPDX-License-Identifier: Apache-2.0
"""Names: what directories hold, also while they change."""
import os
import stat

from mounts import Case, main, read, write


class Names(Case):
    def test_a_name_may_have_255_bytes_of_any_kind(self):
        name = bytes(range(1, 256)).replace(b"/", b"") + b"x"
        path = os.path.join(os.fsencode(self.a), name)
        write(path, b"1")
        self.assertEqual(os.listdir(os.fsencode(self.b)), [name])
        with self.assertRaises(OSError):
            write(path + b"y", b"1")

    def test_rename_replaces_and_keeps_the_open_file(self):
        write(self.a + "/old", b"old")
        write(self.a + "/new", b"new")
        fd = os.open(self.a + "/old", os.O_RDONLY)
        os.rename(self.a + "/new", self.a + "/old")
        self.assertEqual(os.read(fd, 10), b"old")
        self.assertEqual(os.fstat(fd).st_nlink, 0)
        self.assertEqual(read(self.a + "/old"), b"new")
        os.close(fd)

    def test_an_unlinked_file_stays_readable_and_writable(self):
        fd = os.open(self.a + "/f", os.O_RDWR | os.O_CREAT)
        os.write(fd, b"hello")
        os.unlink(self.a + "/f")
        os.write(fd, b" world")
        os.fsync(fd)
        self.assertEqual(os.pread(fd, 20, 0), b"hello world")
        self.assertEqual(os.fstat(fd).st_nlink, 0)
        os.ftruncate(fd, 5)
        self.assertEqual(os.pread(fd, 20, 0), b"hello")
        os.close(fd)
        self.assertEqual(os.listdir(self.a), [])

    def test_unlinked_by_the_other_mount_it_stays_readable(self):
        write(self.a + "/f", b"hello")
        fd = os.open(self.a + "/f", os.O_RDONLY)
        os.unlink(self.b + "/f")
        self.assertEqual(os.pread(fd, 20, 0), b"hello")
        os.close(fd)

    def test_a_directory_is_listed_whole_while_it_is_emptied(self):
        names = {"%05d" % i for i in range(3000)}
        for name in names:
            os.close(os.open(f"{self.a}/{name}", os.O_CREAT))
        seen = []
        with os.scandir(self.a) as entries:
            for i, entry in enumerate(entries):
                seen.append(entry.name)
                if i % 2:
                    os.unlink(entry.path)
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual(set(seen), names)
        self.assertEqual(set(os.listdir(self.b)), set(seen[::2]))

    def test_what_a_listing_brings_is_not_older_than_what_happened(self):
        for i in range(400):
            write(f"{self.a}/{i:03}", b"x")
        with os.scandir(self.a) as entries:
            first = next(entries).name
            for i in range(400):
                path = f"{self.a}/{i:03}"
                if path.endswith("7"):
                    os.unlink(path)
                elif path.endswith("3"):
                    write(path, b"longer", os.O_APPEND)
                    os.chmod(path, 0o604)
            names = [first] + [e.name for e in entries]
        for name in sorted(names):
            path = f"{self.a}/{name}"
            if name.endswith("7"):
                self.assertFalse(os.path.exists(path), name)
            else:
                size = 7 if name.endswith("3") else 1
                self.assertEqual(os.stat(path).st_size, size, name)
                self.assertEqual(os.stat(path).st_mode & 0o777 == 0o604,
                                 name.endswith("3"))

    def test_rewinding_shows_new_names(self):
        fd = os.open(self.a, os.O_RDONLY | os.O_DIRECTORY)
        self.assertEqual(os.listdir(fd), [])
        write(self.b + "/new", b"")
        self.assertEqual(os.listdir(fd), ["new"])
        os.close(fd)

    def test_special_files_keep_type_and_number(self):
        os.mkfifo(self.a + "/fifo")
        os.mknod(self.a + "/dev", stat.S_IFCHR | 0o600, os.makedev(240, 300))
        os.symlink("x" * 4000, self.a + "/link")
        st = os.lstat(self.b + "/dev")
        self.assertEqual((os.major(st.st_rdev), os.minor(st.st_rdev)),
                         (240, 300))
        self.assertTrue(stat.S_ISFIFO(os.lstat(self.b + "/fifo").st_mode))
        self.assertEqual(os.readlink(self.b + "/link"), "x" * 4000)

    def test_hard_links_are_one_file(self):
        write(self.a + "/one", b"1")
        os.link(self.a + "/one", self.a + "/two")
        a, b = os.stat(self.a + "/one"), os.stat(self.b + "/two")
        self.assertEqual((a.st_ino, a.st_nlink), (b.st_ino, 2))
        os.unlink(self.b + "/one")
        self.assertEqual(read(self.a + "/two"), b"1")

    def test_the_entries_of_a_directory_agree_with_stat(self):
        os.mkdir(self.a + "/d")
        write(self.a + "/f", b"")
        for entry in os.scandir(self.a):
            self.assertEqual(entry.inode(), os.lstat(entry.path).st_ino)
        self.assertEqual(os.stat(self.a + "/d/..").st_ino,
                         os.stat(self.a).st_ino)


main()
