import assert from 'node:assert/strict';
import type { Role, RoleContext } from './role-context';
import { rejects } from './suite-context';

const CALLS: readonly (readonly [name: string, call: (role: Role) => Promise<unknown>])[] = [
  ['connect', (role) => role.connect()],
  ['get', (role) => role.get('a')],
  ['set', (role) => role.set('a', 1)],
  ['delete', (role) => role.delete('a')],
  ['mget', (role) => role.mget(['a'])],
  ['mget of nothing', (role) => role.mget([])],
  ['mset', (role) => role.mset([['a', 1]])],
  ['mset of nothing', (role) => role.mset([])],
  ['exists', (role) => role.exists('a')],
  ['clear', (role) => role.clear()],
  ['keys', (role) => role.keys()],
];

export function describeRoleLifecycle({ role, describe, it }: RoleContext): void {
  describe('its life', () => {
    it('begins with the first call, whichever it is', async () => {
      assert.equal(await role().get('a'), undefined);
    });

    it('may be begun twice and at once, and keeps what is there', async () => {
      await role().set('a', 1);
      await Promise.all([role().connect(), role().connect()]);
      assert.equal(await role().get('a'), 1);
    });

    it('may be ended twice, and before it has begun', async () => {
      await Promise.all([role().disconnect(), role().disconnect()]);
      await role().disconnect();
    });

    for (const [name, call] of CALLS)
      it(`is over for good: ${name} is refused after disconnect`, async () => {
        await role().set('a', 1);
        await role().disconnect();
        await rejects(call(role()), 'CLOSED');
      });
  });
}
