#!/usr/bin/env python3
"""pairs.py - checks that every ordering stronger than relaxed is one that a protocol comment asks for.

  python3 scripts/pairs.py [ROOT]       exit status 1 and a line for each that is not
  python3 scripts/pairs.py --selftest   plants each kind of violation and sees it found

A protocol comment says `PROTOCOL name` and has sections, each begun by its word. Of these
  Pairs    A push: tail release -> B take: tail acquire   what B may rely on
           D give: word release -> B, C   letters that other lines explain
  Fence    prose, with each fence's letter in parentheses: (F), (G, only without membarrier)
list letters. In src and arch:
- a line with memory_order_acquire, release, acq_rel or seq_cst, an atomic function without its
  ordering written out, or an ordering instruction in assembly carries its letter: /* name.A */,
  or the next line does if the statement goes on there;
- each letter so carried is listed, with an ordering that the line has; each listed letter has a line;
- what releases stands left of ->, what acquires right of it; no two protocols have one name.
"""
# SPDX-License-Identifier: MIT
import os
import re
import sys
import tempfile

SECTIONS = ('Words', 'Owners', 'Steps', 'Pairs', 'Relaxed', 'Fence', 'Reuse', 'Rejected', 'Checked')
ORDER = re.compile(r'memory_order_(acquire|release|acq_rel|seq_cst)\b')
SIGNAL = re.compile(r'atomic_signal_fence')
# C11 functions that mean seq_cst by saying nothing, compiler built-ins, and instructions.
IMPLICIT = re.compile(r'\batomic_(?:load|store|exchange|compare_exchange_(?:weak|strong)|'
                      r'fetch_(?:add|sub|or|and|xor)|flag_test_and_set|flag_clear)\s*\(|'
                      r'\b__sync_\w+\s*\(|__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST|CONSUME)|memory_order_consume')
INSTRUCTION = re.compile(r'\b(?:mfence|sfence|lfence|dmb|dsb|stlr|stlrb|ldar|ldarb|ldapr|ldaxr|stlxr|casal?)\b')
TAGS = re.compile(r'/\*\s*(\w+\.[A-Z]\d?(?:[, ]+\w+\.[A-Z]\d?)*)\s*\*/')
PAIR = re.compile(r'(?:^|,|->)\s*([A-Z]\d?) ([^:>]*?):\s*(?:\S+\s+)*?(release|acquire|acq_rel|seq_cst)\b')
AGAIN = re.compile(r'-> +([A-Z]\d?(?:, [A-Z]\d?)*)(?:  |$)')  # letters that another line explains
RELEASES = ('release', 'acq_rel', 'seq_cst')
ACQUIRES = ('acquire', 'acq_rel', 'seq_cst')


class Protocol:
    def __init__(self, name, place, text):
        self.name, self.place, self.bad = name, place, []
        self.again = []
        self.letters = {}  # letter: the orderings that satisfy it, None for any
        sections = {}
        current = None
        for line in text.split('\n'):
            line = re.sub(r'^\s*\*? ?', '', line).strip()
            word = line.split(' ')[0]
            if word in SECTIONS:
                current, line = word, line[len(word):].strip()
            if current:
                sections.setdefault(current, []).append(line)
        for line in sections.get('Pairs', []):
            self.pairs_line(line)
        for letter in self.again:
            if letter not in self.letters:
                self.bad.append(f'{place}: PROTOCOL {name}: {letter} has no line of its own under Pairs')
        for letter in re.findall(r'\(([A-Z]\d?)\b[^)]*\)', ' '.join(sections.get('Fence', []))):
            self.letters.setdefault(letter, None)
        if 'Pairs' not in sections and 'Fence' not in sections:
            self.bad.append(f'{place}: PROTOCOL {name} has neither Pairs nor Fence')

    def pairs_line(self, line):
        if '->' not in line:
            return
        left, right = line.split('->', 1)
        for side, text, fits in ((left, left, RELEASES), (right, '-> ' + right, ACQUIRES)):
            found = PAIR.findall(text)
            again = AGAIN.match(text)
            if again and not found:
                self.again += re.findall(r'[A-Z]\d?', again[1])
            elif not found:
                self.bad.append(f'{self.place}: PROTOCOL {self.name}: no `letter operation: word ordering` '
                                f'in "{side.strip()}"')
            for letter, _, order in found:
                if order not in fits:
                    self.bad.append(f'{self.place}: PROTOCOL {self.name}: {letter} is {order} on the '
                                    f'wrong side of ->')
                known = self.letters.setdefault(letter, set())
                if known is not None:
                    known.add(order)


