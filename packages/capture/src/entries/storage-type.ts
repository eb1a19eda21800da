/** Which sides of an exchange an entry holds. */
export const StorageType = Object.freeze({
  REQUEST: 'request',
  RESPONSE: 'response',
  BOTH: 'both',
} as const);

export type StorageType = (typeof StorageType)[keyof typeof StorageType];
