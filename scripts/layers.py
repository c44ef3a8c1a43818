#!/usr/bin/env python3
"""layers.py - checks that every include and every use of a name points down the list in src/LAYERS.

  python3 scripts/layers.py [ROOT]       exit status 1 and a line for each that climbs
  python3 scripts/layers.py --selftest   plants each kind of violation and sees it found

It finds:
- an #include, or a use of a function or variable with linkage (a call, an address, a declaration by
  hand), of a file that is higher, or further right on the same line;
- a file that src/LAYERS does not name, and a name without a file;
- #if outside base/cc.h, base/sanitizer.h, os/ and arch/. Include guards, and #ifndef X, #define X,
  #endif in a row (a default that the build may change) are not meant;
- a pointer to a function at file scope that is not one of the hooks, and a hooks file that names
  more above it than the hooks.
What the program's own code does by inline functions of the public headers is no use from below:
in include/ only the includes count.
"""
# SPDX-License-Identifier: MIT
import os
import re
import sys
import tempfile

IF_ALLOWED = re.compile(r'src/base/(cc|sanitizer)\.h$|src/os/|arch/')
WORD = re.compile(r'[A-Za-z_]\w*')
TOKEN = re.compile(r'[A-Za-z_]\w*|\d[\w.]*|->|\S')
# Macros and keywords with parentheses that are part of a declaration's type, not its parameters.
WRAPPER = {'__attribute__', '_Atomic', '_Alignas', '__asm__', '__typeof__', 'typeof', '_Static_assert',
           'GRT_ALIGNED', 'GRT_PRINTF'}


