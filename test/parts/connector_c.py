"""
A program as they are written with MariaDB's client library for C, whose functions it calls as they are: what it gets it
prints, so that one run past the gate can be set against one through it.

connector_c.py host port user certificate-file server, the password on standard input. `server` is mysql or mariadb.
"""

import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char, c_char_p, c_int, c_size_t, c_uint, c_ulong, c_ulonglong, c_void_p

c = ctypes.CDLL("libmariadb.so.3")
for name in ("mysql_init", "mysql_real_connect", "mysql_store_result", "mysql_stmt_init", "mysql_list_fields",
             "mysql_list_processes", "mysql_stmt_result_metadata", "mysql_fetch_field"):
    getattr(c, name).restype = c_void_p
for name in ("mysql_error", "mysql_sqlstate", "mysql_stmt_error", "mysql_stmt_sqlstate", "mysql_stat", "mysql_info"):
    getattr(c, name).restype = c_char_p
for name in ("mysql_affected_rows", "mysql_insert_id", "mysql_stmt_affected_rows"):
    getattr(c, name).restype = c_ulonglong
c.mysql_fetch_row.restype = POINTER(c_void_p)
c.mysql_fetch_lengths.restype = POINTER(c_ulong)
c.mysql_thread_id.restype = c_ulong
c.mysql_get_server_version.restype = c_ulong
handle = c_void_p

TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, LONGLONG, DATE, TIME, DATETIME, BLOB, STRING = 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 252, 254
COMPRESS, LOCAL_INFILE, CHARSET, VERIFY, CA, ZSTD = 1, 8, 7, 21, 27, 42
MULTI_STATEMENTS = 1 << 16
CURSOR_TYPE, PREFETCH_ROWS, ARRAY_SIZE = 1, 2, 201


class Bind(Structure):
    _fields_ = [
        ("length", POINTER(c_ulong)), ("is_null", c_void_p), ("buffer", c_void_p), ("error", c_void_p),
        ("indicator", c_void_p), ("store", c_void_p), ("fetch", c_void_p), ("skip", c_void_p),
        ("buffer_length", c_ulong), ("offset", c_ulong), ("length_value", c_ulong), ("flags", c_uint),
        ("pack_length", c_uint), ("buffer_type", c_int), ("error_value", c_char), ("is_unsigned", c_char),
        ("long_data_used", c_char), ("is_null_value", c_char), ("extension", c_void_p),
    ]


class Moment(Structure):
    _fields_ = [(part, c_uint) for part in ("year", "month", "day", "hour", "minute", "second")] + [
        ("micros", c_ulong), ("negative", c_char), ("kind", c_int)]


def connect(compressed=False):
    mysql = handle(c.mysql_init(None))
    c.mysql_options(mysql, CA, certificate.encode())
    c.mysql_options(mysql, VERIFY, byref(c_char(1)))
    c.mysql_options(mysql, CHARSET, b"utf8mb4")
    c.mysql_options(mysql, LOCAL_INFILE, byref(c_uint(1)))
    if compressed:
        c.mysql_options(mysql, COMPRESS, None)
    if not c.mysql_real_connect(mysql, host.encode(), user.encode(), password.encode(), b"shop", port, None,
                                c_ulong(MULTI_STATEMENTS)):
        sys.exit(c.mysql_error(mysql).decode())
    return mysql


def rows_of(result):
    rows = []
    while row := c.mysql_fetch_row(result):
        lengths = c.mysql_fetch_lengths(result)
        rows.append([ctypes.string_at(row[i], lengths[i]) if row[i] else None
                     for i in range(c.mysql_num_fields(result))])
    c.mysql_free_result(result)
    return rows


def shown(value):
    return "NULL" if value is None else value.decode("utf-8", "backslashreplace")


def failed(mysql, words):
    print(words, "failed", c.mysql_errno(mysql), c.mysql_sqlstate(mysql).decode(), c.mysql_error(mysql).decode())


def query(mysql, text):
    """Each result as the client sees it, and what came with it."""
    if c.mysql_real_query(mysql, text.encode(), c_ulong(len(text.encode()))):
        return failed(mysql, text)
    while True:
        result = handle(c.mysql_store_result(mysql))
        if result.value:
            for row in rows_of(result):
                print(text[:40], "|", " | ".join(map(shown, row)))
        elif c.mysql_errno(mysql):
            failed(mysql, text)
        else:
            print(text[:40], "changed", c.mysql_affected_rows(mysql), "id", c.mysql_insert_id(mysql),
                  "warnings", c.mysql_warning_count(mysql), (c.mysql_info(mysql) or b"").decode())
        tracked(mysql)
        more = c.mysql_next_result(mysql)
        if more > 0:
            failed(mysql, text)
        if more != 0:
            return None


