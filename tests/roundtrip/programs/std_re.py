import gc; gc.disable()
import fnmatch
import re
import shlex

for pattern in (r"(?P<y>\d{4})-(?P<m>\d\d)", r"(?i)[a-z_]\w*\s*(?:=|\()", r"a|b(c|d)*?e+",
                r"(?<=x)[^\d\s]{2,3}(?!z)"):
    compiled = re.compile(pattern)
    print(compiled.groups, compiled.findall("2024-05 Xab( xyzz bcde 1999-12"))
try:
    re.compile("(unclosed")
except re.error as error:
    print(error)
print(re.split(r"[,;]\s*", "a, b;c"), re.escape("a.b"), re.fullmatch("a+", "aa").span())
print(fnmatch.filter(["a.py", "b.txt"], "*.py"), shlex.split("a 'b c' \"d\"  e\\ f"))
scanner = re.Scanner([(r"\d+", lambda s, t: int(t)), (r"\s+", None)])
print(scanner.scan("1 22 333"))