def blank(text):
    """Comments and literals become spaces; lines stay where they are."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    return re.sub(pattern, lambda m: re.sub(r'[^\n]', ' ', m[0]), text, flags=re.S)


def joined(lines):
    """(number, line) with backslash continuations put together."""
    held, start = '', 0
    for number, line in enumerate(lines, 1):
        start = start or number
        held += line.rstrip('\\') if line.endswith('\\') else line
        if line.endswith('\\'):
            held += ' '
            continue
        yield start, held
        held, start = '', 0


class File:
    def __init__(self, path, unit, text):
        self.path, self.unit = path, unit
        self.includes, self.uses, self.ifs = [], {}, []
        self.defines, self.statics, self.pointers = set(), set(), []
        self.read(text)

    def read(self, text):
        directives, code = [], []
        plain = text if self.path.endswith('.S') else None
        for number, line in joined(blank(text).split('\n')):
            match = re.match(r'\s*#\s*(\w+)(.*)', line)
            if match and (plain is None or match[1] in
                          ('if', 'ifdef', 'ifndef', 'elif', 'else', 'endif', 'define', 'include', 'undef')):
                directives.append((number, match[1], match[2].strip()))
            else:
                code.append((number, line))
        original = text.split('\n')
        for number, word, rest in directives:
            if word == 'include':
                found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', original[number - 1])
                if found:
                    self.includes.append((number, found[1]))
            elif word == 'define':
                self.use(number, rest)
        self.conditionals(directives)
        for number, line in code:
            self.use(number, line)
        if plain is not None:
            for number, line in code:
                found = re.match(r'\s*\.glob[a]?l\s+(\w+)', line)
                if found:
                    self.defines.add(found[1])
        else:
            self.declarations(code)

    def use(self, number, line):
        for match in WORD.finditer(line):
            before = line[:match.start()].rstrip()
            if not before.endswith(('.', '->')):
                self.uses.setdefault(match[0], number)

    def conditionals(self, directives):
        seen = [d for d in directives if d[1] != 'include']
        body = seen
        if (self.path.endswith('.h') and len(seen) >= 3 and seen[0][1] == 'ifndef' and
                seen[1][1] == 'define' and seen[1][2] == seen[0][2] and seen[-1][1] == 'endif'):
            body = seen[2:-1]
        i = 0
        while i < len(body):
            number, word, rest = body[i]
            after = [d[1] for d in body[i + 1:i + 3]]
            if (word == 'ifndef' and after == ['define', 'endif'] and
                    re.match(r'\w+', body[i + 1][2])[0] == rest):
                i += 3
                continue
            if word in ('if', 'ifdef', 'ifndef', 'elif'):
                self.ifs.append((number, f'#{word} {rest}'))
            i += 1

    def declarations(self, code):
        """The names that this file gives linkage, those it keeps to itself, pointers to functions."""
        tokens = [(t, n) for n, line in code for t in TOKEN.findall(line)]
        i, start = 0, 0
        while i < len(tokens):
            token = tokens[i][0]
            if token in '([':
                i = self.skip(tokens, i)
                continue
            if token == '{':
                head = [t for t, _ in tokens[start:i]]
                end = self.skip(tokens, i)
                if head and head[0] == 'extern' and len(head) == 1:  # extern "C" {
                    start = i = i + 1
                    continue
                if self.is_function(head):
                    self.function(head)
                    start = i = end
                    continue
                i = end
                continue
            if token == '}':
                start = i = i + 1
                continue
            if token == ';':
                self.variable(tokens[start:i])
                start = i + 1
            i += 1

    @staticmethod
    def skip(tokens, i):
        """Behind the bracket that closes the one at i."""
        depth = 0
        while i < len(tokens):
            depth += (tokens[i][0] in '([{') - (tokens[i][0] in ')]}')
            i += 1
            if depth == 0:
                break
        return i

    @staticmethod
    def top(head):
        """head without what stands in brackets: each group is one '()', '[]' or '{}'."""
        out, depth = [], 0
        for token in head:
            if token in '([{':
                if depth == 0:
                    out.append({'(': '()', '[': '[]', '{': '{}'}[token])
                depth += 1
            elif token in ')]}':
                depth -= 1
            elif depth == 0:
                out.append(token)
        return out

    def stripped(self, head):
        out, top = [], self.top(head)
        for i, token in enumerate(top):
            if token in WRAPPER or (token == '()' and i and top[i - 1] in WRAPPER):
                continue
            out.append(token)
        return out

    @staticmethod
    def pointer(head):
        """The name in `type (*name)(...)`, None for any other declaration."""
        depth = 0
        for i, token in enumerate(head):
            if token == '=':
                return None
            if depth == 0 and token == '(':
                found = re.match(r'\( \* (?:(?:const|volatile|_Atomic) )*(\w+) (?:\[ \w* \] )?\) \(',
                                 ' '.join(head[i:]))
                return found and found[1] if i and head[i - 1] not in WRAPPER else None
            depth += (token in '([{') - (token in ')]}')
        return None

    def is_function(self, head):
        top = self.stripped(head)
        return '()' in top and '=' not in top and top[-1] == '()'

    def function(self, head):
        top = self.stripped(head)
        name = top[-2]
        (self.statics if 'static' in top else self.defines).add(name)

    def variable(self, pairs):
        head = [t for t, _ in pairs]
        if not head or head[0] == 'typedef':
            return
        top = self.stripped(head)
        pointer = self.pointer(head)
        if pointer:
            self.pointers.append((pairs[0][1], pointer))
            if 'extern' not in top or '=' in top:
                (self.statics if 'static' in top else self.defines).add(pointer)
            return
        cut = top[:top.index('=')] if '=' in top else top
        if '()' in cut or ('extern' in top and '=' not in top):
            return
        cut = [t for t in cut if t != '[]']
        if '{}' in cut and cut[-1] == '{}':
            return
        names = [t for t in cut if WORD.fullmatch(t)]
        if len(names) > 1:
            tag = names[0] in ('struct', 'union', 'enum') and len(names) == 2 and '*' not in cut
            if not tag or '{}' in cut:
                (self.statics if 'static' in top else self.defines).add(names[-1])


class House:
    def __init__(self, root):
        self.root, self.bad = root, []
        self.rank, self.hooks = {}, None
        self.files, self.home = [], {}
        self.count_includes = self.count_uses = 0

    def read_order(self):
        path = os.path.join(self.root, 'src/LAYERS')
        place = 0
        with open(path) as order:
            for line in order:
                words = line.split('#')[0].split()
                if words and words[0] == 'hooks':
                    self.hooks = words[1], words[2], words[3:]
                    continue
                for group in words[1:]:
                    for name in group.split('|'):
                        if name in self.rank:
                            self.bad.append(f'src/LAYERS: {name} stands there twice')
                        self.rank[name] = place
                    place += 1
        if self.hooks:
            # It stands where it may name anything; who uses a hook uses the file that declares it.
            self.rank.setdefault(self.hooks[1], self.rank.get(self.hooks[0], 0))

    @staticmethod
    def unit_of(path):
        """Path below the root to unit: src/part/g.h is part/g, arch/x86_64/arch.h is arch."""
        stem = os.path.splitext(path)[0]
        for prefix in (r'src/', r'include/', r'arch/[^/]+/'):
            short, n = re.subn('^' + prefix, '', stem)
            if n:
                return short
        return stem

    def read_files(self):
        for top in ('include', 'src', 'arch'):
            for folder, _, names in os.walk(os.path.join(self.root, top)):
                for name in sorted(names):
                    if name.endswith(('.c', '.h', '.S')):
                        full = os.path.join(folder, name)
                        path = os.path.relpath(full, self.root)
                        with open(full) as source:
                            self.files.append(File(path, self.unit_of(path), source.read()))
        self.files.sort(key=lambda f: f.path)
        units = {f.unit for f in self.files}
        for f in self.files:
            if f.unit not in self.rank:
                self.bad.append(f'{f.path}: not in src/LAYERS')
            for name in f.defines:
                self.home[name] = f.unit
        for unit in self.rank:
            if unit not in units:
                self.bad.append(f'src/LAYERS: no file for {unit}')
        if self.hooks:
            for name in self.hooks[2]:
                self.home[f'grt_hook_{name}'] = self.hooks[0]

    def find(self, f, name):
        """The unit that an include names, None for the system's."""
        beside = os.path.normpath(os.path.join(os.path.dirname(f.path), name))
        for path in (beside, f'src/{name}', f'include/{name}'):
            if any(g.path == path for g in self.files):
                return self.unit_of(path)
        if any(re.fullmatch(r'arch/[^/]+/' + re.escape(name), g.path) for g in self.files):
            return os.path.splitext(name)[0]
        return None

    def check(self):
        for f in self.files:
            if f.unit not in self.rank:
                continue
            mine = self.rank[f.unit]
            is_hooks = self.hooks and f.unit == self.hooks[1]
            for number, name in f.includes:
                unit = self.find(f, name)
                if unit is None or unit == f.unit or unit not in self.rank:
                    continue
                self.count_includes += 1
                if self.rank[unit] > mine:
                    self.bad.append(f'{f.path}:{number}: includes {name}, which is above it')
            if not f.path.startswith('include/'):
                self.check_uses(f, mine, is_hooks)
                if not IF_ALLOWED.match(f.path):
                    for number, text in f.ifs:
                        self.bad.append(f'{f.path}:{number}: {text}: belongs in base/cc.h, '
                                        'base/sanitizer.h, os/ or arch/')
                for number, name in f.pointers:
                    if not self.hooks or name not in [f'grt_hook_{h}' for h in self.hooks[2]]:
                        self.bad.append(f'{f.path}:{number}: {name}, a pointer to a function, '
                                        'is not in the list of hooks')

    def check_uses(self, f, mine, is_hooks):
        above = []
        for name, number in sorted(f.uses.items(), key=lambda u: u[1]):
            unit = self.home.get(name)
            if unit is None or unit == f.unit or unit not in self.rank or name in f.statics:
                continue
            self.count_uses += 1
            if self.rank[unit] > mine:
                above.append((number, name, unit))
        if is_hooks and len(above) <= len(self.hooks[2]):
            return
        for number, name, unit in above:
            self.bad.append(f'{f.path}:{number}: uses {name} of {unit}, which is above it')

    def run(self):
        self.read_order()
        self.read_files()
        self.check()
        return self.bad


