"""goru_lldb.py - goroutines in lldb, in a live process and in a core file.

  command script import .../goru_lldb.py     once a session, or in ~/.lldbinit

  goroutines                 all of them: id, state, what it waits for, where it stands
  goroutine ID [COMMAND]     COMMAND (bt by itself) as if lldb stood in goroutine ID

Parked goroutines are threads to lldb: `thread list` names them, `thread select` and `bt` go there. It asks for
them at each stop, which takes a while if there are very many: `goroutines off` leaves them out, `goroutines on`
brings them back. A goroutine that runs is shown by its thread. The library's debug information is needed (the
default build has it). Variables may be looked at; registers of a parked goroutine cannot be changed.
"""
# SPDX-License-Identifier: MIT
import ast
import os
import struct

import lldb

TID = 1 << 40  # a goroutine's thread number: this and its id


def shared(*names):
    """What stands in goru-gdb.py beside this file: gdb's module cannot be imported here."""
    with open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "goru-gdb.py")) as f:
        found = {t.id: s.value for s in ast.parse(f.read()).body if isinstance(s, ast.Assign) for t in s.targets}
    return [ast.literal_eval(found[n]) for n in names]


STATES, REASONS, COLORS, MIN_SHIFT, LOCKED = shared("STATES", "REASONS", "COLORS", "MIN_SHIFT", "LOCKED")

