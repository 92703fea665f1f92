import { isUtf8 } from "node:buffer";
import { isGatehouseError } from "@gatehouse/kernel";
import {
  type FrameKind,
  type Query,
  type QuerySecret,
  type QueryValue,
  encodeQuery,
  encodeQueryOutcome,
  encodeQuerySecret,
  queryLimits,
  valueText,
} from "@gatehouse/recording";
import {
  ContentDigest,
  KeptCopy,
  type TextSecrets,
  digested,
  maskedValues,
  textSecrets,
} from "../../../passage/mod.ts";
import type { StatementRules, StatementVerdict } from "../../../statements/mod.ts";
import type { Capabilities } from "../wire/capabilities.ts";
import { readText } from "../wire/fields.ts";
import {
  type ServerError,
  command,
  commandName,
  decodeFetch,
  decodeLongData,
  decodeNumber,
  isAnswered,
} from "../wire/messages.ts";
import {
  type Parameter,
  decodeBulk,
  decodeExecute,
  decodeQuery,
  inferredParameters,
  lastPrepared,
  statementIdOf,
} from "../wire/parameters.ts";
import { type Treatment, broken } from "../wire/packets.ts";
import type { Answers, FileAsked } from "./answers.ts";
import { deniedError, kindsOfCommands, unknownStatement } from "./denied-command.ts";
import { type ConnectionNames, renamedKill } from "./kill.ts";
import type { PreparedStatement, PreparedStatements } from "./prepared.ts";
import { LongData, recordedParameters, recordedStatement } from "./recorded-parameters.ts";

/** What becomes of a command that was looked at. */
export type Verdict =
  | { type: "pass" }
  /** This goes to the target in its place. */
  | { type: "replace"; payload: Uint8Array }
  /** The gate answers it, in its turn. */
  | { type: "refuse" }
  /** It has no answer, and goes nowhere. */
  | { type: "drop" }
  /** It waits until somebody else has decided; then it is one of the others. */
  | WaitingCommand
  | { type: "change-user" }
  | { type: "quit" };

/** A command that is recorded, and run only when somebody else has approved it. */
export type WaitingCommand = {
  type: "review";
  verdict: StatementVerdict;
  statement: number;
  /** As the recording shows it. */
  text: string;
  approved(): Verdict;
  refused(error: ServerError): Verdict;
};

const op = "mysql.client";
const pass: Verdict = { type: "pass" };
const shownCharsMax = 32 * 1024;

/** COM_... that change no data and ask nothing about them; each is answered by one message. */
const one: ReadonlySet<number> = new Set([
  command.initDb,
  command.createDb,
  command.dropDb,
  command.refresh,
  command.shutdown,
  command.statistics,
  command.debug,
  command.setOption,
  command.resetStatement,
  command.resetConnection,
]);
const byNumber: ReadonlySet<number> = new Set([command.refresh, command.shutdown, command.setOption]);
/** Those begin with the number of what was prepared. */
const ofPrepared: ReadonlySet<number> = new Set([
  command.execute,
  command.executeBulk,
  command.fetch,
  command.sendLongData,
  command.closeStatement,
  command.resetStatement,
]);
/** Those make a replica of the client. */
const replication: ReadonlySet<number> = new Set([
  command.binlogDump,
  command.binlogDumpGtid,
  command.tableDump,
  command.registerReplica,
]);

/** Follows what the client sends, command by command, and records each before it may pass. */
export class Commands {
  readonly #record: (kind: FrameKind, data: Uint8Array) => Promise<void>;
  readonly #answers: Answers;
  readonly #capabilities: Capabilities;
  readonly #statements: PreparedStatements;
  readonly #connections: ConnectionNames;
  readonly #localFiles: boolean;
  readonly #rules: StatementRules | undefined;
  readonly #denied: ((fields: Record<string, unknown>) => Promise<void>) | undefined;
  #count = 0;
  /** Of the messages that are being looked at; recorded together. */
  #asked: Promise<void>[] = [];
  #file: (FileAsked & { digest: ContentDigest; sequence: number }) | undefined;
  readonly #keptFile: KeptCopy | undefined;

