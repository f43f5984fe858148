"""Makes vectors for the apply_patch test: the reference script over generated and hand-written patches.

usage: patch_vectors.py FOLDER_OF_apply_patch.py > patches.json
"""
import json, random, sys
sys.path.insert(0, sys.argv[1])
import apply_patch as reference

def run(files, patch):
    after = dict(files)
    def load(path):
        if path not in files: raise FileNotFoundError(path)
        return files[path]
    try:
        reference.apply_patch(patch, load, after.__setitem__, lambda p: after.pop(p, None))
        lines = patch.splitlines()
        _, fuzz = reference.text_to_patch(patch, {p: files[p] for p in reference.identify_files_needed(patch)})
        return {"files": files, "patch": patch, "after": after, "fuzz": fuzz}
    except FileNotFoundError as e:
        return {"files": files, "patch": patch, "missing": str(e)}
    except reference.DiffError as e:
        return {"files": files, "patch": patch, "error": str(e)}

rnd = random.Random(7)
B, E = "*** Begin Patch\n", "*** End Patch"
src = "import os\n\nclass A:\n    def f(self):\n        x = 1\n        return x\n\n    def g(self):\n        return 2\n\nclass B:\n    def f(self):\n        return 3\n"
F = {"a.py": src, "dir/b.txt": "one\r\ntwo\r\nthree", "empty": "", "c.txt": "x\n\n\ny  \n\tz\n"}
U = "*** Update File: "
hand = [
    B + U + "a.py\n@@ class B:\n     def f(self):\n-        return 3\n+        return 4\n" + E,
    B + U + "a.py\n@@ class A:\n@@     def g(self):\n-        return 2\n+        return 22\n" + E,
    B + U + "a.py\n@@\n-import os\n+import sys\n \n class A:\n" + E,
    B + U + "a.py\n-import os\n+import sys\n" + E,
    B + U + "a.py\n@@ class  B:\n-        return 3\n+        return 4\n" + E,
    B + U + "a.py\n@@   class B:  \n     def f(self):  \n-        return 3\n+        return 4\n" + E,
    B + U + "a.py\n@@ class B:\n def f(self):\n-return 3\n+        return 4\n" + E,
    B + U + "a.py\n@@ no such\n-import os\n+import sys\n" + E,
    B + U + "a.py\n@@\n-no such line\n+y\n" + E,
    B + U + "a.py\n     def f(self):\n-        return 3\n+        return 5\n \n*** End of File\n" + E,
    B + U + "a.py\n     def f(self):\n-        return 3\n+        return 5\n*** End of File\n" + E,
    B + U + "a.py\n     def f(self):\n-        x = 1\n+        x = 5\n*** End of File\n" + E,
    B + U + "a.py\n-        nothing\n*** End of File\n" + E,
    B + U + "a.py\n*** Move to: lib/a.py\n@@\n-import os\n+import re\n" + E,
    B + U + "a.py\n*** Move to: lib/a.py\n" + E,
    B + U + "a.py\n*** Move to: a.py\n@@\n-import os\n+import re\n" + E,
    B + "*** Delete File: c.txt\n" + E,
    B + "*** Delete File: nope\n" + E,
    B + "*** Add File: new/x\n+a\n+b\n+\n" + E,
    B + "*** Add File: new/x\n" + E,
    B + "*** Add File: c.txt\n+over\n" + E,
    B + "*** Add File: x\n a\n" + E,
    B + "*** Add File: x\n+a\n\n" + E,
    B + "*** Add File: x\n+a\n*** Add File: x\n+b\n" + E,
    B + "*** Delete File: c.txt\n*** Delete File: c.txt\n" + E,
    B + "*** Delete File: c.txt\n*** Add File: c.txt\n+b\n" + E,
    B + "*** Add File: x\n+a\n*** End of File\n" + E,
    B + U + "c.txt\n-x\n+X\n" + U + "c.txt\n-y\n+Y\n" + E,
    B + U + "c.txt\n*** Delete File: c.txt\n" + E,
    B + E, E, "", B, B + "*** End Patch\n", B + "*** End Patch\n\n", B + "*** End Patch\r\n", "*** Begin Patch extra\n" + E,
    "*** Begin Patch\r\n*** Update File: c.txt\r\n-x\r\n+X\r\n*** End Patch",
    "\n" + B + E, B + "rubbish\n" + E, B + "*** Rename File: a\n" + E, B + "*** Update File: \n" + E,
    B + "*** End Patch\nmore\n" + E, B + "*** End of File\n" + E,
    B + U + "c.txt\n@@\n@@\n-x\n" + E, B + U + "c.txt\n@@ x\n" + E, B + U + "c.txt\n" + E, B + U + "c.txt\nzzz\n" + E,
    B + U + "c.txt\n*** End of File\n" + E, B + U + "c.txt\n-x\n***\n+y\n" + E, B + U + "c.txt\n-x\n*** foo\n" + E,
    B + U + "c.txt\n-x\n+X\n@@\n-y  \n+Y\n" + E, B + U + "c.txt\n-x\n+X\n-y\n" + E, B + U + "c.txt\n-y\n+Y\n@@\n-x\n+X\n" + E,
    B + U + "c.txt\n x\n\n\n-y\n+Y\n" + E, B + U + "c.txt\n+first\n" + E, B + U + "c.txt\n@@ x\n+second\n" + E,
    B + U + "empty\n+line\n" + E, B + U + "empty\n-\n+line\n" + E, B + U + "empty\n-a\n" + E,
    B + U + "dir/b.txt\n two\n-three\n+drei\n" + E, B + U + "dir/b.txt\n one\n-two\n+zwei\n" + E,
    B + U + "dir/b.txt\n-a\x0bb\n" + E, B + U + "c.txt\n-x\x0c+X\x1c y\n" + E, B + U + "c.txt\n-x\n+\u2028X\n" + E, B + U + "c.txt\n-x\n+\x85X\n" + E,
    B + U + "c.txt\n-x\n+X\n@@foo\n-y\n" + E, B + U + "c.txt\n@@ \n-x\n+X\n" + E, B + U + "c.txt\n@@\t\n-x\n" + E,
    B + U + "c.txt\n-x\n+X\n*** End of File\n*** Add File: q\n+1\n" + E,
    B + U + "c.txt\n-\tz\n+Z\n \n*** End of File\n" + E,
    B + U + "c.txt\n-x\n+X\n@@\n-\n+1\n@@\n-\n+2\n" + E,
    "*** Begin Patch\n*** Update File: gone\n-x\n" + E,
    B + U + "a.py\n@@ class A:\n+# note\n     def f(self):\n         x = 1\n+        y = 2\n-        return x\n+        return y\n" + E,
]
cases = [run(F, p) for p in hand]

