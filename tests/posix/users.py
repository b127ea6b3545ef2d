# SPDX-License-Identifier: Apache-2.0
"""Who may do what is decided by the caller's user, group and groups."""
import errno
import os

from mounts import Case, main, write


class Users(Case):
    def as_user(self, who, what):
        """what() as (uid, gid, groups), in the directory: 0 or an errno."""
        pid = os.fork()
        if pid:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        uid, gid, groups = who
        os.chdir(self.a)
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        try:
            what()
            os._exit(0)
        except OSError as e:
            os._exit(e.errno)

    def test_files_belong_to_who_made_them(self):
        os.chmod(self.a, 0o777)
        r = self.as_user((1234, 2345, []),
                         lambda: (os.mknod("f"), os.mkdir("d")))
        self.assertEqual(r, 0)
        for name in "f", "d":
            st = os.stat(f"{self.b}/{name}")
            self.assertEqual((st.st_uid, st.st_gid), (1234, 2345))

    def test_supplementary_groups_count(self):
        path = self.a + "/f"
        write(path, b"secret")
        os.chown(path, 1, 777)
        os.chmod(path, 0o640)

        def look():
            os.read(os.open("f", os.O_RDONLY), 10)
        self.assertEqual(self.as_user((1000, 1000, [5, 777]), look), 0)
        self.assertEqual(self.as_user((1000, 1000, [5, 778]), look),
                         errno.EACCES)
        self.assertEqual(self.as_user((1000, 777, []), look), 0)
        many = list(range(2000, 2100))
        self.assertEqual(self.as_user((1000, 1000, many + [777]), look), 0)
        self.assertEqual(self.as_user((1000, 1000, many), look),
                         errno.EACCES)

    def test_a_group_directory_hands_its_group_on(self):
        os.chown(self.a, 0, 777)
        os.chmod(self.a, 0o2775)
        r = self.as_user((1000, 1000, [777]), lambda: os.mknod("f"))
        self.assertEqual(r, 0)
        self.assertEqual(os.stat(self.b + "/f").st_gid, 777)

    def test_the_sticky_bit_protects(self):
        os.chmod(self.a, 0o1777)
        write(self.a + "/f", b"")
        r = self.as_user((1000, 1000, []), lambda: os.unlink("f"))
        self.assertIn(r, (errno.EACCES, errno.EPERM))

    def test_a_write_by_somebody_else_clears_set_id_bits(self):
        write(self.a + "/f", b"x")
        os.chmod(self.a + "/f", 0o6777)
        r = self.as_user((1000, 1000, []),
                         lambda: os.write(os.open("f", os.O_WRONLY), b"y"))
        self.assertEqual(r, 0)
        self.assertEqual(os.stat(self.a + "/f").st_mode & 0o7777, 0o777)

    def test_what_may_be_executed_need_not_be_readable(self):
        path = self.a + "/true"
        with open("/bin/true", "rb") as f:
            write(path, f.read())
        os.chmod(path, 0o711)
        r = self.as_user((1000, 1000, []),
                         lambda: os.execl("./true", "true"))
        self.assertEqual(r, 0)


main()
