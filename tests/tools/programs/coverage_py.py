"""coverage.py, started and stopped by the program."""
try:
    import coverage
except ImportError:
    raise SystemExit("no coverage")

measure = coverage.Coverage(branch=True, data_file=None, include=["*/work.py"])
measure.start()
import work  # noqa: E402

result = work.main()
measure.stop()
data = measure.get_data()
for name in data.measured_files():
    print(result, sorted(data.lines(name)), sorted(data.arcs(name)))
