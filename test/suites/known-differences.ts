/** What the drivers' tests see otherwise through the gate, each with the reason why that is right. */

export type Difference = { readonly suite: string; readonly test: string; readonly why: string };

const userNamesTheTarget =
  "the driver's default database is its user's name, which is `login+target` here; the gate opens the login's";
const accountStays =
  "the account of a session does not change: COM_CHANGE_USER to another login needs another connection";

export const knownDifferences: readonly Difference[] = [
  { suite: "postgres", test: "Uses default database without slash", why: userNamesTheTarget },
  { suite: "postgres", test: "Uses default database with slash", why: userNamesTheTarget },
  ...["mariadb", "mysql"].flatMap((server) =>
    [
      "global/integration/connection/test-change-user-plugin-auth.test.mts",
      "global/integration/connection/test-change-user.test.mts",
      "global/integration/pool/test-pool-change-user-isolation.test.mts",
      "global/integration/promise-wrappers/test-promise-wrapper-change-user.test.mts",
    ].map((test) => ({ suite: `mysql2 on ${server}`, test, why: accountStays })),
  ),
];
