// The other half of `least.mjs`: compresses and stores what comes, a transaction for each batch.
import { parentPort, workerData } from 'node:worker_threads';
import { constants, deflateSync } from 'node:zlib';
import Database from 'better-sqlite3';

/** Before the bodies: bytes of the request, of the response, status, when, how long. */
export const HEAD_BYTES = 28;

const COMPRESSION = { level: constants.Z_BEST_SPEED, windowBits: 13, memLevel: 6, chunkSize: 1024 };

if (parentPort !== null) work();

function work() {
  const database = new Database(workerData.path);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(`CREATE TABLE exchanges (id INTEGER PRIMARY KEY, session TEXT, method TEXT, path TEXT, status INTEGER,
      created_at INTEGER, duration_ms REAL, request_bytes INTEGER, response_bytes INTEGER, bodies BLOB);
    CREATE INDEX by_session ON exchanges (session, created_at);
    CREATE INDEX by_path ON exchanges (path, status, created_at);`);
  const insert = database.prepare('INSERT INTO exchanges VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const store = database.transaction((batch) => {
    for (let at = 0; at < batch.length;) {
      const request = batch.readUInt32LE(at);
      const response = batch.readUInt32LE(at + 4);
      const status = batch.readUInt32LE(at + 8);
      const from = at + HEAD_BYTES;
      at = from + request + response;
      const bodies = deflateSync(batch.subarray(from, at), COMPRESSION);
      const [startedAt, durationMs] = [batch.readDoubleLE(from - 16), batch.readDoubleLE(from - 8)];
      insert.run('anonymous', 'POST', '/echo', status, startedAt, durationMs, request, response, bodies);
    }
  });
  parentPort.on('message', ({ buffer, length }) => {
    store(Buffer.from(buffer, 0, length));
    parentPort.postMessage('written');
  });
  parentPort.postMessage('open');
}
