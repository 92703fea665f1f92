import { useQuery } from "@tanstack/react-query";
import { queries } from "../gateway.ts";

export function RoleChoice({
  roles,
  isDisabled = false,
  onChange,
}: {
  roles: readonly string[];
  isDisabled?: boolean;
  onChange: (roles: string[]) => void;
}) {
  const me = useQuery(queries.me);
  const all = useQuery({ ...queries.roles, enabled: me.data?.may.includes("role.read") ?? false });
  // Those that somebody has are shown even where the list may not be read.
  const shown = all.data?.items ?? roles.map((name) => ({ name, description: "" }));
  return (
    <fieldset disabled={isDisabled} className="grid gap-1">
      <legend className="mb-1 text-xs font-medium text-soft">Roles</legend>
      {shown.map(({ name, description }) => (
        <label key={name} className="flex items-baseline gap-2">
          <input
            type="checkbox"
            className="translate-y-0.5 accent-accent"
            checked={roles.includes(name)}
            onChange={(event) =>
              onChange(event.target.checked ? [...roles, name] : roles.filter((one) => one !== name))
            }
          />
          <span>
            {name} <span className="text-faint">{description}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