# lldb's names with their numbers in unwind tables, and which of them are the four words of struct gobuf.
X86_64 = [(n, i) for i, n in enumerate("rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split())]
AARCH64 = [("x%d" % i, i) for i in range(29)] + [("fp", 29), ("lr", 30), ("sp", 31), ("pc", 32)]
MACHINES = {"x86_64": (X86_64, {"rip": "pc", "rsp": "sp", "rbp": "bp", "rbx": "bx"}),
            "aarch64": (AARCH64, {"pc": "pc", "sp": "sp", "fp": "bp", "x19": "bx"})}
GENERIC = {"rip": "pc", "rsp": "sp", "rbp": "fp", "pc": "pc", "sp": "sp", "fp": "fp", "lr": "ra"}


def machine(target):
    name = target.GetTriple().split("-")[0]
    return MACHINES["aarch64" if name == "arm64" else name]


class Record:
    """A struct in the process's memory."""

    def __init__(self, process, kind, at):
        self.process, self.kind, self.at = process, kind, at

    def field(self, name):
        for i in range(self.kind.GetNumberOfFields()):
            f = self.kind.GetFieldAtIndex(i)
            if f.GetName() == name:
                return f
        raise KeyError(name)

    def record(self, name):
        f = self.field(name)
        return Record(self.process, f.GetType(), self.at + f.GetOffsetInBytes())

    def __getitem__(self, name):
        f, error = self.field(name), lldb.SBError()
        value = self.process.ReadUnsignedFromMemory(self.at + f.GetOffsetInBytes(), f.GetType().GetByteSize(), error)
        if error.Fail():
            raise MemoryError
        return value

    def text(self, name):
        f, error = self.field(name), lldb.SBError()
        text = self.process.ReadCStringFromMemory(self.at + f.GetOffsetInBytes(), f.GetType().GetByteSize(), error)
        return text or ""


def stacks(target):
    """`S` of part/stack.c, or None without debug information."""
    for v in target.FindGlobalVariables("S", 1000):
        if v.GetDeclaration().GetFileSpec().GetFilename() == "stack.c" and v.GetChildMemberWithName("arenas").IsValid():
            return v
    return None


def goroutines(process):
    target = process.GetTarget()
    found = stacks(target)
    if not found:
        return
    types = [target.FindFirstType(n) for n in ("arena", "g")]
    if not all(t.IsValid() for t in types):
        return
    size = (types[1].GetByteSize() + 63) & ~63
    heads = found.GetChildMemberWithName("arenas")
    for cls in range(heads.GetNumChildren()):
        error = lldb.SBError()
        at = process.ReadPointerFromMemory(heads.GetChildAtIndex(cls).GetLoadAddress(), error)
        while at and error.Success():
            arena = Record(process, types[0], at)
            slot = 1 << (MIN_SHIFT + arena["cls"])
            for i in range(arena["used"]):
                g = Record(process, types[1], arena["base"] + (i + 1) * slot - size - i % COLORS * 64)
                try:
                    if g["state"]:
                        yield g
                except MemoryError:  # a core file holds no page for those that have ended
                    continue
            at = arena["next"]


def label(g, target):
    n = g["state"]
    state = STATES[n] if n < len(STATES) else "?"
    if state == "waiting":
        for e in target.FindFirstType("wait_reason").GetEnumMembers():
            if e.GetValueAsUnsigned() == g["reason"]:
                state += ": " + REASONS.get(e.GetName(), e.GetName())
    name = g.text("name")
    return "goroutine %d%s [%s]" % (g["id"], " (%s)" % name if name else "", state)


def saved_of(g):
    return g.record("lock_at" if g["flags"] & LOCKED else "sched")


def parked(g):
    return STATES[g["state"]] in ("waiting", "runnable") and saved_of(g)["sp"] != 0


class OperatingSystemPlugIn:
    """What lldb asks for threads that the system does not know. It makes one of these by itself for each process."""

    shown = True

    def __init__(self, process):
        self.process = process
        self.found = {}

    def get_thread_info(self):
        self.found = {}
        if not OperatingSystemPlugIn.shown:
            return []
        target, threads = self.process.GetTarget(), []
        for g in sorted(goroutines(self.process), key=lambda g: g["id"]):
            if parked(g):
                self.found[TID + g["id"]] = g
                threads.append({"tid": TID + g["id"], "name": label(g, target), "state": "stopped",
                                "stop_reason": "none"})
        return threads

    def get_register_info(self):
        registers = []
        for i, (name, number) in enumerate(machine(self.process.GetTarget())[0]):
            r = {"name": name, "bitsize": 64, "offset": 8 * i, "encoding": "uint", "format": "hex", "set": 0,
                 "gcc": number, "dwarf": number}
            if name in GENERIC:
                r["generic"] = GENERIC[name]
            registers.append(r)
        return {"sets": ["General Purpose Registers"], "registers": registers}

    def get_register_data(self, tid):
        g = self.found.get(tid)
        if not g:
            return None
        registers, words = machine(self.process.GetTarget())
        saved = saved_of(g)
        return struct.pack("<%dQ" % len(registers),
                           *(saved[words[name]] if name in words else 0 for name, _ in registers))


def where(g, target):
    pc = saved_of(g)["pc"]
    context = target.ResolveSymbolContextForAddress(lldb.SBAddress(pc - 1, target), lldb.eSymbolContextEverything)
    return context.GetFunction().GetName() or context.GetSymbol().GetName() or hex(pc)


def thread_of(g, process):
    """The thread whose stack pointer lies in g's stack, or the one that lldb was told of."""
    low = g["stack_lo"]
    for thread in process:
        if thread.GetThreadID() == TID + g["id"]:
            return thread
        if thread.GetThreadID() < TID and low <= thread.GetFrameAtIndex(0).GetSP() < low + g["stack_size"]:
            return thread
    return None


def command_goroutines(debugger, argument, context, result, _):
    """goroutines [on|off]: lists the goroutines; whether they are threads to lldb."""
    if argument.strip() in ("on", "off"):
        OperatingSystemPlugIn.shown = argument.strip() == "on"
        return
    target, process = context.GetTarget(), context.GetProcess()
    if not stacks(target):
        result.SetError("goru: no debug information of the library here")
        return
    for g in sorted(goroutines(process), key=lambda g: g["id"]):
        result.AppendMessage("  %s%s" % (label(g, target), " in " + where(g, target) if parked(g) else ""))


def command_goroutine(debugger, argument, context, result, _):
    """goroutine ID [COMMAND]: COMMAND (bt by itself) as if lldb stood in the goroutine."""
    which, _, command = argument.strip().partition(" ")
    process = context.GetProcess()
    found = [g for g in goroutines(process) if str(g["id"]) == which]
    if not found:
        result.SetError("no goroutine %s" % which if which else "goroutine ID [COMMAND]")
        return
    result.AppendMessage(label(found[0], context.GetTarget()))
    thread, was = thread_of(found[0], process), process.GetSelectedThread()
    if not thread:
        result.AppendMessage("it is just being switched")
        return
    process.SetSelectedThread(thread)
    done = lldb.SBCommandReturnObject()
    debugger.GetCommandInterpreter().HandleCommand(command or "bt", lldb.SBExecutionContext(thread), done)
    process.SetSelectedThread(was)
    result.AppendMessage((done.GetOutput() or "") + (done.GetError() or ""))


def __lldb_init_module(debugger, _):
    # lldb imports the file that is named here once more, now or when a process comes, and takes the class above
    option, path = "target.process.python-os-plugin-path", os.path.realpath(__file__)
    if path in str(debugger.GetInternalVariableValue(option, debugger.GetInstanceName()).GetStringAtIndex(0)):
        return
    for name in ("goroutines", "goroutine"):
        debugger.HandleCommand("command script add -f %s.command_%s %s" % (__name__, name, name))
    debugger.HandleCommand('settings set %s "%s"' % (option, path))