def fits(said, has):
    """May a line with the orderings `has` stand for a letter listed as `said`?"""
    if said is None or not has:
        return True
    strong = {'acquire': {'acquire', 'acq_rel', 'seq_cst'}, 'release': {'release', 'acq_rel', 'seq_cst'},
              'acq_rel': {'acq_rel', 'seq_cst'}, 'seq_cst': {'seq_cst'}}
    return all(strong[order] & has for order in said)


def asm_strings(line):
    return ' '.join(re.findall(r'"((?:\\.|[^"\\])*)"', line))


class Check:
    def __init__(self, root):
        self.root, self.bad = root, []
        self.protocols, self.used, self.lines = {}, {}, 0

    def run(self):
        texts = {}
        for top in ('src', 'arch'):
            for folder, _, names in os.walk(os.path.join(self.root, top)):
                for name in names:
                    if name.endswith(('.c', '.h', '.S')):
                        path = os.path.join(folder, name)
                        with open(path) as source:
                            texts[os.path.relpath(path, self.root)] = source.read()
        for path in sorted(texts):
            self.read_protocols(path, texts[path])
        for path in sorted(texts):
            self.read_lines(path, texts[path])
        self.compare()
        return self.bad

    def read_protocols(self, path, text):
        for comment in re.finditer(r'/\*.*?\*/', text, re.S):
            blocks = list(re.finditer(r'^[ \t/*]*PROTOCOL (\w+)[ ]*\n', comment[0], re.M))
            for i, block in enumerate(blocks):
                end = blocks[i + 1].start() if i + 1 < len(blocks) else len(comment[0]) - 2
                line = text.count('\n', 0, comment.start() + block.start()) + 1
                place = f'{path}:{line}'
                protocol = Protocol(block[1], place, comment[0][block.end():end])
                self.bad += protocol.bad
                other = self.protocols.get(block[1])
                if other and not self.same_port(other.place, place):
                    self.bad.append(f'{place}: PROTOCOL {block[1]} stands in {other.place} too')
                self.protocols[block[1]] = protocol

    @staticmethod
    def same_port(a, b):
        return a.startswith('arch/') and b.startswith('arch/') and a.split('/')[1] != b.split('/')[1]

    def read_lines(self, path, text):
        # Long comments are not code, tags are short ones on one line.
        text = re.sub(r'/\*.*?\*/', lambda m: m[0] if '\n' not in m[0] else re.sub(r'[^\n]', ' ', m[0]), text,
                      flags=re.S)
        pending = None  # orderings of the line before, whose statement goes on and whose letter is still to come
        for number, line in enumerate(text.split('\n'), 1):
            tags = [t for group in TAGS.findall(line) for t in re.split(r'[, ]+', group)]
            code = re.sub(r'/\*.*?\*/|//.*', '', line)
            orders = set() if SIGNAL.search(code) else set(ORDER.findall(code))
            code_only = re.sub(r'"(?:\\.|[^"\\])*"', '""', code)
            bare = IMPLICIT.search(code_only)
            asm = INSTRUCTION.search(code if path.endswith('.S') else asm_strings(code))
            strong = bool(orders or bare or asm)
            self.lines += strong
            if pending and (strong or not tags):
                self.bad.append(pending[1])
                pending = None
            for tag in tags:
                self.used.setdefault(tag, []).append((f'{path}:{number}', orders or (pending[0] if pending else set())))
            pending = None
            if strong and not tags:
                what = ', '.join(sorted(orders)) or (bare or asm)[0].rstrip(' (')
                text_of = f'{path}:{number}: {what} without a letter'
                if path.endswith('.S') or code.rstrip().endswith((';', '{', '}', '\\')):
                    self.bad.append(text_of)
                else:
                    pending = orders, text_of
        if pending:
            self.bad.append(pending[1])

    def compare(self):
        for tag, places in sorted(self.used.items()):
            name, letter = tag.split('.')
            protocol = self.protocols.get(name)
            for place, orders in places:
                if protocol is None:
                    self.bad.append(f'{place}: {tag}: there is no PROTOCOL {name}')
                elif letter not in protocol.letters:
                    self.bad.append(f'{place}: {tag} is not listed in {protocol.place}')
                elif not fits(protocol.letters[letter], orders):
                    said = ', '.join(sorted(protocol.letters[letter]))
                    self.bad.append(f'{place}: {tag} is listed as {said}')
        for name, protocol in sorted(self.protocols.items()):
            for letter in sorted(protocol.letters):
                if f'{name}.{letter}' not in self.used:
                    self.bad.append(f'{protocol.place}: {name}.{letter} is listed, no line carries it')