BASE = {
    'src/LAYERS': 'api goru\nbase base/cc base/hooks\nos arch os/os|os/linux/mem\nrt rt/rt rt/park\n'
                  'engine engine/loop\nhooks base/hooks rt/hooks start\n',
    'include/goru.h': '#ifdef __cplusplus\n#endif\nint goru_go(void);\nint goru_park(void);\n',
    'src/base/cc.h': '#ifndef CC_H\n#define CC_H\n#if defined(X)\n#endif\n#endif\n',
    'src/base/hooks.h': 'extern int (*const grt_hook_start)(void);\n',
    'arch/x86_64/arch.h': '#ifdef __AVX__\n#endif\n',
    'src/os/os.h': 'int grt_os_map(int n);\n',
    'src/os/linux/mem.c': '#include "os/os.h"\nint grt_os_map(int n)\n{\n\treturn n;\n}\n',
    'src/rt/rt.h': '#ifndef RT_H\n#define RT_H\n#include "base/cc.h"\n#ifndef RT_LEN\n#define RT_LEN 8\n'
                   '#endif\nstruct rt { int (*fn)(void); int n; };\nextern struct rt grt_rt;\n#endif\n',
    'src/rt/rt.c': '#include "rt/rt.h"\n#include "os/os.h"\n#include "base/hooks.h"\nstruct rt grt_rt = { 0, 1 };\n'
                   'static void help(int (*f)(void))\n{\n\tf();\n}\n'
                   'int grt_rt_on(void)\n{\n\thelp(0);\n\treturn grt_os_map(1) + grt_hook_start();\n}\n',
    'src/rt/hooks.c': '#include "base/hooks.h"\nint grt_loop(void);\nint (*const grt_hook_start)(void) = grt_loop;\n',
    'src/rt/park.c': '#include "rt/rt.h"\nint goru_park(void)\n{\n\treturn grt_rt.n; /* not grt_loop() */\n}\n',
    'src/engine/loop.h': 'int grt_loop(void);\nextern int grt_ticks;\n',
    'src/engine/loop.c': '#include "engine/loop.h"\n#include <goru.h>\nint grt_ticks;\n'
                         'int grt_loop(void)\n{\n\treturn goru_park();\n}\n',
}

