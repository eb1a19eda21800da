import type { Address, BackendStats } from '../../backend';
import type { ByteRange } from '../../byte-range';
import type {
  AppendWrite,
  DeleteWrite,
  DriverPage,
  DriverScan,
  DriverWrite,
  SetWrite,
  StoredItem,
  StoredRange,
  Verdict,
} from '../../driver';
import { newId } from '../../new-id';
import type { SqlDialect, SqlQuery, SqlRow, SqlStatement, SqlSteps, SqlValue } from './sql-contract';
import { fromColumns, toColumns, toItem, toKey, toKind, toText } from './sql-rows';
import { KIND, sqlStatements, type SqlStatements } from './sql-statements';

/** Beyond every name: no UTF-8 holds this byte. */
const BEYOND = Buffer.of(0xff);

const COUNT_LIMIT = 10_000;

/** The operations of a driver as steps, for any SQL engine. */
export class SqlOperations {
  readonly statements: SqlStatements;
  readonly #dialect: SqlDialect;

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
    this.statements = sqlStatements(dialect);
  }

  *get(partition: string, key: string, now: number): SqlSteps<StoredItem | undefined> {
    const [row] = yield query(this.statements.get, toKey(partition), toKey(key), now);
    return row === undefined ? undefined : toItem(row, key);
  }

  *getMany(addresses: readonly Address[], now: number): SqlSteps<(StoredItem | undefined)[]> {
    const found: (StoredItem | undefined)[] = [];
    for (const { partition, key } of addresses) found.push(yield* this.get(partition, key, now));
    return found;
  }

  *keys(partition: string, scan: DriverScan, now: number): SqlSteps<DriverPage<string>> {
    const { from, to = BEYOND, limit, reverse } = scan;
    const statement = reverse ? this.statements.keysDown : this.statements.keysUp;
    const rows = yield query(statement, toKey(partition), from, to, now, limit + 1);
    return toPage(rows, limit, ({ key }) => toText(key));
  }

  *partitions({ from, to = BEYOND }: ByteRange, limit: number, now: number): SqlSteps<DriverPage<string>> {
    const rows = yield query(this.statements.partitions, from, to, now, limit + 1);
    return toPage(rows, limit, ({ partition }) => toText(partition));
  }

  *range(partition: string, key: string, start: number, end: number, now: number): SqlSteps<StoredRange> {
    const rows = yield query(this.statements.range, toKey(partition), toKey(key), now, start, end);
    const [first] = rows;
    if (first === undefined) return { values: [] };
    if (toKind(first['item_kind']) !== KIND.list) return 'wrong-type';
    return { values: first['position'] === null ? [] : rows.map(fromColumns) };
  }

  *length(partition: string, key: string, now: number): SqlSteps<number | undefined> {
    const [row] = yield query(this.statements.look, toKey(partition), toKey(key), now);
    if (row === undefined) return 0;
    return toKind(row['kind']) === KIND.list ? Number(row['length']) : undefined;
  }

  *write(write: DriverWrite, now: number): SqlSteps<Verdict> {
    switch (write.type) {
      case 'set':
        return yield* this.#set(write, now);
      case 'append':
        return yield* this.#append(write, now);
      case 'delete':
        return yield* this.#delete(write, now);
    }
  }

  *batch(writes: readonly DriverWrite[], now: number): SqlSteps<(Verdict | Error)[]> {
    const verdicts: (Verdict | Error)[] = [];
    for (const write of writes)
      try {
        verdicts.push(yield* this.write(write, now));
      } catch (error) {
        verdicts.push(error as Error);
      }
    return verdicts;
  }

  /** To be run together, and kept if {@link isAccepted}. In the order of keys, so that two never wait for each other. */
  *transact(writes: readonly DriverWrite[], now: number): SqlSteps<Verdict[]> {
    const ordered = [...writes].sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    const verdicts = new Map<DriverWrite, Verdict>();
    for (const write of ordered) {
      const verdict = yield* this.write(write, now);
      verdicts.set(write, verdict);
      if (!isAccepted([verdict])) break;
    }
    return writes.map((write) => verdicts.get(write) ?? { status: 'missing' });
  }

  *sweep(limit: number, now: number): SqlSteps<number> {
    const items = yield query(this.statements.sweepItems, now, limit);
    if (items.length === limit) return limit;
    const elements = yield query(this.statements.sweepElements, limit - items.length);
    if (items.length + elements.length < limit) yield query(this.statements.sweepDropped);
    return items.length + elements.length;
  }

  *stats(now: number): SqlSteps<BackendStats> {
    const [row] = yield query(this.statements.count, now, COUNT_LIMIT + 1);
    const items = Number(row?.['items']);
    return { items: Math.min(items, COUNT_LIMIT), isCapped: items > COUNT_LIMIT };
  }

  *#set(write: SetWrite, now: number): SqlSteps<Verdict> {
    const { partition, key, value, version, expiresAt = null, ifAbsent, ifVersion } = write;
    const columns = [toKey(partition), toKey(key), ...toColumns(value, this.#dialect), version, expiresAt];
    const { set, setIfAbsent, setIfVersion } = this.statements;
    if (ifAbsent) {
      const rows = yield query(setIfAbsent, ...columns, now);
      return { status: rows.length > 0 ? 'written' : 'exists' };
    }
    if (ifVersion !== undefined) {
      const rows = yield query(setIfVersion, ...columns, now, ifVersion);
      return { status: rows.length > 0 ? 'written' : 'conflict' };
    }
    yield query(set, ...columns);
    return { status: 'written' };
  }

  *#delete({ partition, key, ifVersion }: DeleteWrite, now: number): SqlSteps<Verdict> {
    const address = [toKey(partition), toKey(key)];
    const { delete: remove, deleteIfVersion, look } = this.statements;
    const [row] =
      ifVersion === undefined
        ? yield query(remove, ...address)
        : yield query(deleteIfVersion, ...address, ifVersion);
    if (row !== undefined) {
      const { expires_at: expiresAt } = row;
      return { status: expiresAt === null || Number(expiresAt) > now ? 'deleted' : 'missing' };
    }
    if (ifVersion === undefined) return { status: 'missing' };
    const there = yield query(look, ...address, now);
    return { status: there.length > 0 ? 'conflict' : 'missing' };
  }

  /** To be run together with other steps, or alone: the elements and the length have to come at once. */
  *#append(write: AppendWrite, now: number): SqlSteps<Verdict> {
    const { partition, key, values, version, expiresAt = null } = write;
    const arguments_ = [toKey(partition), toKey(key), now, version, expiresAt, values.length];
    const { grow, begin, look, addElement } = this.statements;
    let [list] = yield query(grow, ...arguments_);
    if (list === undefined) {
      const [there] = yield query(look, toKey(partition), toKey(key), now);
      const verdict = there && verdictOnList(there, version);
      if (verdict !== undefined) return verdict;
      [list] = yield query(begin, ...arguments_, newId());
      // Another was quicker, and began the list.
      list ??= (yield query(grow, ...arguments_))[0];
    }
    // Another was quicker, and set a value.
    if (list === undefined) return { status: 'wrong-type' };
    const length = Number(list['length']);
    for (const [index, value] of values.entries())
      yield query(
        addElement,
        list['list'] as string,
        length - values.length + index,
        ...toColumns(value, this.#dialect),
      );
    return { status: 'written', length };
  }
}

/** Whether a transaction may be kept. */
export function isAccepted(verdicts: readonly Verdict[]): boolean {
  return verdicts.every(({ status }) => status === 'written' || status === 'deleted' || status === 'missing');
}

/** What stands in the way of an append, unless it is the list that has just been begun by another. */
export function verdictOnList({ kind, length, recent }: SqlRow, version: string): Verdict | undefined {
  if (toKind(kind) !== KIND.list) return { status: 'wrong-type' };
  return (recent as string).includes(` ${version} `)
    ? { status: 'written', length: Number(length) }
    : undefined;
}

function query(statement: SqlStatement, ...values: SqlValue[]): SqlQuery {
  return { statement, values };
}

function toPage<T>(rows: readonly SqlRow[], limit: number, convert: (row: SqlRow) => T): DriverPage<T> {
  return { items: rows.slice(0, limit).map(convert), hasMore: rows.length > limit };
}
