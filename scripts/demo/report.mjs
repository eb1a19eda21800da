import { searchFiles, searchText } from './secrets.mjs';
import { bytes, green, heading, json, oneLine, red, say, table } from './terminal.mjs';

const time = (instant) => instant.slice(11, 23);
const milliseconds = (value) => value.toFixed(1);
const sum = (items, of) => items.reduce((total, item) => total + (of(item) ?? 0), 0);
const originalBytes = ({ request, response }) =>
  (request.original_bytes ?? 0) + (response.original_bytes ?? 0);
const storedBytes = ({ request, response }) => request.stored_bytes + response.stored_bytes;

/** Says what has to hold, and remembers what does not. */
export function createChecks() {
  const failed = [];
  let count = 0;
  return {
    failed,
    count: () => count,
    that(holds, text) {
      count += 1;
      if (!holds) failed.push(text);
      say(`${holds ? green('✓') : red('✗')} ${text}`);
    },
  };
}

/**
 * Shows what was recorded, all of it asked for over HTTP from the running program, but for the search of the
 * database's files.
 *
 * @param {{ admin: object, ann: object, stranger: object }} clients of the storage router
 * @param {{ sent: number, surprises: string[] }} traffic
 * @param {{ folder: string, secrets: Record<string, string>, marker: string }} planted
 */
export async function report({ admin, ann, stranger }, traffic, planted, checks) {
  const items = await admin.everything();
  const entries = await Promise.all(items.map(({ id }) => admin.entry(id)));

  showEntries(items, traffic, checks);
  await showSessions(admin, items, checks);
  showOneInFull(entries, checks);
  await showQuery(admin, checks);
  await showFailures(admin, entries, checks);
  showRedactions(entries, checks);
  showSearch(entries, planted, checks);
  await showOwners({ ann, stranger }, items, checks);
  showSizes(entries, checks);
  await showStats(admin, items, checks);
}

function showEntries(items, { sent, surprises }, checks) {
  heading(`Entries: one for each of the ${sent} requests, newest first`);
  table(
    ['at', 'owner', 'method', 'endpoint', '>status', 'outcome', '>ms', 'session'],
    items.map((item) => [
      time(item.created_at),
      item.owner,
      item.method,
      item.endpoint ?? '(no route)',
      item.status,
      item.outcome,
      milliseconds(item.duration_ms),
      item.storage_info.session_id.slice(-8),
    ]),
  );
  say();
  checks.that(items.length === sent, `${sent} requests sent, ${items.length} entries stored`);
  const expected = surprises.length === 0;
  checks.that(expected, expected ? 'every answer was the one to expect' : surprises.join('; '));
}

async function showSessions(admin, items, checks) {
  heading('Sessions: entries of one owner that follow each other; here each conversation has its own');
  const { items: sessions } = await admin.sessions();
  table(
    ['session', 'owner', 'group', '>entries', '>errors', 'endpoints'],
    sessions.map((session) => [
      session.session_id.slice(-8),
      session.owner,
      session.group,
      session.total_entries,
      session.error_entries,
      session.endpoints.join(', '),
    ]),
  );
  say();
  const inSessions = sum(sessions, (session) => session.total_entries);
  checks.that(inSessions === items.length, `every entry is in one of the ${sessions.length} sessions`);
}

function showOneInFull(entries, checks) {
  heading('One entry in full: GET /storage/entries/:id (long strings shortened)');
  const entry = entries.find(({ path, method }) => path === '/v1/orders/2001' && method === 'POST');
  if (entry === undefined) return checks.that(false, 'the entry of the order is there');
  json({ ...entry, data: undefined, request: side(entry.request), response: side(entry.response) });
  say();
  return checks.that(entry.redacted.includes('request.body.note'), 'it says what was hidden in it');
}

/** Headers as they are usually written, so that they take one line each. */
function side({ headers, ...rest }) {
  return { ...rest, headers: headers.map(([name, value]) => `${name}: ${value}`) };
}

async function showQuery(admin, checks) {
  heading('A query by metadata that the program annotated: POST /storage/query');
  const filters = { model: 'fixed-sentences-1', 'usage.tokens': { gte: 100 } };
  say(JSON.stringify({ metadata_filters: filters }));
  say();
  const { items } = await admin.query({ metadata_filters: filters });
  table(
    ['at', 'owner', 'conversation', '>usage.tokens', 'stream', 'answer'],
    items.map(({ created_at: at, owner, storage_info: info, data }) => [
      time(at),
      owner,
      info.conversation,
      info.usage.tokens,
      info.stream,
      oneLine(data.response?.message?.content ?? String(data.response), 44),
    ]),
  );
  say();
  const right = items.every(({ storage_info: { usage } }) => usage.tokens >= 100);
  checks.that(items.length > 0 && right, `${items.length} entries found, each with 100 words or more`);
}

