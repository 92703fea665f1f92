import { actionGroups } from "./actions.ts";

/** Some of a few names, each with what it means. */
export function Checks({
  legend,
  options,
  chosen,
  onChange,
}: {
  legend: string;
  options: readonly { value: string; means?: string }[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  return (
    <fieldset className="grid content-start gap-1">
      <legend className="mb-1 text-xs font-medium text-soft">{legend}</legend>
      {options.map(({ value, means }) => (
        <label key={value} className="flex items-baseline gap-2">
          <input
            type="checkbox"
            className="translate-y-0.5 accent-accent"
            checked={chosen.includes(value)}
            onChange={(event) =>
              onChange(event.target.checked ? [...chosen, value] : chosen.filter((one) => one !== value))
            }
          />
          <span>
            {means ?? value}
            {means !== undefined && <code className="ml-1.5 font-mono text-2xs text-faint">{value}</code>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** Which actions, by what they are about. */
export function ActionChecks({
  chosen,
  without,
  onChange,
}: {
  chosen: readonly string[];
  without?: readonly string[] | undefined;
  onChange: (chosen: string[]) => void;
}) {
  return (
    <div className="grid gap-4">
      {actionGroups.map(({ name, actions }) => (
        <Checks
          key={name}
          legend={name}
          options={Object.entries(actions)
            .filter(([value]) => without?.includes(value) !== true)
            .map(([value, means]) => ({ value, means }))}
          chosen={chosen}
          onChange={onChange}
        />
      ))}
    </div>
  );
}
