"""goru-gdb.py - gdb commands for goroutines, in a live process and in a core file.

  info goroutines            all of them: id, state, what it waits for, where it stands
  goroutine ID [COMMAND]     COMMAND (bt by itself) as if gdb stood in goroutine ID
  goroutine all [COMMAND]    the same for each

gdb loads it by itself with an installed libgoru.so. For a program linked with libgoru.a, or from a build
directory: `source .../goru-gdb.py`, or a line with that in ~/.gdbinit. The library's debug information is
needed (the default build has it). A goroutine that runs is shown by its thread; COMMAND may look at
variables but cannot change registers. A core file has to be the kernel's: gdb's own generate-core-file
leaves stack arenas out when it meets a guard page.
"""
# SPDX-License-Identifier: MIT
import gdb
import gdb.unwinder

STATES = ["dead", "runnable", "running", "waiting", "blocked", "running without a processor"]
REASONS = {"WAIT_SEND": "chan send", "WAIT_RECV": "chan recv", "WAIT_SELECT": "select", "WAIT_FOREVER": "for ever",
           "WAIT_WAITGROUP": "wait group", "WAIT_SLEEP": "sleep", "WAIT_P": "its turn after a blocking call",
           "WAIT_MUTEX": "mutex", "WAIT_RDLOCK": "rwlock, to read", "WAIT_WRLOCK": "rwlock, to write",
           "WAIT_COND": "condition", "WAIT_SEM": "semaphore", "WAIT_ONCE": "once", "WAIT_JOIN": "task",
           "WAIT_SCOPE": "scope, to close"}
COLORS = 16  # STACK_COLORS
MIN_SHIFT = 14  # STACK_MIN_SHIFT
LOCKED = 128  # G_LOCKED

# The four words of struct gobuf, and the stack pointer as the unwinder calls it.
REGISTERS = {"x86-64": (("rip", "pc"), ("rsp", "sp"), ("rbp", "bp"), ("rbx", "bx")),
             "aarch64": (("pc", "pc"), ("sp", "sp"), ("x29", "bp"), ("x19", "bx"))}


def registers():
    name = gdb.selected_inferior().architecture().name() if hasattr(gdb.Inferior, "architecture") else \
        gdb.selected_frame().architecture().name()
    return REGISTERS["aarch64" if "aarch64" in name else "x86-64"]


def word(value):
    return int(value.cast(gdb.lookup_type("unsigned long")))


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Parked(gdb.unwinder.Unwinder):
    """While armed, the caller of the thread's innermost frame is where a goroutine was parked."""

    def __init__(self):
        super().__init__("goru")
        self.words = self.at = None

    def arm(self, words):
        gdb.invalidate_cached_frames()
        self.at = int(gdb.newest_frame().read_register(registers()[1][0]))
        self.words = words
        gdb.invalidate_cached_frames()

    def disarm(self):
        self.words = None
        gdb.invalidate_cached_frames()

    def __call__(self, pending):
        if self.words is None:
            return None
        names = registers()
        sp = pending.read_register(names[1][0])
        if int(sp) != self.at:
            return None
        info = pending.create_unwind_info(FrameId(sp, pending.read_register(names[0][0])))
        kind = gdb.lookup_type("unsigned long")
        for (name, _), value in zip(names, self.words):
            info.add_saved_register(name, gdb.Value(value).cast(kind))
        return info


UNWINDER = Parked()
gdb.unwinder.register_unwinder(None, UNWINDER, True)


def arenas():
    try:
        stacks = gdb.parse_and_eval("'part/stack.c'::S")
    except gdb.error:
        try:
            stacks = gdb.parse_and_eval("'stack.c'::S")
        except gdb.error:
            raise gdb.GdbError("goru: no debug information of the library here")
    for cls in range(stacks["arenas"].type.range()[1] + 1):
        arena = stacks["arenas"][cls]
        while word(arena) != 0:
            arena = arena.cast(gdb.lookup_type("struct arena").pointer())
            yield arena
            arena = arena["next"]


def goroutines():
    kind = gdb.lookup_type("struct g")
    record = (kind.sizeof + 63) & ~63
    for arena in arenas():
        slot = 1 << (MIN_SHIFT + int(arena["cls"]))
        base = word(arena["base"])
        for i in range(word(arena["used"])):
            g = gdb.Value(base + (i + 1) * slot - record - i % COLORS * 64).cast(kind.pointer())
            try:
                if word(g["state"]) != 0:
                    yield g
            except gdb.MemoryError:  # a core file holds no page for those that have ended
                continue


def state(g):
    n = word(g["state"])
    text = STATES[n] if n < len(STATES) else "?"
    if text == "waiting":
        reason = str(g["reason"].cast(gdb.lookup_type("enum wait_reason")))
        text += ": " + REASONS.get(reason, reason.replace("WAIT_", "").lower())
    return text


def label(g):
    name = g["name"].string(errors="replace")
    return "goroutine %d%s [%s]" % (int(g["id"]), " (%s)" % name if name else "", state(g))


def thread_of(g):
    """The thread whose stack pointer lies in g's stack."""
    low = word(g["stack_lo"])
    was = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            if low <= int(gdb.newest_frame().read_register(registers()[1][0])) < low + int(g["stack_size"]):
                return thread
    finally:
        was.switch()
    return None


def saved_of(g):
    return g["lock_at" if int(g["flags"]) & LOCKED else "sched"]


def words_of(g):
    saved = saved_of(g)
    return [word(saved[field]) for _, field in registers()]


def where(g):
    pc = word(saved_of(g)["pc"])
    block, function = gdb.block_for_pc(pc - 1), None
    while block:  # the function itself, not what was inlined into it
        function = block.function or function
        block = block.superblock
    return str(function or "0x%x" % pc)


def execute(g, command):
    """command where g stands."""
    thread = thread_of(g)
    was, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        if thread:
            thread.switch()
            gdb.execute(command)
            return
        words = words_of(g)
        if words[1] == 0:
            print("it is just being switched")
            return
        UNWINDER.arm(words)
        try:
            gdb.newest_frame().older().select()
            text = gdb.execute(command, to_string=True)
        finally:
            UNWINDER.disarm()
        # a backtrace begins with the thread's own frame, whose caller the goroutine only seems to be
        if text.startswith("#0 "):
            at = text.find("\n#1 ")
            text = text[at + 1:] if at >= 0 else ""
        gdb.write(text)
    finally:
        was.switch()
        try:
            frame.select()
        except gdb.error:
            pass


class InfoGoroutines(gdb.Command):
    """Lists the goroutines: id, name, state, and the function they stand in."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        n = 0
        for g in sorted(goroutines(), key=lambda g: int(g["id"])):
            n += 1
            saved = word(saved_of(g)["sp"]) != 0
            print("  %s%s" % (label(g), " in " + where(g) if saved else ""))
        if not n:
            print("No goroutines.")


class Goroutine(gdb.Command):
    """goroutine ID|all [COMMAND]: COMMAND (bt by itself) as if gdb stood in the goroutine."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        which, _, command = argument.strip().partition(" ")
        if not which or not (which == "all" or which.isdigit()):
            raise gdb.GdbError("goroutine ID|all [COMMAND]")
        found = [g for g in goroutines() if which == "all" or int(g["id"]) == int(which)]
        if not found:
            raise gdb.GdbError("no goroutine %s" % which)
        for g in sorted(found, key=lambda g: int(g["id"])):
            print(label(g))
            execute(g, command or "bt")


InfoGoroutines()
Goroutine()
