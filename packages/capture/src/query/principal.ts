/** Who asks: what `authenticate` gives. */
export interface Principal {
  /** The owner whose entries this principal may see; not empty. */
  readonly ownerId: string;
  /** True: sees the entries of all owners and may delete. */
  readonly isAdmin: boolean;
}