# What is planted: file, text put at its end ('' for a new file's whole text), what must be said.
PLANTED = [
    ('an include up', 'src/rt/park.c', '#include "engine/loop.h"\n', 'includes engine/loop.h'),
    ('an include to the right', 'src/rt/rt.h', '#include "rt/park.h"\n', 'includes rt/park.h'),
    ('a public header that includes src', 'include/goru.h', '#include "base/cc.h"\n', 'includes base/cc.h'),
    ('a call up without an include', 'src/rt/park.c',
     'int grt_loop(void);\nint grt_x(void)\n{\n\treturn grt_loop();\n}\n', 'uses grt_loop'),
    ('an address of something above', 'src/rt/rt.c', 'void *grt_y(void)\n{\n\treturn &grt_ticks;\n}\n',
     'uses grt_ticks'),
    ('a public function used from below', 'src/rt/rt.c', 'int grt_y(void)\n{\n\treturn goru_park();\n}\n',
     'uses goru_park'),
    ('a macro that calls up', 'src/base/cc.h', '#define GRT_GO() grt_rt_on()\n', 'uses grt_rt_on'),
    ('assembly that calls up', 'arch/x86_64/entry.S', '\t.globl grt_e\ngrt_e:\n\tcall grt_loop\n', 'uses grt_loop'),
    ('#ifdef in the wrong place', 'src/rt/rt.c', '#ifdef __x86_64__\n#endif\n', '#ifdef __x86_64__'),
    ('#if in a header', 'src/rt/rt.h', '#if 1\n#endif\n', '#if 1'),
    ('a file nobody placed', 'src/rt/new.c', 'int grt_new;\n', 'not in src/LAYERS'),
    ('a place without a file', 'src/LAYERS', 'debug debug/dump\n', 'no file for debug/dump'),
    ('a place named twice', 'src/LAYERS', 'debug rt/rt\n', 'stands there twice'),
    ('one more hook', 'src/rt/rt.c', 'int (*grt_hook_trace)(void);\n', 'not in the list of hooks'),
    ('a hidden callback', 'src/rt/rt.c', 'static void (*wake)(int);\n', 'not in the list of hooks'),
    ('a hooks file that names more', 'src/rt/hooks.c', 'int *grt_z = &grt_ticks;\n', 'uses grt_ticks'),
]


def run_on(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w') as out:
                out.write(text)
        return House(root).run()


def selftest():
    failed = 0
    clean = run_on(BASE)
    if clean:
        failed += 1
        print('the clean tree is refused:', *clean, sep='\n  ')
    for what, path, text, says in PLANTED:
        files = dict(BASE)
        files[path] = files.get(path, '') + text
        if path.endswith('.S'):
            files['src/LAYERS'] = files['src/LAYERS'].replace('arch ', 'arch entry ')
        if says.endswith('rt/park.h'):
            files['src/rt/park.h'] = ''
        bad = run_on(files)
        if not any(says in line for line in bad):
            failed += 1
            print(f'not found: {what}; said: {bad}')
    print(f'layers.py: {len(PLANTED)} violations planted, {len(PLANTED) - failed} found' if not clean
          else 'layers.py: self test failed')
    return failed != 0


def main():
    if sys.argv[1:] == ['--selftest']:
        return selftest()
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '..')
    house = House(root)
    bad = house.run()
    print(*bad, sep='\n', end='\n' if bad else '')
    print(f'layers: {len(house.files)} files, {house.count_includes} includes and {house.count_uses} '
          f'uses of names across files, {len(bad)} wrong')
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main())
