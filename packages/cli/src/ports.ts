/** Where each is found when nothing names a port. */
export const ports = { ssh: 22, postgres: 5432, mysql: 3306, mariadb: 3306 } as const;
export type Protocol = keyof typeof ports;
