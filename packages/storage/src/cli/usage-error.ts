/** What was asked for cannot be understood, or makes no sense: exit code 2. */
export class UsageError extends Error {}
