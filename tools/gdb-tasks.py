# SPDX-License-Identifier: Apache-2.0
"""The tasks of a process, in gdb: where each of them is parked.

	gdb -p PID -x tools/gdb-tasks.py -ex tasks -batch

Works on a live process or a core file, on x86_64 and aarch64.
"""
import gdb

# Offsets of the saved registers from a resting fiber's sp: fiber_*.S.
FRAMES = {
    "x86-64": ({"rbp": 40, "rip": 48}, "rsp", 56),
    "aarch64": ({"x29": 80, "pc": 88}, "sp", 160),
}


def reactors():
    """Each thread's reactor."""
    for thread in gdb.selected_inferior().threads():
        thread.switch()
        try:
            reactor = gdb.parse_and_eval("reactor_current")
        except gdb.error:
            continue
        if int(reactor) != 0:
            yield reactor.dereference()


def entries(head, type_name, member):
    """The structs of an intrusive list."""
    struct = gdb.lookup_type(type_name)
    offset = next(f.bitpos // 8 for f in struct.fields() if f.name == member)
    node = head["next"]
    while node != head.address:
        address = int(node) - offset
        yield gdb.Value(address).cast(struct.pointer()).dereference()
        node = node.dereference()["next"]


class ParkedUnwinder:
    """Return addresses by frame pointers, which all of our code keeps."""

    def __init__(self, sp):
        saved, _, size = FRAMES[gdb.selected_frame().architecture().name()
                                .split(":")[-1].replace("i386", "x86-64")]
        self.word = gdb.lookup_type("unsigned long")
        names = list(saved)
        self.frame = self.read(sp + saved[names[0]])
        self.pc = self.read(sp + saved[names[1]])

    def read(self, address):
        pointer = gdb.Value(address).cast(self.word.pointer())
        return int(pointer.dereference())

    def addresses(self):
        yield self.pc
        while self.frame != 0:
            yield self.read(self.frame + 8)
            self.frame = self.read(self.frame)


def describe(pc):
    symbol = gdb.find_pc_line(pc - 1)
    function = gdb.execute("info symbol %d" % (pc - 1), to_string=True)
    where = ""
    if symbol.symtab is not None:
        where = " at %s:%d" % (symbol.symtab.filename, symbol.line)
    return function.split(" + ")[0].strip() + where


class Tasks(gdb.Command):
    """Lists all tasks of all reactors with their stacks."""

    def __init__(self):
        super().__init__("tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        chosen = gdb.selected_thread()
        for reactor in reactors():
            for task in entries(reactor["tasks"], "struct task", "all"):
                self.show(reactor, task)
        chosen.switch()

    @staticmethod
    def show(reactor, task):
        print("task %s (%s)" % (task["name"].string(), task.address))
        if reactor["current"] == task.address:
            print("  is running")
            return
        for pc in ParkedUnwinder(int(task["fiber"]["sp"])).addresses():
            text = describe(pc)
            if not text.startswith("fiber_start"):
                print("  " + text)


Tasks()
