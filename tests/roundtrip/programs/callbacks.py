import gc; gc.disable()
import functools
import itertools
import operator
import re

words = "the quick brown fox jumps over the lazy dog".split()


def key(word):
    return len(word), word


def by_length(a, b):
    return len(a) - len(b)


class Reverse:
    def __init__(self, word):
        self.word = word

    def __lt__(self, other):
        return other.word < self.word


@functools.lru_cache(maxsize=4)
def cached(n):
    return n * n


@functools.wraps(key)
def wrapped(*args):
    return key(*args)


print(sorted(words, key=key), sorted(words, key=functools.cmp_to_key(by_length)))
print(list(map(str.upper, words)), list(map(lambda a, b: a + b, words, words[1:])))
print(list(filter(lambda word: "o" in word, words)), min(words, key=Reverse))
print(functools.reduce(lambda a, b: a + len(b), words, 0))
print([cached(i % 3) for i in range(7)], cached.cache_info().hits)
print(re.sub(r"[aeiou]", lambda match: match.group().upper(), " ".join(words)))
print(list(itertools.accumulate(range(5), lambda a, b: a * 2 + b)))
print([(k, len(list(g))) for k, g in itertools.groupby(sorted(words, key=len), len)])
print(functools.partial(operator.add, 3)(4), wrapped("x"))
print(sorted(words, key=operator.itemgetter(0)), dict.fromkeys(words, 0).get("fox"))
print(list(iter(iter(words).__next__, "fox")), sum(map(len, words)))
words.sort(key=lambda word: word[::-1])
print("-".join(word.title() for word in words), [*zip(*[iter(range(6))] * 2)])
