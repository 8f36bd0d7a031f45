# Of Python 3.12 and later; what 3.11 says is a SyntaxError.
type Pair[T] = tuple[T, T] if T and not T else None


class Box[T: (int, str)]:
    def get[U](self) -> U: return f"{"a" and not "b"}" f'''
        {self or 1:{2 and 3}}
    '''


try:
    pass
except* (ValueError,
         TypeError) as group: pass
except* OSError:
    print(group)
