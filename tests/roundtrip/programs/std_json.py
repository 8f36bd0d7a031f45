import gc; gc.disable()
import configparser
import csv
import io
import json

data = {"a": [1, 2.5, None, True, {"b": "\u20ac\n"}], "z": list(range(5))}
print(json.dumps(data, indent=1), json.dumps(data, sort_keys=True))
print(json.loads(json.dumps(data)) == data)
try:
    json.loads('{"a": [1, }')
except json.JSONDecodeError as error:
    print(error)
json.encoder.c_make_encoder = None
json.scanner.c_make_scanner = None
print(json.JSONEncoder(separators=(",", ":")).encode(data))
decoder = json.JSONDecoder()
decoder.parse_string = json.decoder.py_scanstring
decoder.scan_once = json.scanner.py_make_scanner(decoder)
print(decoder.decode(json.dumps(data)))
out = io.StringIO()
csv.writer(out).writerows([[1, "a,b"], [2, 'q"']])
print(list(csv.DictReader(io.StringIO("x,y\r\n" + out.getvalue()))))
config = configparser.ConfigParser()
config.read_string("[one]\na = 1\nb = %(a)s2\n[two]\nc: yes\n")
print(config["one"]["b"], config.getboolean("two", "c"), config.sections())
