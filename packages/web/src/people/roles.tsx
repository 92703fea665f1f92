import type { Person } from "@gatehouse/contracts/rest";

type Role = Person["roles"][number];

const roleWords: Record<Role, string> = {
  user: "goes through the gate, sees their own sessions",
  "team-lead": "also sees the sessions of the teams they lead",
  auditor: "sees every session, the audit log and health",
  "security-analyst": "sees every session, the audit log and health",
  "platform-admin": "also manages people and targets",
};
const roleNames = Object.keys(roleWords) as Role[];

export function RoleChoice({
  roles,
  isDisabled = false,
  onChange,
}: {
  roles: readonly Role[];
  isDisabled?: boolean;
  onChange: (roles: Role[]) => void;
}) {
  return (
    <fieldset disabled={isDisabled} className="grid gap-1">
      <legend className="mb-1 text-xs font-medium text-soft">Roles</legend>
      {roleNames.map((role) => (
        <label key={role} className="flex items-baseline gap-2">
          <input
            type="checkbox"
            className="translate-y-0.5 accent-accent"
            checked={roles.includes(role)}
            onChange={(event) =>
              onChange(event.target.checked ? [...roles, role] : roles.filter((one) => one !== role))
            }
          />
          <span>
            {role} <span className="text-faint">{roleWords[role]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