def tracked(mysql):
    for kind in range(6):
        data, length = c_void_p(), c_size_t()
        told = c.mysql_session_track_get_first(mysql, kind, byref(data), byref(length))
        while told == 0:
            said = ctypes.string_at(data.value, length.value) if data.value else b""
            # Which transactions of the server's there were is no business of the comparison, and that it says so is.
            print("  tracked", kind, "a transaction" if kind == 3 else shown(said))
            told = c.mysql_session_track_get_next(mysql, kind, byref(data), byref(length))


def bound(values):
    binds = (Bind * max(1, len(values)))()
    kept = []
    for bind, (kind, value, unsigned) in zip(binds, values):
        length = c_ulong()
        if isinstance(value, bytes):
            value = ctypes.create_string_buffer(value, len(value))
            length.value = len(value)
        kept += [length, value]
        bind.buffer_type, bind.length = kind, ctypes.pointer(length)
        bind.is_unsigned = 1 if unsigned else 0
        if value is not None:
            bind.buffer = ctypes.cast(byref(value), c_void_p)
            bind.buffer_length = ctypes.sizeof(value)
    return binds, kept


def prepare(mysql, text):
    stmt = handle(c.mysql_stmt_init(mysql))
    if c.mysql_stmt_prepare(stmt, text.encode(), c_ulong(len(text.encode()))):
        stmt_failed(stmt, text)
    return stmt


def stmt_failed(stmt, words):
    print(words, "failed", c.mysql_stmt_errno(stmt), c.mysql_stmt_sqlstate(stmt).decode(),
          c.mysql_stmt_error(stmt).decode())


def execute(stmt, words, values=()):
    binds, kept = bound(values)
    if values and c.mysql_stmt_bind_param(stmt, binds):
        return stmt_failed(stmt, words)
    if c.mysql_stmt_execute(stmt):
        return stmt_failed(stmt, words)
    del kept
    return fetched(stmt, words)


def fetched(stmt, words):
    while True:
        count = c.mysql_stmt_field_count(stmt)
        if count == 0:
            print(words, "changed", c.mysql_stmt_affected_rows(stmt))
        else:
            values = [(STRING, ctypes.create_string_buffer(4096), False) for _ in range(count)]
            binds, kept = bound(values)
            nulls = (c_char * count)()
            for i in range(count):
                binds[i].is_null = ctypes.addressof(nulls) + i
            c.mysql_stmt_bind_result(stmt, binds)
            while (said := c.mysql_stmt_fetch(stmt)) == 0:
                print(words, "|", " | ".join(
                    "NULL" if nulls[i] != b"\0" else shown(values[i][1].raw[: kept[2 * i].value]) for i in range(count)))
            if said == 1:
                stmt_failed(stmt, words)
        if c.mysql_stmt_next_result(stmt) != 0:
            return


host, port, user, certificate, server = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6]
password = sys.stdin.readline().rstrip("\n")
mysql = connect(compressed=True)

# Texts: several, their results, errors in the middle, warnings, what the session tracks.
query(mysql, "create table things (id int auto_increment primary key, name varchar(9))")
query(mysql, "insert into things (name) values ('one'), ('two'); select * from things; do 0; select 'grün' as g, null as n")
query(mysql, "select 1 as a; select * from nowhere; select 2 as b")
query(mysql, "set sql_mode = ''; insert into things (name) values ('much too long'); show warnings")
query(mysql, "create procedure two() begin select 1 as a; select 2 as b, 3 as c; end")
query(mysql, "call two()")
query(mysql, "set session_track_schema = 1; set session_track_state_change = 1; set session_track_system_variables = 'time_zone'")
query(mysql, "set session_track_transaction_info = 'CHARACTERISTICS'")
if server == "mysql":
    query(mysql, "set session session_track_gtids = OWN_GTID")
query(mysql, "set time_zone = '+01:00'; use shop")
query(mysql, "start transaction; insert into things (name) values ('third'); select count(*) from things; rollback")

# Parameters of every kind, in a table and back.
query(mysql, "create table kinds (a tinyint, b tinyint unsigned, c smallint, d int unsigned, e bigint, f bigint unsigned,"
             " g float, h double, i decimal(20,4), j date, k time(6), l datetime(6), m json, n bit(12), o blob, p text, q year)")
