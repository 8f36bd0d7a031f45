"""Instructions whose arguments mean something: each kind of constant, operator,
name and jump."""
import operator


class Matrix:
    def __matmul__(self, other):
        return self

    __imatmul__ = __matmul__


def constants():
    long = "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" \
        "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" \
        "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" \
        "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" \
        "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx" "xxxxxxxxxx"
    use = []
    add = use.append
    add(None), add(True), add(False), add(...), add(long)
    add(0), add(-1), add(255), add(2 ** 31), add(-2 ** 63), add(2 ** 63), add(-10 ** 40)
    add(0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef)
    add(10 ** 27), add(10 ** 36), add(99999999999999999999999999999999999999)
    add(0.0), add(-0.0), add(1.0), add(0.1), add(1e16), add(1e15), add(123456789012345678.0)
    add(9007199254740993.0), add(1e-4), add(1e-5), add(1.5e300), add(5e-324), add(1e309)
    add(1 / 3), add(100.0), add(120.5), add(1e22), add(1e23), add(-1e309), add(0.30000000000000004)
    add(1j), add(-1j), add(1.5j), add(1 + 2j), add(1 - 2j), add(-0.0 + 1j), add(1e309j), add(3 + 0j)
    add(""), add("plain"), add("it's"), add('say "so"'), add("it's \"so\""), add("back\\slash")
    add("\n\r\t\0\x1b\x7f"), add("\x80\xa0\xad\xff"), add("é ß 漢字"), add("\u200b\u2028\ufeff")
    add("\ud800 lone"), add("\U0001f600"), add("\ue000"), add("\U000e0001")
    add(b""), add(b"plain"), add(b"it's"), add(b'"\'\\'), add(b"\x00\n\x80\xff")
    add(()), add((1,)), add((1, ("two", (3.0, None)), ())), add(((),)), add((b"", ..., 1j))
    add(1 in {1, 2, 3}), add("a" not in {"a"}), add(use[0] in frozenset())
    return use


def operators(a, b, m, n):
    c = [a < b, a <= b, a == b, a != b, a > b, a >= b, a is b, a is not b, a in (b,), a not in (b,)]
    c += [a + b, a & b, a // b, a << b, m @ n, a * b, a % b, a | b, a ** b, a >> b, a - b,
          a / b, a ^ b]
    a += b; a &= 7; a //= b; a <<= b; m @= n; a *= b; a %= 50; a |= b; a **= b
    a >>= b; a -= b; a ^= b; a /= b
    if a < b:
        c = -a
    while a > b:
        a -= 3
    return not c, ~b, +a


def names(x, *rest, key=2, **more):
    global counter
    counter = x
    cell = x

    def inner(y: int = 1, *, z: "str" = key) -> None:
        nonlocal cell
        cell += y + z
        del y
        return cell

    text = f"{x}{x!r}{x!s}{x!a}{x:>3}{x!r:{key}}"
    inner(z=3)
    x.real, x.bit_length(), operator.add(x, 1), rest.__len__()
    import os.path as path
    from os import sep, curdir
    local, x = x, key
    *first, last = (local, x, 3)
    return text, path, sep, curdir, [*first, *rest], {**more}, inner, last


class Base:
    level = 1

    def method(self):
        return self.level


class Derived(Base):
    level = Base.level + 1
    hint: int = 3

    def method(self):
        return super().method() + super().level


def raising():
    try:
        try:
            raise ExceptionGroup("several", [ValueError(1), KeyError("k")])
        except* ValueError as group:
            len(group.exceptions)
        except* KeyError:
            pass
    finally:
        del Base.level
    try:
        assert names is None, "never"
    except AssertionError as error:
        return error


def gives(n):
    for i in range(n):
        got = yield i
        if got:
            return got
    yield from ()


def gives_on():
    back = yield from gives(2)
    return back