  constructor(options: {
    record(kind: FrameKind, data: Uint8Array): Promise<void>;
    answers: Answers;
    capabilities: Capabilities;
    statements: PreparedStatements;
    connections: ConnectionNames;
    localFiles: boolean;
    /** How much of each file is kept. */
    keepFileBytes: number;
    rules?: StatementRules;
    /** Writes it to the audit log. */
    denied?(fields: Record<string, unknown>): Promise<void>;
  }) {
    const { record, keepFileBytes } = options;
    if (keepFileBytes > 0) this.#keptFile = new KeptCopy(keepFileBytes, "in", record);
    this.#record = record;
    this.#answers = options.answers;
    this.#capabilities = options.capabilities;
    this.#statements = options.statements;
    this.#connections = options.connections;
    this.#localFiles = options.localFiles;
    this.#rules = options.rules;
    this.#denied = options.denied;
  }

  /** The server has asked for a file of the client's, and the end of it has not come. */
  get isInFile(): boolean {
    return this.#file !== undefined || this.#answers.fileAsked !== undefined;
  }

  /** A message begins. Whether it is a command, to be taken whole; the contents of a file pass. */
  begins(bytes: number, sequence: number): Treatment {
    const asked = this.#answers.fileAsked;
    if (asked && !this.#file) this.#file = { ...asked, digest: new ContentDigest(), sequence };
    if (!this.#file) {
      if (sequence !== 0) throw broken(op, `a command with the number ${sequence}`);
      return "whole";
    }
    // A command that was on its way when the server asked for the file would be read as a part of it.
    if (sequence !== this.#file.sequence) throw broken(op, "something else than the file was sent");
    this.#file.sequence = (sequence + 1 + Math.floor(bytes / 0xff_ffff)) & 0xff;
    if (bytes === 0) this.#fileEnded();
    return "pass";
  }
  /** A piece of a file. */
  content(piece: Uint8Array): void {
    const file = this.#file;
    if (!file) return;
    file.digest.update(piece);
    if (!file.masked) this.#keptFile?.add(file.statement, piece);
  }

  /** Throws `protocol` for what no client may send now. */
  ask(payload: Uint8Array): Verdict {
    const first = payload[0] ?? -1;
    // MariaDB's clients go on with what they prepared last without waiting whether it was: the server would take another.
    if (this.#statements.lastRefused && ofPrepared.has(first) && statementIdOf(payload) === lastPrepared)
      return isAnswered(first) ? this.refuse(payload, unknownStatement) : { type: "drop" };
    if (ofPrepared.has(first)) this.#mustBeNumbered(statementIdOf(payload));
    switch (first) {
      case command.quit:
        return { type: "quit" };
      case command.query:
        return this.#queried(payload);
      case command.prepare:
        return this.#prepared(payload);
      case command.execute:
        return this.#executed(payload);
      case command.executeBulk:
        return this.#executedBulk(payload);
      case command.fetch:
        this.#fetched(payload);
        return pass;
      case command.sendLongData: {
        const { id, parameter, data } = decodeLongData(payload);
        const prepared = this.#statements.get(id);
        if (!prepared) return pass;
        let long = prepared.long.get(parameter);
        if (!long) prepared.long.set(parameter, (long = new LongData()));
        long.add(data);
        return pass;
      }
      case command.closeStatement: {
        const prepared = this.#statements.get(decodeNumber(payload));
        if (prepared) this.#statements.close(prepared);
        return pass;
      }
      case command.ping:
        this.#answers.owe({ what: "one", statement: 0 });
        return pass;
      case command.fieldList:
        this.#answers.owe({ what: "fields", statement: this.#called(first, argument(payload)) });
        return pass;
      case command.processInfo:
        this.#answers.owe({ what: "rows", statement: this.#called(first) });
        return pass;
      case command.processKill:
        return this.#killed(payload);
      case command.changeUser:
        this.#statements.clear();
        this.#answers.owe({ what: "one", statement: this.#called(first) });
        return { type: "change-user" };
      default:
        return this.#other(first, payload);
    }
  }

  /** No client knows a number before the server has told it; one that guesses would run what nobody has judged. */
  #mustBeNumbered(id: number): void {
    if (id !== lastPrepared && !this.#statements.get(id) && this.#answers.isPreparing)
      throw broken(op, `the statement ${id} was named before the server gave it that number`);
  }

  /** Resolves when all that was asked since the last call is durable; undefined where nothing was recorded. */
  asked(): Promise<unknown> | undefined {
    if (this.#keptFile) this.#asked.push(...this.#keptFile.kept());
    const kept = this.#asked.splice(0);
    return kept.length > 1 ? Promise.all(kept) : kept[0];
  }

  /** The session begins in this database. */
  async connected(database: string): Promise<void> {
    const statement = this.#query({
      type: "call",
      name: "CONNECT",
      values: [{ text: database.slice(0, 1024).toWellFormed() }],
    });
    const outcome = { statement, durationUs: 0, final: true, results: [{ tag: "OK" }] };
    await Promise.all([this.asked(), this.#record("query.outcome", encodeQueryOutcome(outcome))]);
  }

  #queried(payload: Uint8Array): Verdict {
    const { attributes, text: bytes } = decodeQuery(payload, this.#capabilities);
    const asked = readText(bytes);
    const verdict = this.#rules?.ofText(asked);
    if (verdict?.action === "deny") return this.#refuseText({ type: "simple" }, bytes, verdict);
    const killing = renamedKill(asked, this.#connections);
    const renamed = killing !== undefined && isUtf8(bytes) ? killing : undefined;
    const text = renamed ?? asked;
    const { statement, secrets } = this.#texted(
      {
        type: "simple",
        ...(attributes.length > 0 && { values: recordedParameters(attributes, undefined) }),
      },
      renamed === undefined ? recordedStatement(bytes) : { text: renamed },
    );
    const loads = this.#localFiles && /\bload\b/i.test(text);
    const masked = secrets !== undefined;
    const head = payload.subarray(0, payload.length - bytes.length);
    const passing: Verdict =
      renamed === undefined
        ? pass
        : { type: "replace", payload: Buffer.concat([head, Buffer.from(renamed)]) };
    return this.#run(
      { what: "rows", statement, ...(loads && { loads }), ...(masked && { masked }) },
      verdict && { verdict, text: secrets?.query.text ?? text },
      passing,
    );
  }

  #prepared(payload: Uint8Array): Verdict {
    const slot = this.#statements.freeSlot();
    const verdict = this.#rules?.ofText(readText(payload.subarray(1)));
    if (verdict?.action === "deny") {
      this.#statements.lastRefused = true;
      return this.#refuseText({ type: "prepare", name: String(slot) }, payload.subarray(1), verdict);
    }
    const { statement, secrets } = this.#texted(
      { type: "prepare", name: String(slot) },
      recordedStatement(payload.subarray(1)),
    );
    const prepared = this.#statements.open(statement, secrets?.parameters);
    if (verdict) prepared.review = { verdict, text: secrets?.query.text ?? readText(payload.subarray(1)) };
    this.#answers.owe({ what: "prepare", statement, prepared, ...(secrets && { masked: true }) });
    return pass;
  }

  #executed(payload: Uint8Array): Verdict {
    const prepared = this.#statements.get(statementIdOf(payload));
    const execution = understood(() =>
      decodeExecute(payload, this.#capabilities, {
        parameters: prepared?.parameters ?? inferredParameters(payload, this.#capabilities, prepared?.types),
        types: prepared?.types,
        isLong: (i) => prepared?.long.has(i) ?? false,
      }),
    );
    if (prepared && execution) prepared.types = execution.types;
    const values = recordedParameters(execution?.parameters ?? [unread(payload)], prepared?.long);
    const run = this.#valued({ type: "execute", ...of(prepared) }, values, prepared);
    if (prepared) prepared.kept = { rows: 0 };
    return this.#execution(run, prepared);
  }

