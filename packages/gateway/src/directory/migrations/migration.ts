/** One step of the schema. Once released it never changes: its checksum is in every database that took it. */
export type Migration = {
  /** `0001-first`: the number is the order. */
  id: string;
  /** Portable between SQLite and PostgreSQL. */
  statements: readonly string[];
  /** What only PostgreSQL needs: SQLite's columns take any number, and cannot be changed. */
  postgresStatements?: readonly string[];
};