def many():
    """More names than one byte counts: EXTENDED_ARG."""
    space = Space()
    space.n0 = 1000
    space.n1 = 1001
    space.n2 = 1002
    space.n3 = 1003
    space.n4 = 1004
    space.n5 = 1005
    space.n6 = 1006
    space.n7 = 1007
    space.n8 = 1008
    space.n9 = 1009
    space.n10 = 1010
    space.n11 = 1011
    space.n12 = 1012
    space.n13 = 1013
    space.n14 = 1014
    space.n15 = 1015
    space.n16 = 1016
    space.n17 = 1017
    space.n18 = 1018
    space.n19 = 1019
    space.n20 = 1020
    space.n21 = 1021
    space.n22 = 1022
    space.n23 = 1023
    space.n24 = 1024
    space.n25 = 1025
    space.n26 = 1026
    space.n27 = 1027
    space.n28 = 1028
    space.n29 = 1029
    space.n30 = 1030
    space.n31 = 1031
    space.n32 = 1032
    space.n33 = 1033
    space.n34 = 1034
    space.n35 = 1035
    space.n36 = 1036
    space.n37 = 1037
    space.n38 = 1038
    space.n39 = 1039
    space.n40 = 1040
    space.n41 = 1041
    space.n42 = 1042
    space.n43 = 1043
    space.n44 = 1044
    space.n45 = 1045
    space.n46 = 1046
    space.n47 = 1047
    space.n48 = 1048
    space.n49 = 1049
    space.n50 = 1050
    space.n51 = 1051
    space.n52 = 1052
    space.n53 = 1053
    space.n54 = 1054
    space.n55 = 1055
    space.n56 = 1056
    space.n57 = 1057
    space.n58 = 1058
    space.n59 = 1059
    space.n60 = 1060
    space.n61 = 1061
    space.n62 = 1062
    space.n63 = 1063
    space.n64 = 1064
    space.n65 = 1065
    space.n66 = 1066
    space.n67 = 1067
    space.n68 = 1068
    space.n69 = 1069
    space.n70 = 1070
    space.n71 = 1071
    space.n72 = 1072
    space.n73 = 1073
    space.n74 = 1074
    space.n75 = 1075
    space.n76 = 1076
    space.n77 = 1077
    space.n78 = 1078
    space.n79 = 1079
    space.n80 = 1080
    space.n81 = 1081
    space.n82 = 1082
    space.n83 = 1083
    space.n84 = 1084
    space.n85 = 1085
    space.n86 = 1086
    space.n87 = 1087
    space.n88 = 1088
    space.n89 = 1089
    space.n90 = 1090
    space.n91 = 1091
    space.n92 = 1092
    space.n93 = 1093
    space.n94 = 1094
    space.n95 = 1095
    space.n96 = 1096
    space.n97 = 1097
    space.n98 = 1098
    space.n99 = 1099
    space.n100 = 1100
    space.n101 = 1101
    space.n102 = 1102
    space.n103 = 1103
    space.n104 = 1104
    space.n105 = 1105
    space.n106 = 1106
    space.n107 = 1107
    space.n108 = 1108
    space.n109 = 1109
    space.n110 = 1110
    space.n111 = 1111
    space.n112 = 1112
    space.n113 = 1113
    space.n114 = 1114
    space.n115 = 1115
    space.n116 = 1116
    space.n117 = 1117
    space.n118 = 1118
    space.n119 = 1119
    space.n120 = 1120
    space.n121 = 1121
    space.n122 = 1122
    space.n123 = 1123
    space.n124 = 1124
    space.n125 = 1125
    space.n126 = 1126
    space.n127 = 1127
    space.n128 = 1128
    space.n129 = 1129
    space.n130 = 1130
    space.n131 = 1131
    space.n132 = 1132
    space.n133 = 1133
    space.n134 = 1134
    space.n135 = 1135
    space.n136 = 1136
    space.n137 = 1137
    space.n138 = 1138
    space.n139 = 1139
    space.n140 = 1140
    space.n141 = 1141
    space.n142 = 1142
    space.n143 = 1143
    space.n144 = 1144
    space.n145 = 1145
    space.n146 = 1146
    space.n147 = 1147
    space.n148 = 1148
    space.n149 = 1149
    space.n150 = 1150
    space.n151 = 1151
    space.n152 = 1152
    space.n153 = 1153
    space.n154 = 1154
    space.n155 = 1155
    space.n156 = 1156
    space.n157 = 1157
    space.n158 = 1158
    space.n159 = 1159
    space.n160 = 1160
    space.n161 = 1161
    space.n162 = 1162
    space.n163 = 1163
    space.n164 = 1164
    space.n165 = 1165
    space.n166 = 1166
    space.n167 = 1167
    space.n168 = 1168
    space.n169 = 1169
    space.n170 = 1170
    space.n171 = 1171
    space.n172 = 1172
    space.n173 = 1173
    space.n174 = 1174
    space.n175 = 1175
    space.n176 = 1176
    space.n177 = 1177
    space.n178 = 1178
    space.n179 = 1179
    space.n180 = 1180
    space.n181 = 1181
    space.n182 = 1182
    space.n183 = 1183
    space.n184 = 1184
    space.n185 = 1185
    space.n186 = 1186
    space.n187 = 1187
    space.n188 = 1188
    space.n189 = 1189
    space.n190 = 1190
    space.n191 = 1191
    space.n192 = 1192
    space.n193 = 1193
    space.n194 = 1194
    space.n195 = 1195
    space.n196 = 1196
    space.n197 = 1197
    space.n198 = 1198
    space.n199 = 1199
    space.n200 = 1200
    space.n201 = 1201
    space.n202 = 1202
    space.n203 = 1203
    space.n204 = 1204
    space.n205 = 1205
    space.n206 = 1206
    space.n207 = 1207
    space.n208 = 1208
    space.n209 = 1209
    space.n210 = 1210
    space.n211 = 1211
    space.n212 = 1212
    space.n213 = 1213
    space.n214 = 1214
    space.n215 = 1215
    space.n216 = 1216
    space.n217 = 1217
    space.n218 = 1218
    space.n219 = 1219
    space.n220 = 1220
    space.n221 = 1221
    space.n222 = 1222
    space.n223 = 1223
    space.n224 = 1224
    space.n225 = 1225
    space.n226 = 1226
    space.n227 = 1227
    space.n228 = 1228
    space.n229 = 1229
    space.n230 = 1230
    space.n231 = 1231
    space.n232 = 1232
    space.n233 = 1233
    space.n234 = 1234
    space.n235 = 1235
    space.n236 = 1236
    space.n237 = 1237
    space.n238 = 1238
    space.n239 = 1239
    space.n240 = 1240
    space.n241 = 1241
    space.n242 = 1242
    space.n243 = 1243
    space.n244 = 1244
    space.n245 = 1245
    space.n246 = 1246
    space.n247 = 1247
    space.n248 = 1248
    space.n249 = 1249
    space.n250 = 1250
    space.n251 = 1251
    space.n252 = 1252
    space.n253 = 1253
    space.n254 = 1254
    space.n255 = 1255
    space.n256 = 1256
    space.n257 = 1257
    space.n258 = 1258
    space.n259 = 1259
    for i in range(2):
        if i:
            space.n259 += 1
    return space.n258, space.n259


class Space:
    pass


constants()
operators(7, 2, Matrix(), Matrix())
names(5, 6, key=4, other=1)
Derived().method()
raising()
list(gives(2))
walk = gives_on()
next(walk)
try:
    walk.send(3)
except StopIteration as stop:
    print(stop.value)
many()