words = ["alpha", "beta", "  gamma", "delta  ", "", "x = 1", "\tx = 1", "}", "return"]
def random_file(): return "\n".join(rnd.choice(words) for _ in range(rnd.randrange(1, 14)))
def spoil(line):
    r = rnd.random()
    if r < .80: return line
    if r < .86: return line + " "
    if r < .92: return " " + line
    if r < .96: return line.strip()
    return rnd.choice(words)
for i in range(400):
    files = {"f%d" % k: random_file() for k in range(2)}
    out = ["*** Begin Patch"]
    for k in rnd.sample(range(3), rnd.randrange(1, 3)):
        name = "f%d" % k
        if k == 2:
            out.append("*** Add File: " + name); out += ["+" + rnd.choice(words) for _ in range(rnd.randrange(3))]; continue
        if rnd.random() < .1: out.append("*** Delete File: " + name); continue
        out.append("*** Update File: " + name)
        if rnd.random() < .15: out.append("*** Move to: m/" + name)
        lines = files[name].split("\n")
        at = 0
        for h in range(rnd.randrange(1, 4)):
            if at >= len(lines): break
            at = rnd.randrange(at, len(lines)) if rnd.random() < .93 else rnd.randrange(len(lines))
            if rnd.random() < .3 and at: out.append("@@ " + spoil(lines[rnd.randrange(at)]))
            elif h or rnd.random() < .5: out.append("@@")
            count = rnd.randrange(1, 5)
            for line in lines[at:at + count]:
                r = rnd.random()
                if r < .5: out.append(" " + spoil(line) if line or rnd.random() < .5 else "")
                elif r < .75: out.append("-" + spoil(line))
                else: out += ["-" + spoil(line), "+" + rnd.choice(words)]
                if rnd.random() < .1: out.append("+" + rnd.choice(words))
            at += count
            if at >= len(lines) and rnd.random() < .5 or rnd.random() < .03: out.append("*** End of File")
        if rnd.random() < .03: out.append(rnd.choice(["*** x", "junk", "***", "@@", "*** Move to: z"]))
    out.append("*** End Patch")
    cases.append(run(files, "\n".join(out)))
n = sum("after" in c for c in cases)
print("%d of %d apply" % (n, len(cases)), file=sys.stderr)
print("[\n" + ",\n".join(json.dumps(c, ensure_ascii=True) for c in cases) + "\n]")
