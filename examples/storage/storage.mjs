import { join } from 'node:path';
import { createCachedDatabase, createStorageBackends, loadStorageConfig } from '@recap/storage';
import { CachedSessionManager, SessionManager } from './sessions.mjs';

const config = await loadStorageConfig(process.argv[2] ?? join(import.meta.dirname, 'storage.yml'));
const { manager, backends } = await createStorageBackends(config);
const show = (what, value) => console.log(`${what}: ${JSON.stringify(value)}`);

try {
  // What may be lost: sessions, for an hour.
  await backends.cache.set('session:123', { user: 456, cart: ['kettle'] }, 3600);
  show('session:123', await backends.cache.get('session:123'));

  // What may not: users, and the messages of a conversation.
  await backends.database.set('user:456', { name: 'Ann' });
  show('user:456', await backends.database.get('user:456'));

  await backends.database.delete('messages:789');
  for (let number = 1; number <= 25; number += 1)
    await backends.database.append('messages:789', { role: 'user', content: `Message ${number}` });
  const recent = await backends.database.getRange('messages:789', -10, -1);
  show('messages:789, their number', await backends.database.getLength('messages:789'));
  show(
    'messages:789, the last ten',
    recent.map(({ content }) => content),
  );

  // The cache first, the database behind, and warm again.
  const sessions = new SessionManager(backends);
  await sessions.createSession('abc');
  await backends.cache.delete('session:abc');
  show('session:abc, from the database', (await sessions.getSession('abc')).id);
  show('session:abc, warm again', await backends.cache.exists('session:abc'));

  const { cache, database } = backends;
  const cached = createCachedDatabase({ cache, database, strategy: 'write-through', ttlSeconds: 3600 });
  const others = new CachedSessionManager(cached);
  await others.createSession('def');
  const found = await Promise.all(Array.from({ length: 100 }, () => others.getSession('def')));
  show('session:def, read by 100 at once', found.filter(({ id }) => id === 'def').length);
  await cached.disconnect();

  show('the keys of sessions', await backends.database.keys('session:*'));
  const { cache: ofCache, database: ofDatabase, overall } = await manager.healthCheck();
  show('healthy', { cache: ofCache, database: ofDatabase, overall });
} finally {
  await manager.disconnect();
}