insert = prepare(mysql, "insert into kinds values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
execute(insert, "kinds", [
    (TINY, ctypes.c_int8(-5), False), (TINY, ctypes.c_uint8(250), True), (SHORT, ctypes.c_int16(-300), False),
    (LONG, ctypes.c_uint32(4_000_000_000), True), (LONGLONG, ctypes.c_int64(-(1 << 62)), False),
    (LONGLONG, ctypes.c_uint64((1 << 64) - 1), True), (FLOAT, ctypes.c_float(1.5), False),
    (DOUBLE, ctypes.c_double(-2.25), False), (STRING, b"1234567890.1234", False),
    (DATE, Moment(2026, 2, 3, kind=0), False), (TIME, Moment(hour=30, minute=1, second=2, micros=345678, negative=1, kind=2), False),
    (DATETIME, Moment(2026, 2, 3, 4, 5, 6, 789012, kind=1), False), (STRING, '{"a": [1, "ü"]}'.encode(), False),
    (LONG, ctypes.c_int32(0xABC), False), (BLOB, bytes([0, 255, 128]), False), (STRING, "Zoë 😀".encode(), False),
    (SHORT, ctypes.c_int16(2026), False)])
execute(insert, "kinds of nothing", [(NULL, None, False)] * 17)
execute(prepare(mysql, "select a, b, c, d, e, f, g, h, i, j, k, l, m, hex(n), hex(o), p, q from kinds"), "kinds back")
query(mysql, "select * from kinds where a is null or a > 100")

# A value that is sent in pieces ahead.
pieces = prepare(mysql, "select length(?) as l, md5(?) as m")
binds, kept = bound([(BLOB, b"", False), (BLOB, b"", False)])
c.mysql_stmt_bind_param(pieces, binds)
for parameter, piece in ((0, b"abc"), (1, b"x" * 70_000), (0, b"def"), (1, b"y" * 70_000)):
    c.mysql_stmt_send_long_data(pieces, parameter, piece, c_ulong(len(piece)))
c.mysql_stmt_execute(pieces)
fetched(pieces, "pieces")

# A procedure by what was prepared: two results and its end.
execute(prepare(mysql, "call two()"), "prepared call")

# A cursor: its rows are fetched two at a time.
cursor = prepare(mysql, "select id, concat('row ', id) as t from things where id > ? order by id")
query(mysql, "insert into things (name) values ('c'), ('d'), ('e')")
c.mysql_stmt_attr_set(cursor, CURSOR_TYPE, byref(c_ulong(1)))
c.mysql_stmt_attr_set(cursor, PREFETCH_ROWS, byref(c_ulong(2)))
for after in (0, 1):
    execute(cursor, "cursor", [(LONG, ctypes.c_int32(after), False)])
    c.mysql_stmt_reset(cursor)
c.mysql_stmt_close(cursor)

if server == "mariadb":
    # Prepared and executed without waiting, and many rows at once.
    direct = handle(c.mysql_stmt_init(mysql))
    text = b"select 'at once' as t"
    print("direct", c.mariadb_stmt_execute_direct(direct, text, c_size_t(len(text))))
    fetched(direct, "direct")
    many = prepare(mysql, "insert into things (id) values (?)")
    c.mysql_stmt_attr_set(many, ARRAY_SIZE, byref(c_uint(3)))
    numbers = (ctypes.c_int32 * 3)(101, 102, 103)
    execute(many, "many", [(LONG, numbers, False)])

# Commands that are no statements.
print("ping", c.mysql_ping(mysql))
print("stat", (c.mysql_stat(mysql) or b"").startswith(b"Uptime"))
print("select db", c.mysql_select_db(mysql, b"information_schema"), c.mysql_select_db(mysql, b"nowhere"),
      c.mysql_errno(mysql), c.mysql_select_db(mysql, b"shop"))
fields = handle(c.mysql_list_fields(mysql, b"things", None))
names = []
while fields.value and (field := c.mysql_fetch_field(fields)):
    names.append(ctypes.string_at(ctypes.cast(field, POINTER(c_void_p))[0]).decode())
print("fields", names)
processes = handle(c.mysql_list_processes(mysql))
print("processes", len(rows_of(processes)) > 0 if processes.value else c.mysql_errno(mysql))
print("one statement at a time", c.mysql_set_server_option(mysql, 1))
query(mysql, "select 1; select 2")
print("several again", c.mysql_set_server_option(mysql, 0))
query(mysql, "select 3; select 4")
query(mysql, "set @kept = 1")
print("reset", c.mysql_reset_connection(mysql))
query(mysql, "select @kept")
print("change user", c.mysql_change_user(mysql, user.encode(), password.encode(), b"shop"))
query(mysql, "select database(), @kept")
query(mysql, "show status like 'Compression'")

# Connections are stopped by the number that this client knows.
other = connect()
print("the same number", c.mysql_thread_id(other) == c.mysql_thread_id(mysql))
print("kill", c.mysql_kill(mysql, c_ulong(c.mysql_thread_id(other))))
print("killed", c.mysql_real_query(other, b"select 1", c_ulong(8)) != 0)
query(mysql, "drop table things; drop table kinds; drop procedure two")
c.mysql_close(mysql)
