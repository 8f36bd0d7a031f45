import gc; gc.disable()


def raises(kind):
    raise kind("on purpose")


def caught(kind):
    try:
        raises(kind)
    except (ValueError, KeyError) as error:
        return type(error).__name__
    except OSError:
        return "os"
    else:
        return "none"
    finally:
        print("finally")


def through():
    try:
        raises(RuntimeError)
    finally:
        len("on the way")


def chained():
    try:
        try:
            1 / 0
        except ZeroDivisionError as error:
            raise LookupError("second") from error
    except LookupError as error:
        return error.__cause__


def returns_in_finally():
    for i in range(3):
        try:
            if i == 1:
                continue
            [][i]
        except IndexError:
            break
        finally:
            i += 1
    return i


def groups():
    seen = []
    try:
        raise ExceptionGroup("many", [ValueError(1), TypeError(2),
                                      ExceptionGroup("in", [ValueError(3)])])
    except* ValueError as group:
        seen.append(len(group.exceptions))
    except* TypeError:
        seen.append("type")
    return seen


def unhandled_group():
    try:
        try:
            raise ExceptionGroup("g", [OSError(1), KeyError(2)])
        except* OSError:
            pass
    except BaseExceptionGroup as group:
        return repr(group)


def reraised():
    try:
        try:
            int("x")
        except ValueError:
            raise
    except ValueError as error:
        return error.args


def in_c():
    results = []
    for function, argument in ((int, "q"), (len, 3), ({}.__getitem__, 1),
                               (iter(()).__next__, None)):
        try:
            function(argument)
        except Exception as error:
            results.append(type(error).__name__)
    return results


print([caught(kind) for kind in (ValueError, KeyError, OSError)])
try:
    caught(MemoryError)
except MemoryError:
    print("memory")
try:
    through()
except RuntimeError:
    print("through")
print(chained(), returns_in_finally(), groups(), unhandled_group())
print(reraised(), in_c())
try:
    assert len("x") == 2, "wrong"
except AssertionError as error:
    print(error)
