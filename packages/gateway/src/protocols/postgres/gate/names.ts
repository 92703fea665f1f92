/** A meaning that was asked for, until the server has said whether it took it. */
export type Naming = { agreed(): void; refused(): void };

type Asked<Meaning> = { meaning: Meaning | undefined; syncs: number };

/**
 * What the names of prepared statements, or of portals, mean. A client asks for a meaning (Parse, Bind), or for none (Close), and
 * goes on as if it had it; the server may refuse that, or pass it over behind an error, and then the name means what it meant
 * before (§55.2.3).
 */
export class Names<Meaning> {
  readonly #names = new Map<string, { agreed: Meaning | undefined; asked: Asked<Meaning>[] }>();

  /** As whoever asks now means it. */
  get(name: string): Meaning | undefined {
    const known = this.#names.get(name);
    const last = known?.asked.at(-1);
    return last ? last.meaning : known?.agreed;
  }

  /** All that it may turn out to mean. */
  meanings(name: string): Meaning[] {
    const { agreed, asked = [] } = this.#names.get(name) ?? {};
    return [agreed, ...asked.map(({ meaning }) => meaning)].filter((one) => one !== undefined);
  }

  /** `syncs`: those that were asked before. */
  ask(name: string, meaning: Meaning | undefined, syncs: number): Naming {
    let known = this.#names.get(name);
    if (!known) this.#names.set(name, (known = { agreed: undefined, asked: [] }));
    const { asked } = known;
    const mine = { meaning, syncs };
    asked.push(mine);
    const decided = () => {
      asked.splice(asked.indexOf(mine), 1);
      if (asked.length === 0 && known.agreed === undefined) this.#names.delete(name);
    };
    return {
      agreed() {
        known.agreed = meaning;
        decided();
      },
      refused: decided,
    };
  }

  /**
   * Whether nobody can say yet what the name means. Straight behind a meaning that is refused the server passes over what uses
   * it; but behind a Sync that came after, it would run that under the meaning before.
   */
  isOpen(name: string, syncs: number): boolean {
    const last = this.#names.get(name)?.asked.at(-1);
    return last !== undefined && last.syncs < syncs;
  }
}
