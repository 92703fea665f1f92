import type { NamedRun, StatementRules, StatementVerdict } from "../../../statements/mod.ts";
import {
  decodeParse,
  decodeQuery,
  encodeErrorResponse,
  encodeMessage,
  frontend,
  zeroTerminated,
} from "../wire/messages.ts";
import type { Piece } from "../wire/splitter.ts";
import { type Reviewed, reviewed } from "./reviewed-statement.ts";

/** A message that does not pass, and what goes to the server in its place. */
export type RefusedPiece = {
  /** For the client, in place of the server's error. */
  error: { severity: "ERROR"; code: string; message: string; hint: string };
  instead: Uint8Array;
  /** For the audit log. */
  fields: { rule: string; statement_kind: string };
};

/**
 * What a target's rules say to a message: it does not pass, it waits for an approval, or, where it only prepares a statement,
 * each execution of that will, by itself or for what it runs under a name.
 */
export type Judged = {
  refused?: RefusedPiece;
  review?: Reviewed;
  later?: Reviewed;
  runs?: Runs;
};
/** A text, and what stands under names of the session when it is run. */
export type Runs = { text: string; names: readonly NamedRun[] };

/** `reviewOfRun`: whether what stands under names waits for an approval. */
export function judge(
  piece: Piece,
  rules: StatementRules,
  reviewOfRun: (runs: Runs) => Reviewed | undefined,
): Judged | undefined {
  switch (piece.type) {
    case frontend.query: {
      const { text } = decodeQuery(piece.body);
      const { verdict, names } = judgedText(text, rules);
      if (verdict?.action === "approve") return { review: reviewed(verdict, text, []) };
      if (verdict) return { refused: refusedPiece(piece, verdict) };
      const review = reviewOfRun({ text, names });
      return review && { review };
    }
    case frontend.parse: {
      const { text, types } = decodeParse(piece.body);
      const { verdict, names } = judgedText(text, rules);
      if (verdict?.action === "approve") return { later: reviewed(verdict, text, types) };
      if (verdict) return { refused: refusedPiece(piece, verdict) };
      return names.length > 0 ? { runs: { text, names } } : undefined;
    }
    case frontend.functionCall: {
      // By its number alone: which function that is, nobody here knows.
      const verdict = rules.ofParts([{ kind: "unclassified", objects: [] }]);
      if (verdict?.action === "approve")
        return { review: { verdict, text: "a function, called by its number", asked: undefined } };
      return verdict && { refused: refusedPiece(piece, verdict) };
    }
    default:
      return undefined;
  }
}

function judgedText(text: string, rules: StatementRules) {
  const parts = rules.read(text);
  return { verdict: rules.ofParts(parts), names: parts.flatMap((part) => part.runs ?? []) };
}

/**
 * A text that does not pass is replaced by one that no server can parse: so its error comes in its turn, undoes the
 * transaction and passes over what was sent behind it, exactly as the client expects of an error (§55.2.3), and client and
 * server stay of one mind. The words of the error are the gate's. `why`: where it is not the rule's own.
 */
export function refusedPiece(
  { type, body }: Pick<Piece, "type" | "body">,
  { rule, kind, message, hint }: StatementVerdict,
  why?: { code: string; message: string },
): RefusedPiece {
  const unparsable = zeroTerminated(`denied by gatehouse: rule ${rule}`);
  // What is executed is prepared already, perhaps under no name: that must stay as it is.
  const name = type === frontend.parse ? decodeParse(body).name : "gatehouse_denied";
  const isSimple = type === frontend.query || type === frontend.functionCall;
  return {
    // PostgreSQL appendix A: 42501 is insufficient_privilege.
    error: { severity: "ERROR", code: "42501", message, hint, ...why },
    instead: isSimple
      ? encodeMessage(frontend.query, unparsable)
      : encodeMessage(frontend.parse, zeroTerminated(name), unparsable, new Uint8Array(2)),
    fields: { rule, statement_kind: kind },
  };
}

export function deniedResponse({ error }: RefusedPiece): Uint8Array {
  return encodeErrorResponse(error);
}
