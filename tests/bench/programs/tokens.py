"""tokenize, in Python up to 3.11; where it is in C, the same text goes through
shlex, which is in Python everywhere."""
import io
import shlex
import sys
import textwrap
import tokenize


def main(n):
    with open(textwrap.__file__, encoding="utf-8") as file:
        text = file.read()
    total = 0
    for _ in range(n):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            total += token.type
        lexer = shlex.shlex(text[:4000], punctuation_chars=True)
        lexer.quotes = ""
        total += sum(len(word) for word in lexer)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
