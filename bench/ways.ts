/** Comparing ways to one server in one run: interleaved, medians, medians of the ratios, and what each costs its process. */
import { readFileSync } from "node:fs";

export type Measured = { speed: number; amount: number };

export async function compareWays<Way>(options: {
  name: string;
  unit: string;
  rounds: number;
  ways: ReadonlyMap<string, Way>;
  /** Processes whose CPU time is counted, by the name of their way. */
  processes: ReadonlyMap<string, number>;
  /** What each of the gate's ways is set against. */
  against: readonly string[];
  measure(way: Way): Promise<Measured>;
}): Promise<void> {
  const { name, unit, processes } = options;
  const found = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  for (let round = 0; round < options.rounds; round++)
    for (const [way, to] of options.ways) {
      const pid = processes.get(way);
      const before = pid === undefined ? 0 : cpuMs(pid);
      const { speed, amount } = await options.measure(to);
      found.set(way, [...(found.get(way) ?? []), speed]);
      if (pid !== undefined) cpu.set(way, [...(cpu.get(way) ?? []), (cpuMs(pid) - before) / amount]);
    }
  const parts = [...found].map(([way, values]) => {
    const each = cpu.get(way);
    const cost = each ? ` (${median(each).toFixed(3)} ms CPU each)` : "";
    return `${way} ${Math.round(median(values))} ${unit}${cost}`;
  });
  for (const way of ["gate", "memory"])
    for (const to of options.against) {
      const [above, below] = [found.get(way), found.get(to)];
      if (above && below)
        parts.push(`${way}/${to} ${median(above.map((v, i) => v / (below[i] ?? v))).toFixed(2)}`);
    }
  console.log(`${name}: ${parts.join(", ")}`);
}

/** User and system time of a process so far (proc(5): fields 14 and 15, in hundredths of a second). */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
