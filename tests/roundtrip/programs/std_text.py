import gc; gc.disable()
import difflib
import string
import textwrap

text = ("The quick brown fox jumps over the lazy dog, again and again, until "
        "the dog, tired of being lazy, gets up and leaves. ") * 3
print(textwrap.fill(text, 40, subsequent_indent="  "))
print(textwrap.dedent("   a\n     b\n   c"), textwrap.shorten(text, 30))
old, new = textwrap.wrap(text, 30), textwrap.wrap(text.replace("lazy", "idle"), 31)
print("\n".join(difflib.unified_diff(old, new, lineterm="")))
print("\n".join(difflib.ndiff(old[:4], new[:4])))
print(difflib.get_close_matches("appel", ["ape", "apple", "peach"]))
print(string.Template("$a and ${b}").substitute(a=1, b=2), string.capwords("a b"))
