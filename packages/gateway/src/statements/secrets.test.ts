import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maskSecrets, withoutQuoted } from "./secrets.ts";
import { type Dialect, tokens } from "./tokens.ts";

const masked = (text: string, dialect: Dialect = "postgres") => maskSecrets(text, dialect)?.text;

test("PostgreSQL's secrets are masked, and the rest of the statement stands", () => {
  for (const [text, expected] of [
    [
      "alter role app password 's3cret' valid until 'infinity'",
      "alter role app password '***' valid until 'infinity'",
    ],
    ["CREATE USER a ENCRYPTED PASSWORD E'it\\'s' LOGIN", "CREATE USER a ENCRYPTED PASSWORD '***' LOGIN"],
    ["alter role a password'x'", "alter role a password'***'"],
    ["alter role a password $tag$it's$tag$", "alter role a password '***'"],
    [
      "create subscription s connection 'host=h user=u password=p' publication p",
      "create subscription s connection '***' publication p",
    ],
    [
      "create user mapping for a server s options (user 'u', password 'p')",
      "create user mapping for a server s options (user 'u', password '***')",
    ],
    [
      "select * from dblink('dbname=x ' || $1, 'select 1') as t(a int)",
      "select * from dblink('***' || $1, 'select 1') as t(a int)",
    ],
    ["select dblink_connect('c', 'host=h')", "select dblink_connect('***', '***')"],
    [
      "update users set password = crypt('x', gen_salt('bf')), name = 'n'",
      "update users set password = crypt('***', gen_salt('***')), name = 'n'",
    ],
    ["set app.jwt_secret to 'x'", "set app.jwt_secret to '***'"],
    ["do $$begin execute 'alter role a password ''x'''; end$$", "do $$begin execute '***'; end$$"],
    ["do $$begin alter role a password 'x'; end$$", "do $$begin alter role a password '***'; end$$"],
    ["select 1 /* alter role a password 'x' */", "select 1 /* alter role a password '***' */"],
    ["copy t from program 'curl https://u:p@h/'", "copy t from program '***'"],
    ["select 1 where \"Password\" = $$x$$ and b = 'y'", "select 1 where \"Password\" = '***' and b = 'y'"],
    ["select 1; alter role a password 'x", "select 1; alter role a password '***'"],
  ] as const)
    assert.equal(masked(text), expected);
});

test("MySQL's and MariaDB's too", () => {
  for (const [text, expected] of [
    [
      "create user 'a'@'%' identified by 'x', 'b'@'h' identified with p as \"y\" require issuer 'i'",
      "create user 'a'@'%' identified by '***', 'b'@'h' identified with p as '***' require issuer 'i'",
    ],
    ["set password for 'a'@'h' = 'x'", "set password for 'a'@'h' = '***'"],
    ["SET PASSWORD = PASSWORD('x')", "SET PASSWORD = PASSWORD('***')"],
    [
      "alter user a identified via ed25519 using password('x') or unix_socket",
      "alter user a identified via ed25519 using password('***') or unix_socket",
    ],
    [
      "grant all on *.* to a identified by password '*AB'",
      "grant all on *.* to a identified by password '***'",
    ],
    [
      "change master to master_host='h', master_password='x', master_port=1",
      "change master to master_host='h', master_password='***', master_port=1",
    ],
    [
      "create table t (a int) engine=federated connection='mysql://u:p@h/d/t'",
      "create table t (a int) engine=federated connection='***'",
    ],
    ["set password = _utf8'x'", "set password = '***'"],
    [
      "select /*! password('x') */ 'a' # password 'y'\n, 'b'",
      "select /*! password('***') */ 'a' # password '***'\n, 'b'",
    ],
    ["alter user a identified by 'it\\'s; x' account lock", "alter user a identified by '***' account lock"],
  ] as const)
    assert.equal(masked(text, "mysql"), expected);
});

test("what only looks like one stays", () => {
  for (const text of [
    "select password from users",
    "select 'a password is needed'",
    "alter role a password null",
    "comment on column users.password is null",
    "show password_encryption; set password_encryption = 'md5'",
    "select 'x' as token_kind, connection_id from t where kind = 'y'",
    "alter user a password expire",
  ])
    assert.equal(masked(text), undefined, text);
});

test("parameters that stand for secrets are told by their numbers", () => {
  assert.deepEqual(
    [...(maskSecrets("update u set password = $2, n = $1", "postgres")?.parameters ?? [])],
    [2],
  );
  assert.deepEqual([...(maskSecrets("select ?, password(?), ?", "mysql")?.parameters ?? [])], [2]);
});

test("a server's words about a masked statement lose what they quote", () => {
  assert.equal(
    withoutQuoted("You have an error near 'USERR a IDENTIFIED BY 'x'' at line 1"),
    "You have an error near '***' at line 1",
  );
  assert.equal(withoutQuoted("syntax error at end of input"), "syntax error at end of input");
});

test("tokens cover a text in order, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          "'",
          '"',
          "`",
          "$",
          "$$",
          "$a$",
          "--",
          "/*",
          "*/",
          "\\",
          "\n",
          " ",
          "a",
          "1",
          "?",
          "#",
          ";",
          "ü",
          "password",
        ),
      ),
      fc.constantFrom<Dialect>("postgres", "mysql"),
      (parts, dialect) => {
        const text = parts.join("");
        let at = 0;
        for (const { from, to, innerFrom, innerTo } of tokens(text, dialect)) {
          assert.ok(
            from >= at &&
              to > from &&
              innerFrom >= from &&
              innerTo >= innerFrom &&
              innerTo <= to &&
              to <= text.length,
          );
          assert.equal(text.slice(at, from).trim(), "");
          at = to;
        }
        assert.equal(text.slice(at).trim(), "");
        maskSecrets(text, dialect);
      },
    ),
    { numRuns: 2000 },
  );
});