async function showFailures(admin, entries, checks) {
  heading('Errors and calls that were hung up, as they happened: { "outcome": … }, { "status": … }');
  const [failed, refused] = await Promise.all([
    admin.query({ outcome: ['failed', 'aborted'], include_data: false }),
    admin.query({ status: '4xx', include_data: false }),
  ]);
  const shown = [...failed.items, ...refused.items].map(({ id }) => entries.find((entry) => entry.id === id));
  table(
    ['method', 'path', '>status', 'outcome', 'error or answer'],
    shown.map((entry) => [
      entry.method,
      entry.path,
      entry.status,
      entry.outcome,
      oneLine(entry.error ? `${entry.error.name}: ${entry.error.message}` : answerOf(entry), 56),
    ]),
  );
  say();
  const outcomes = failed.items.map(({ outcome }) => outcome).sort();
  checks.that(
    outcomes.join() === 'aborted,failed',
    'the handler that threw is "failed" and the client that hung up "aborted"',
  );
  checks.that(
    refused.items.length === 5,
    `${refused.items.length} requests were refused with a 4xx, and say so`,
  );
}

function answerOf({ response: { data } }) {
  return typeof data === 'string' ? data.replace(/<[^>]*>/g, ' ').trim() : JSON.stringify(data);
}

function showRedactions(entries, checks) {
  heading('Redacted before anything was written: where, of which entries');
  const byPath = new Map();
  for (const { redacted, method, endpoint } of entries) {
    for (const path of redacted) {
      const known = byPath.get(path) ?? { count: 0, endpoints: new Set() };
      known.count += 1;
      byPath.set(path, { ...known, endpoints: known.endpoints.add(`${method} ${endpoint}`) });
    }
  }
  table(
    ['path', '>entries', 'endpoints'],
    [...byPath].sort().map(([path, { count, endpoints }]) => [path, count, [...endpoints].join(', ')]),
  );
  say();
  checks.that(byPath.size > 0, `something was hidden at ${byPath.size} different places`);
}

function showSearch(entries, { folder, secrets, marker }, checks) {
  heading('Proof: the secrets are nowhere in the database, as bytes or as entries read back');
  const words = [...Object.values(secrets), marker];
  const { files, found } = searchFiles(folder, words);
  const read = JSON.stringify(entries);
  const readBack = searchText(read, words);
  const sizes = files.map((file) => `${file.name} (${bytes(file.bytes)})`).join(', ');
  say(`searched: ${sizes}; ${entries.length} entries read back (${bytes(read.length)})`);
  table(
    ['secret', 'in the files', 'in the entries'],
    [...Object.entries(secrets), [`control: the harmless word "${marker}"`, marker]].map(([what, word]) => [
      what,
      found.includes(word) ? 'FOUND' : 'not found',
      readBack.includes(word) ? 'FOUND' : 'not found',
    ]),
  );
  say();
  const leaked = Object.keys(secrets).filter((name) => [...found, ...readBack].includes(secrets[name]));
  checks.that(
    leaked.length === 0,
    leaked.length === 0 ? 'no secret was stored' : `stored: ${leaked.join(', ')}`,
  );
  checks.that(found.includes(marker) && readBack.includes(marker), 'the search works: it finds the control');
}

async function showOwners({ ann, stranger }, items, checks) {
  heading('Everybody sees their own');
  const { items: hers } = await ann.query({ page_size: 100, include_data: false });
  const ofAnn = items.filter(({ owner }) => owner === 'ann').length;
  const isHers = hers.length === ofAnn && hers.every(({ owner }) => owner === 'ann');
  checks.that(isHers, `ann asks for everything and gets her ${ofAnn} entries of ${items.length}`);
  const ofBob = items.find(({ owner }) => owner === 'bob');
  const status = ofBob && (await ann.status(`/entries/${ofBob.id}`));
  checks.that(status === 404, `ann asks for an entry of bob by its id and gets ${status}`);
  const unknown = await stranger.status('/sessions');
  checks.that(unknown === 401, `somebody with a wrong token gets ${unknown}`);
}

function showSizes(entries, checks) {
  heading('Sizes of bodies, as they travelled and as they are stored');
  const groups = groupBy(entries, nameOf);
  const row = (name, group) => {
    const [before, after] = [sum(group, originalBytes), sum(group, storedBytes)];
    const compressed = group.filter(
      (entry) => entry.request.compression || entry.response.compression,
    ).length;
    const share = before === 0 ? '–' : `${Math.round((100 * after) / before)} %`;
    return [name, group.length, compressed, bytes(before), bytes(after), share];
  };
  table(
    ['endpoint', '>entries', '>compressed', '>before', '>after', '>stored'],
    [...[...groups].map(([name, group]) => row(name, group)), row('all', entries)],
  );
  say();
  const compressed = entries.filter(({ request, response }) => request.compression ?? response.compression);
  const isSmaller = sum(compressed, storedBytes) < sum(compressed, originalBytes);
  checks.that(
    compressed.length > 0 && isSmaller,
    `bodies compressed where that makes them a tenth smaller: in ${compressed.length} entries`,
  );
}

const nameOf = ({ method, endpoint }) => (endpoint === null ? '(no route)' : `${method} ${endpoint}`);

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

async function showStats(admin, items, checks) {
  heading('The recorder about itself: GET /storage/stats');
  const { recorder, store } = await admin.stats();
  json({ recorder, store });
  const shed = Object.values(recorder.shed).reduce((total, count) => total + count, 0);
  checks.that(
    recorder.captured === recorder.stored + recorder.queued + shed && recorder.stored === items.length,
    `captured ${recorder.captured} = stored ${recorder.stored} + queued ${recorder.queued} + shed ${shed}`,
  );
  checks.that(recorder.internal_errors === 0, 'nothing failed inside Recap');
}