  #executedBulk(payload: Uint8Array): Verdict {
    const prepared = this.#statements.get(statementIdOf(payload));
    const bulk = understood(() =>
      decodeBulk(
        payload,
        {
          parameters: prepared?.parameters ?? inferredParameters(payload, this.#capabilities, undefined),
          types: prepared?.types,
        },
        queryLimits.valuesMax,
      ),
    );
    if (prepared && bulk) prepared.types = bulk.types;
    const run = this.#valued(
      { type: "execute", ...of(prepared), ...(bulk?.more === true && digested(payload)) },
      recordedParameters(bulk?.rows ?? [unread(payload)], undefined),
      prepared,
    );
    return this.#execution(run, prepared);
  }
  #execution(
    { statement, shown }: { statement: number; shown: readonly QueryValue[] },
    prepared: PreparedStatement | undefined,
  ): Verdict {
    const review = prepared?.review && {
      verdict: prepared.review.verdict,
      text: [prepared.review.text, ...shown.map((value, i) => `?${i + 1} = ${valueText(value)}`)].join("\n"),
    };
    return this.#run(
      {
        what: "rows",
        statement,
        masked: prepared?.secrets !== undefined,
        ...(prepared && { execution: prepared }),
      },
      review,
      pass,
    );
  }
  /**
   * An execution that the gate answers. What was sent ahead of it is at the server, which forgets it with an execution, and
   * would put what the client sends next behind it: it is told to forget it, and answers with a yes that becomes the refusal.
   */
  #unexecuted(statement: number, error: ServerError, prepared: PreparedStatement | undefined): Verdict {
    if (!prepared || prepared.long.size === 0) {
      this.#answers.owe({ what: "refused", statement, error });
      return { type: "refuse" };
    }
    prepared.long.clear();
    this.#answers.owe({ what: "one", statement, error });
    return { type: "replace", payload: numbered(command.resetStatement, prepared.id ?? lastPrepared) };
  }

  /** It is run at once, or when somebody else has approved it. */
  #run(owed: Parameters<Answers["owe"]>[0], review: PreparedStatement["review"], passing: Verdict): Verdict {
    const { execution } = owed;
    const approved = () => {
      // The server forgets it with the execution.
      execution?.long.clear();
      this.#answers.owe(owed);
      return passing;
    };
    if (!review) return approved();
    return {
      type: "review",
      verdict: review.verdict,
      statement: owed.statement,
      text: review.text.slice(0, shownCharsMax).toWellFormed(),
      approved,
      refused: (error) => {
        const verdict = this.#unexecuted(owed.statement, error, execution);
        this.#note(review.verdict, owed.statement);
        return verdict;
      },
    };
  }

  #fetched(payload: Uint8Array): void {
    const { id, rows } = decodeFetch(payload);
    const prepared = this.#statements.get(id);
    const statement = this.#query({ type: "execute", ...of(prepared), rowsMax: rows });
    this.#answers.owe({
      what: "fetch",
      statement,
      masked: prepared?.secrets !== undefined,
      ...(prepared && { execution: prepared }),
    });
  }

  #killed(payload: Uint8Array): Verdict {
    const refusal = this.#rules?.ofParts([{ kind: "maintenance", objects: [] }]);
    if (refusal) {
      const verdict = this.refuse(payload, deniedError(refusal));
      this.#note(refusal);
      return verdict;
    }
    const asked = decodeNumber(payload);
    const id = this.#connections.targetIdOf(asked) ?? asked;
    this.#answers.owe({ what: "one", statement: this.#called(command.processKill, String(id)) });
    if (id === asked) return pass;
    return { type: "replace", payload: numbered(command.processKill, id) };
  }

  #other(first: number, payload: Uint8Array): Verdict {
    const kind = kindsOfCommands.get(first);
    const refusal = kind && this.#rules?.ofParts([{ kind, objects: [argument(payload).toLowerCase()] }]);
    if (refusal) {
      const verdict = this.refuse(payload, deniedError(refusal));
      this.#note(refusal);
      return verdict;
    }
    if (one.has(first)) {
      if (first === command.resetStatement) {
        this.#statements.get(decodeNumber(payload))?.long.clear();
        this.#answers.owe({ what: "one", statement: 0 });
        return pass;
      }
      if (first === command.resetConnection) this.#statements.clear();
      // These say what they mean by a number.
      const shown = byNumber.has(first) ? [...payload.subarray(1, 2)].join("") : argument(payload);
      this.#answers.owe({ what: "one", statement: this.#called(first, shown) });
      return pass;
    }
    return this.refuse(payload, {
      code: replication.has(first) ? 1227 : 1148,
      sqlState: "42000",
      message: replication.has(first)
        ? "replication does not pass this gate"
        : `the command ${commandName(first)} does not pass this gate`,
    });
  }

  /** A text that a rule denies: recorded, and answered in its turn. */
  #refuseText(query: Omit<Query, "statement">, bytes: Uint8Array, refusal: StatementVerdict): Verdict {
    const { statement } = this.#texted(query, recordedStatement(bytes));
    this.#answers.owe({ what: "refused", statement, error: deniedError(refusal) });
    this.#note(refusal);
    return { type: "refuse" };
  }
  /** Of the statement that was recorded last. Its answer waits for the audit log. */
  #note({ rule, kind }: StatementVerdict, statement = this.#count): void {
    const noted = this.#denied?.({ rule, statement_kind: kind, statement });
    if (!noted) return;
    this.#asked.push(noted);
    this.#answers.noted(noted);
  }

  /** Recorded as asked, and answered by the gate. */
  refuse(payload: Uint8Array, error: ServerError): Verdict {
    const first = payload[0] ?? -1;
    if (first === command.prepare) this.#statements.lastRefused = true;
    const executes = first === command.execute || first === command.executeBulk;
    const prepared = executes ? this.#statements.get(statementIdOf(payload)) : undefined;
    return this.#unexecuted(this.#called(first), error, prepared);
  }

  #fileEnded(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    this.#answers.fileAsked = undefined;
    if (this.#keptFile) {
      this.#keptFile.ended();
      this.#asked.push(...this.#keptFile.kept());
    }
    this.#query({
      type: "copy",
      of: file.statement,
      name: file.name.slice(0, 1024).toWellFormed(),
      ...file.digest.done(),
    });
  }

  #called(first: number, shown = ""): number {
    return this.#query({
      type: "call",
      name: commandName(first),
      ...(shown !== "" && { values: [{ text: shown.slice(0, 1024).toWellFormed() }] }),
    });
  }

  /** A text, without what of it is secret; that stands before it, for those who may read what was typed. */
  #texted(
    query: Omit<Query, "statement">,
    recorded: ReturnType<typeof recordedStatement>,
  ): { statement: number; secrets?: TextSecrets } {
    const secrets = textSecrets(recorded, "mysql");
    if (!secrets) return { statement: this.#query({ ...query, ...recorded }) };
    this.#secret(secrets.secret);
    return { statement: this.#query({ ...query, ...secrets.query }), secrets };
  }
  /** Where the gate could not tell one value from another, none is shown that may be a secret. */
  #valued(
    query: Omit<Query, "statement">,
    values: QueryValue[],
    prepared: PreparedStatement | undefined,
  ): { statement: number; shown: readonly QueryValue[] } {
    if (values.length === 0) return { statement: this.#query(query), shown: [] };
    if (!prepared?.secrets || prepared.secrets.size === 0)
      return { statement: this.#query({ ...query, values }), shown: values };
    this.#secret({ values });
    const { parameters: width } = prepared;
    const shown =
      width === undefined || values.length % width !== 0
        ? values.map(() => ({ masked: true as const }))
        : maskedValues(values, prepared.secrets, width);
    return { statement: this.#query({ ...query, values: shown, masked: true }), shown };
  }
  /** Of the query that is recorded next. */
  #secret(secret: Omit<QuerySecret, "statement">): void {
    this.#asked.push(
      this.#record("query.secret", encodeQuerySecret({ statement: this.#count + 1, ...secret })),
    );
  }

  #query(query: Omit<Query, "statement">): number {
    const statement = ++this.#count;
    this.#asked.push(this.#record("query", encodeQuery({ statement, ...query })));
    return statement;
  }
}

/** What was read; nothing where it does not fit: all of its bytes are recorded then, and the server says what it thinks. */
function understood<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isGatehouseError(error, "protocol")) return undefined;
    throw error;
  }
}

const of = (prepared: PreparedStatement | undefined) => (prepared ? { of: prepared.statement } : {});

/** A command that is about something with a number. */
function numbered(first: number, id: number): Uint8Array {
  const payload = Buffer.alloc(5);
  payload[0] = first;
  payload.writeUInt32LE(id, 1);
  return payload;
}

function argument(payload: Uint8Array): string {
  return readText(payload.subarray(1)).replaceAll("\0", " ").trim();
}

function unread(payload: Uint8Array): Parameter {
  return { type: 0xfc, name: "", value: { bytes: payload } };
}
