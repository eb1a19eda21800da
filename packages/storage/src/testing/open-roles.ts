import { FakeClock } from './fake-clock';
import type { OpenRole, Role, RoleContext } from './role-context';
import type { TestFramework } from './test-framework';

/** Opens one before each test, and ends all after it. */
export function openRoles<R extends Role>({
  framework,
  open,
  sharesAtOnce,
}: {
  readonly framework: TestFramework;
  readonly open: OpenRole<R>;
  readonly sharesAtOnce: boolean;
}): RoleContext<R> {
  const { describe, it, beforeEach, afterEach } = framework;
  let now:
    | { readonly clock: FakeClock; readonly role: R; readonly make: (prefix: string) => Promise<R> }
    | undefined;
  let made: R[] = [];
  const given = (): NonNullable<typeof now> => {
    if (now === undefined) throw new Error('The suite opens its role before each test.');
    return now;
  };
  const neighbour = async (keyPrefix: string): Promise<R> => {
    const one = await given().make(keyPrefix);
    made.push(one);
    return one;
  };

  beforeEach(async () => {
    const clock = new FakeClock();
    const make = await open(clock);
    const role = await make('suite:');
    made = [role];
    now = { clock, role, make };
  });

  afterEach(async () => {
    for (const one of made) await one.disconnect();
    made = [];
    now = undefined;
  });

  return {
    describe,
    it,
    beforeEach,
    afterEach,
    role: () => given().role,
    clock: () => given().clock,
    neighbour,
    sharesAtOnce,
  };
}