BASE = {
    'src/q.h': '''/*
 * PROTOCOL q
 *   Words    tail
 *   Pairs    A push: tail release -> B take: tail acquire   the slot is written
 *            A push: tail release -> B   again
 *            C, of nothing
 *   Fence    both ask: store, fence (F), load; the other side's is membarrier (G, when there is one)
 *   Checked  nowhere (Z)
 */
#define q_load(p) atomic_load_explicit((p), memory_order_relaxed)
#define barrier() atomic_signal_fence(memory_order_seq_cst)
''',
    'src/q.c': '''void push(void)
{
	atomic_store_explicit(&tail, 1, memory_order_release); /* q.A */
	atomic_thread_fence(memory_order_seq_cst); /* q.F */
}
''',
    'src/take.c': '''void take(void)
{
	x = atomic_compare_exchange_weak_explicit(&tail, &h, 2, memory_order_acq_rel, /* q.B, q.A */
						  memory_order_relaxed);
	membarrier(); /* q.G */
	while (atomic_load_explicit(&tail, memory_order_acquire) !=
	       2) /* q.B */
		;
}
''',
}

PLANTED = [
    ('an ordering without a letter', 'src/q.c', 'x = atomic_load_explicit(&t, memory_order_acquire);\n',
     'acquire without a letter'),
    ('a fence without a letter', 'src/q.c', 'atomic_thread_fence(memory_order_seq_cst); /* why */\n',
     'seq_cst without a letter'),
    ('an atomic without its ordering', 'src/q.c', 'atomic_store(&t, 1);\n', 'atomic_store without a letter'),
    ('a built-in', 'src/q.c', '__sync_synchronize();\n', '__sync_synchronize without a letter'),
    ('an instruction', 'arch/aarch64/a.S', '\tstlr\tx0, [x1]\n', 'stlr without a letter'),
    ('an instruction in inline assembly', 'src/q.c', '__asm__ volatile("dmb ish");\n', 'dmb without a letter'),
    ('a letter that is not listed', 'src/q.c', 'f(memory_order_acquire); /* q.D */\n', 'q.D is not listed'),
    ('a letter outside Pairs and Fence', 'src/q.c', 'f(memory_order_acquire); /* q.Z */\n', 'q.Z is not listed'),
    ('a protocol that does not exist', 'src/q.c', 'f(memory_order_acquire); /* r.A */\n', 'no PROTOCOL r'),
    ('the wrong ordering for a letter', 'src/q.c', 'f(memory_order_release); /* q.B */\n', 'q.B is listed as acquire'),
    ('a letter no line carries', 'src/r.h',
     '/*\n * PROTOCOL r\n *   Pairs    A a: w release -> B b: w acquire   why\n */\n', 'r.A is listed, no line'),
    ('a fence no line carries', 'src/r.h', '/*\n * PROTOCOL r\n *   Fence    here (E).\n */\n',
     'r.E is listed, no line'),
    ('an acquire on the left', 'src/r.h',
     '/*\n * PROTOCOL r\n *   Pairs    A a: w acquire -> B b: w acquire   why\n */\n', 'A is acquire on the wrong side'),
    ('a pair without its form', 'src/r.h', '/*\n * PROTOCOL r\n *   Pairs    A a -> B b: w acquire\n */\n',
     'no `letter operation'),
    ('a reference to no letter', 'src/r.h', '/*\n * PROTOCOL r\n *   Pairs    A a: w release -> B, C   why\n */\n',
     'C has no line of its own'),
    ('a letter two lines on', 'src/q.c', 'while (load(memory_order_acquire) !=\n3 &&\n4) /* q.B */\n',
     'acquire without a letter'),
    ('the wrong ordering a line before', 'src/q.c', 'while (load(memory_order_acquire) !=\n3) /* q.A */\n',
     'q.A is listed as release'),
    ('a protocol twice', 'src/r.h', '/*\n * PROTOCOL q\n *   Fence    none\n */\n', 'stands in src/q.h:2 too'),
]


def run_on(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w') as out:
                out.write(text)
        return Check(root).run()


def selftest():
    failed = 0
    clean = run_on(BASE)
    if clean:
        print('the clean tree is refused:', *clean, sep='\n  ')
        return True
    for what, path, text, says in PLANTED:
        files = dict(BASE)
        files[path] = files.get(path, '') + text
        bad = run_on(files)
        if not any(says in line for line in bad):
            failed += 1
            print(f'not found: {what}; said: {bad}')
    print(f'pairs.py: {len(PLANTED)} violations planted, {len(PLANTED) - failed} found')
    return failed != 0


def main():
    if sys.argv[1:] == ['--selftest']:
        return selftest()
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '..')
    check = Check(root)
    bad = check.run()
    print(*bad, sep='\n', end='\n' if bad else '')
    print(f'pairs: {len(check.protocols)} protocols, {sum(len(p.letters) for p in check.protocols.values())} letters, '
          f'{check.lines} lines with an ordering, {len(bad)} wrong')
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main())
