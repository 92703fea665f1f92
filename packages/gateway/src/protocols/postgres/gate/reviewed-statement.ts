import { type QueryValue, valueText } from "@gatehouse/recording";
import { recordedText, textSecrets } from "../../../passage/mod.ts";
import type { StatementVerdict } from "../../../statements/mod.ts";

/** A statement that is run only when somebody else has approved it. */
export type Reviewed = {
  verdict: StatementVerdict;
  /** As the recording shows it. */
  text: string;
  /** What the database is asked about; undefined where its plan would show what the text does not. */
  asked: Explained | undefined;
};
/** As Parse and Bind have them (§55.7). */
export type Explained = {
  text: string;
  types: readonly number[];
  formats: readonly number[];
  values: readonly (Uint8Array | undefined)[];
};

const shownCharsMax = 32 * 1024;

export function reviewed(verdict: StatementVerdict, text: string, types: readonly number[]): Reviewed {
  const recorded = recordedText(text);
  const secrets = textSecrets(recorded, "postgres");
  const isWhole = recorded.sha256 === undefined && !secrets;
  return {
    verdict,
    text: (secrets?.query.text ?? recorded.text).slice(0, shownCharsMax).toWellFormed(),
    asked: isWhole ? { text, types, formats: [], values: [] } : undefined,
  };
}

/** A statement that runs another under its name: that needs the approval, and both are shown. */
export function runBy(text: string, { verdict, text: run }: Reviewed): Reviewed {
  const { text: shown } = reviewed(verdict, text, []);
  return { verdict, text: `${shown}\n${run}`.slice(0, shownCharsMax).toWellFormed(), asked: undefined };
}

/** The same, with the values that it is to be run with. `shown` as they are recorded. */
export function withValues(
  { verdict, text, asked }: Reviewed,
  bound: Pick<Explained, "formats" | "values">,
  shown: readonly QueryValue[],
): Reviewed {
  const values = shown.map((value, i) => `$${i + 1} = ${valueText(value)}`).join("\n");
  return {
    verdict,
    text: (values === "" ? text : `${text}\n${values}`).slice(0, shownCharsMax).toWellFormed(),
    asked: asked && { ...asked, ...bound },
  };
}
