import type { StatementRefusal, StatementRules } from "../../../statements/mod.ts";
import {
  decodeParse,
  decodeQuery,
  encodeErrorResponse,
  encodeMessage,
  frontend,
  zeroTerminated,
} from "../wire/messages.ts";
import type { Piece } from "../wire/splitter.ts";

/** A message that does not pass, and what goes to the server in its place. */
export type RefusedPiece = {
  /** For the client, in place of the server's error. */
  error: { severity: "ERROR"; code: string; message: string; hint: string };
  instead: Uint8Array;
  /** For the audit log. */
  fields: { rule: string; statement_kind: string };
};

/**
 * What a target's rules say to a message. A text that is denied is replaced by one that no server can parse: so its error
 * comes in its turn, undoes the transaction and passes over what was sent behind it, exactly as the client expects of an
 * error (§55.2.3), and client and server stay of one mind. The words of the error are the gate's.
 */
export function refusedPiece(piece: Piece, rules: StatementRules): RefusedPiece | undefined {
  switch (piece.type) {
    case frontend.query: {
      const refusal = rules.ofText(decodeQuery(piece.body).text);
      return refusal && refused(refusal, encodeMessage(frontend.query, unparsable(refusal)));
    }
    case frontend.parse: {
      const { name, text } = decodeParse(piece.body);
      const refusal = rules.ofText(text);
      const noTypes = new Uint8Array(2);
      return (
        refusal &&
        refused(refusal, encodeMessage(frontend.parse, zeroTerminated(name), unparsable(refusal), noTypes))
      );
    }
    case frontend.functionCall: {
      // By its number alone: which function that is, nobody here knows.
      const refusal = rules.ofParts([{ kind: "unclassified", objects: [] }]);
      return refusal && refused(refusal, encodeMessage(frontend.query, unparsable(refusal)));
    }
    default:
      return undefined;
  }
}

function refused({ rule, kind, message, hint }: StatementRefusal, instead: Uint8Array): RefusedPiece {
  // PostgreSQL appendix A: 42501 is insufficient_privilege.
  return {
    error: { severity: "ERROR", code: "42501", message, hint },
    instead,
    fields: { rule, statement_kind: kind },
  };
}
const unparsable = ({ rule }: StatementRefusal) => zeroTerminated(`denied by gatehouse: rule ${rule}`);

export function deniedResponse({ error }: RefusedPiece): Uint8Array {
  return encodeErrorResponse(error);
}
