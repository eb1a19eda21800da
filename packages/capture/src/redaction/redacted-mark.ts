/** What stands in the place of something hidden; it says nothing of the length of what was there. */
export const REDACTED = '[REDACTED]';
