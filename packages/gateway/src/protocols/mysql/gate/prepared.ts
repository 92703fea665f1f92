import { type ParameterTypes, lastPrepared } from "../wire/parameters.ts";
import type { Counted } from "../../../passage/mod.ts";
import type { StatementVerdict } from "../../../statements/mod.ts";
import type { Column } from "./row-keeper.ts";
import type { LongData } from "./recorded-parameters.ts";

/** A statement that a client prepared, as both directions know it. */
export type PreparedStatement = {
  /** Of its recorded frame. */
  readonly statement: number;
  /** By which recordings know it while it is there: small, and used again. */
  readonly slot: number;
  /** Known when the server has answered. */
  id: number | undefined;
  parameters: number | undefined;
  /** As they were sent last: a client need not repeat them. */
  types: ParameterTypes | undefined;
  /** Its text holds secrets; parameters with these numbers, from 1, stand for some. */
  readonly secrets: ReadonlySet<number> | undefined;
  long: Map<number, LongData>;
  /** Of its result, where rows are kept and they were told. */
  columns?: readonly Column[];
  /** Rows that were kept of its cursor: it is one result, fetched in parts. */
  kept: Counted;
  /** Each execution waits for an approval. */
  review?: { verdict: StatementVerdict; text: string };
  closed: boolean;
};

/** The prepared statements of a connection, by the server's numbers. */
export class PreparedStatements {
  readonly #byId = new Map<number, PreparedStatement>();
  #slotsUsed = 0;
  #slotsFree: number[] = [];
  /** MariaDB's clients execute what they prepared last without waiting for its number. */
  #last: PreparedStatement | undefined;

  /** What was prepared last did not pass: the server would execute another in its place. */
  lastRefused = false;

  /** A slot that is free; `open` takes it. */
  freeSlot(): number {
    return this.#slotsFree.at(-1) ?? this.#slotsUsed + 1;
  }
  open(statement: number, secrets: ReadonlySet<number> | undefined): PreparedStatement {
    const slot = this.#slotsFree.pop() ?? ++this.#slotsUsed;
    this.lastRefused = false;
    this.#last = {
      statement,
      slot,
      id: undefined,
      parameters: undefined,
      types: undefined,
      secrets,
      long: new Map(),
      kept: { rows: 0 },
      closed: false,
    };
    return this.#last;
  }
  answered(prepared: PreparedStatement, id: number, parameters: number): void {
    prepared.id = id;
    prepared.parameters = parameters;
    this.#byId.set(id, prepared);
  }
  get(id: number): PreparedStatement | undefined {
    if (id !== lastPrepared) return this.#byId.get(id);
    return this.lastRefused ? undefined : this.#last;
  }
  close(prepared: PreparedStatement): void {
    if (prepared.closed) return;
    prepared.closed = true;
    this.#slotsFree.push(prepared.slot);
    if (prepared.id !== undefined) this.#byId.delete(prepared.id);
  }
  clear(): void {
    this.#slotsUsed = 0;
    this.#slotsFree = [];
    this.#byId.clear();
    this.#last = undefined;
    this.lastRefused = false;
  }
}
